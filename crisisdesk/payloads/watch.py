"""A watch: what it hears, what is usual, and what it has spent of its budget of false alarms."""

from datetime import datetime

from typing_extensions import TypedDict

from crisisdesk.desk import ChartPoint, WatchPicture
from crisisdesk.payloads.incident import moment, real
from crisisdesk.payloads.shapes import Moment, SeverityName
from crisisdesk.records import stamp


class PlannedData(TypedDict):
    """What was announced and goes on."""

    start: Moment
    end: Moment
    reason: str


class WatchData(TypedDict):
    """A watch as it is: its last hour, and what is usual."""

    name: str
    severity: SeverityName | None
    learning: bool
    days_known: int
    negative_hour: int
    total_hour: int
    expected_hour: float | None
    negative_share: float | None
    usual_share: float | None
    other_hour: dict[str, int]
    dropped_hour: int
    unheard_since: Moment | None
    rise: str
    rise_de: str
    spent: str
    advice: str
    planned: PlannedData | None


class PointData(TypedDict):
    """One hour of a watch, from `time` on, against what is usual then."""

    time: Moment
    negative: int
    total: int
    expected: float | None
    high: float | None


class WeekData(TypedDict):
    """One week of a watch, without the hours that stood out."""

    week: str
    negative: int
    total: int
    hours_left_out: int


class WatchDetails(WatchData):
    """A watch with its last days and weeks, oldest first."""

    chart: list[PointData]
    weeks: list[WeekData]


def watch_data(watch: WatchPicture) -> WatchData:
    """A watch in a list of them."""
    event = watch.planned
    return {
        "name": watch.name,
        "severity": str(watch.severity) if watch.severity else None,
        "learning": watch.learning,
        "days_known": watch.days_known,
        "negative_hour": watch.negative_hour,
        "total_hour": watch.total_hour,
        "expected_hour": real(watch.expected_hour),
        "negative_share": None if watch.negative_share is None else real(watch.negative_share),
        "usual_share": real(watch.usual_share),
        "other_hour": dict(watch.other_hour),
        "dropped_hour": watch.dropped,
        "unheard_since": moment(watch.unheard_since),
        "rise": watch.rise,
        "rise_de": watch.rise_de,
        "spent": watch.spent,
        "advice": watch.advice,
        "planned": _planned(event.start, event.end, event.reason) if event else None,
    }


def watch_details(watch: WatchPicture) -> WatchDetails:
    """A watch by itself."""
    return {
        **watch_data(watch),
        "chart": [_point(one) for one in watch.chart],
        "weeks": [
            {"week": one.name, "negative": one.negative, "total": one.total, "hours_left_out": one.left_out}
            for one in watch.weeks
        ],
    }


def _point(one: ChartPoint) -> PointData:
    expected, high = (None if figure is None else real(figure) for figure in (one.expected, one.high))
    return {
        "time": stamp(one.time),
        "negative": one.negative,
        "total": one.total,
        "expected": expected,
        "high": high,
    }


def _planned(start: datetime, end: datetime, reason: str) -> PlannedData:
    return {"start": stamp(start), "end": stamp(end), "reason": reason}
