"""Whether the negative posts of one watch are a spike: counts in, a reading out, nothing but arithmetic between."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from crisisdesk.detect.baseline import HOUR, SETTLED, Baseline
from crisisdesk.detect.surprise import count_surprise, share_surprise, tail
from crisisdesk.detect.windows import HORIZON, WINDOWS, Counts
from crisisdesk.records import Severity

GRACE: Final = 6
"""Hours that a new watch only listens; after them it calls, by stricter thresholds until it has settled."""
LEARN_AFTER: Final = 12
"""Hours that an hour waits before it is learnt: no window is compared with a usual that it is part of, and a slow
beginning can still be flagged before it passes for normal."""
LEARN_AFTER_AT_FIRST: Final = 3
"""The same while less than two days are known, so that a new watch gets to know anything at all."""
GIVE_IN: Final = 168
"""Hours of one unbroken spike after which it has become the usual, and is learnt after all."""
LEAST: Final = 4
"""Negative posts below which nothing is a spike, however unusual."""
SIZE_CORRECTION: Final = 0.95
"""Makes one threshold mean the same number of false alarms for small and large brands: per factor 10 of posts."""
SIZES: Final = (10**-0.8, 10**0.65)
"""Posts in five minutes between which the correction holds; beyond, it stays as it is there."""
SHARE_CORRECTION: Final = 0.9
"""The same for brands that are complained about little and much, for 100 points of the usual share above a quarter:
the fuller of complaints, the less room the share has to surprise."""
SHARES: Final = (0.25, 0.60)
PLAIN_NUMBER: Final = 0.33
"""How much of the surprise that the number has more than the share is added to it."""
PLAIN_ENOUGH: Final = 3.0
"""So much more counts at most: the largest crowd alone is no crisis."""
RED_NUMBER: Final = 9.0
"""Surprise of the number alone from which a call is red, whatever the share: that many are never chance."""
LEARNING_EXTRA: Final = 1.0
"""Added to the thresholds of a watch that knows nothing yet; falls to 0 as it settles."""
KEEP: Final = 0.7
"""A severity lasts while the number of negative posts surprises by this part of the threshold that it took."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Surprise from which on a spike has each severity, for a settled watch."""

    notice: float
    amber: float
    red: float

    @classmethod
    def for_budget(cls, per_month: float) -> "Thresholds":
        """Thresholds that call (amber or red) about `per_month` times a month for nothing.

        The two constants are fitted to simulated brands of all sizes (tests/proof/test_false_alarms.py prints
        them); a notice is four times as frequent as a call, an unfounded red a tenth as frequent.
        """

        def at(rate: float) -> float:
            return ONE_A_MONTH - math.log(rate) / ALARMS_FALL

        return cls(notice=at(per_month * 4), amber=at(per_month), red=at(per_month / 10))

    def of(self, severity: Severity) -> float:
        """The threshold of one severity."""
        return {Severity.NOTICE: self.notice, Severity.AMBER: self.amber, Severity.RED: self.red}[severity]


ONE_A_MONTH: Final = 3.6
ALARMS_FALL: Final = 2.3


@dataclass(frozen=True, slots=True)
class Reading:
    """The most surprising window at one moment; `severity` None while nothing is unusual."""

    severity: Severity | None
    surprise: float
    """Of number and share together, in standard deviations, corrected for size, share and how much is known."""
    window_minutes: int
    negative: int
    total: int
    expected: float
    usual_share: float
    fresh_negative: int = 0
    fresh_total: int = 0
    """Posts that speak of something new, if it was they who tipped the balance; else both 0."""

    number: float = 0.0
    """Surprise of the number of negative posts alone, in standard deviations."""

    @property
    def probability(self) -> float:
        """How likely such a number, or number and share together where they matter, is on an ordinary day."""
        return tail(max(self.surprise, self.number))


def _both(number: float, share: float) -> float:
    """Surprise that needs number and share alike; a number beyond doubt makes up for a little of the share."""
    return min(number, share) + PLAIN_NUMBER * min(max(number - share, 0.0), PLAIN_ENOUGH)


class SpikeDetector:
    """One watch's counts, its usual, and the judgement. Moments are minutes since 1970, as floats.

    Counts must already be of people (`crisisdesk.detect.people`). Late posts are welcome up to
    `crisisdesk.detect.windows.HORIZON`. State is bounded and independent of how many posts there are.
    """

    def __init__(self, thresholds: Thresholds, baseline: Baseline | None = None) -> None:
        self.thresholds = thresholds
        self.baseline = baseline or Baseline()
        self._counts = Counts()
        self._fresh = Counts()
        self._now = 0.0
        self._to_learn: int | None = None
        self._flagged: set[int] = set()
        self._deaf: set[int] = set()
        self._skipped = 0
        self._held: Severity | None = None

    def count(self, moment: float, total: int, negative: int) -> bool:
        """Count posts; False when they are too late to matter. Time moves on, so hours may be learnt first."""
        self.advance(moment)
        return self._counts.add(int(moment), total, negative)

    def count_fresh(self, moment: float, total: int, negative: int) -> None:
        """Of the posts counted, these speak of something new. What is new is judged also by itself.

        A watch that always hears complaints (a painkiller: people in pain) hides a new anger among the old ones.
        """
        self._fresh.add(int(moment), total, negative)

    def advance(self, moment: float) -> None:
        """Let time pass; hours that have waited long enough are learnt unless they were flagged."""
        self._now = max(self._now, moment)
        hour = int(self._now // HOUR)
        if self._to_learn is None:
            self._to_learn = hour
        while self._to_learn < hour - (LEARN_AFTER if self.baseline.hours >= 48 else LEARN_AFTER_AT_FIRST):
            if self._to_learn in self._deaf:
                self._deaf.discard(self._to_learn)
            elif self._to_learn not in self._flagged or self._skipped >= GIVE_IN:
                self.baseline.learn(self._to_learn, self._counts)
                self._skipped = self._skipped if self._to_learn in self._flagged else 0
            else:
                self._skipped += 1
            self._flagged.discard(self._to_learn)
            self._to_learn += 1

    def was_deaf(self, start: float, end: float) -> None:
        """Nothing could be heard between these moments: their silence is not what is usual, and is never learnt."""
        first = int(start // HOUR) if self._to_learn is None else max(int(start // HOUR), self._to_learn)
        last = int(end // HOUR)
        if self._to_learn is not None and last - first > HORIZON // HOUR:
            # All that waited to be learnt before so long a gap is long out of the counts.
            self._to_learn = first = max(first, last - HORIZON // HOUR)
        self._deaf.update(range(first, last + 1))

    def read(self) -> Reading:
        """Judge the windows that end now."""
        judged = [self._window(i, width) for i, width in enumerate(WINDOWS)]
        best, most = max(judged, key=lambda r: r.surprise), max(judged, key=lambda r: r.number)
        severity = self._held = self._severity(best.surprise, most.number)
        if severity is None:
            return best
        # What keeps a severity, or makes it red, is the number: then the window with most of it says why.
        shown = best if best.surprise >= self.thresholds.of(severity) else replace(most, surprise=best.surprise)
        self._flag(shown.window_minutes)
        return replace(shown, severity=severity)

    @property
    def awake(self) -> bool:
        """Whether enough is known to call anyone at all."""
        return self.baseline.hours >= GRACE

    def between(self, first: int, last: int) -> tuple[int, int]:
        """All and negative posts of the minutes from `first` to `last`, both included, as far as remembered."""
        return self._counts.between(first, last)

    def usual(self, hour: int) -> tuple[float, float]:
        """Negative posts that are usual in that hour (since 1970), and the upper end of the usual band."""
        expected = self.baseline.rate(hour) * self.baseline.share
        spread = math.sqrt(expected + self.baseline.dispersion[WINDOWS.index(HOUR)] * expected**2)
        return expected, expected + 2 * spread

    def state(self) -> dict[str, object]:
        """Everything that must survive a restart, as plain values."""
        return {
            "baseline": asdict(self.baseline),
            "counts": self._counts.state(),
            "fresh": self._fresh.state(),
            "now": self._now,
            "to_learn": self._to_learn,
            "flagged": sorted(self._flagged),
            "deaf": sorted(self._deaf),
            "skipped": self._skipped,
            "held": self._held,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.baseline = Baseline(**state["baseline"])
        self._counts = Counts.restored(state["counts"])
        self._fresh = Counts.restored(state["fresh"])
        self._now = state["now"]
        self._to_learn = state["to_learn"]
        self._flagged = set(state["flagged"])
        self._deaf = set(state["deaf"])
        self._skipped = state["skipped"]
        self._held = Severity(state["held"]) if state["held"] is not None else None

    def _window(self, index: int, width: int) -> Reading:
        """A window as it stands."""
        first, last = int(self._now) - width + 1, int(self._now)
        total, negative = self._counts.between(first, last)
        fresh_total, fresh_negative = self._fresh.between(first, last)
        usual = self.baseline.share
        expected = max(self.baseline.expected(first, self._now) * usual, 0.01)
        plain = Reading(None, 0.0, width, negative, total, expected, usual)
        if negative < LEAST or not self.awake:
            return plain
        much = count_surprise(negative, expected, self.baseline.dispersion[index])
        all_posts = _both(much, self._share_surprise(index, negative, total))
        of_fresh = 0.0
        if fresh_negative >= LEAST:
            # Against all the usual negative posts, although the new ones are only a part: a subject alone is no spike.
            number = count_surprise(fresh_negative, expected, self.baseline.dispersion[index])
            of_fresh = _both(number, self._share_surprise(index, fresh_negative, fresh_total))
        if of_fresh > all_posts:
            plain = replace(plain, fresh_negative=fresh_negative, fresh_total=fresh_total)
        return replace(plain, surprise=max(all_posts, of_fresh) - self._allowance(), number=much)

    def _share_surprise(self, index: int, negative: int, total: int) -> float:
        correlation = self.baseline.correlation[index] + 1 / (self.baseline.total + 1)
        return share_surprise(negative, total, self.baseline.share, correlation)

    def _allowance(self) -> float:
        """What is taken off a surprise: for the brand's size and usual share, and for how little is known."""
        size = SIZE_CORRECTION * math.log10(min(max(self.baseline.level / 12, SIZES[0]), SIZES[1]))
        share = SHARE_CORRECTION * (min(max(self.baseline.share, SHARES[0]), SHARES[1]) - SHARES[0])
        return size - share + LEARNING_EXTRA * max(0.0, 1 - self.baseline.hours / SETTLED)

    def _severity(self, surprise: float, much: float) -> Severity | None:
        """The severity that the surprise earns, or that the present one keeps.

        Number and share together say that it is a crisis; how long it lasts is said by the number alone. When the
        crowd comes to watch and joke, the share falls, and the anger is still there.
        """
        if surprise >= self.thresholds.amber and much >= RED_NUMBER:
            return Severity.RED
        for severity in sorted(Severity, reverse=True):
            bound = self.thresholds.of(severity)
            if surprise >= bound or (self._held is not None and severity <= self._held and much >= bound * KEEP):
                return severity
        return None

    def _flag(self, window_minutes: int) -> None:
        first = (int(self._now) - window_minutes + 1) // HOUR
        self._flagged.update(range(max(first, self._to_learn or first), int(self._now // HOUR) + 1))
