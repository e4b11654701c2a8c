"""Feeds are read in a process of their own, which may use so much time and memory and is ended when it wants more.

It is told a line of JSON and the document on its standard input, and says a line of JSON.
"""

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

import orjson

from crisisdesk.errors import InputError
from crisisdesk.sources.feed.document import Document, read_document
from crisisdesk.sources.feed.entry import Entry

SECONDS: Final = 45.0
"""For one document; the largest that are fetched need a part of it, on a busy machine too."""
MOST_MEMORY: Final = 1 << 30
"""Bytes of address space."""
MOST_SECONDS: Final = 60
"""Of the processor, if nobody is left who would end it sooner."""

_PROCESS: Final = "crisisdesk.sources.feed.apart"
_SLOW: Final = "it takes longer to read than a feed does"
_BROKEN: Final = "it breaks the programme that reads it"


class NoProcessError(OSError):
    """This machine lets us start no process."""


async def read_apart(
    content: bytes, *, charset: str = "", language: str = "", address: str = "", seconds: float = SECONDS
) -> Document:
    """What `read_document` makes of it, in another process.

    Raises:
        InputError: it is no feed, or it cannot be read within so many seconds.
        NoProcessError: the process cannot be started.
    """
    head = orjson.dumps({"charset": charset, "language": language, "address": address})
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", _PROCESS),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,  # ctrl+c is for the desk
        )
    except OSError as error:
        raise NoProcessError(*error.args) from error
    try:
        async with asyncio.timeout(seconds):
            answer, _ = await process.communicate(head + b"\n" + content)
    except TimeoutError:
        raise InputError(_SLOW) from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return _document(answer)


def _document(answer: bytes) -> Document:
    """What the process has said.

    Raises:
        InputError: it is no feed, or the process fell.
    """
    try:
        values: dict[str, Any] = orjson.loads(answer)
    except ValueError:
        raise InputError(_BROKEN) from None
    if "reason" in values:
        raise InputError(values["reason"])
    for name in ("skip_hours", "skip_days"):
        values[name] = tuple(values[name])
    return Document(**values | {"entries": tuple(Entry(**entry) for entry in values["entries"])})


def main() -> None:
    """What the process does."""
    with suppress(ImportError, ValueError, OSError):  # systems without such limits have the one of time
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    head, _, content = sys.stdin.buffer.read().partition(b"\n")
    try:
        answer = asdict(read_document(content, **orjson.loads(head)))
    except InputError as error:
        answer = {"reason": str(error)}
    sys.stdout.buffer.write(orjson.dumps(answer))


if __name__ == "__main__":
    main()
