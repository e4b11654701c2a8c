"""Which readings of a series alert: one for each burst, and no more often than was asked for."""

import math
import re
from typing import Final

from crisisdesk.detect.series_pace import MINUTES_PER_WEEK, SHORTEST_INTERVAL, Pace
from crisisdesk.errors import UsageError

REFRACTORY: Final = 720.0
"""Minutes after an alert in which only something much larger alerts again."""
SHORTEST_REFRACTORY: Final = 3
"""Rows."""
SETTLING: Final = 15.0
"""Minutes in which a burst still grows to its size, a row at least."""
GROWTH: Final = 3.0
"""An excess so many times that of the first alert is something much larger,"""
RISE: Final = 1.5
"""and so is a surprise greater by this."""
SURE: Final = 2.0
"""Standard deviations by which more bursts must have come than were asked for, before any is held back."""

WEEKS_PER: Final = {"day": 1 / 7, "week": 1.0, "month": 30.44 / 7, "year": 365.25 / 7}
_RATE: Final = re.compile(
    r"\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(?:per|a|an|/)\s*(day|week|month|year)\s*", re.IGNORECASE
)


class Episode:
    """One burst, one alert: quiet after an alert, unless something much larger follows."""

    def __init__(self, pace: Pace) -> None:
        self._refractory = pace.rows(REFRACTORY, SHORTEST_REFRACTORY)
        self._settling = pace.rows(SETTLING)
        self._since: int | None = None
        self._surprise = 0.0
        self._excess = 0.0

    def alerts(self, threshold: float, surprise: float, excess: float, floor: float) -> bool:
        """Whether this row is the one to alert at; excesses are per row, `floor` the least that is not chance."""
        self.skip()
        if surprise < threshold:
            return False
        if self._since is not None and self._since <= self._settling:
            self._surprise, self._excess = max(self._surprise, surprise), max(self._excess, excess)
            return False
        alert = self._since is None or self._since > self._refractory or self._is_much_larger(surprise, excess)
        if alert:
            # A slow swell may begin without any excess of its own; three times nothing would then be reached at once.
            self._since, self._surprise, self._excess = 0, surprise, max(excess, floor)
        return alert

    def skip(self, rows: int = 1) -> None:
        """Let time pass."""
        if self._since is not None:
            self._since += rows

    def _is_much_larger(self, surprise: float, excess: float) -> bool:
        return surprise > self._surprise + RISE or excess >= GROWTH * self._excess


class Budget:
    """Alerts within a budget.

    The surprise of a reading says how often its like comes in a usual series, which gives the threshold. A series that
    is not usual, with heavier bursts or a pace of its own, would spend more: as far as that is sure, the threshold
    rises by the log of it, so that the larger of its bursts remain. It never falls below that of a usual series, as
    a budget need not be spent.
    """

    def __init__(self, alerts_per_week: float, pace: Pace) -> None:
        self._threshold = threshold_for(alerts_per_week)
        self._per_row = alerts_per_week * max(pace.interval, SHORTEST_INTERVAL) / MINUTES_PER_WEEK
        self._burst, self._alert = Episode(pace), Episode(pace)
        self._asked = 0.0
        self.bursts = 0
        """What would have alerted at the threshold of a usual series,"""
        self.alerts = 0
        """and what did alert."""

    def alert(self, surprise: float, excess: float, floor: float) -> bool:
        """Whether this row is the one to alert at, see `Episode.alerts`."""
        self._asked += self._per_row
        threshold = self._threshold + self._overspent()
        self.bursts += self._burst.alerts(self._threshold, surprise, excess, floor)
        alert = self._alert.alerts(threshold, surprise, excess, floor)
        self.alerts += alert
        return alert

    def skip(self, rows: int) -> None:
        """Let time pass."""
        self._burst.skip(rows)
        self._alert.skip(rows)

    def _overspent(self) -> float:
        surely = self.bursts - SURE * math.sqrt(self.bursts)
        asked = max(self._asked, 1.0)
        return math.log(surely / asked) if surely > asked else 0.0


def threshold_for(alerts_per_week: float) -> float:
    """The least surprise that alerts for a budget of so many alerts a week.

    Of five well-known brands over eight weeks, "1 per week" gave 1.0 alerts a week in rows of five minutes and 1.2 in
    rows of an hour, "1 per day" 4.4 and 3.6 (`tests/proof/brand_series.py`).
    """
    return -math.log(alerts_per_week)


def parse_rate(text: str) -> float:
    """Read a budget such as "1 per week"; returns alerts a week.

    Raises:
        UsageError: it is no rate, or none above zero.
    """
    match = _RATE.fullmatch(text)
    rate = float(match[1]) / WEEKS_PER[match[2].lower()] if match else 0.0
    if rate <= 0:
        raise UsageError(
            f"{text!r} is not a budget of alerts; write for example '1 per week', '3 per day' or '2 per month'."
        )
    return rate
