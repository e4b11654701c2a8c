"""A real desk behind a real socket: everything but the sources and the model is what people run."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from urllib.parse import quote

import aiohttp
import orjson

from crisisdesk.app import App
from crisisdesk.cli.serving import serving
from crisisdesk.clock import Clock
from crisisdesk.detect.standard import Standard
from crisisdesk.match import WatchRule
from crisisdesk.plan import Plan
from crisisdesk.records import (
    Evidence,
    Incident,
    Kind,
    Numbers,
    Quote,
    Role,
    Severity,
    SourceStatus,
    Spike,
)
from crisisdesk.resources import folder
from crisisdesk.sentiment.base import Scores
from crisisdesk.server.certificate import Certificate
from crisisdesk.server.http import Listener
from crisisdesk.server.presence import Presence, find
from crisisdesk.server.tokens import Tokens
from crisisdesk.settings import Address
from crisisdesk.settings.load import load
from crisisdesk.sources.base import Edge, Source

NOW = datetime(2026, 5, 25, 14, 2, tzinfo=UTC)
FREE = Address("127.0.0.1", 0)
PEOPLE = {"Vera": Role.VIEWER, "Anna Berg": Role.RESPONDER, "Ben Cole": Role.RESPONDER, "Edda": Role.EDITOR}
CONFIGURATION = """
[desk]
name = "acme"
database = "{database}"

[[watch]]
name = "Acme"
terms = ["acme"]

[[source]]
kind = "bluesky"
"""


class Time:
    """Goes on from `NOW` as real time does, and leaps where a test says so."""

    def __init__(self) -> None:
        self._began = monotonic()
        self.ahead = timedelta()

    def now(self) -> datetime:
        return NOW + timedelta(seconds=monotonic() - self._began) + self.ahead

    async def sleep_until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))


class Words:
    """A model for which one word decides."""

    name = "words"
    digest = "0001"
    languages = ("en", "de")

    def score(self, texts: Sequence[str]) -> list[Scores]:
        return [(0.9, 0.1, 0.0) if "awful" in text else (0.1, 0.8, 0.1) for text in texts]


class Quiet:
    """A source that is there and says what a test puts into it."""

    name = "quiet"
    pushes = True
    resumes = True
    cursor = None

    def __init__(self) -> None:
        self.edge: Edge | None = None
        self.state = "live"

    def resume(self, cursor: str) -> None:
        """Nothing is missed here."""

    def status(self) -> SourceStatus:
        return SourceStatus(self.name, self.state, trouble="" if self.state == "live" else "pulled out")

    async def run(self, edge: Edge) -> None:
        self.edge = edge
        await asyncio.Event().wait()


@dataclass
class Got:
    """An answer."""

    status: int
    content: object
    headers: Mapping[str, str]

    @property
    def error(self) -> str:
        assert isinstance(self.content, dict)
        return str(self.content["error"])


@dataclass
class Served:
    """A desk that runs, and those who ask it something."""

    app: App
    url: str
    clock: Time
    source: Quiet
    tokens: Tokens
    secrets: Mapping[str, str]
    """Tokens by the people whose they are."""
    session: aiohttp.ClientSession
    database: Path

    @property
    def presence(self) -> Presence:
        found = find(self.database)
        assert found is not None
        return found

    def headers(self, person: str | None, **more: str) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        if person in self.secrets:
            return {"Authorization": f"Bearer {self.secrets[person]}"} | named
        return ({"X-Crisisdesk-Person": quote(person)} if person else {}) | named

    async def get(self, path: str, person: str | None = None, **headers: str) -> Got:
        async with self.session.get(self.url + path, headers=self.headers(person, **headers)) as answer:
            return await _got(answer)

    async def post(self, path: str, content: object = None, person: str | None = None, **headers: str) -> Got:
        body = content if isinstance(content, bytes) else orjson.dumps({} if content is None else content)
        sent = {"Content_Type": "application/json"} | headers
        async with self.session.post(self.url + path, data=body, headers=self.headers(person, **sent)) as answer:
            return await _got(answer)

    async def incident(self, watch: str = "Acme", severity: Severity = Severity.AMBER) -> Incident:
        """Something is unusual about a watch."""
        await self.app.register.witness(spike(watch, self.clock.now(), severity))
        found = self.app.register.open_for(watch)
        assert found is not None
        return found


async def _got(answer: aiohttp.ClientResponse) -> Got:
    body = await answer.read()
    content = orjson.loads(body) if "json" in answer.headers.get("Content-Type", "") else body
    return Got(answer.status, content, answer.headers)


def spike(watch: str, now: datetime, severity: Severity | None = Severity.AMBER) -> Spike:
    """What a detector says of a watch."""
    numbers = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6)
    said = Quote("7", "quiet", now, "karen_b", "acme is awful, never again", 40, "https://social.example/7", 0.9)
    evidence = Evidence(posts=(said,), first=said, voices=(("karen_b", 40),))
    return Spike(watch, Kind.SPIKE, now, severity, numbers, "12 negative posts by 11 people in an hour", evidence)


@asynccontextmanager
async def served(
    base: Path,
    people: Mapping[str, Role] = PEOPLE,
    *,
    watches: Sequence[str] = ("Acme",),
    answers: Sequence[str] = (),
    sources: Sequence[Source] = (),
    clock: Clock | None = None,
    address: Address = FREE,
    seconds: float = 60,
    certificate: Certificate | None = None,
) -> AsyncIterator[Served]:
    """A desk at work, with a token for each of these people; without any, it lets in its own machine."""
    time, source, database = clock or Time(), Quiet(), base / "acme.db"
    (base / "crisisdesk.toml").write_text(CONFIGURATION.format(database=database), encoding="utf-8")
    configured = load(base / "crisisdesk.toml")
    tokens = Tokens(configured.server.tokens_of(database), time)
    secrets = {person: tokens.create(person, role)[1] for person, role in people.items()}
    listener = Listener(address, certificate, any_port=True)
    plan = Plan(
        watches={WatchRule(name, (name.casefold(),)): Standard() for name in watches},
        sources=[source, *sources],
        answers=answers,
        database=database,
        playbooks=folder("playbooks"),
        clock=time,
        load_model=Words,
        service=serving(configured, listener, time),
        live=True,
    )
    async with App(plan) as app, aiohttp.ClientSession() as session:
        work = asyncio.create_task(app.run())
        try:
            async with asyncio.timeout(seconds):
                while find(database) is None or not app.scoring.model:
                    assert not work.done(), await work
                    await asyncio.sleep(0.01)
                url = f"{'https' if certificate else 'http'}://{listener.address}"
                yield Served(app, url, time, source, tokens, secrets, session, database)
                app.stop()
                await work
        finally:
            work.cancel()
            await asyncio.wait({work})
