"""A process that reads posts from a broker, writes them down, and falls as it is told: `PORT FILE WHEN`.

It falls before or after it has written down its third batch, or `never`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from crisisdesk.clock import WallClock
from crisisdesk.mqtt import Broker
from crisisdesk.records import Correction, Post
from crisisdesk.sources.mqtt import MqttSource


class Diary:
    """An edge that appends the keys of posts to a file, safely."""

    def __init__(self, path: Path, falls: str) -> None:
        self._path = path
        self._falls = falls
        self._batches = 0

    def concerns(self, text: str, author: str | None = None) -> tuple[str, ...]:
        raise AssertionError(f"{text} by {author}: all posts are kept")

    async def send(self, post: Post, watches: tuple[str, ...] | None = None) -> None:
        raise AssertionError(f"{post} of {watches} was not kept before it was acknowledged")

    async def room(self) -> None:
        raise AssertionError("what is kept waits at the broker")

    async def correct(self, correction: Correction) -> None:
        raise AssertionError(f"{correction}: nobody can take back a message")

    async def keep(self, posts: Sequence[Post]) -> None:
        self._batches += 1
        self._fall_if("before")
        with self._path.open("a") as diary:
            diary.writelines(f"{post.key}\n" for post in posts)
            diary.flush()
            os.fsync(diary.fileno())
        self._fall_if("after")

    def _fall_if(self, moment: str) -> None:
        if self._falls == moment and self._batches == 3:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    port, path, falls = sys.argv[1:]
    broker = Broker("127.0.0.1", int(port))
    source = MqttSource(broker, ["posts/#"], WallClock(), client_id="crisisdesk-falling")
    asyncio.run(source.run(Diary(Path(path), falls)))
