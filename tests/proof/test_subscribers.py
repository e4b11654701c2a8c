"""25 who read a desk's pictures while a crowd is heard, one of them frozen and one that reads a byte a second.

    .venv/bin/python -m pytest -m proof -s tests/proof/test_subscribers.py

The desk, the crowd and the broker are those of `test_latency.py`, and so is what is asked of them; the readers share
its processors in a process of their own. First the same without readers, so that it can be seen what they cost.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from latency import COPIES, MENTIONS, MOSQUITTO, WANTED, measured, timed
from latency_crowd import Words, judged, told_of_a_brand

from crisisdesk.server.presence import find

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system says nothing of memory"),
]
READERS = 25
LONGEST_GAP = 4.0
"""Seconds without a picture after which a console takes its line for lost."""
MORE_MEMORY = 48.0
"""MiB that all readers together may cost: what is kept for those who come back, and what is on its way."""


@pytest.fixture(scope="module", autouse=True)
def _mosquitto_is_there() -> None:
    if MOSQUITTO is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto is missing: the continuous integration has to install it")
        pytest.skip("MOSQUITTO IS NOT INSTALLED: how soon the desk tells a broker was not measured")


@pytest.fixture(scope="module")
def words() -> Words:
    return judged(told_of_a_brand())


class Readers:
    """A process that reads, and what it went through."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    @asynccontextmanager
    async def beside(self, folder: Path) -> AsyncIterator[None]:
        desk = find(folder / "desk.db")
        assert desk is not None
        script, pipe = Path(__file__).with_name("subscribers.py"), asyncio.subprocess.PIPE
        readers = await asyncio.create_subprocess_exec(
            *(sys.executable, script, desk.url, str(READERS)),
            stdin=pipe, stdout=pipe, env={**os.environ, "CRISISDESK_TOKEN": desk.token},
        )  # fmt: skip
        assert readers.stdout
        assert readers.stdin
        assert await readers.stdout.readline() == b"reading\n"
        try:
            yield
        finally:
            readers.stdin.close()
            self.found = json.loads(await readers.stdout.readline())
            await readers.wait()
            print(f"\n{READERS} readers: {self.found}")


@pytest.mark.parametrize(
    ("rate", "copies"), [(None, 0.0), (MENTIONS, COPIES)], ids=["half of what the model can", "mostly copies"]
)
async def test_nobody_notices_those_who_read_and_they_do_not_notice_each_other(tmp_path, words, rate, copies):
    readers = Readers()
    found = await measured(tmp_path, words, rate, copies, readers.beside)
    (tmp_path / "alone").mkdir()
    alone = await timed(tmp_path / "alone", words, found.rate, copies)
    print(f"\nwithout readers: {alone}")
    assert found.dropped == 0
    assert found.matched == found.posts
    assert found.at(0.99) < WANTED

    read = readers.found
    assert read["failed"] == []
    assert read["cut"] == 0
    assert read["wholes"] == [1] * (READERS - 3)  # nobody has fallen behind
    assert read["longest"] < LONGEST_GAP
    assert read["console"]["lost"] == 0
    assert (read["frozen"]["cut"], read["slow"]["cut"]) == (True, True)  # after half a minute
    grown, usually = (one.memory[-1] - one.memory[0] for one in (found, alone))
    assert grown - usually < MORE_MEMORY
