"""One watch in figures, for console, log and weekly report: its last hours, its weeks, what it has spent."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from crisisdesk.desk import ChartPoint, WatchPicture
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.planned import Planned
from crisisdesk.detect.unheard import HOUR, unheard_hours
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.engine.observation import Observation
from crisisdesk.incidents.register import Register
from crisisdesk.incidents.spending import Call, Spending, advice, spending, spent
from crisisdesk.records import EPOCH, Incident, Kind, Severity

CHART_SHOWN: Final = 4 * 24
"""Hours of a watch's past in a picture."""
MOVES: Final = 60
"""Seconds for which a picture holds while nothing more is said: the posts of the last hour grow old."""
STANDS: Final = 15 * 60
"""The same where there are none, so that only what is usual moves."""


def spending_of(detector: WatchDetector, calls: Iterable[Call], now: datetime) -> Spending:
    """What a watch has spent of its budget; after a restart it knows a later present than the desk may."""
    return spending(
        detector.name,
        detector.standard.false_alarms,
        calls,
        since=detector.since,
        now=max(now, detector.now),
        threshold=lambda per_month: Thresholds.for_budget(per_month).amber,
        unheard=lambda first, last: len(unheard_hours(detector.detector.hearing, first, last)) * HOUR,
    )


def watch_picture(
    detector: WatchDetector,
    severity: Severity | None,
    found: Spending,
    listening_since: datetime | None = None,
    planned: Planned | None = None,
) -> WatchPicture:
    """A watch at this moment.

    Args:
        detector: of the watch.
        severity: of its open incident.
        found: what it has spent of its budget.
        listening_since: when a live desk began; None for a recording, where silence says nothing.
        planned: what was announced for it and goes on.
    """
    hours, weeks = detector.hours(), detector.weeks()
    heard = any(hour.total for hour in hours) or any(week.total for week in weeks)
    negative, total, expected = detector.last_hour()
    day = hours[-24:]
    posts = sum(hour.total for hour in day)
    rise = detector.slow_rise()
    told = rise.told(detector.name) if rise else None
    zone = detector.standard.zone or UTC
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
        weeks=weeks,
        rise=told.en if told else "",
        rise_de=told.de if told else "",
        spent=spent(found, zone),
        advice=advice(found, zone),
        days_known=detector.detector.baseline.hours // 24,
        unheard_since=None if heard else listening_since,
        zone=detector.standard.zone,
        dropped=detector.detector.hearing.dropped.get(detector.name, 0),
        planned=planned,
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A picture, and what it was drawn from."""

    picture: WatchPicture
    taken: int
    severity: Severity | None
    calls: tuple[Call, ...]
    at: float
    until: float
    """Event time, in seconds since 1970, when it was drawn and from when on it is too old."""


class Pictures:
    """All watches at a moment. Each is drawn anew when it has changed: a screen asks every second, of thousands.

    Looking changes nothing: a watch of which nobody has spoken yet does not begin because somebody looks at it.
    """

    def __init__(
        self, observation: Observation, register: Register, others: Container[str], listening_since: datetime | None
    ) -> None:
        self._observation = observation
        self._register = register
        self._others = others
        self._listening_since = listening_since
        self._drawn: dict[str, _Drawn] = {}

    def now(self) -> Iterator[WatchPicture]:
        """Every watch."""
        moment, taken, severities = self._observation.now.timestamp(), self._observation.taken, self._severities()
        events = self._observation.planned()
        for place, name in enumerate(self._observation.detectors):
            drawn, severity, calls = self._drawn.get(name), severities.get(name), self._register.ledger.of(name)
            if (
                drawn is None
                or not drawn.at <= moment < drawn.until
                or drawn.taken != taken[name]
                or drawn.severity is not severity
                or drawn.picture.planned != events.get(name)
                or drawn.calls != calls
            ):
                picture = self._draw(name, severity, calls, events.get(name))
                moves = severity is not None or picture.total_hour or picture.other_hour
                until = _edge(moment, MOVES if moves else STANDS, place)
                self._drawn[name] = drawn = _Drawn(picture, taken[name], severity, calls, moment, until)
            yield drawn.picture

    def _draw(
        self, name: str, severity: Severity | None, calls: Iterable[Call], planned: Planned | None
    ) -> WatchPicture:
        detector, now = self._observation.detectors[name], self._observation.now
        if detector.now > EPOCH:
            detector.pass_time(now)
        since = None if name in self._others else self._listening_since
        return watch_picture(detector, severity, spending_of(detector, calls, now), since, planned)

    def _severities(self) -> dict[str, Severity]:
        """Of the open incidents; a spike says more of a watch than a flood of copies."""
        incidents = sorted(filter(lambda one: one.is_open, self._register.incidents()), key=_is_spike)
        return {one.watch: one.severity for one in incidents if one.kind in {Kind.BRIGADING, Kind.SPIKE}}


def _is_spike(incident: Incident) -> bool:
    return incident.kind is Kind.SPIKE


def _edge(moment: float, seconds: int, place: int) -> float:
    """When a picture of this moment is too old: each in a second of its own, lest they are all drawn at once."""
    return ((moment + place) // seconds + 1) * seconds - place
