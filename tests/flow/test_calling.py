"""The whole way, as a user sets it up: posts in a file, an incident, calls to people over a real socket."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from aiohttp import web

CONFIGURATION = """\
[desk]
name = "acme"
database = "acme.db"

[[watch]]
name = "Motrin"
terms = ["motrin"]
usual = "20 posts a day"

[[source]]
kind = "file"
path = "posts.jsonl"

[[output]]
kind = "notify"
name = "push"
url_env = { "Anna Berg" = "ANNA_PUSH", "Ben Cole" = "BEN_PUSH" }
language = { "Anna Berg" = "de" }

[calling]
group_wait = "1 second"

[[rota]]
name = "comms"
[[rota.shift]]
people = "Anna Berg"

[[chain]]
name = "all"
[[chain.step]]
tell = "comms"
wait = "1 hour"
[[chain.step]]
tell = "Ben Cole"
"""
SWAP = """
[[rota.swap]]
from = "2020-01-01 00:00"
to = "2100-01-01 00:00"
person = "Ben Cole"
"""
WORDS = "advert insulting mothers furious disgusted shame terrible awful hate boycott never again angry offended"


def posts(count: int = 40) -> str:
    now, rng = datetime.now(UTC), random.Random(1)
    lines = [
        {
            "id": str(number),
            "source": "forum",
            "time": (now - timedelta(seconds=15 * (count - number))).isoformat(),
            "author": f"mum{number}",
            "text": f"motrin, I am so angry: {' '.join(rng.sample(WORDS.split(), 6))}",
            "lang": "en",
        }
        for number in range(count)
    ]
    return "".join(orjson.dumps(line).decode() + "\n" for line in lines)


class Telephones:
    """What rang, in order: who, and the title that they saw."""

    def __init__(self) -> None:
        self.rang: list[tuple[str, str]] = []

    async def ring(self, request: web.Request) -> web.Response:
        told = orjson.loads(await request.read())
        self.rang.append((request.path.strip("/"), told["title"]))
        return web.Response()

    async def until(self, condition: Callable[[], bool], seconds: float = 45) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - the list is plain
                await asyncio.sleep(0.02)


@pytest.fixture
async def telephones(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Telephones]:
    told, app = Telephones(), web.Application()
    app.router.add_post("/{who}", told.ring)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    for name, path in (("ANNA_PUSH", "anna"), ("BEN_PUSH", "ben")):
        monkeypatch.setenv(name, f"json://127.0.0.1:{port}/{path}")
    yield told
    await runner.cleanup()


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A desk without a console, which is stopped in order."""
    command = (sys.executable, "-m", "crisisdesk", "run", "-c", "desk.toml", "--headless")
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    desk = await asyncio.create_subprocess_exec(*command, cwd=folder, env=dict(os.environ), **pipes)
    try:
        yield desk
    finally:
        with contextlib.suppress(ProcessLookupError):
            desk.send_signal(signal.SIGTERM)
        out, err = await asyncio.wait_for(desk.communicate(), 20)
        (folder / "out.log").write_bytes(out)
        (folder / "err.log").write_bytes(err)


async def test_who_is_on_call_is_called_in_their_language_though_the_file_has_ended(
    tmp_path: Path, telephones: Telephones
):
    (tmp_path / "desk.toml").write_text(CONFIGURATION)
    (tmp_path / "posts.jsonl").write_text(posts())
    async with running(tmp_path):
        await telephones.until(lambda: bool(telephones.rang))
    [(who, title)] = telephones.rang
    assert who == "anna"
    assert title.startswith("ROT Motrin: ")
    assert "CALLED RED Motrin Anna Berg by push: it is new" in (tmp_path / "out.log").read_text()


async def test_a_swap_in_the_file_counts_at_once(tmp_path: Path, telephones: Telephones):
    (tmp_path / "posts.jsonl").touch()
    text = CONFIGURATION.replace('path = "posts.jsonl"', 'path = "posts.jsonl"\nfollow = true')
    (tmp_path / "desk.toml").write_text(text)
    async with running(tmp_path) as desk:
        assert desk.stderr is not None
        async with asyncio.timeout(45):
            while b"orders" not in await desk.stderr.readline():
                pass
        shift = '[[rota.shift]]\npeople = "Anna Berg"\n'
        (tmp_path / "desk.toml").write_text(text.replace(shift, shift + SWAP))
        await asyncio.sleep(2.5)
        (tmp_path / "posts.jsonl").write_text(posts())
        await telephones.until(lambda: bool(telephones.rang))
    assert telephones.rang[0][0] == "ben"
