"""Those who read a desk's pictures: `python subscribers.py URL NUMBER`, the token in its environment.

All but two read as fast as it comes; one reads nothing, one a byte a second. One of the others is a console's own
`RemoteDesk`, which follows every picture. What they went through is printed as JSON when their input ends.
"""

import asyncio
import json
import os
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from crisisdesk.clock import WallClock
from crisisdesk.console.line import Line, Place
from crisisdesk.console.remote import RemoteDesk

REQUEST = (
    "GET /api/v1/picture HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n"
)
WHOLE = b"event: picture\n"
SMALL = 4096
"""Bytes that the system takes for one who does not read."""


@dataclass
class Reader:
    """What one has read."""

    frames: int = 0
    wholes: int = 0
    size: int = 0
    gaps: list[float] = field(default_factory=list)
    cut: bool = False
    """Whether the desk has ended its connection."""


async def connected(url: str, token: str, *, small: bool = False) -> tuple[socket.socket, asyncio.AbstractEventLoop]:
    place, loop = urlsplit(url), asyncio.get_running_loop()
    one = socket.socket()
    if small:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
    one.setblocking(False)
    await loop.sock_connect(one, (place.hostname, place.port))
    await loop.sock_sendall(one, REQUEST.format(host=place.netloc, token=token).encode())
    return one, loop


async def read_all(url: str, token: str, reader: Reader) -> None:
    """As fast as it comes; events end with an empty line, and no data hold one."""
    place = urlsplit(url)
    stream, writer = await asyncio.open_connection(place.hostname, place.port, limit=1 << 25)
    writer.write(REQUEST.format(host=place.netloc, token=token).encode())
    last = time.monotonic()
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while frame := await stream.readuntil(b"\n\n"):
            now = time.monotonic()
            reader.gaps.append(now - last)
            reader.frames, reader.size, last = reader.frames + 1, reader.size + len(frame), now
            reader.wholes += WHOLE in frame
    reader.cut = True


async def read_slowly(url: str, token: str, reader: Reader, every: float | None) -> None:
    """A byte each so many seconds, or none at all; at the end, whether the desk has given it up."""
    one, loop = await connected(url, token, small=True)
    try:
        while True:
            await asyncio.sleep(every or 1.0)
            if every:
                reader.size += len(await loop.sock_recv(one, 1))
    except asyncio.CancelledError:
        with suppress(TimeoutError):
            async with asyncio.timeout(3.0):
                while chunk := await loop.sock_recv(one, 1 << 18):
                    reader.size += len(chunk)
                reader.cut = True  # what the system had taken for it, and then the end
    except ConnectionError:
        reader.cut = True


async def follow(url: str, token: str, reader: Reader) -> None:
    """As a console does."""
    async with Line(Place(url, token)) as line, RemoteDesk(line, WallClock()) as desk:
        while (picture := await desk.picture()).lost:
            await desk.changed(picture)
        while True:
            picture, began = await desk.picture(), time.monotonic()
            reader.wholes += picture.lost is not None
            await desk.changed(picture)
            reader.frames += 1
            reader.gaps.append(time.monotonic() - began)


async def main(url: str, number: int) -> None:
    token, loop = os.environ["CRISISDESK_TOKEN"], asyncio.get_running_loop()
    frozen, slow, console = Reader(), Reader(), Reader()
    quick = [Reader() for _ in range(number - 3)]
    tasks = [asyncio.create_task(read_all(url, token, reader)) for reader in quick]
    tasks += [
        asyncio.create_task(read_slowly(url, token, frozen, None)),
        asyncio.create_task(read_slowly(url, token, slow, 1.0)),
        asyncio.create_task(follow(url, token, console)),
    ]
    await asyncio.sleep(2.0)
    print("reading", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    gaps = [gap for reader in quick for gap in reader.gaps]
    found = {
        "frames": sorted(reader.frames for reader in quick),
        "bytes": sum(reader.size for reader in quick),
        "wholes": [reader.wholes for reader in quick],
        "cut": sum(reader.cut for reader in quick),
        "longest": max(gaps, default=0.0),
        "frozen": {"cut": frozen.cut, "bytes": frozen.size},
        "slow": {"cut": slow.cut, "bytes": slow.size},
        "console": {"frames": console.frames, "lost": console.wholes, "longest": max(console.gaps, default=0.0)},
        "failed": [repr(one) for one in done if isinstance(one, Exception)],
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
