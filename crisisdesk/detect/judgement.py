"""How surprising what was counted in a window is, of one watch with all that it has learnt. Arithmetic only."""

from dataclasses import dataclass
from typing import Final

from crisisdesk.detect.learning import Learning
from crisisdesk.detect.loudest import CROWDS, share_holds
from crisisdesk.detect.planned import Planned
from crisisdesk.detect.surprise import count_surprise, joint_surprise, share_surprise, strangeness, tail
from crisisdesk.detect.windows import WINDOWS
from crisisdesk.records import Severity

LEAST: Final = 4
"""Negative posts below which nothing is a spike, however unusual."""
SETTLED: Final = 168.0
"""Hours in which the stricter thresholds of a new watch fall to the ordinary ones,"""
LEARNING_EXTRA: Final = 0.25
"""and what is added to them at first."""
SOUR: Final = (0.25, 0.50)
"""Usual share between which complaints leave ever less room for a share to surprise by chance;"""
LESS_ROOM: Final = 1.0
"""what that is worth, per 100 points of share."""
SCOLDED: Final = (0.55, 0.65)
"""Usual share between which a watch becomes one that is complained about all day: its share has no room to rise,"""
EXTRAORDINARY: Final = 1.45
"""so that a crowd is enough whose number surprises so many times as much as any in its memory, if its share holds."""
FRESH_DISPERSION: Final = 1.0
"""Of the number of fresh posts: what is new comes all at once."""
FRESH_BESIDES: Final = 1.0
"""Surprise of the number of all negative posts below which nothing new is a spike."""
FRESH_CORRELATION: Final = 0.03
"""Added for fresh posts: they speak of one subject, and subjects differ in mood more than hours do."""
DAY, HALF_A_DAY = 24, 12
"""Hours: a window is also compared with the mood of the day before it, one that ended half a day ago at the latest, so
that the slow beginning of a crisis does not pass for its background."""
A_DAY_IS_WORTH: Final = 200.0
"""Posts of the usual share that are added to that day: a day of fewer posts says little of its mood."""
BURST: Final = WINDOWS.index(180)
"""Window beyond which it matters whether the posts were spread over it or came in a burst."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The most surprising window at one moment; `severity` None while nothing is unusual."""

    severity: Severity | None
    surprise: float
    """Of number and share together, in standard deviations, less what is allowed for how little is known."""
    width: int
    """Of the window, one of `WINDOWS`."""
    window_minutes: int
    """That it lasts: it does not reach back into a wave that was called and has ended."""
    since: int
    """Its first minute since 1970."""
    negative: int
    total: int
    expected: float
    usual_share: float
    number: float = 0.0
    """Surprise of the number of negative posts alone, in standard deviations; within what is planned, no more of it
    than their share surprises."""
    fresh_negative: int = 0
    fresh_total: int = 0
    """Posts that speak of something new, if it was they who tipped the balance; else both 0."""
    planned: Planned | None = None
    """What was announced and lies in the window."""

    @property
    def probability(self) -> float:
        """How likely such a number, or number and share together where they matter, is on an ordinary day."""
        return tail(max(self.surprise, self.number))


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted in one of `WINDOWS` that ends now."""

    index: int
    since: int
    """Its first minute since 1970."""
    minutes: int
    """That it lasts."""
    total: int
    negative: int
    fresh_total: int
    fresh_negative: int
    """Of the others, those that speak of something new."""
    usual: float
    """Posts that are usual in it."""
    before: tuple[int, int]
    """Ordinary posts and negative posts of the day before it."""
    planned: Planned | None = None
    """What was announced and lies in it: of such a window a large number says nothing, only the share does."""

    @property
    def width(self) -> int:
        """Minutes that it lasts where nothing is cut off."""
        return WINDOWS[self.index]

    @property
    def evenness(self) -> float:
        """The part of its posts that would have come anyhow; the others are a burst."""
        return min(self.usual / self.total, 1.0) if self.total else 1.0


def judge(window: Window, known: Learning, bar: float) -> Reading:
    """Say how much a window surprises.

    Args:
        window: what was counted.
        known: what is usual, and has been learnt of it.
        bar: surprise from which on somebody is called.
    """
    share = known.baseline.share
    expected = max(window.usual * share, 0.01)
    number = 0.0
    if window.negative >= LEAST:
        number = count_surprise(window.negative, expected, known.spread.dispersion[window.index])
    surprise = of_fresh = 0.0
    if number:
        strange = strangeness(window.total, window.usual)
        of_share = _of_share(window, known, window.negative, window.total)
        of_fresh = _of_fresh(window, known, expected, number)
        number = _of_number(number, of_share, window)
        of_all = joint_surprise(number, of_share, window.minutes, window.evenness)
        surprise = max(of_all, of_fresh)
        surprise = surprise + _less_room(share) - strange if surprise else 0.0
        surprise = max(surprise, _of_crowd(window, known, number, bar)) - _caution(known.baseline.hours)
        of_fresh = of_fresh if of_fresh > of_all else 0.0
    return Reading(
        severity=None,
        surprise=max(surprise, 0.0),
        width=window.width,
        window_minutes=window.minutes,
        since=window.since,
        negative=window.negative,
        total=window.total,
        expected=expected,
        usual_share=share,
        number=number,
        fresh_negative=window.fresh_negative if of_fresh else 0,
        fresh_total=window.fresh_total if of_fresh else 0,
        planned=window.planned,
    )


def _of_number(number: float, share: float, window: Window) -> float:
    """Surprise of a number, as far as it counts: what was announced brings many posts, but not a worse mood."""
    return min(number, share) if window.planned else number


def _of_share(window: Window, known: Learning, negative: int, total: int, subject: float = 0.0) -> float:
    """Surprise of a share, compared with the usual and, where that was worse, with the day before.

    A mood that was there yesterday already is no spike, and one that creeps up over days is told by the week.
    """
    usual, correlations = known.baseline.share, known.spread.correlation
    correlation = correlations[window.index] + subject + 1 / (known.baseline.total + 1)
    if window.index > BURST:
        # The posts of a burst are as much alike as those of a short window, however long the one in which they lie.
        correlation += (1 - window.evenness) * max(0.0, correlations[BURST] - correlations[window.index])
    surprise = share_surprise(negative, total, usual, correlation)
    posts, sour = window.before
    weight = posts + A_DAY_IS_WORTH
    before = (sour + A_DAY_IS_WORTH * usual) / weight
    if not surprise or before <= usual:
        return surprise
    # That day's mood is no better known than any day's.
    return min(surprise, share_surprise(negative, total, before, correlation + correlations[-1] * posts / weight))


def _of_fresh(window: Window, known: Learning, expected: float, number: float) -> float:
    """Surprise of the fresh posts of a window.

    Where all negative posts together are no more than usual, a new subject has only taken the place of others.
    """
    total, negative = window.fresh_total, window.fresh_negative
    if number < FRESH_BESIDES or negative < LEAST:
        return 0.0
    of_number = count_surprise(negative, max(expected * known.baseline.fresh_part, 0.01), FRESH_DISPERSION)
    of_share = _of_share(window, known, negative, total, FRESH_CORRELATION)
    return joint_surprise(_of_number(of_number, of_share, window), of_share, window.minutes)


def _of_crowd(window: Window, known: Learning, number: float, bar: float) -> float:
    """Surprise of an extraordinary number whose share does not fall, for a watch that is always scolded."""
    place = (known.baseline.share - SCOLDED[0]) / (SCOLDED[1] - SCOLDED[0])
    if place <= 0 or window.planned or window.width not in CROWDS:
        return 0.0
    if not share_holds(window.negative, window.total, known.baseline.share):
        return 0.0
    return bar * number / (EXTRAORDINARY * known.loudest.record(window.width)) * min(place, 1.0)


def _caution(hours: int) -> float:
    """What is taken off a surprise while so few hours are known."""
    return LEARNING_EXTRA * max(0.0, 1.0 - hours / SETTLED)


def _less_room(share: float) -> float:
    """What is added for often scolded watches, so that one threshold means the same for all."""
    return LESS_ROOM * (min(max(share, SOUR[0]), SOUR[1]) - SOUR[0])
