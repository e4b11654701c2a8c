"""What an author takes back or changes is so here too: on screen, in evidence, in what is owed, in the database."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hearsay import Words
from storms import CHATTER, END, START

from crisisdesk.app import App, Plan
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.standard import Standard
from crisisdesk.match import WatchRule
from crisisdesk.records import TAKEN_BACK, Correction, Incident, Notification, Post, SourceStatus
from crisisdesk.resources import folder
from crisisdesk.sentiment.base import Scores
from crisisdesk.sources.base import Edge

SAID = "awful acme hurt my twins in the garden"
ANGER = "awful acme made this advert about mothers number"


class Network:
    """Hands over what the test says."""

    name, pushes, resumes, cursor = "network", True, True, "1"

    def __init__(self) -> None:
        self.said: asyncio.Queue[Post | Correction] = asyncio.Queue()

    def resume(self, cursor: str) -> None: ...

    def status(self) -> SourceStatus:
        return SourceStatus(self.name, "live")

    async def run(self, edge: Edge) -> None:
        while True:
            one = await self.said.get()
            await (edge.correct(one) if isinstance(one, Correction) else edge.send(one))
            self.said.task_done()


@contextlib.asynccontextmanager
async def desk(base: Path, network: Network, model: Words | None = None) -> AsyncIterator[App]:
    plan = Plan(
        {WatchRule("Acme", ("acme",)): Standard()}, [network], base / "desk.db", folder("playbooks"),
        ReplayClock(END + timedelta(hours=1)), lambda: model or Words(), live=True,
    )  # fmt: skip
    async with App(plan) as app:
        work = asyncio.create_task(app.run())
        async with asyncio.timeout(30):
            yield app
            app.stop()
            await work


async def say(app: App, network: Network, *said: Post | Correction) -> None:
    """Hand over, and wait until all of it has gone through."""
    for one in said:
        network.said.put_nowait(one)
    await network.said.join()
    await app.caught_up()


def quiet() -> list[Post]:
    return [
        Post(f"q{n}", "bsky", START + timedelta(minutes=12 * n), f"acme {CHATTER.format(n)}", author=f"p{n}", lang="en")
        for n in range(10 * 24 * 5)
    ]


def anger() -> list[Post]:
    posts = [
        Post(f"a{n}", "bsky", END + timedelta(minutes=n), f"{ANGER} {n}", author=f"angry{n}", lang="en", reach=n)
        for n in range(40)
    ]
    posts[-1] = Post(
        "gone", "bsky", posts[-1].time, SAID, author="madeleine", lang="en", reach=9_000, url="https://x.example/1"
    )
    return posts


def quoted(incident: Incident) -> dict[str, str]:
    return {quote.id: quote.text for quote in incident.evidence.quotes}


def on_disk(base: Path, words: str) -> int:
    """How many cells of the database hold these words."""
    found = 0
    with contextlib.closing(sqlite3.connect(base / "desk.db")) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f"SELECT * FROM {table}"):  # noqa: S608  names from the database itself
                found += sum(words in (cell.decode(errors="replace") if isinstance(cell, bytes) else str(cell))
                             for cell in row)  # fmt: skip
    return found


async def test_what_is_taken_back_is_gone_everywhere(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        told: list[Notification] = []
        app.register.subscribe(told.append)
        (incident,) = app.register.incidents()
        assert quoted(incident)["gone"] == SAID
        assert ("madeleine", 9_000) in incident.evidence.voices
        before = incident.numbers
        await say(app, network, Correction("bsky", "gone"))
        (incident,) = app.register.incidents()
        assert quoted(incident)["gone"] == TAKEN_BACK
        assert "madeleine" not in str(incident)
        assert (told[-1].change.reason, told[-1].incident) == ("a post was taken back by its author", incident)
        picture = await app.desk.picture()
        assert all(one.post.id != "gone" for one in picture.mentions)
        after = Post("late", "bsky", END + timedelta(minutes=41), f"{ANGER} late", author="x", lang="en")
        await say(app, network, after)  # evidence is collected anew
        (incident,) = app.register.incidents()
        assert SAID not in str(incident)
        assert incident.numbers.negative >= before.negative
    assert on_disk(tmp_path, "twins") == 0
    assert on_disk(tmp_path, "x.example") == 0


async def test_with_a_post_the_reposts_of_it_go(tmp_path: Path):
    network = Network()
    repeated = Post(
        "r", "bsky", END + timedelta(minutes=40), SAID, author="x", lang="en", original="gone", reach=99_999
    )
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger(), repeated)
        assert SAID in str((await app.desk.picture()).mentions)
        await say(app, network, Correction("bsky", "gone"))
        assert SAID not in str((await app.desk.picture()).mentions)
        assert SAID not in str(app.register.incidents())
        await say(
            app, network, Post("late", "bsky", END + timedelta(minutes=46), f"{ANGER} late", author="y", lang="en")
        )
        assert SAID not in str(app.register.incidents())
    assert on_disk(tmp_path, "twins") == 0


async def test_what_was_changed_is_shown_as_it_reads_now(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        await say(app, network, Correction("bsky", "gone", "I was wrong about acme"))
        (incident,) = app.register.incidents()
        assert quoted(incident)["gone"] == "I was wrong about acme"
        assert (await app.desk.picture()).mentions[0].post.text == "I was wrong about acme"
    assert on_disk(tmp_path, "twins") == 0


async def test_a_post_of_an_incident_long_over_is_found_too(tmp_path: Path):
    first, again = Network(), Network()
    async with desk(tmp_path, first) as app:
        await say(app, first, *quiet(), *anger())
    assert on_disk(tmp_path, "twins") > 0
    async with desk(tmp_path, again) as app:
        app.progress._known.clear()  # more has been said since than is remembered
        await say(app, again, Correction("bsky", "gone"), Correction("bsky", "nobody knows it"))
        (incident,) = app.register.incidents()
        assert quoted(incident)["gone"] == TAKEN_BACK
    assert on_disk(tmp_path, "twins") == 0


async def test_a_post_that_still_waits_for_the_model_is_never_shown(tmp_path: Path):
    class Held(Words):
        go = threading.Event()

        def score(self, texts: Sequence[str]) -> list[Scores]:
            assert self.go.wait(20)
            return super().score(texts)

    network, held = Network(), Held()
    async with desk(tmp_path, network, held) as app:
        network.said.put_nowait(Post("gone", "bsky", END, SAID, author="madeleine", lang="en"))
        network.said.put_nowait(Correction("bsky", "gone"))
        await network.said.join()
        assert app.left == 1
        held.go.set()
        await app.caught_up()
        assert app.tally.mentions["Acme"] == 1
        assert SAID not in str((await app.desk.picture()).mentions)
        assert "madeleine" not in str((await app.desk.picture()).mentions)


@pytest.mark.parametrize("then_well", [True, False])
async def test_a_disk_that_takes_no_correction_gets_it_later_or_is_told(tmp_path: Path, then_well: bool):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        await app.register.flush()
        await app._store.read(lambda database: database.execute("PRAGMA query_only = 1"))
        await say(app, network, Correction("bsky", "gone"))
        assert "What 1 author has taken back is not erased from it yet." in app.register.trouble
        assert quoted(app.register.incidents()[0])["gone"] == TAKEN_BACK
        if then_well:
            await app._store.read(lambda database: database.execute("PRAGMA query_only = 0"))
            await app.register.flush()
            assert app.register.trouble == ""
    assert (on_disk(tmp_path, "twins") == 0) is then_well
