"""Feeds are read in a process of their own, which may use so much time and memory and is ended when it wants more."""

import asyncio
import os
import sys
from contextlib import suppress
from typing import Any, Final

import orjson

from crisisdesk.errors import InputError
from crisisdesk.sources.feed.document import Document
from crisisdesk.sources.feed.entry import Entry

SECONDS: Final = 45.0
"""For one document; the largest that are fetched need a part of it, on a busy machine too."""

_PROCESS: Final = "crisisdesk.sources.feed.process"
_SLOW: Final = "it takes longer to read than a feed does"
_BROKEN: Final = "it breaks the programme that reads it"


async def read_apart(
    content: bytes, *, charset: str = "", language: str = "", address: str = "", seconds: float = SECONDS
) -> Document:
    """What `read_document` makes of it, in another process.

    Raises:
        InputError: it is no feed, or it cannot be read within so many seconds.
        OSError: the process cannot be started.
    """
    head = orjson.dumps({"charset": charset, "language": language, "address": address})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", _PROCESS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,  # ctrl+c is for the desk
    )
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
