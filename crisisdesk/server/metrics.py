"""What Prometheus reads of a desk: each figure as it is when somebody asks, none kept for them.

Labels are names of the configuration and words of the desk, so their number is bounded. No label names a person, whose
nights at the telephone are nobody's time series, nor a watch, of which there may be thousands.
"""

import asyncio
import math
import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from crisisdesk import __version__
from crisisdesk.records import Event, OutputStatus, Severity, State
from crisisdesk.server.vitals import Vitals
from crisisdesk.timing import Timing

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Values = Iterable[tuple[str, float]]
"""Figures by what they are of."""


async def exposition(vitals: Vitals) -> bytes:
    """All figures in Prometheus' text format; the process's own are read from the system, in a thread."""
    return await asyncio.to_thread(_written, vitals)


def _written(vitals: Vitals) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Collected(vitals))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Collected(Collector):
    """The figures of one moment, as the client library asks for them."""

    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[Metric]:
        yield from _of_the_desk(self._vitals)
        yield from _of_sources(self._vitals)
        yield from _of_scoring(self._vitals)
        yield from _of_incidents(self._vitals)
        yield from _of_outputs(self._vitals)


def _of_the_desk(vitals: Vitals) -> Iterator[Metric]:
    about = {"version": __version__, "python": platform.python_version(), "model": vitals.model}
    build = GaugeMetricFamily("crisisdesk_build_info", "Always 1; what runs here.", labels=list(about))
    build.add_metric(list(about.values()), 1)
    yield build
    yield _gauge("database_writable", "Whether the database took what was written last.", vitals.is_writable)
    yield _gauge("blind", "Whether no source is heard.", vitals.is_blind)
    yield _gauge("model_loaded", "Whether posts can be judged.", bool(vitals.model))
    yield _gauge("troubles", "What the desk says is wrong with it, in the log and on the console.", vitals.troubles)
    yield _gauges("queue_length", "Mentions that wait before a stage.", "queue", vitals.queues.items())
    if vitals.judged_until is not None:
        behind = max(0.0, (vitals.now - vitals.judged_until).total_seconds())
        yield _gauge("lag_seconds", "Since the moment up to which all was heard and judged; 10 are usual.", behind)


def _of_sources(vitals: Vitals) -> Iterator[Metric]:
    what = vitals.sources
    yield _counters("posts", "Posts that have come.", "source", ((one.name, one.posts) for one in what))
    yield _counters("source_events", "What has come, posts or not.", "source", ((one.name, one.events) for one in what))
    yield _counters("bad_posts", "What came and could not be read.", "source", ((one.name, one.bad) for one in what))
    yield _counters("mentions", "Posts that concern a watch.", "source", ((one.name, one.matched) for one in what))
    dropped = ((one.name, one.dropped) for one in what)
    yield _counters("mentions_dropped", "Mentions dropped: more came than could be judged.", "source", dropped)
    yield _counter("mentions_repeated", "Mentions that were delivered once more.", vitals.repeated)
    heard = ((one.name, one.state in {"live", "ended"}) for one in what)
    yield _gauges("source_up", "1 while it is heard, or read to its end.", "source", heard)
    ages = ((one.name, (vitals.now - one.last_event).total_seconds()) for one in what if one.last_event)
    yield _gauges("source_last_event_age_seconds", "Since something came last.", "source", ages)


def _of_scoring(vitals: Vitals) -> Iterator[Metric]:
    yield _histogram("scoring_seconds", "How long the model took for a batch of mentions.", vitals.scoring)
    yield _histogram("decision_seconds", "From a mention's coming in to its being counted.", vitals.deciding)
    yield _counter("mentions_scored", "Mentions that went through the model.", vitals.scored)
    yield _counter("mentions_unjudged", "Mentions that it could not judge; they count as neutral.", vitals.unjudged)


def _of_incidents(vitals: Vitals) -> Iterator[Metric]:
    are_open = [one for one in vitals.incidents if one.is_open]
    found = Counter((one.severity, one.state) for one in are_open)
    family = GaugeMetricFamily("crisisdesk_incidents_open", "Incidents not over.", labels=["severity", "state"])
    for severity in Severity:
        for state in (State.OPEN, State.ACKNOWLEDGED):
            family.add_metric([str(severity), state.value], found[severity, state])
    yield family
    silent = sum(one.is_silent(vitals.now) for one in are_open)
    yield _gauge("incidents_silenced", "Open incidents that call nobody because somebody asked for that.", silent)
    changes = ((event.value, vitals.changes.get(event, 0)) for event in Event)
    yield _counters("incident_changes", "What has happened to incidents.", "event", changes)


def _of_outputs(vitals: Vitals) -> Iterator[Metric]:
    of = [(name, one) for name, statuses in vitals.outputs.items() for one in statuses]
    arrived, failed = ((name, one.delivered) for name, one in of), ((name, one.attempts_failed) for name, one in of)
    yield _counters("deliveries", "Changes of incidents that have arrived.", "output", arrived)
    yield _counters("deliveries_failed", "Attempts that failed; each is made again.", "output", failed)
    waiting, lost = ((name, one.waiting) for name, one in of), ((name, one.failed) for name, one in of)
    yield _gauges("deliveries_waiting", "Changes that are still owed.", "output", waiting)
    yield _gauges("deliveries_given_up", "Changes of the last 30 days that never went out.", "output", lost)
    up = ((name, not any(map(_is_down, statuses))) for name, statuses in vitals.outputs.items())
    yield _gauges("output_up", "1 unless one of its addresses has trouble.", "output", up)


def _is_down(status: OutputStatus) -> bool:
    """Whether it does not deliver; what was never used has had no chance to fail."""
    return status.state != "live" and not (status.state == "connecting" and not status.trouble)


def _counter(name: str, what: str, value: float) -> Metric:
    return CounterMetricFamily(f"crisisdesk_{name}", what, value=value)


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"crisisdesk_{name}", what, value=float(value))


def _histogram(name: str, what: str, timing: Timing) -> Metric:
    buckets = [("+Inf" if bound == math.inf else str(bound), count) for bound, count in timing.buckets()]
    return HistogramMetricFamily(f"crisisdesk_{name}", what, buckets=buckets, sum_value=timing.total)


def _counters(name: str, what: str, label: str, values: Values) -> Metric:
    return _labelled(CounterMetricFamily(f"crisisdesk_{name}", what, labels=[label]), values)


def _gauges(name: str, what: str, label: str, values: Values) -> Metric:
    return _labelled(GaugeMetricFamily(f"crisisdesk_{name}", what, labels=[label]), values)


def _labelled(family: CounterMetricFamily | GaugeMetricFamily, values: Values) -> Metric:
    """The family with a figure for each name, where one occurs several times with their sum."""
    sums: dict[str, float] = {}
    for name, value in values:
        sums[name] = sums.get(name, 0.0) + value
    for name, value in sums.items():
        family.add_metric([name], value)
    return family
