"""Where two stages meet: a bounded queue that says what it does when full, counts what it drops, and can close."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The other side is gone; nothing more will come or be taken."""


class Channel(Generic[T]):
    """A queue of at most `size` items between producers and consumers on one event loop.

    `block` makes a producer wait; `drop_oldest` discards the oldest item, counts it in `dropped` and tells `on_drop`.
    After `close` what is queued can still be received; then `receive` raises `Closed` and iteration ends.
    """

    def __init__(
        self,
        size: int,
        when_full: Literal["block", "drop_oldest"] = "block",
        on_drop: Callable[[T], None] = lambda _: None,
    ) -> None:
        if size < 1:
            raise ValueError("a channel holds at least one item")
        self._items: deque[T] = deque()
        self._size = size
        self._drops = when_full == "drop_oldest"
        self._on_drop = on_drop
        self._changed = asyncio.Condition()
        self._closed = False
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._items)

    async def send(self, item: T) -> None:
        """Queue an item; raises `Closed` when nobody will take it."""
        async with self._changed:
            while not self._closed and not self._drops and len(self._items) >= self._size:
                await self._changed.wait()
            if self._closed:
                raise Closed
            if len(self._items) >= self._size:
                self.dropped += 1
                self._on_drop(self._items.popleft())
            self._items.append(item)
            self._changed.notify_all()

    async def room(self, items: int = 1) -> None:
        """Wait until so many items would push out no other; returns at once when nobody will take them any more."""
        async with self._changed:
            while not self._closed and len(self._items) + items > self._size:
                await self._changed.wait()

    async def receive(self, at_most: int = 1) -> list[T]:
        """Wait for something, then take what is there, at most so many items; raises `Closed` at the end."""
        async with self._changed:
            while not self._items:
                if self._closed:
                    raise Closed
                await self._changed.wait()
            taken = [self._items.popleft() for _ in range(min(at_most, len(self._items)))]
            self._changed.notify_all()
            return taken

    async def close(self) -> None:
        """No more items; waiting producers are released with `Closed`. Calling it again changes nothing."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
