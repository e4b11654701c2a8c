"""One watch in figures, for console, log and weekly report: its last hours, its weeks, what it has spent."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from crisisdesk.desk import ChartPoint, WatchPicture
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.incidents.spending import Call, Spending, advice, spending, spent
from crisisdesk.records import Severity

CHART_SHOWN: Final = 4 * 24
"""Hours of a watch's past in a picture."""


def spending_of(detector: WatchDetector, calls: Iterable[Call], now: datetime) -> Spending:
    """What a watch has spent of its budget; after a restart it knows a later present than the desk may."""
    return spending(
        detector.name,
        detector.standard.false_alarms,
        calls,
        since=detector.since,
        now=max(now, detector.now),
        threshold=lambda per_month: Thresholds.for_budget(per_month).amber,
    )


def watch_picture(detector: WatchDetector, severity: Severity | None, found: Spending) -> WatchPicture:
    """A watch at this moment.

    Args:
        detector: of the watch.
        severity: of its open incident.
        found: what it has spent of its budget.
    """
    hours = detector.hours()
    negative, total, expected = detector.last_hour()
    day = hours[-24:]
    posts = sum(hour.total for hour in day)
    rise = detector.slow_rise()
    told = rise.told(detector.name) if rise else None
    return WatchPicture(
        name=detector.name,
        severity=severity,
        learning=detector.detector.baseline.learning,
        negative_hour=negative,
        total_hour=total,
        expected_hour=expected,
        negative_share=sum(hour.negative for hour in day) / posts if posts else None,
        usual_share=detector.detector.baseline.share,
        other_hour=detector.last_hour_apart(),
        chart=tuple(ChartPoint(h.start, h.negative, h.total, h.expected, h.high) for h in hours[-CHART_SHOWN:]),
        weeks=detector.weeks(),
        rise=told.en if told else "",
        rise_de=told.de if told else "",
        spent=spent(found),
        advice=advice(found),
    )
