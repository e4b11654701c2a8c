"""The composition root: what a desk does when parts of it stop, fail, or are set up wrongly."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from desks import Words
from structlog.testing import CapturingLogger

from crisisdesk import app as app_module
from crisisdesk.app import App, Plan
from crisisdesk.cli.logs import _look
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.standard import Standard
from crisisdesk.engine import intake
from crisisdesk.errors import FatalSourceError, ModelError, StorageError
from crisisdesk.match import WatchRule
from crisisdesk.records import (
    Incident,
    Kind,
    Label,
    Numbers,
    Post,
    Scored,
    Severity,
    SourceStatus,
    State,
    Verdict,
)
from crisisdesk.resources import folder
from crisisdesk.sentiment.base import Scores
from crisisdesk.sources.base import Edge, Source
from crisisdesk.sources.file.replay import Pace, Replay
from crisisdesk.storage.store import Store

START = datetime(2024, 3, 4, tzinfo=UTC)
ACME = {WatchRule("Acme", ("acme",)): Standard()}


def post(number: int, text: str = "acme", **details) -> Post:
    return Post(f"p{number}", "test", START + timedelta(minutes=number), f"{text} {number}")._replace(**details)


class Scripted:
    """A source that does what the test says."""

    def __init__(self, name: str, script: Callable[[Edge], object], *, pushes: bool = True) -> None:
        self.name = name
        self.pushes = pushes
        self.resumes = True
        self.cursor: str | None = None
        self.resumed: str | None = None
        self._script = script
        self._status = SourceStatus(name, "live")

    def resume(self, cursor: str) -> None:
        self.resumed = cursor

    def status(self) -> SourceStatus:
        return self._status

    async def run(self, edge: Edge) -> None:
        await self._script(edge)  # type: ignore[misc]


def sends(posts: Sequence[Post], then_waits: bool = False) -> Callable[[Edge], object]:
    async def script(edge: Edge) -> None:
        for one in posts:
            await edge.send(one)
        if then_waits:
            await asyncio.Event().wait()

    return script


def fails(message: str) -> Callable[[Edge], object]:
    async def script(_: Edge) -> None:
        raise FatalSourceError(message)

    return script


@pytest.fixture
def plan(tmp_path):
    """A live desk with these sources."""

    def make(*sources: Source, **details) -> Plan:
        settings = {"watches": ACME, "load_model": Words, "live": True, "playbooks": folder("playbooks"), **details}
        return Plan(sources=sources, database=tmp_path / "desk.db", clock=ReplayClock(START), **settings)

    return make


@contextlib.asynccontextmanager
async def running(plan: Plan):
    """The desk at work; it must have ended when the block ends."""
    async with App(plan) as app:
        work = asyncio.create_task(app.run())
        try:
            async with asyncio.timeout(30):
                yield app
                await work
        finally:
            work.cancel()
            await asyncio.wait({work})


async def until(app: App, condition: Callable[[], bool]) -> None:
    """Look whenever the desk says that a picture would differ."""
    shown = await app.desk.picture()
    while not condition():
        await app.desk.changed(shown)
        shown = await app.desk.picture()


async def test_it_ends_when_the_sources_have_ended_and_all_has_gone_through(plan):
    posts = [post(n, "acme awful" if n % 4 == 0 else "acme") for n in range(300)] + [
        post(n, "other") for n in (301, 302)
    ]
    async with running(plan(Scripted("a", sends(posts[:200])), Scripted("b", sends(posts[200:]), pushes=False))) as app:
        pass
    assert app.tally.posts == 302
    assert (app.tally.mentions, app.tally.negative) == ({"Acme": 300}, {"Acme": 75})
    assert app.tally.matched == {"a": 200, "b": 100}
    assert {one.name: one.matched for one in app.sources()} == {"a": 200, "b": 100}
    assert app.waiting() == {"posts": 0, "mentions": 0, "scored": 0}


async def look_on(app: App, start: datetime, lasting: timedelta) -> None:
    """What a live desk does by the clock, for so long."""
    for second in range(0, int(lasting.total_seconds()), 50):
        await app.rounds.look(start + timedelta(seconds=second))


class Slow(Words):
    """Judges when it is told to."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    def score(self, texts: Sequence[str]) -> list[Scores]:
        self.asked.set()
        assert self.go.wait(30)
        return super().score(texts)


async def test_an_orderly_stop_lets_through_what_has_come(plan, monkeypatch):
    """However slow the model and however small the channels: what was taken from a source is counted at the end."""
    monkeypatch.setattr(app_module, "MENTIONS_WAITING", 3)
    sent = asyncio.Event()
    model = Slow()

    async def script(edge: Edge) -> None:
        for n in range(100):
            await edge.send(post(n))
        sent.set()
        await asyncio.Event().wait()

    async with running(plan(Scripted("a", script), load_model=lambda: model)) as app:
        await sent.wait()
        assert await asyncio.to_thread(model.asked.wait, 30)
        assert (app.tally.mentions["Acme"], app.left) == (0, 100)
        assert app.scoring.model == "words@0001"
        app.stop()
        model.go.set()
    assert (app.tally.mentions["Acme"], app.left) == (100, 0)


@pytest.mark.parametrize("known", ["before", None])
async def test_a_stop_does_not_wait_for_a_model_that_is_not_there_and_loses_nothing_in_silence(
    plan, monkeypatch, known
):
    monkeypatch.setattr(app_module, "MENTIONS_WAITING", 3)
    never = threading.Event()

    def load() -> Words:
        never.wait()
        return Words()

    sent = asyncio.Event()

    async def script(edge: Edge) -> None:
        for n in range(100):
            await edge.send(post(n))
        sent.set()
        await asyncio.Event().wait()

    before, source, after = Scripted("a", sends([])), Scripted("a", script), Scripted("a", sends([]))
    before.cursor = known
    async with running(plan(before)):
        pass
    source.cursor = known
    async with running(plan(source, load_model=load)) as app:
        await sent.wait()
        assert app.left == 100
        assert (await app.desk.picture()).model == ""
        source.cursor = "after"
        app.stop()
    assert (app.tally.mentions["Acme"], app.left, app.lost) == (0, 100, 0 if known else 100)
    async with App(plan(after)):
        assert after.resumed == known
    never.set()


async def test_a_disk_that_takes_nothing_at_the_end_is_named(plan):
    source = Scripted("a", sends([post(1)], then_waits=True))
    async with running(plan(source)) as app:
        await until(app, lambda: app.tally.mentions["Acme"] == 1)
        source.cursor = "after"
        await app.store.read(lambda database: database.execute("PRAGMA query_only = 1"))
        app.stop()
    assert "not writable" in app.register.trouble


async def test_a_source_that_fails_for_good_is_shown_and_the_others_go_on(plan):
    ended = asyncio.Event()

    async def late(edge: Edge) -> None:
        await ended.wait()
        await edge.send(post(1))
        await asyncio.Event().wait()

    async with running(plan(Scripted("bad", fails("mend 'url'")), Scripted("good", late))) as app:
        await until(app, lambda: app.sources()[0].state == "failed")
        picture = await app.desk.picture()
        assert [(one.name, one.state, one.trouble) for one in picture.sources] == [
            ("bad", "failed", "mend 'url'"),
            ("good", "live", ""),
        ]
        ended.set()
        await until(app, lambda: app.tally.mentions["Acme"] == 1)
        app.stop()


async def test_a_recording_that_cannot_be_read_ends_the_run(plan):
    with pytest.raises(ExceptionGroup) as caught:
        async with running(plan(Scripted("bad", fails("no such file")), live=False)):
            pass
    assert caught.group_contains(FatalSourceError, match="no such file")


async def test_a_bug_in_a_source_is_not_hidden_and_disturbs_no_other(plan):
    async def script(_: Edge) -> None:
        raise ZeroDivisionError("oh")

    async with running(plan(Scripted("bug", script), Scripted("good", sends([post(1)], then_waits=True)))) as app:
        await until(app, lambda: app.sources()[0].state == "failed" and app.tally.mentions["Acme"] == 1)
        assert app.sources()[0].trouble == (
            "It failed in a way that nobody foresaw (ZeroDivisionError: oh); please report it."
        )
        app.stop()


@pytest.mark.parametrize("live", [True, False])
async def test_a_model_that_cannot_be_loaded_ends_the_desk_with_its_message(plan, live):
    def load() -> Words:
        raise ModelError("install crisisdesk again")

    posts = sends([post(n) for n in range(2000)], then_waits=live)
    with pytest.raises(ExceptionGroup) as caught:
        async with running(plan(Scripted("a", posts), load_model=load, live=live)):
            pass
    assert caught.group_contains(ModelError, match="install crisisdesk again")


async def test_a_post_that_the_model_cannot_judge_is_neutral_counted_and_told(plan):
    class Fragile(Words):
        def score(self, texts: Sequence[str]) -> list[Scores]:
            if any("poison" in text for text in texts):
                raise ValueError("what is that?")
            return super().score(texts)

    posts = [post(n, "acme poison awful" if n == 5 else "acme awful") for n in range(10)]
    async with running(plan(Scripted("a", sends(posts)), load_model=Fragile)) as app:
        pass
    assert (app.tally.mentions["Acme"], app.tally.negative["Acme"]) == (10, 9)
    assert app.scoring.failed == 1
    picture = await app.desk.picture()
    moods = {one.post.id: one.label for one in picture.mentions}
    assert moods.pop("p5") is Label.NEUTRAL
    assert set(moods.values()) == {Label.NEGATIVE}
    (trouble,) = picture.troubles
    assert "could not judge 1 of" in trouble
    assert "what is that?" in trouble


async def test_posts_that_come_twice_count_once_whichever_connection_brings_them(plan):
    both = [post(n) for n in range(20)]
    async with running(plan(Scripted("a", sends(both)), Scripted("b", sends(both)))) as app:
        pass
    assert (app.tally.posts, app.tally.repeated, app.tally.mentions["Acme"]) == (40, 20, 20)


async def test_a_flood_at_the_edge_is_dropped_counted_and_shown(plan, monkeypatch):
    monkeypatch.setattr(intake, "WAITING", 10)

    async def flood(edge: Edge) -> None:
        for n in range(1000):
            await edge.send(post(n))

    async with running(plan(Scripted("pushes", flood))) as app:
        pass
    (status,) = app.sources()
    assert status.dropped + app.tally.mentions["Acme"] == 1000
    assert app.tally.dropped == {"Acme": status.dropped}
    assert (status.dropped > 0, app.left) == (True, 0)


async def test_a_file_waits_instead(plan, monkeypatch):
    monkeypatch.setattr(intake, "WAITING", 10)
    async with running(plan(Scripted("waits", sends([post(n) for n in range(1000)]), pushes=False))) as app:
        pass
    assert (app.sources()[0].dropped, app.tally.mentions["Acme"]) == (0, 1000)


async def test_what_was_learnt_and_where_to_go_on_survive_a_restart(plan):
    posts = [post(n * 20) for n in range(3 * 24 * 4)]
    first = Scripted("a", sends(posts))
    first.cursor = "here"
    async with running(plan(first)) as app:
        pass
    known = app.observation.detectors["Acme"].state()
    assert app.observation.detectors["Acme"].detector.baseline.hours > 48
    second = Scripted("a", sends([]))
    async with App(plan(second)) as again:
        assert again.observation.detectors["Acme"].state() == known
        assert second.resumed == "here"


async def test_a_year_later_the_posts_of_an_incident_say_what_judged_them_and_how(plan):
    """Two runs with two models, and a post on which the first one failed: all of it is found again after a restart."""

    class Fragile(Words):
        def score(self, texts: Sequence[str]) -> list[Scores]:
            if any("poison" in text for text in texts):
                raise ValueError("what is that?")
            return [(0.8, 0.15, 0.05) if "awful" in text else (0.1, 0.8, 0.1) for text in texts]

    class Successor(Words):
        digest = "0002"
        languages = ("en", "de")

    quiet = [post(n * 15, author=f"q{n}") for n in range(4 * 24 * 4)]
    start = 4 * 24 * 60
    anger = [
        post(start + n, f"acme made this awful {'poison ' if n == 3 else ''}advert number", author=f"a{n}")
        for n in range(60)
    ]
    async with running(plan(Scripted("a", sends([*quiet, *anger[:30]])), load_model=Fragile)):
        pass
    async with App(plan()) as again:
        (incident,) = again.register.incidents()
        assert incident.evidence.first is not None
        assert incident.evidence.unjudged == 1
        for quote in (incident.evidence.first, *incident.evidence.posts):
            assert (quote.negative, quote.neutral, quote.positive) == (0.8, 0.15, 0.05)
            assert quote.model == "words@0001"
    async with running(plan(Scripted("a", sends(anger[30:])), load_model=Successor)):
        pass
    async with App(plan()) as again:
        (incident,) = again.register.incidents()
        assert {quote.model for quote in incident.evidence.posts} == {"words@0002"}
        assert {(quote.negative, quote.neutral, quote.positive) for quote in incident.evidence.posts} == {(0.9, 0.1, 0)}


async def test_no_term_of_a_watch_is_said_to_set_a_spike_apart(plan):
    quiet = [post(n * 15, author=f"q{n}") for n in range(4 * 24 * 4)]
    anger = [post(4 * 24 * 60 + n, "zenith made this awful advert number", author=f"a{n}") for n in range(40)]
    watches = {WatchRule("Acme", ("acme", "zenith")): Standard()}
    async with running(plan(Scripted("a", sends([*quiet, *anger])), watches=watches)):
        pass
    async with App(plan()) as again:
        (incident,) = again.register.incidents()
    assert "advert" in " ".join(phrase.text for phrase in incident.evidence.phrases)
    assert "zenith" not in {phrase.text for phrase in incident.evidence.phrases}


async def test_a_recording_keeps_nothing_of_the_sort(plan):
    async with running(plan(Scripted("a", sends([post(n) for n in range(50)])), live=False)) as app:
        pass
    async with App(plan(Scripted("a", sends([])))) as app:
        assert app.observation.detectors["Acme"].detector.baseline.hours == 0


async def test_tags_make_watches_only_where_a_recording_may_bring_them(plan):
    tagged = [post(1, "acme", tags=("Other",)), post(2, "nothing", tags=("Other", "Acme"))]
    async with running(plan(Scripted("a", sends(tagged)), live=False, open_to_tags=True)) as app:
        pass
    assert app.tally.mentions == {"Acme": 2, "Other": 2}
    async with running(plan(Scripted("a", sends(tagged)))) as app:
        pass
    assert app.tally.mentions == {"Acme": 2}


async def test_a_database_that_cannot_be_opened_is_named(plan, tmp_path):
    (tmp_path / "desk.db").write_bytes(b"this is no database, although it is long enough to be looked at" * 30)
    with pytest.raises(StorageError, match=r"desk\.db"):
        async with App(plan()):
            pass


async def test_the_picture_of_a_watch(plan):
    posts = [post(n * 10, "acme awful" if n % 5 == 0 else "acme") for n in range(6 * 24 * 2)]
    async with running(plan(Scripted("a", sends(posts)))) as app:
        pass
    (watch,) = (await app.desk.picture()).watches
    assert (watch.name, watch.severity, watch.learning) == ("Acme", None, True)
    assert watch.total_hour in {6, 7}
    assert watch.negative_share == pytest.approx(0.2, abs=0.02)
    assert len(watch.chart) == 48
    assert [(point.negative, point.total) for point in watch.chart[:2]] == [(2, 6), (1, 6)]
    assert watch.chart[0].time == START


async def test_a_recording_shows_no_time_whose_posts_are_not_judged(plan):
    """What somebody does now must not be dated after posts that nobody has seen yet."""
    clock, model = ReplayClock(START), Slow()
    posts = [post(0), post(30), post(60)]
    source = Replay("fast", iter(posts), clock, Pace(clock, speed=1e6))
    async with running(replace(plan(source, live=False, load_model=lambda: model), clock=clock)) as app:
        clock.reached = app.reached
        assert await asyncio.to_thread(model.asked.wait, 30)
        assert (await app.desk.picture()).now == START
        model.go.set()
    assert (await app.desk.picture()).now == posts[-1].time


async def test_a_paced_recording_can_be_stopped_at_once(plan):
    clock = ReplayClock(START)
    source = Replay("slow", iter([post(0), post(60 * 24 * 365)]), clock, Pace(clock, speed=1.0))
    async with running(plan(source, live=False)) as app:
        await until(app, lambda: app.tally.mentions["Acme"] == 1)
        app.stop()
    assert isinstance((await app.desk.picture()).mentions[0], Scored)


async def test_posts_that_waited_for_a_model_that_never_came_are_asked_for_again(plan):
    def load() -> Words:
        raise ModelError("restore the folder")

    async def one_more(edge: Edge) -> None:
        second.cursor = second.resumed
        await edge.send(post(2))
        second.cursor = "after 2"

    first, second, third = Scripted("a", sends([post(1)])), Scripted("a", one_more), Scripted("a", sends([]))
    first.cursor = "after 1"
    async with running(plan(first)):
        pass
    with pytest.raises(ExceptionGroup):
        async with running(plan(second, load_model=load)):
            pass
    assert second.resumed == "after 1"
    async with App(plan(third)):
        assert third.resumed == "after 1"


async def test_false_alarms_beyond_the_budget_are_shown_with_what_to_do(plan):
    def judged(number: int) -> Incident:
        moment = START - timedelta(hours=3 * number + 5)
        return Incident(
            f"acme-{number}", "Acme", Kind.SPIKE, State.RESOLVED, Severity.AMBER, moment, moment,
            Numbers(60, 9, 9, 1.0, 9, 1.0, 0.2, 1e-6), "", surprise=9.0,
            verdict=None if number == 3 else Verdict.FALSE_ALARM,
        )  # fmt: skip

    started = plan(Scripted("a", sends([post(n) for n in range(90)])))
    async with await Store.open(started.database) as store:
        for number in range(4):
            await store.save(judged(number))
    async with running(started) as app:
        assert (await app.desk.picture()).troubles == ()
        await app.desk.judge("acme-3", "Ann", Verdict.FALSE_ALARM)
    (trouble,) = (await app.desk.picture()).troubles
    (watch,) = (await app.desk.picture()).watches
    assert trouble.startswith("Acme overspends: 4 false alarms since 3 Mar; its budget of 1 per month allows 1.")
    assert 'write false_alarms = "5 per year"' in trouble
    assert watch.advice == trouble
    log, before = CapturingLogger(), {}
    for _ in range(3):
        _look(app, log, before)
    told = [call for call in log.calls if call.args == ("budget of Acme",)]
    assert [(call.method_name, call.kwargs) for call in told] == [("warning", {"state": trouble})]


async def test_what_is_damaged_is_shown_and_logged_once(plan):
    started = plan(Scripted("a", sends([])))
    async with await Store.open(started.database) as store:
        await store.keep("watch Acme", b"{")
    async with running(started) as app:
        pass
    (trouble,) = (await app.desk.picture()).troubles
    assert trouble.startswith("What Acme had learnt is damaged")
    log, before = CapturingLogger(), {}
    for _ in range(3):
        _look(app, log, before)
    assert [call.method_name for call in log.calls if call.kwargs == {"state": trouble}] == ["warning"]


async def test_time_passes_for_a_desk_that_is_never_idle(plan):
    """A busy desk always has posts under way; a watch that nobody speaks of begins all the same."""
    model, more = Slow(), asyncio.Event()
    model.go.set()

    async def script(edge: Edge) -> None:
        await edge.send(post(0))
        await more.wait()
        await edge.send(post(1))
        await asyncio.Event().wait()

    async with running(plan(Scripted("a", script), load_model=lambda: model)) as app:
        await until(app, lambda: app.tally.mentions["Acme"] == 1)
        await app.caught_up()
        quiet = app.observation.renew("Quiet")
        model.go.clear()
        model.asked.clear()
        more.set()
        assert await asyncio.to_thread(model.asked.wait, 30)
        await look_on(app, post(1).time, timedelta(minutes=5))
        assert app.left == 1
        assert quiet.now == post(0).time, "no later than what has gone through"
        app.stop()
        model.go.set()


async def test_while_nothing_can_be_heard_nothing_calms(plan):
    """The network is lost in the midst of a storm: hours of silence end no incident."""
    quiet = [post(n * 15, author=f"q{n}") for n in range(4 * 24 * 4)]
    anger = [post(4 * 24 * 60 + n, "acme made this awful advert number", author=f"a{n}") for n in range(40)]
    source = Scripted("a", sends([*quiet, *anger], then_waits=True))
    async with running(plan(source)) as app:
        await until(app, lambda: app.tally.posts == len(quiet) + len(anger))
        await app.caught_up()
        (storm,) = app.register.incidents()
        source._status = SourceStatus("a", "blind")
        end = anger[-1].time
        await look_on(app, end, timedelta(hours=12))
        silence, still = app.register.incidents()
        assert (silence.kind, still) == (Kind.BLIND, storm)
        source._status = SourceStatus("a", "live", posts=1)
        await look_on(app, end + timedelta(hours=12), timedelta(hours=27))
        assert not any(one.is_open for one in app.register.incidents() if one.kind is Kind.SPIKE)
        app.stop()
