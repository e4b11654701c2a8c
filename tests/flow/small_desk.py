"""A small live desk on a network that says what the test says, and what its files hold."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from hearsay import Words
from storms import CHATTER, END, START

from crisisdesk.app import App, Plan
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.standard import Standard
from crisisdesk.match import WatchRule
from crisisdesk.records import Correction, Incident, Post, SourceStatus
from crisisdesk.resources import folder
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
            del one
            self.said.task_done()


@contextlib.asynccontextmanager
async def desk(
    base: Path,
    network: Network,
    model: Words | None = None,
    *,
    clock: ReplayClock | None = None,
    rule: WatchRule = WatchRule("Acme", ("acme",)),  # noqa: B008  frozen
    **plan: Any,
) -> AsyncIterator[App]:
    written = Plan(
        {rule: Standard()}, [network], base / "desk.db", folder("playbooks"),
        clock or ReplayClock(END + timedelta(hours=1)), lambda: model or Words(), live=True,
        **({"answers": [rule.name]} | plan),
    )  # fmt: skip
    async with App(written) as app:
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


def in_files(base: Path, words: str) -> list[str]:
    """The files of a folder whose bytes hold these words, whatever is written in them where."""
    return [path.name for path in sorted(base.iterdir()) if words.encode() in path.read_bytes()]
