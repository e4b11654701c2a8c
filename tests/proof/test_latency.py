"""How long it takes from the post that tips the balance to the word at the broker, and who notices 25 who look on.

    .venv/bin/python -m pytest -m proof -s tests/proof/test_latency.py

A desk as it is run, with the shipped model, hears 300 brands over a socket, in frames as Jetstream sends them, and
tells a mosquitto. Eight brands are in a storm all the time, while 220 others boil over one after the other. Time runs
from the writing of the frame to the packet at a subscriber, all on this machine, whose processors the sender, the
broker and the subscriber share with the desk. Then the same once more with 25 who read the desk's pictures, one of
them frozen and one that reads a byte a second; they share the processors in a process of their own. Prints the figures.
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
from latency import COPIES, MENTIONS, MOSQUITTO, WANTED, Figures, measured
from latency_crowd import Words, judged, told_of_a_brand

from crisisdesk.server.presence import find

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix"),
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
async def test_the_word_is_out_within_a_second_and_nobody_notices_who_looks_on(tmp_path, words, rate, copies):
    alone = await measured(tmp_path / "alone", words, rate, copies)
    holds(alone, copies)
    readers = Readers()
    watched = await measured(tmp_path / "watched", words, alone.rate, copies, readers.beside)
    holds(watched, copies)

    read = readers.found
    assert read["failed"] == []
    assert read["cut"] == 0
    assert read["wholes"] == [1] * (READERS - 3)  # nobody has fallen behind
    assert read["longest"] < LONGEST_GAP
    assert read["console"]["lost"] == 0
    assert (read["frozen"]["cut"], read["slow"]["cut"]) == (True, True)  # after half a minute
    if watched.memory:  # which not every system tells
        grown, usually = (one.memory[-1] - one.memory[0] for one in (watched, alone))
        assert grown - usually < MORE_MEMORY


def holds(found: Figures, copies: float) -> None:
    assert found.dropped == 0
    assert found.matched == found.posts
    assert found.copies == pytest.approx(copies, abs=0.03)
    assert len(found.latencies) >= 200
    assert found.at(0.99) < WANTED
