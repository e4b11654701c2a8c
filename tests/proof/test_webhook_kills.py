"""A sender that repeats until it is told 202, somebody who repeats what he has overheard, and a desk that is killed at
random: every post counts once."""

import asyncio
import json
import random
import signal
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from kills import Numbered, counts, in_stream, started, total
from webhooks import SECRET, signature

from crisisdesk.net.signing import HEADER

pytestmark = [pytest.mark.proof, pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")]

EVENTS = 3_000
KILLS = 20


def configure(folder: Path) -> str:
    """A desk with a webhook; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "secret").write_text(SECRET)
    (folder / "desk.toml").write_text(
        f'[desk]\nname = "killed"\ndatabase = "desk.db"\n[server]\nlisten = "127.0.0.1:{port}"\n'
        '[[watch]]\nname = "Acme"\nterms = ["acme"]\n[[watch]]\nname = "Zenith"\nterms = ["zenith"]\n'
        '[[source]]\nkind = "webhook"\nname = "suite"\nsecret_file = "secret"\nper_minute = 60000\n'
    )
    return f"http://127.0.0.1:{port}/ingest/suite"


def posts() -> list[dict[str, str]]:
    stream = Numbered(EVENTS, random.Random(1), 1.0)
    events = [json.loads(frame) for frame in stream.frames]
    times = (datetime.fromtimestamp(event["time_us"] / 1e6, UTC).isoformat() for event in events)
    return [
        {"time": time, "text": event["commit"]["record"]["text"], "author": event["did"]}
        for time, event in zip(times, events, strict=True)
    ]


async def send_all(url: str, chance: random.Random) -> int:
    """Send each post until it is confirmed, some of them again although they were; how many requests failed.

    Every third request is one that was sent before, as it was.
    """
    failed, waiting, overheard = 0, posts(), list[tuple[bytes, dict[str, str]]]()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while waiting:
            size = chance.randint(1, 12)
            body = json.dumps(waiting[:size]).encode()
            headers = {HEADER: signature(body, datetime.now(UTC), SECRET)}
            overheard = [*overheard[-100:], (body, headers)]
            with suppress(aiohttp.ClientError, TimeoutError):
                if chance.random() < 1 / 3:
                    again, signed = chance.choice(overheard)
                    async with session.post(url, data=again, headers=signed) as answer:
                        assert answer.status in {202, 503}
                async with session.post(url, data=body, headers=headers) as answer:
                    if answer.status == 202:
                        waiting = waiting[size if chance.random() < 0.9 else size // 2 :]
                        await asyncio.sleep(chance.expovariate(1 / 0.1))
                        continue
            failed += 1
            await asyncio.sleep(0.05)
    return failed


@pytest.mark.timeout(600)
async def test_a_desk_that_is_killed_has_counted_each_confirmed_post_once(tmp_path):
    chance, url = random.Random(5), configure(tmp_path)
    sending = asyncio.create_task(send_all(url, chance))
    for _ in range(KILLS):
        desk = await started(tmp_path, chance.choice((0.05, 0.3, 1.0)))
        await asyncio.sleep(chance.uniform(1.0, 3.5))
        desk.send_signal(signal.SIGKILL)
        await desk.wait()
    assert not sending.done(), "the kills were to fall into the stream"
    desk = await started(tmp_path, 60.0)
    assert await asyncio.wait_for(sending, 200) > KILLS
    await asyncio.sleep(1.0)
    desk.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(desk.wait(), 60) == 0
    assert total(await counts(tmp_path, datetime.now(UTC))) == in_stream(EVENTS)
