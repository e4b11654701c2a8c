"""False alarms and crises found, counted on many simulated brands, in as many processes as there are processors."""

import math
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np

from crisisdesk.detect.budget import Thresholds
from crisisdesk.simulate.brands import Kind, draw
from crisisdesk.simulate.crises import LASTS, Crisis
from crisisdesk.simulate.listening import Heard, listen
from crisisdesk.simulate.posts import STEP, stream

A_DAY: Final = 24 * 60
"""Minutes."""
DAYS_A_MONTH: Final = 365.25 / 12
WARM: Final = 21
"""Days that a brand is heard before anything is counted."""
SPOKEN: Final = 1
"""Told apart from the seed of a brand's posts: that of the minutes in which they fall."""

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Trial:
    """A few brands of one kind to listen to. The same trial gives the same result in every process."""

    kind: Kind
    brands: int
    seed: tuple[int, ...]
    thresholds: Thresholds
    from_day: int = WARM


@dataclass(frozen=True, slots=True)
class Listened:
    """One simulated brand after it was listened to."""

    kind: Kind
    heard: Heard
    """Since `from_day`."""
    days: float
    """For which that is."""
    crises: tuple[Crisis, ...]

    def delays(self, threshold: float, times: int) -> list[float]:
        """Minutes from the start of each crisis so large to the call; infinite if it ended before that."""
        return [
            self.heard.since(crisis.row * STEP, (crisis.row + LASTS) * STEP).reached(threshold) - crisis.row * STEP + 1
            for crisis in self.crises
            if crisis.times == times
        ]


@dataclass(frozen=True, slots=True)
class Rate:
    """False alarms a month, and how far chance may have moved that (one standard error)."""

    a_month: float
    error: float
    months: float


@dataclass(frozen=True, slots=True)
class Found:
    """Crises of one size: how many there were, the part that was found while they lasted, its standard error.

    `minutes` is the median over all of them, infinite where fewer than half were found.
    """

    crises: int
    part: float
    error: float
    minutes: float


def trials(kind: Kind, brands: int, seed: Sequence[int], thresholds: Thresholds, *, at_once: int = 2) -> list[Trial]:
    """So many brands, in tasks of a few each, so that no processor idles at the end."""
    sizes = [min(at_once, brands - first) for first in range(0, brands, at_once)]
    return [Trial(kind, size, (*seed, place), thresholds) for place, size in enumerate(sizes)]


def hear(trial: Trial) -> list[Listened]:
    """Draw the brands of a trial and listen to them."""
    brands = draw(trial.kind, trial.brands, trial.seed)
    found = []
    for column in range(trial.brands):
        posts = stream(np.random.default_rng((*trial.seed, SPOKEN, column)), brands.posts, column)
        heard = listen(posts, trial.thresholds).since(trial.from_day * A_DAY)
        crises = tuple(crisis for crisis in brands.crises if crisis.column == column)
        found.append(Listened(trial.kind, heard, trial.kind.days - trial.from_day, crises))
    return found


def side_by_side(
    work: Callable[[Task], Result], tasks: Sequence[Task], done: Callable[[int], None] = lambda _: None
) -> list[Result]:
    """The work on each task, in the order of tasks, in processes of their own where the system allows some.

    Args:
        work: a function of a module, so that another process can find it.
        tasks: what there is to do; records that can be pickled.
        done: is told how many tasks are done.
    """
    results = []
    for result in _results(work, tasks):
        results.append(result)
        done(len(results))
    return results


def false_alarms(brands: Iterable[Listened], threshold: float) -> Rate:
    """Calls of brands without crises."""
    some = list(brands)
    months = sum(one.days for one in some) / DAYS_A_MONTH
    calls = sum(len(one.heard.calls(threshold)) for one in some)
    # One more than was seen: where nothing was, that does not mean that nothing can be.
    return Rate(calls / months, math.sqrt(calls + 1) / months, months)


def found(delays: Sequence[float]) -> Found:
    """What became of crises of one size, from the minutes until each was called."""
    part = float(np.mean(np.isfinite(delays))) if delays else math.nan
    error = math.sqrt((part * (1 - part) + 0.25 / max(len(delays), 1)) / max(len(delays), 1))
    return Found(len(delays), part, error, float(np.median(delays)) if delays else math.inf)


def crises_found(brands: Iterable[Listened], threshold: float, times: int) -> Found:
    """How many of the crises so large were found."""
    return found([delay for one in brands for delay in one.delays(threshold, times)])


def _results(work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """Results as they are ready, in order."""
    processors = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 8)
    if processors > 1 and len(tasks) > 1:
        try:
            # Fresh processes: a copy of this one would hold copies of its threads' locks.
            pool = multiprocessing.get_context("spawn").Pool(processors, _leave_interrupting_to_the_first)
        except (ImportError, NotImplementedError, OSError):
            pass  # no semaphores or no processes here: the same results one by one, only later
        else:
            with pool:
                yield from pool.imap(work, tasks)
            return
    yield from map(work, tasks)


def _leave_interrupting_to_the_first() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
