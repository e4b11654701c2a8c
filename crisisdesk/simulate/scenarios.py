"""What may happen to a brand on one day or in one week, and how many brands the desk would call about then.

All but the crisis must not call: the level of "nothing happens" in as many hours is what to compare with.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.spike import SpikeDetector
from crisisdesk.simulate.brands import HOUR, Currents, Kind, background, spoken
from crisisdesk.simulate.listening import listen
from crisisdesk.simulate.posts import DAY, STEP, Bools, Floats, Stream, stream

WARM: Final = 21
"""Ordinary days before it happens."""
HALF_A_DAY, TEN_DAYS = 12 * HOUR, 10 * DAY
"""Rows."""
OUTAGE: Final = 6 * 60
"""Minutes."""
LATE: Final = (0.25, 60.0)
"""Part of the posts that come late, and by how many minutes on average."""

BEFORE, THEN = 1, 2
"""Told apart in seeds: the weeks before, and what happens then."""

_States = list[dict[str, Any]]
Delivery = Callable[[np.random.Generator, Stream, int], Stream]
"""How posts reach the desk, from the minute on in which it happens."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that happens."""

    name: str
    rows: int = HALF_A_DAY
    """For how long it is watched whether the desk calls."""
    change: Callable[[Currents], None] = lambda _: None
    """What people say from then on;"""
    always: bool = False
    """and what they said in all the weeks before, if this is how the brand always is."""
    deliver: Delivery = lambda _chance, posts, _minute: posts
    deaf: int = 0
    """Minutes from its start on that the desk knows not to have heard."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Brands of one kind to which each of the scenarios happens, all after the same three weeks."""

    kind: Kind
    brands: int
    seed: tuple[int, ...]
    thresholds: Thresholds
    scenarios: tuple[str, ...]


def play(stage: Stage) -> dict[str, list[bool]]:
    """For each scenario: whether the desk called, by brand."""
    chance = np.random.default_rng(stage.seed)
    start = WARM * DAY + int(chance.integers(0, 7 * DAY))
    longest = max(SCENARIOS[name].rows for name in stage.scenarios)
    currents = background(chance, replace(stage.kind, days=-(-(start + longest) // DAY)), stage.brands)
    before, ordinary = slice(0, start), Scenario("")
    usual = _before(ordinary, stage, currents.part(before))
    called = {}
    for scenario in (SCENARIOS[name] for name in stage.scenarios):
        states = _before(scenario, stage, currents.part(before)) if scenario.always else usual
        then = currents.part(slice(start, start + scenario.rows))
        called[scenario.name] = _played(scenario, stage, states, start, then)
    return called


def _before(scenario: Scenario, stage: Stage, currents: Currents) -> _States:
    """What the detector of each brand knows after the weeks before."""
    chance = np.random.default_rng((*stage.seed, BEFORE))
    if scenario.always:
        scenario.change(currents)
    posts, states = spoken(chance, currents), []
    for column in range(stage.brands):
        detector = SpikeDetector(stage.thresholds)
        listen(stream(chance, posts, column), stage.thresholds, detector)
        states.append(detector.state())
    return states


def _played(scenario: Scenario, stage: Stage, states: _States, start: int, currents: Currents) -> list[bool]:
    """Whether each brand was called about."""
    chance = np.random.default_rng((*stage.seed, THEN))
    scenario.change(currents)
    posts = spoken(chance, currents)
    called = []
    for column, state in enumerate(states):
        hearing = Hearing()
        if scenario.deaf:
            hearing.was_deaf(start * STEP, start * STEP + scenario.deaf)
        detector = SpikeDetector(stage.thresholds, hearing=hearing)
        detector.restore(state)
        coming = scenario.deliver(chance, stream(chance, posts, column, start), start * STEP)
        called.append(bool(listen(coming, stage.thresholds, detector).calls(stage.thresholds.amber)))
    return called


def _shape(rows: int) -> Floats:
    """Full height after 20 minutes, six hours long."""
    height = np.minimum(1.0, np.arange(1, rows + 1) / 4)
    height[6 * HOUR :] = 0.0
    return height[:, None]


def _viral(mood: float) -> Callable[[Currents], None]:
    """Twenty times the posts, with so many times the usual negative share among those that are added."""

    def change(currents: Currents) -> None:
        more = 19 * _shape(len(currents.rate)) * currents.rate
        share = np.clip(mood * currents.share, 0.01, 0.95)
        sour = currents.news * currents.news_share + more * share
        currents.news = currents.news + more
        currents.news_share = sour / np.maximum(currents.news, 1e-9)

    return change


def _crisis(currents: Currents) -> None:
    """Three times the posts with two and a half times the share, so seven and a half times the negative posts."""
    height = _shape(len(currents.rate))
    sour = 6.5 * currents.rate * currents.share * height
    other = np.maximum(2 * currents.rate * height - sour, 0.0)
    old = currents.news * currents.news_share
    currents.news = currents.news + sour + other
    currents.news_share = np.clip((old + sour) / np.maximum(currents.news, 1e-9), 0.01, 0.99)


def _drift(currents: Currents) -> None:
    """The negative share rises by 25 points within ten days, and stays."""
    rise = np.minimum(1.0, np.arange(len(currents.share)) / TEN_DAYS)[:, None]
    currents.share = np.minimum(currents.share + 0.25 * rise, 0.97)


def _nights(currents: Currents) -> None:
    """Who is awake at night is of worse mood, by 15 points."""
    currents.share = np.minimum(currents.share + 0.15 * currents.night, 0.97)


def _silence(_: np.random.Generator, posts: Stream, minute: int) -> Stream:
    """What is written during the outage is never heard."""
    return _of(posts, posts.minute >= minute + OUTAGE)


def _backlog(_: np.random.Generator, posts: Stream, minute: int) -> Stream:
    """All that was written during the outage comes at its end, and says that it was written then."""
    end = minute + OUTAGE
    return Stream(np.maximum(posts.arrival, end), np.maximum(posts.minute, end), posts.posts)


def _late(chance: np.random.Generator, posts: Stream, _: int) -> Stream:
    """A quarter of the posts comes late; when they were written is known."""
    late = chance.binomial(posts.posts, LATE[0])
    after = np.ceil(chance.exponential(LATE[1], len(late))).astype(np.int64)
    arrival = np.concatenate([posts.arrival, posts.arrival + after])
    order = np.argsort(arrival, kind="stable")
    both = np.concatenate([posts.posts - late, late])
    whole = Stream(arrival[order], np.concatenate([posts.minute, posts.minute])[order], both[order])
    return _of(whole, whole.posts.sum(axis=1) > 0)


def _of(posts: Stream, wanted: Bools) -> Stream:
    return Stream(posts.arrival[wanted], posts.minute[wanted], posts.posts[wanted])


_ALL: Final = (
    Scenario("nothing happens, 12 hours"),
    Scenario("positive viral success, 20 times the posts, 0.3 times the share", change=_viral(0.3)),
    Scenario("neutral viral success, 20 times the posts", change=_viral(1.0)),
    Scenario("viral, 20 times the posts, 1.5 times the share", change=_viral(1.5)),
    Scenario("a crisis: 3 times the posts, 2.5 times the share", change=_crisis),
    Scenario("nothing happens, 24 hours", 24 * HOUR),
    Scenario("outage of 6 hours that is known, and 18 hours after it", 24 * HOUR, deliver=_silence, deaf=OUTAGE),
    Scenario("outage of 6 hours that nobody knows of, and after it", 24 * HOUR, deliver=_silence),
    Scenario("outage of 6 hours, then all of it in one minute", 24 * HOUR, deliver=_backlog),
    Scenario("nothing happens, 10 days", TEN_DAYS),
    Scenario("a quarter of the posts is an hour late, 10 days", TEN_DAYS, deliver=_late),
    Scenario("share 15 points higher at night, as ever, 10 days", TEN_DAYS, change=_nights, always=True),
    Scenario("share 15 points higher at night from now on, 10 days", TEN_DAYS, change=_nights),
    Scenario("nothing happens, 12 days", TEN_DAYS + 2 * DAY),
    Scenario("share rises by 25 points in 10 days, 12 days", TEN_DAYS + 2 * DAY, change=_drift),
)
SCENARIOS: Final = {scenario.name: scenario for scenario in _ALL}
"""All, by name."""
