"""What a watch keeps of its hours that are over: chart, largest of each day, weeks. Hours are numbered since 1970."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from crisisdesk.detect.chart import Chart, Hour
from crisisdesk.detect.record_days import RecordDays, Standing
from crisisdesk.detect.restored import Part
from crisisdesk.detect.spike import SpikeDetector
from crisisdesk.detect.weeks import OPEN, Week, Weeks
from crisisdesk.detect.windows import HORIZON, HOUR
from crisisdesk.records import EPOCH


class Past:
    """The past of one watch, as its detector counted it."""

    def __init__(self, detector: Callable[[], SpikeDetector], chart_hours: int | None) -> None:
        """Make one.

        Args:
            detector: gives that of the watch, which a back-test replaces before it has heard anything.
            chart_hours: that are kept; None for all.
        """
        self._detector = detector
        self._chart = Chart(chart_hours, self._look)
        self._records = RecordDays()
        self._weeks = Weeks()

    def count(self, hour: int) -> None:
        """A negative post has been counted, now in this hour."""
        self._records.observe(hour, self._detector().window(HOUR)[1])

    def end(self, ended: int, hour: int) -> None:
        """The hour `ended` is over, perhaps long since; the present one is `hour`, of a new watch the first.

        To be told before the detector is: by then it may no longer know what it had counted and flagged.
        """
        if self._weeks.since >= 0:
            self._records.observe(ended, self._detector().hour(ended)[1])  # with what came late
            self._take_in(self._weeks, min(ended + 1, hour - OPEN + 1))
        self._weeks.begin(hour)
        self._chart.pass_to(hour)

    @property
    def since(self) -> int | None:
        """The first hour; None before it."""
        return self._weeks.since if self._weeks.since >= 0 else None

    def hours(self) -> tuple[Hour, ...]:
        """The past hours and the present one, oldest first."""
        return self._chart.all()

    def weeks(self, now: datetime) -> tuple[Week, ...]:
        """The last weeks without the hours that stood out, oldest first; the last is the present one, so far."""
        weeks = self._weeks.copy()
        self._take_in(weeks, int((now - EPOCH) / timedelta(hours=1)))
        return weeks.all(now)

    def standing(self, hour: int, negative: int) -> Standing:
        """For how long there have not been so many negative posts in 60 minutes."""
        return self._records.standing(hour, negative)

    def until(self, hour: int) -> dict[str, Any]:
        """As `state`, with this for the present hour: what lies after it was never so."""
        weeks = self._weeks.copy()
        self._take_in(weeks, hour)
        weeks.turn_back(hour)
        records = RecordDays() if self._records.is_ahead(hour) else self._records
        return {"records": records.state(), "weeks": weeks.state(), **self._chart.until(hour)}

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as plain values."""
        return {"records": self._records.state(), "weeks": self._weeks.state(), **self._chart.state()}

    def parts(self) -> Iterator[Part]:
        """How to go on from what `state` gave, part by part."""
        yield "hours", lambda state: self._chart.restore(state["hours"], state["hour"]), "the chart"
        yield "records", self._restore_records, "the largest hours"
        yield "weeks", self._restore_weeks, "the weeks"

    def _restore_records(self, state: dict[str, Any]) -> None:
        self._records = RecordDays.restored(state["records"])

    def _restore_weeks(self, state: dict[str, Any]) -> None:
        self._weeks = Weeks.restored(state["weeks"])

    def _take_in(self, weeks: Weeks, until: int) -> None:
        """Add the hours before this one that are not among the weeks yet, as far back as they are known."""
        if weeks.since < 0:
            return
        for hour in range(max(weeks.newest + 1, until - HORIZON // HOUR), until):
            weeks.add(hour, *self._detector().hour(hour), stood_out=self._detector().flagged(hour))

    def _look(self, hour: int) -> Hour:
        total, negative = self._detector().hour(hour)
        start = EPOCH + timedelta(hours=hour)
        if not self._detector().awake:
            return Hour(start, negative, total, None, None)
        return Hour(start, negative, total, *self._detector().usual(hour), self._detector().baseline.share)
