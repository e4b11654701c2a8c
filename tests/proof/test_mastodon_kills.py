"""A desk that is killed again and again counts each post of a Mastodon server once: from its streams or its timelines.

python -m pytest tests/proof/test_mastodon_kills.py -m proof -s
"""

import asyncio
import os
import random
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kills import NOUNS, counts, started, total
from mastodons import TAGGED, TOKEN, Home, status, status_id

KILLS = 30
MOST_EVERY = 0.02
"""Seconds between two posts, at most."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


async def _speak(home: Home, chance: random.Random, texts: list[str]) -> None:
    """Say something, and now and then break all lines; what is said while the desk is away is in the timelines."""
    while True:
        number, now = len(texts), datetime.now(UTC)
        who = ("nobody", "acme", "zenith")[number % 3]
        texts.append(f"{who} {' '.join(chance.sample(NOUNS, 6))} {number}")
        time, tagged = {"id": status_id(number, now), "created_at": now.isoformat()}, TAGGED if number % 2 else {}
        account = {"acct": f"a{number}@away.example", "followers_count": 5}
        await home.publish(status(number, texts[-1], account=account, **time, **tagged))
        if chance.random() < 0.005:
            await home.cut()
        await asyncio.sleep(chance.uniform(0, MOST_EVERY))


async def _run(home: Home, folder: Path, seconds: float, how: signal.Signals) -> int:
    before = len(home.asked)
    desk = await started(folder, save_every=0.3)
    async with asyncio.timeout(60):
        while len(home.asked) == before:  # noqa: ASYNC110  the server tells nobody
            await asyncio.sleep(0.02)
    await asyncio.sleep(seconds)
    desk.send_signal(how)
    return await asyncio.wait_for(desk.wait(), 60)


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_each_post_of_a_mastodon_server_counts_once(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "MASTODON_TOKEN", TOKEN)
    chance, texts = random.Random(1), list[str]()
    async with Home() as home:
        (tmp_path / "desk.toml").write_text(
            '[desk]\nname = "killed"\ndatabase = "desk.db"\n'
            '[[watch]]\nname = "Acme"\nterms = ["acme"]\n[[watch]]\nname = "Zenith"\nterms = ["zenith"]\n'
            f'[[source]]\nkind = "mastodon"\nserver = "{home.url}"\ntoken_env = "MASTODON_TOKEN"\nhistory_hours = 0\n'
            'streams = ["public", "hashtag:motrin"]\n'
        )
        await _run(home, tmp_path, 2.0, signal.SIGKILL)  # from here on it has begun
        speaking = asyncio.create_task(_speak(home, chance, texts))
        for _ in range(KILLS):
            await _run(home, tmp_path, chance.uniform(0.0, 2.5), signal.SIGKILL)
            await asyncio.sleep(chance.uniform(0.0, 0.5))
        speaking.cancel()
        assert await _run(home, tmp_path, 8.0, signal.SIGTERM) == 0

    found = await counts(tmp_path, datetime.now(UTC))
    said = sum(text.startswith("acme") for text in texts)
    print({"kills": KILLS, "posts": len(texts), "said of Acme": said, "counted": total(found), "pages": len(home.read)})
    assert total(found) == said
