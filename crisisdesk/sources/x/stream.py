"""The stream as it comes: lines that end in CRLF, an empty one every 20 seconds as a sign of life."""

import asyncio
from collections.abc import Sequence
from typing import Final

import aiohttp

from crisisdesk.net.unreachable import why_no_answer
from crisisdesk.sources.x.trouble import DroppedError, MuteError, Problem

MAX_LINE: Final = 1 << 20
"""Bytes of a line that we read at all; a post has a few thousand."""


class Lines:
    """Lines out of bytes as they come. Of one that is longer than we read nothing is kept; the next one is read again.

    Attributes:
        giants: how many were too long.
    """

    def __init__(self) -> None:
        self.giants = 0
        self._rest = bytearray()
        self._is_giant = False

    def feed(self, chunk: bytes) -> Sequence[bytes]:
        """The lines that are complete with these bytes, without their ends; empty ones among them."""
        *ended, rest = chunk.split(b"\n")
        lines = [line.removesuffix(b"\r") for part in ended if (line := self._end(part)) is not None]
        self._hold(rest)
        return lines

    def _end(self, part: bytes) -> bytes | None:
        """The line that ends with these bytes; None for one that is too long."""
        self._hold(part)
        line, is_giant = bytes(self._rest), self._is_giant
        self._rest.clear()
        self._is_giant = False
        return None if is_giant else line

    def _hold(self, part: bytes) -> None:
        if not self._is_giant:
            self._rest += part
            if len(self._rest) > MAX_LINE:
                self.giants += 1
                self._is_giant = True
                self._rest.clear()


class Stream:
    """An open stream."""

    def __init__(self, response: aiohttp.ClientResponse, host: str) -> None:
        self._response = response
        self._host = host
        self._lines = Lines()

    @property
    def giants(self) -> int:
        """Lines that were too long to be read."""
        return self._lines.giants

    async def lines(self, silence: float) -> Sequence[bytes]:
        """What comes next within so many seconds; empty lines are signs of life.

        Raises:
            DroppedError: the stream has ended or is mute.
        """
        try:
            async with asyncio.timeout(silence):
                while True:  # half a line is no sign of life: its end may never come
                    chunk = await self._response.content.readany()
                    if not chunk:
                        raise DroppedError(self._host)
                    if lines := self._lines.feed(chunk):
                        return lines
        except TimeoutError:
            raise MuteError(self._host, silence) from None
        except (aiohttp.ClientError, OSError) as error:
            raise DroppedError(self._host, Problem("broken", why_no_answer(error))) from error
