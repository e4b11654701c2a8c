"""What Prometheus reads of a desk, and what probes are told."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crisisdesk.app import App
from crisisdesk.cli.vitals import Attention
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.standard import Standard
from crisisdesk.errors import OutputError, StorageError
from crisisdesk.match import WatchRule
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.chain import Orders
from crisisdesk.plan import Agreed, Plan
from crisisdesk.records import (
    Event,
    Incident,
    Kind,
    Notification,
    Numbers,
    OutputStatus,
    Post,
    Severity,
    Silence,
    SourceStatus,
    Spike,
    State,
)
from crisisdesk.resources import folder
from crisisdesk.server.health import healthz, readyz
from crisisdesk.server.metrics import CONTENT_TYPE, exposition
from crisisdesk.server.vitals import Vitals
from crisisdesk.sources.base import Edge
from crisisdesk.timing import Timing

NOW = datetime(2024, 3, 4, 12, tzinfo=UTC)
NUMBERS = Numbers(60, 9, 10, 1.0, 9, 0.9, 0.1, 1e-9)


def incident(name: str, severity: Severity, state: State, **details) -> Incident:
    return Incident(name, "Acme", Kind.SPIKE, state, severity, NOW, NOW, NUMBERS, "why", **details)


async def read(vitals: Vitals) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, as Prometheus reads them."""
    families = list(text_string_to_metric_families((await exposition(vitals)).decode()))
    assert all(one.documentation for one in families)
    samples = [sample for one in families for sample in one.samples]
    found = {(one.name, *one.labels.values()): one.value for one in samples}
    assert len(found) == len(samples)  # Prometheus refuses a page that says something twice
    return found


async def test_sources_are_told_with_what_came_what_was_dropped_and_since_when_nothing_came():
    heard = SourceStatus("sky", "live", NOW - timedelta(seconds=7), events=90, posts=80, matched=9, dropped=2, bad=1)
    told = await read(Vitals(NOW, [heard, SourceStatus("feed"), SourceStatus("old", "ended", NOW)], repeated=3))
    assert told["crisisdesk_posts_total", "sky"] == 80
    assert told["crisisdesk_source_events_total", "sky"] == 90
    assert told["crisisdesk_mentions_total", "sky"] == 9
    assert told["crisisdesk_mentions_dropped_total", "sky"] == 2
    assert told["crisisdesk_bad_posts_total", "sky"] == 1
    assert told["crisisdesk_mentions_repeated_total",] == 3
    assert told["crisisdesk_source_last_event_age_seconds", "sky"] == 7
    assert ("crisisdesk_source_last_event_age_seconds", "feed") not in told
    assert [told["crisisdesk_source_up", name] for name in ("sky", "feed", "old")] == [1, 0, 1]


async def test_open_incidents_are_counted_by_severity_and_state_also_where_there_are_none():
    quiet = Silence(NOW + timedelta(hours=1), "Anna Berg", "asked", Severity.AMBER)
    known = [
        incident("a", Severity.RED, State.OPEN),
        incident("b", Severity.RED, State.OPEN),
        incident("c", Severity.AMBER, State.ACKNOWLEDGED, silence=quiet),
        incident("d", Severity.RED, State.RESOLVED),
    ]
    told = await read(Vitals(NOW, incidents=known, changes={Event.OPENED: 4}))
    are_open = {key[1:]: value for key, value in told.items() if key[0] == "crisisdesk_incidents_open"}
    assert are_open == {
        ("red", "open"): 2, ("red", "acknowledged"): 0, ("amber", "open"): 0, ("amber", "acknowledged"): 1,
        ("notice", "open"): 0, ("notice", "acknowledged"): 0,
    }  # fmt: skip
    assert told["crisisdesk_incidents_silenced",] == 1
    assert told["crisisdesk_incident_changes_total", "opened"] == 4
    assert told["crisisdesk_incident_changes_total", "called"] == 0


async def test_outputs_are_told_by_their_way_and_no_person_is_named():
    anna = OutputStatus("push to Anna Berg", "live", delivered=3, waiting=1, failed=1, attempts_failed=2)
    ben = OutputStatus("push to Ben Cole", "retrying", delivered=4, trouble="refused", attempts_failed=5)
    new, lost = OutputStatus("mqtt"), OutputStatus("hook", trouble="nobody there")
    vitals = Vitals(NOW, outputs={"push": [anna, ben], "mqtt": [new], "hook": [lost]})
    told = await read(vitals)
    assert told["crisisdesk_deliveries_total", "push"] == 7
    assert told["crisisdesk_deliveries_failed_total", "push"] == 7
    assert told["crisisdesk_deliveries_waiting", "push"] == 1
    assert told["crisisdesk_deliveries_given_up", "push"] == 1
    assert [told["crisisdesk_output_up", name] for name in ("push", "mqtt", "hook")] == [0, 1, 0]
    assert "Anna" not in (await exposition(vitals)).decode()


async def test_how_long_the_model_takes_is_a_histogram():
    times = iter((0.0, 0.02, 1.0, 1.3, 2.0, 62.0))
    timing = Timing(lambda: next(times))
    for _ in range(2):
        with timing.measured():
            pass
    with pytest.raises(ValueError, match="counts"), timing.measured():
        raise ValueError("what fails counts as well")
    vitals = Vitals(NOW, scoring=timing, scored=7, unjudged=1)
    told = await read(vitals)
    bucket = "crisisdesk_scoring_seconds_bucket"
    bounds = ("0.01", "0.025", "0.25", "0.5", "10.0", "+Inf")
    assert [told[bucket, bound] for bound in bounds] == [0, 1, 1, 2, 2, 3]
    assert told["crisisdesk_scoring_seconds_count",] == 3
    assert told["crisisdesk_scoring_seconds_sum",] == pytest.approx(60.32)
    assert (told["crisisdesk_mentions_scored_total",], told["crisisdesk_mentions_unjudged_total",]) == (7, 1)


async def test_lag_is_the_age_of_what_was_judged_last_and_missing_while_nothing_was():
    behind = await read(Vitals(NOW, judged_until=NOW - timedelta(minutes=3)))
    assert behind["crisisdesk_lag_seconds",] == 180
    ahead = await read(Vitals(NOW, judged_until=NOW + timedelta(minutes=3)))  # a clock that was set back
    assert ahead["crisisdesk_lag_seconds",] == 0
    assert ("crisisdesk_lag_seconds",) not in await read(Vitals(NOW))


async def test_a_name_that_prometheus_would_take_for_syntax_is_a_name():
    name = 'a "feed"}\\ {x="1'
    told = await read(Vitals(NOW, [SourceStatus(name, posts=5)]))
    assert told["crisisdesk_posts_total", name] == 5
    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")


async def test_scraping_opens_no_file_in_the_loop():
    blockbuster = pytest.importorskip("blockbuster")
    with blockbuster.blockbuster_ctx():
        told = await read(Vitals(NOW))
    assert told["process_resident_memory_bytes",] > 0


class Words:
    name, digest, languages = "words", "0001", ("en",)

    def score(self, texts: Sequence[str]) -> list[tuple[float, float, float]]:
        return [(0.9, 0.1, 0.0) if "awful" in text else (0.1, 0.8, 0.1) for text in texts]


class Talks:
    """A source that sends what it is given, then waits."""

    name, pushes, resumes, cursor = "sky", True, True, None

    def __init__(self, posts: Sequence[Post]) -> None:
        self._posts = posts
        self._sent = 0

    def status(self) -> SourceStatus:
        return SourceStatus(self.name, "live", NOW, posts=self._sent, events=self._sent)

    async def run(self, edge: Edge) -> None:
        for one in self._posts:
            self._sent += 1
            await edge.send(one)
        await asyncio.Event().wait()


class Refuses:
    """An address of a person that takes nothing."""

    name = "push to Anna Berg"
    limit = None

    def status(self) -> OutputStatus:
        return OutputStatus(self.name, "live")

    async def ready(self) -> None: ...

    def session(self):
        return asyncio.timeout(None)

    async def deliver(self, notification: Notification) -> None:
        raise OutputError(f"nobody is there to be told of {notification.incident.id}")


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - many parts have no one event
            await asyncio.sleep(0.01)


async def test_what_a_running_desk_has_done_is_counted_and_never_goes_down(tmp_path, monkeypatch):
    said = [Post(f"p{n}", "sky", NOW + timedelta(seconds=n), f"acme awful {n}", f"reader{n}") for n in range(40)]
    other = [Post("o", "sky", NOW, "of something else"), said[0]]
    orders = Orders(addresses=(Address("push", "Anna Berg"),))
    plan = Plan(
        {WatchRule("Acme", ("acme",)): Standard()}, [Talks([*said, *other])], tmp_path / "desk.db",
        folder("playbooks"), ReplayClock(NOW + timedelta(minutes=1)), Words,
        live=True, outputs=lambda _: [Refuses()], standing=Agreed(orders),
    )  # fmt: skip
    async with App(plan) as app:
        attention = Attention(app)
        assert readyz(attention())[0] is HTTPStatus.SERVICE_UNAVAILABLE  # no model yet
        running = asyncio.create_task(app.run())
        await until(lambda: app.tally.mentions["Acme"] == 40 and app.scoring.scored == 40)
        await app.register.witness(Spike("Acme", Kind.SPIKE, NOW, Severity.RED, NUMBERS, "why"))
        await until(lambda: app.outputs()[0].attempts_failed)
        assert readyz(attention()) == (HTTPStatus.OK, {"status": "ready", "reasons": []})
        told = await read(attention())
        assert told["crisisdesk_posts_total", "sky"] == 42
        assert told["crisisdesk_mentions_total", "sky"] == 40
        assert told["crisisdesk_mentions_repeated_total",] == 1
        assert told["crisisdesk_mentions_scored_total",] == 40
        assert told["crisisdesk_scoring_seconds_count",] >= 1
        assert told["crisisdesk_decision_seconds_count",] == 40  # what is repeated is decided once
        assert 0 < told["crisisdesk_decision_seconds_sum",] < 40 * 20
        assert told["crisisdesk_incidents_open", "red", "open"] == 1
        assert told["crisisdesk_incident_changes_total", "opened"] == 1
        assert told["crisisdesk_deliveries_failed_total", "push"] >= 1
        assert (told["crisisdesk_deliveries_total", "push"], told["crisisdesk_output_up", "push"]) == (0, 0)
        assert told["crisisdesk_lag_seconds",] == 21  # the newest is of 39 s, the clock at 60 s
        assert told["crisisdesk_queue_length", "mentions"] == 0
        assert told["crisisdesk_build_info", *_about(told)] == 1

        async def full(*_: object) -> None:
            raise StorageError("The database cannot be used: the disk is full; make room.")

        monkeypatch.setattr(app.store, "save", full)
        await app.register.witness(Spike("Other", Kind.SPIKE, NOW, Severity.AMBER, NUMBERS, "why"))
        status, body = readyz(attention())
        assert (status, [one["code"] for one in body["reasons"]]) == (HTTPStatus.SERVICE_UNAVAILABLE, ["database"])
        later = await read(attention())
        assert (later["crisisdesk_database_writable",], told["crisisdesk_database_writable",]) == (0, 1)
        assert later["crisisdesk_troubles",] > told["crisisdesk_troubles",]
        assert all(later[key] >= told[key] for key in told if key[0].endswith(("_total", "_count", "_sum", "_bucket")))
        monkeypatch.undo()
        running.cancel()  # an orderly stop would wait for what is owed
        await asyncio.wait({running})


def _about(told: dict[tuple[str, ...], float]) -> tuple[str, ...]:
    (found,) = [key[1:] for key in told if key[0] == "crisisdesk_build_info"]
    assert "words@0001" in found
    return found


async def test_whoever_asks_a_desk_that_lives_hears_so():
    assert healthz() == (HTTPStatus.OK, {"status": "ok"})


@pytest.mark.parametrize(
    ("states", "is_blind"),
    [
        (["live"], False), (["live", "failed"], False), (["ended"], False), ([], False), (["live", "blind"], False),
        (["connecting"], True), (["blind", "ended"], True), (["failed", "blind"], True),
    ],
)  # fmt: skip
def test_a_desk_that_hears_nothing_is_not_ready(states, is_blind):
    statuses = [SourceStatus(f"s{n}", state, trouble="http://secret:pw@x") for n, state in enumerate(states)]
    status, body = readyz(Vitals(NOW, statuses, model="words@0001"))
    codes = [one["code"] for one in body["reasons"]]
    assert (status, codes) == ((HTTPStatus.SERVICE_UNAVAILABLE, ["blind"]) if is_blind else (HTTPStatus.OK, []))
    assert "secret" not in str(body)
    assert all(state in str(body) for state in states) or not is_blind


def test_all_that_is_wrong_is_said_at_once():
    _, body = readyz(Vitals(NOW, [SourceStatus("sky")], is_writable=False))
    assert body["status"] == "not ready"
    assert [one["code"] for one in body["reasons"]] == ["blind", "database", "model"]
    assert all(one["reason"].endswith(".") for one in body["reasons"])
