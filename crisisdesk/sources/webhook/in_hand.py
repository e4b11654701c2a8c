"""Requests between their arrival and their answer, and for a while after it, so that each is taken once."""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Generic, TypeVar

MOST: Final = 64
"""Requests in hand at once,"""
MOST_BYTES: Final = 32_000_000
"""and bytes of them; one is taken whatever its size."""
REMEMBERED: Final = 10_000
"""Signatures, with what was answered; at the usual rate all that have not expired."""
FINISH_SECONDS: Final = 10.0
"""How long the end waits for what is in hand."""

Answer = TypeVar("Answer")


class InHand(Generic[Answer]):
    """What is being taken. Nobody who waits for it can cut it off.

    Args:
        expires: how long after its first arrival a request may come again with the same signature.
    """

    def __init__(self, expires: timedelta) -> None:
        self._expires = expires
        self._sizes: dict[asyncio.Task[Answer], int] = {}
        self._signed: OrderedDict[str, tuple[datetime, asyncio.Task[Answer]]] = OrderedDict()

    def known(self, signed: str | None) -> asyncio.Task[Answer] | None:
        """The request of that signature, if it came and has not failed."""
        known = self._signed.get(signed) if signed else None
        return known[1] if known else None

    def has_room(self, size: int) -> bool:
        """Whether another one of so many bytes can be taken."""
        return not self._sizes or (len(self._sizes) < MOST and sum(self._sizes.values()) + size <= MOST_BYTES)

    def begin(
        self, taking: Coroutine[Any, Any, Answer], size: int, signed: str | None, now: datetime
    ) -> asyncio.Task[Answer]:
        """Start to take a request; one that is signed is known from now on."""
        work = asyncio.create_task(taking, name="take what was posted")
        self._sizes[work] = size
        work.add_done_callback(partial(self._done, signed))
        if signed:
            self._signed[signed] = now, work
            self._forget(now)
        return work

    async def finish(self) -> None:
        """Return when nothing is in hand any more; what takes too long is given up."""
        if self._sizes:
            _, late = await asyncio.wait(self._sizes, timeout=FINISH_SECONDS)
            for work in late:
                work.cancel()

    def _forget(self, now: datetime) -> None:
        """Let go of signatures that have expired."""
        while self._signed:
            oldest, (came, _) = next(iter(self._signed.items()))
            if now - came <= self._expires and len(self._signed) <= REMEMBERED:
                break
            del self._signed[oldest]

    def _done(self, signed: str | None, work: asyncio.Task[Answer]) -> None:
        """It is in hand no more; if it failed, it may be sent again as it was."""
        self._sizes.pop(work, None)
        if (work.cancelled() or work.exception()) and signed:
            self._signed.pop(signed, None)
