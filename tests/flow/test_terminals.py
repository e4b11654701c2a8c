"""A terminal that is closed, or takes nothing for a while, does not hold up the desk behind the console."""

import asyncio
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from kills import free_port
from terminal import Terminal

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix"),
]
DESK = """
[desk]
name = "acme"
database = "acme.db"
[[watch]]
name = "Acme"
terms = ["acme"]
[server]
listen = "127.0.0.1:{port}"
[[source]]
kind = "webhook"
name = "suite"
"""
POST = {"id": "1", "time": "2024-03-04T10:00:00Z", "text": "acme"}
FRAMES = 60
"""More than the library keeps for a terminal that takes none."""


@pytest.fixture
def port(tmp_path: Path) -> int:
    port = free_port()
    (tmp_path / "desk.toml").write_text(DESK.format(port=port))
    return port


def test_a_terminal_that_is_gone_ends_the_console(port: int, tmp_path: Path):
    with Terminal("-m", "crisisdesk", "run", "-c", "desk.toml", cwd=tmp_path) as terminal:
        terminal.until("waiting")
        terminal.vanish()
        try:
            terminal.process.wait(30)
        except subprocess.TimeoutExpired:
            pytest.fail("the desk lives on without anybody who could see it")
        assert port


async def test_a_terminal_that_takes_nothing_holds_up_nobody(port: int, tmp_path: Path):
    with Terminal("-m", "crisisdesk", "run", "-c", "desk.toml", cwd=tmp_path) as terminal:
        await asyncio.to_thread(terminal.until, "live")
        for frame in range(FRAMES):
            terminal.resize(120 + frame % 2)
            await asyncio.sleep(0.05)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session,
            session.post(f"http://127.0.0.1:{port}/ingest/suite", json=POST) as answer,
        ):
            assert answer.status == 202
        await asyncio.to_thread(terminal.until, "1 posts")
