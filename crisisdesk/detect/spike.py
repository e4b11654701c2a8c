"""Whether the negative posts of one watch are a spike: counts in, a reading out, nothing but arithmetic between."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from crisisdesk.detect.baseline import HOUR, SETTLED, Baseline
from crisisdesk.detect.surprise import count_surprise, share_surprise, tail
from crisisdesk.detect.windows import WINDOWS, Counts
from crisisdesk.records import Severity

GRACE: Final = 6
"""Hours that a new watch only listens; after them it calls, by stricter thresholds until it has settled."""
LEARN_AFTER: Final = 3
"""Hours that an hour waits before it is learnt, so that the detector may flag it first."""
GIVE_IN: Final = 168
"""Hours of one unbroken spike after which it has become the usual, and is learnt after all."""
LEAST: Final = 4
"""Negative posts below which nothing is a spike, however unusual."""
SIZE_CORRECTION: Final = 0.36
"""Makes one threshold mean the same number of false alarms for small and for large brands (per factor 10)."""
LEARNING_EXTRA: Final = 1.0
"""Added to the thresholds of a watch that knows nothing yet; falls to 0 as it settles."""
KEEP: Final = 0.7
"""A severity lasts while the surprise stays above this part of the threshold that it took."""


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
        them); a notice is ten times as frequent as a call, an unfounded red a tenth as frequent.
        """

        def at(rate: float) -> float:
            return ONE_A_MONTH - math.log(rate) / ALARMS_FALL

        return cls(notice=at(per_month * 10), amber=at(per_month), red=at(per_month / 10))

    def of(self, severity: Severity) -> float:
        """The threshold of one severity."""
        return {Severity.NOTICE: self.notice, Severity.AMBER: self.amber, Severity.RED: self.red}[severity]


ONE_A_MONTH: Final = 3.3
ALARMS_FALL: Final = 2.5


@dataclass(frozen=True, slots=True)
class Reading:
    """The most surprising window at one moment; `severity` None while nothing is unusual."""

    severity: Severity | None
    surprise: float
    """Standard deviations, corrected for the size of the brand and for how much is known."""
    window_minutes: int
    negative: int
    total: int
    expected: float
    usual_share: float

    @property
    def probability(self) -> float:
        """How likely this window would be on an ordinary day."""
        return tail(self.surprise)


class SpikeDetector:
    """One watch's counts, its usual, and the judgement. Moments are minutes since 1970, as floats.

    Counts must already be of people (`crisisdesk.detect.people`). Late posts are welcome up to
    `crisisdesk.detect.windows.HORIZON`. State is bounded and independent of how many posts there are.
    """

    def __init__(self, thresholds: Thresholds, baseline: Baseline | None = None) -> None:
        self.thresholds = thresholds
        self.baseline = baseline or Baseline()
        self._counts = Counts()
        self._now = 0.0
        self._to_learn: int | None = None
        self._flagged: set[int] = set()
        self._skipped = 0
        self._held: Severity | None = None

    def count(self, moment: float, total: int, negative: int) -> bool:
        """Count posts; False when they are too late to matter. Time moves on, so hours may be learnt first."""
        self.advance(moment)
        return self._counts.add(int(moment), total, negative)

    def advance(self, moment: float) -> None:
        """Let time pass; hours that have waited long enough are learnt unless they were flagged."""
        self._now = max(self._now, moment)
        hour = int(self._now // HOUR)
        if self._to_learn is None:
            self._to_learn = hour
        while self._to_learn < hour - LEARN_AFTER:
            if self._to_learn not in self._flagged or self._skipped >= GIVE_IN:
                self.baseline.learn(self._to_learn, self._counts)
                self._skipped = self._skipped if self._to_learn in self._flagged else 0
            else:
                self._skipped += 1
            self._flagged.discard(self._to_learn)
            self._to_learn += 1

    def read(self) -> Reading:
        """Judge the windows that end now."""
        best = max((self._window(i, width) for i, width in enumerate(WINDOWS)), key=lambda r: r.surprise)
        severity = self._severity(best.surprise)
        self._held = severity
        if severity is not None:
            self._flag(best.window_minutes)
        return Reading(
            severity, best.surprise, best.window_minutes, best.negative, best.total, best.expected, best.usual_share
        )

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
            "now": self._now,
            "to_learn": self._to_learn,
            "flagged": sorted(self._flagged),
            "skipped": self._skipped,
            "held": self._held,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.baseline = Baseline(**state["baseline"])
        self._counts = Counts.restored(state["counts"])
        self._now = state["now"]
        self._to_learn = state["to_learn"]
        self._flagged = set(state["flagged"])
        self._skipped = state["skipped"]
        self._held = Severity(state["held"]) if state["held"] is not None else None

    def _window(self, index: int, width: int) -> Reading:
        first = int(self._now) - width + 1
        total, negative = self._counts.between(first, int(self._now))
        usual = self.baseline.share
        expected = max(self.baseline.expected(first, self._now) * usual, 0.01)
        surprise = 0.0
        if negative >= LEAST and self.awake:
            correlation = self.baseline.correlation[index] + 1 / (self.baseline.total + 1)
            surprise = min(
                count_surprise(negative, expected, self.baseline.dispersion[index]),
                share_surprise(negative, total, usual, correlation),
            )
            surprise = max(surprise - self._allowance(), 0.0)
        return Reading(None, surprise, width, negative, total, expected, usual)

    def _allowance(self) -> float:
        """What is taken off a surprise: for the brand's size, and for how little is known."""
        size = SIZE_CORRECTION * math.log10(max(self.baseline.level / 12, 0.1))
        return size + LEARNING_EXTRA * max(0.0, 1 - self.baseline.hours / SETTLED)

    def _severity(self, surprise: float) -> Severity | None:
        """The severity that the surprise earns, or that the present one keeps."""
        for severity in sorted(Severity, reverse=True):
            bound = self.thresholds.of(severity)
            if self._held is not None and severity <= self._held:
                bound *= KEEP
            if surprise >= bound:
                return severity
        return None

    def _flag(self, window_minutes: int) -> None:
        first = (int(self._now) - window_minutes + 1) // HOUR
        self._flagged.update(range(max(first, self._to_learn or first), int(self._now // HOUR) + 1))
