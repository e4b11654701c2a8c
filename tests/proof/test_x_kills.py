"""A desk that listens on X, killed at random moments while posts are said, and one that is left alone.

python -m pytest tests/proof/test_x_kills.py -m proof -s
"""

import asyncio
import os
import random
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kills import NOUNS, counts, total
from xs import SEARCH, TOKEN, Json, Network, frame

from crisisdesk.sources.x.place import id_at

PROGRAM = """
from datetime import timedelta
from hearsay import Words
from crisisdesk.engine import rounds
from crisisdesk.cli import configured
from crisisdesk.cli.main import main
from crisisdesk.sources.x.source import X

X.__init__.__kwdefaults__["settle"] = 12.0
rounds.LOOK_EVERY, rounds.SAVE_EVERY = 0.05, timedelta(seconds=0.5)
configured.load_shipped_model = Words
main(["run", "-c", "desk.toml", "--headless"])
"""
"""A desk as it is run, that searches for what it has missed a little sooner than X needs, and saves more often."""
DESK = """
[desk]
name = "killed"
database = "desk.db"
[[watch]]
name = "Acme"
terms = ["acme"]
[[watch]]
name = "Zenith"
terms = ["zenith"]
[[source]]
kind = "x"
token_env = "X_TOKEN"
"""
POSTS, KILLS = 1_500, 5


def said(number: int) -> Json:
    """Post `number`, said now; two in nine concern each watch."""
    brand = {0: "acme", 1: "zenith", 2: "acme and zenith"}.get(number % 9, "nobody")
    words = " ".join(random.Random(number).sample(NOUNS, 6))
    post = str(id_at(datetime.now(UTC)) + number % 4_096)
    text = f"{brand} {'awful ' if number % 2 else ''}{words} {number}"
    return frame(number, text, id=post, edit_history_tweet_ids=[post])


async def speak(network: Network, chance: random.Random) -> None:
    """Say all posts, and cut a line now and then."""
    for number in range(POSTS):
        network.now = datetime.now(UTC)
        await network.publish(said(number))
        await asyncio.sleep(0.03)
        if number % 300 == 299 and (transport := chance.choice(network.asked).transport):
            transport.abort()


def configured(folder: Path, url: str) -> Path:
    folder.mkdir()
    (folder / "desk.toml").write_text(f'{DESK}url = "{url}"\n')
    return folder


async def started(folder: Path) -> asyncio.subprocess.Process:
    places = os.pathsep.join([str(Path(__file__).parents[1] / "flow"), os.environ.get("PYTHONPATH", "")])
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, cwd=folder, env={**os.environ, "PYTHONPATH": places, "X_TOKEN": TOKEN},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.proof
@pytest.mark.timeout(300)
async def test_a_desk_that_was_killed_has_counted_what_one_that_was_not_has(tmp_path: Path):
    chance = random.Random(1)
    async with Network() as network:
        network.now = datetime.now(UTC)
        alone, disturbed = (configured(tmp_path / name, network.url) for name in ("alone", "disturbed"))
        desks = [await started(alone), await started(disturbed)]
        async with asyncio.timeout(60):
            while len(network.asked) < 2:  # noqa: ASYNC110  the server tells nobody
                await asyncio.sleep(0.1)
        await asyncio.sleep(2.0)
        speaking = asyncio.create_task(speak(network, chance))
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(2.0, 8.0))
            assert not speaking.done(), "each kill falls into the stream"
            desks[1].send_signal(signal.SIGKILL)
            await desks[1].wait()
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            desks[1] = await started(disturbed)
        await speaking
        for _ in range(200):  # until the last gap is filled
            network.now = datetime.now(UTC)
            await asyncio.sleep(0.1)
        for desk in desks:
            desk.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(desk.wait(), 60) == 0
        end = datetime.now(UTC)
        expected, found = await counts(alone, end), await counts(disturbed, end)
    print({"posts": POSTS, "kills": KILLS, "counted": total(found), "searches": len(network.asked_for(SEARCH))})
    assert total(expected) == sum(number % 9 in {0, 2} for number in range(POSTS))
    assert found == expected
