"""The edge of the desk: what concerns nobody goes no further, nothing counts twice, nothing that was taken is lost."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crisisdesk.channel import Channel
from crisisdesk.engine import intake as intake_module
from crisisdesk.engine.intake import House, Intake, Tally
from crisisdesk.engine.progress import KNOWN, Progress
from crisisdesk.engine.spoken import Languages
from crisisdesk.errors import StorageError
from crisisdesk.match import Matcher, WatchRule
from crisisdesk.records import Correction, Mention, Post, SourceStatus
from crisisdesk.sources.base import Edge
from crisisdesk.storage import schema
from crisisdesk.storage.store import Store

START = datetime(2024, 3, 4, tzinfo=UTC)
RULES = [WatchRule("Acme", ("acme",)), WatchRule("Zenith", ("zenith",))]


class Network:
    """A source of which only the properties matter."""

    def __init__(self, *, pushes: bool = False, resumes: bool = False) -> None:
        self.name, self.pushes, self.resumes = "network", pushes, resumes
        self.cursor: str | None = "0" if resumes else None

    def resume(self, cursor: str) -> None: ...

    def status(self) -> SourceStatus:
        return SourceStatus(self.name)

    async def run(self, edge: Edge) -> None: ...


class Desk:
    """What is behind an edge, as far as mentions go; one run of it."""

    def __init__(self, store: Store | None, network: Network, size: int = 1_000) -> None:
        self.store = store
        self.progress, self.tally = Progress(), Tally()
        self.mentions: Channel[Mention] = Channel(size)
        self.corrections: list[Correction] = []
        self.troubles: list[str] = []
        languages = Languages(lambda: lambda _: "en", self.troubles.append)
        self.edge = Intake(network, House(
            Matcher(RULES), self.progress, self.tally, self.mentions, languages, store, self._correct,
            self.troubles.append,
        ))  # fmt: skip

    async def _correct(self, correction: Correction) -> None:
        self.corrections.append(correction)

    async def begin(self) -> None:
        """An earlier run is known."""
        assert self.store
        self.progress.restore(await self.store.gone_through())

    async def hear(self, feed: Callable[[Edge], object]) -> list[str]:
        """Let the source hand over, to its end; the ids of the mentions that went on."""
        await self.edge.run(feed)  # type: ignore[arg-type]
        return [mention.post.id for mention in await self.mentions.receive(10_000)] if len(self.mentions) else []

    async def count(self, ids: Sequence[str]) -> None:
        """The windows have counted these, and that is written down."""
        assert self.store
        for one in ids:
            self.progress.end(f"network:{one}")
        await self.store.checkpoint({}, self.progress.reached([]).gone_through, KNOWN)


def post(number: int, text: str = "acme") -> Post:
    return Post(str(number), "network", START + timedelta(minutes=number), f"{text} {number}", tags=("x",))


def sends(*posts: Post) -> Callable[[Edge], object]:
    async def feed(edge: Edge) -> None:
        for one in posts:
            await edge.send(one)

    return feed


def keeps(*posts: Post) -> Callable[[Edge], object]:
    async def feed(edge: Edge) -> None:
        await edge.keep(posts)

    return feed


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        yield store


async def boxed(store: Store) -> list[str]:
    return [post.id for _, post in await store.mailbox("network")]


async def test_what_concerns_nobody_goes_no_further_and_what_comes_again_counts_once():
    desk = Desk(None, Network(pushes=True, resumes=True))
    assert await desk.hear(sends(post(1), post(2, "nothing"), post(1), post(3, "zenith"))) == ["1", "3"]
    assert (desk.tally.posts, desk.tally.repeated, desk.tally.matched) == (4, 1, {"network": 2})
    assert len(desk.progress) == 2


async def test_a_source_may_ask_before_it_makes_a_post():
    desk = Desk(None, Network(resumes=True))

    async def feed(edge: Edge) -> None:
        for number, text in enumerate(("acme", "nothing", "zenith and acme")):
            if watches := edge.concerns(text):
                await edge.send(post(number, text), watches)

    assert await desk.hear(feed) == ["0", "2"]
    assert desk.tally.posts == 3


async def test_a_post_by_an_account_of_the_brand_is_told_whether_it_concerns_the_watch_or_not():
    heard: list[str] = []
    desk = Desk(None, Network(resumes=True))
    rules = [
        WatchRule("Acme", ("acme",), accounts=("@Acme", "did:plc:x")),
        WatchRule("Both", ("b",), accounts=("acme",)),
    ]
    house = replace(desk.edge._house, matcher=Matcher(rules), own=heard.append)
    edge = Intake(Network(resumes=True), house)
    for author in ("acme", "did:plc:x", "acme2", None):
        assert edge.concerns("good morning", author) == ()
    assert heard == ["Acme", "Both", "Acme"]
    for _ in range(3):  # one that comes again is no new sign of life
        await edge.send(post(1)._replace(author="@ACME"))
    assert heard == ["Acme", "Both", "Acme", "Acme", "Both"]


@pytest.mark.parametrize("hands_over", [sends, keeps])
async def test_what_nobody_sends_again_is_in_the_mailbox_until_it_was_counted(store: Store, hands_over):
    first = Desk(store, Network())
    posts = [post(n) for n in range(4)]
    assert await first.hear(hands_over(*posts, post(9, "nothing"))) == ["0", "1", "2", "3"]
    assert await boxed(store) == ["0", "1", "2", "3"]
    await first.count(["0", "1"])
    assert await boxed(store) == ["2", "3"]

    second = Desk(store, Network())  # the first was killed
    await second.begin()
    assert await second.hear(hands_over(*posts, post(4))) == ["2", "3", "4"]
    await second.count(["2", "3", "4"])

    third = Desk(store, Network())
    await third.begin()
    assert await third.hear(hands_over(*posts, post(4))) == []
    assert await boxed(store) == []


async def test_a_post_comes_out_of_the_mailbox_as_it_went_in(store: Store):
    whole = Post(
        "1", "network", START + timedelta(microseconds=5), "acme ü", author="a", lang="de", url="https://x.example/1",
        reach=7, original="o", reply_to="r", tags=("a", "b"),
    )  # fmt: skip
    await Desk(store, Network()).hear(keeps(whole))
    ((_, found),) = await store.mailbox("network")
    assert found == whole


async def test_what_concerns_nobody_any_more_leaves_the_mailbox(store: Store):
    await Desk(store, Network()).hear(keeps(post(1), post(2, "zenith")))
    changed = Desk(store, Network())
    changed.edge = Intake(Network(), replace(changed.edge._house, matcher=Matcher(RULES[:1])))
    assert await changed.hear(sends()) == ["1"]
    await changed.count(["1"])
    assert await boxed(store) == []


async def test_mail_of_a_source_that_is_gone_is_taken_in_and_what_is_damaged_is_told(store: Store):
    await Desk(store, Network()).hear(keeps(post(1), post(2), post(3)))
    await store.read(lambda database: database.execute("UPDATE mailbox SET source = 'renamed' WHERE row = 1"))
    await store.read(lambda database: database.execute("UPDATE mailbox SET post = '{' WHERE row = 2"))
    desk = Desk(store, Network())
    desk.edge = Intake(Network(), replace(desk.edge._house, sources=["network", "other"]))
    assert await desk.hear(sends()) == ["1", "3"]
    assert desk.troubles == ["1 post of network that had been kept cannot be read any more."]
    await desk.count(["1", "3"])
    assert await boxed(store) == []


async def test_what_another_source_brought_and_cannot_repeat_is_kept_for_who_asks(store: Store):
    desk = Desk(store, Network())
    unsure = Network(resumes=True)
    unsure.name, unsure.cursor = "unsure", None
    other = Intake(unsure, desk.edge._house)
    running = asyncio.create_task(other.run(sends(post(1))))  # type: ignore[arg-type]
    await running
    await desk.edge.keep([post(1)])
    assert await boxed(store) == ["1"]


async def test_a_source_that_goes_back_by_itself_needs_no_mailbox(store: Store):
    await Desk(store, Network(resumes=True)).hear(sends(post(1)))
    assert await boxed(store) == []


async def test_a_full_disk_is_told_to_whom_can_send_again_and_stops_nobody_else(store: Store):
    desk = Desk(store, Network())
    await store.read(lambda database: database.execute("PRAGMA query_only = 1"))
    refused: list[str] = []

    async def feed(edge: Edge) -> None:
        try:
            await edge.keep([post(1)])
        except StorageError as error:
            refused.append(str(error))
        await edge.send(post(2))

    assert await desk.hear(feed) == ["2"]
    assert len(refused) == 1
    assert desk.troubles[-1].endswith("What network sends now is lost if the desk stops.")
    assert desk.edge.lost == 1
    assert not desk.progress.knows("network:1")  # so that it is taken when it comes again
    await store.read(lambda database: database.execute("PRAGMA query_only = 0"))
    await desk.edge.write_down()
    assert (desk.troubles[-1], desk.edge.lost, await boxed(store)) == ("", 0, ["2"])


async def test_what_is_being_kept_is_kept_although_the_sender_hangs_up(store: Store):
    desk = Desk(store, Network(), size=1)

    async def feed(edge: Edge) -> None:
        asking = asyncio.create_task(edge.keep([post(n) for n in range(5)]))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking})
        while len(await boxed(store)) < 5:  # noqa: ASYNC110  the database tells nobody
            await asyncio.sleep(0.01)

    running = asyncio.create_task(desk.edge.run(feed))
    got: list[str] = []
    async with asyncio.timeout(10):
        while len(got) < 5:
            got += [mention.post.id for mention in await desk.mentions.receive()]
    assert got == ["0", "1", "2", "3", "4"]
    await running


async def test_of_too_many_the_oldest_are_dropped_and_counted_by_watch(monkeypatch: pytest.MonkeyPatch, store: Store):
    monkeypatch.setattr(intake_module, "WAITING", 10)
    desk = Desk(store, Network(pushes=True))
    posts = [post(n, "acme" if n % 2 else "zenith and acme") for n in range(100)]
    arrived = await desk.hear(sends(*posts))
    assert arrived == [str(n) for n in range(90, 100)]
    assert desk.tally.dropped == {"Acme": 90, "Zenith": 45}
    assert (desk.edge.dropped, len(desk.progress)) == (90, 10)
    await desk.count(arrived)
    assert await boxed(store) == []


async def test_what_was_said_before_waits_until_there_is_room_for_what_is_said_now(monkeypatch, store: Store):
    monkeypatch.setattr(intake_module, "WAITING", 10)
    desk = Desk(store, Network(pushes=True, resumes=True), size=1)

    async def catch_up(edge: Edge) -> None:
        for n in range(50):
            await edge.room()
            await edge.send(post(n))
            if n % 10 == 0:
                await edge.send(post(100 + n))  # this is of the present, and waits for nobody

    running = asyncio.create_task(desk.edge.run(catch_up))  # type: ignore[arg-type]
    got: set[str] = set()
    async with asyncio.timeout(10):
        while len(got) < 55:
            got |= {mention.post.id for mention in await desk.mentions.receive()}
    await running
    assert desk.edge.dropped == 0


async def test_what_was_kept_is_not_dropped_however_much_it_is(monkeypatch: pytest.MonkeyPatch, store: Store):
    posts = [post(n) for n in range(50)]
    await Desk(store, Network()).hear(keeps(*posts))
    monkeypatch.setattr(intake_module, "WAITING", 10)
    desk = Desk(store, Network(pushes=True))
    assert await desk.hear(sends()) == [str(n) for n in range(50)]
    assert desk.edge.dropped == 0


async def test_a_source_that_does_not_push_waits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(intake_module, "WAITING", 10)
    desk = Desk(None, Network(resumes=True), size=1)
    running = asyncio.create_task(desk.edge.run(sends(*(post(n) for n in range(100)))))  # type: ignore[arg-type]
    await asyncio.sleep(0.05)
    assert desk.tally.posts < 100
    got: list[str] = []
    async with asyncio.timeout(10):
        while len(got) < 100:
            got += [mention.post.id for mention in await desk.mentions.receive()]
    assert got == [str(n) for n in range(100)]
    await running


@pytest.mark.parametrize("resumes", [True, False])
async def test_what_waits_for_room_when_the_desk_stops_is_not_lost(monkeypatch, store: Store, resumes):
    monkeypatch.setattr(intake_module, "WAITING", 1)
    desk = Desk(store, Network(resumes=resumes), size=1)
    feeding = asyncio.create_task(desk.edge.run(sends(*map(post, range(5)))))  # type: ignore[arg-type]
    await asyncio.sleep(0.05)
    assert desk.progress.knows("network:3")  # the first went on, two are on their way, the fourth waits
    feeding.cancel()
    await asyncio.wait({feeding})
    await desk.edge.write_down()
    assert desk.progress.knows("network:3") is not resumes  # a source that resumes has not gone beyond it
    assert ("3" in await boxed(store)) is not resumes


async def test_an_older_database_gets_its_mailbox(tmp_path: Path):
    """A database of before is brought up to date, and keeps what it had."""
    database = sqlite3.connect(tmp_path / "desk.db", isolation_level=None)
    schema.migrate(database, schema.MIGRATIONS[:3])
    database.execute("INSERT INTO kept (name, content) VALUES ('watch Acme', ?)", (b"known",))
    database.close()
    async with await Store.open(tmp_path / "desk.db") as store:
        assert await store.kept("watch Acme") == b"known"
        await Desk(store, Network()).hear(keeps(post(1)))
        assert await boxed(store) == ["1"]
