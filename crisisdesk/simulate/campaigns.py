"""Campaigns: for three days far more people speak of a brand; announced to the desk or not, liked as usual or not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import numpy as np

from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.planned import Planned
from crisisdesk.detect.spike import SpikeDetector
from crisisdesk.records import EPOCH
from crisisdesk.simulate.brands import HOUR, Currents, Kind, background, spoken
from crisisdesk.simulate.listening import Heard, listen
from crisisdesk.simulate.measure import WARM
from crisisdesk.simulate.posts import DAY, STEP, stream

LASTS: Final = 3 * DAY
"""Rows of a campaign;"""
RAMP: Final = HOUR
"""of them, until it is at its height;"""
TURNS: Final = DAY + 6 * HOUR
"""and until the mood turns, if it does,"""
SOUR: Final = 6 * HOUR
"""for so many."""
LATER: Final = DAY
"""Rows from its end on until there is a crisis, which lasts as long as a sour mood."""
CRISIS: Final = (3.0, 2.5)
"""How many times the usual posts and the usual share that crisis has."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Brands of one kind that have campaigns of several sizes, each after the same ordinary weeks."""

    kind: Kind
    brands: int
    seed: tuple[int, ...]
    thresholds: Thresholds
    times: tuple[float, ...]
    """How many times the usual posts a campaign brings; 1 for none."""
    worse: float = 2.0
    """How many times the usual share the mood is where it turns."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one brand's desk did."""

    calls: int
    """In the three days of the campaign, in the usual mood;"""
    after: int
    """and on the day after it."""
    turned: float
    """Minutes from a turn of the mood until it called; infinite if it did not until the mood was as usual again."""
    later: float
    """The same of the crisis a day after the campaign."""


def play(stage: Stage) -> dict[tuple[float, bool], list[Outcome]]:
    """By how large the campaign was and whether it was announced: what became of each brand."""
    chance = np.random.default_rng(stage.seed)
    start = WARM * DAY + int(chance.integers(0, 7 * DAY))
    rows = LASTS + LATER + SOUR
    currents = background(chance, replace(stage.kind, days=-(-(start + rows) // DAY)), stage.brands)
    states = [heard[1] for heard in _heard(stage, currents.part(slice(0, start)), 0)]
    found = {}
    for times in stage.times:
        calm, turned = (currents.part(slice(start, start + rows)) for _ in range(2))
        for one in (calm, turned):
            _speak(one, times, slice(0, LASTS))
        _turn(turned, stage.worse, slice(TURNS, TURNS + SOUR))
        turned = turned.part(slice(0, TURNS + SOUR))
        _speak(calm, CRISIS[0], slice(LASTS + LATER, rows))
        _turn(calm, CRISIS[1], slice(LASTS + LATER, rows))
        for announced in (False, True):
            event = _event(start) if announced else ()
            both = zip(
                _heard(stage, calm, start, states, event), _heard(stage, turned, start, states, event), strict=True
            )
            found[times, announced] = [_outcome(one[0], other[0], start, stage.thresholds.amber) for one, other in both]
    return found


def _heard(
    stage: Stage, currents: Currents, start: int, states: Sequence[dict[str, Any]] = (), event: Sequence[Planned] = ()
) -> Iterator[tuple[Heard, dict[str, Any]]]:
    """What surprised in each brand's posts from a row on, and what its detector knows after it."""
    chance = np.random.default_rng((*stage.seed, len(currents.rate)))
    posts = spoken(chance, currents)
    for column in range(stage.brands):
        detector = SpikeDetector(stage.thresholds, planned=lambda: event)
        if states:
            detector.restore(states[column])
        heard = listen(stream(chance, posts, column, start), stage.thresholds, detector)
        yield heard, detector.state()


def _speak(currents: Currents, times: float, rows: slice) -> None:
    """More posts, in the mood that would be there anyhow."""
    height = np.minimum(1.0, np.arange(1, rows.stop - rows.start + 1) / RAMP)[:, None]
    more = (times - 1) * height * currents.rate[rows]
    sour = currents.news[rows] * currents.news_share[rows] + more * currents.share[rows]
    currents.news[rows] += more
    currents.news_share[rows] = sour / np.maximum(currents.news[rows], 1e-9)


def _turn(currents: Currents, worse: float, rows: slice) -> None:
    """The same posts, in a worse mood."""
    for share in (currents.share, currents.news_share):
        share[rows] = np.minimum(worse * share[rows], 0.95)


def _event(start: int) -> tuple[Planned, ...]:
    begins = EPOCH + timedelta(minutes=start * STEP)
    return (Planned("", begins, begins + timedelta(minutes=LASTS * STEP), "campaign"),)


def _outcome(calm: Heard, turned: Heard, start: int, amber: float) -> Outcome:
    begins, ends, turns, later = ((start + row) * STEP for row in (0, LASTS, TURNS, LASTS + LATER))
    return Outcome(
        len(calm.since(begins, ends).calls(amber)),
        len(calm.since(ends, later).calls(amber)),
        turned.since(turns).reached(amber) - turns + 1,
        calm.since(later).reached(amber) - later + 1,
    )
