"""Work that may block, on an open pipe or while a model is loaded, without holding up the end of the program."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from typing import Any, Final, NoReturn, TypeVar
from weakref import WeakSet

T = TypeVar("T")

_doing: Final[set[asyncio.Future[Any]]] = set()
"""The loop itself holds its tasks only weakly."""
_unawaited: Final[WeakSet[Thread]] = WeakSet()


async def in_daemon_thread(do: Callable[[], T]) -> T:
    """What `do` returns or raises, called in a thread of its own that nobody waits for when the program ends.

    `asyncio.to_thread` will not do: both the loop's end and the interpreter's wait for its threads, so that a pipe on
    which nothing comes, or a model that is being loaded, would keep the program from stopping.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, trouble = None, None
        try:
            result = do()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            trouble = error
        with suppress(RuntimeError):  # the loop has ended meanwhile, and nobody wants to know
            loop.call_soon_threadsafe(settle, result, trouble)

    thread = Thread(target=work, name=getattr(do, "__name__", "work"), daemon=True)
    _unawaited.add(thread)
    thread.start()
    return await done


def end(code: int) -> NoReturn:
    """End the program, whatever such threads are about: what a model's library builds in one aborts an orderly end."""
    if not any(thread.is_alive() for thread in _unawaited):
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


async def to_its_end(work: Coroutine[object, object, T]) -> T:
    """Do it to the end even if the caller is cancelled meanwhile; returns and raises what it does."""
    doing = asyncio.ensure_future(work)
    _doing.add(doing)
    doing.add_done_callback(_doing.discard)
    return await asyncio.shield(doing)


def as_they_come(items: Iterable[T], at_most: int) -> Iterator[list[T]]:
    """What is there, at least one item, and then what has come meanwhile; read ahead in a thread nobody waits for.

    So a live pipe is answered at once, and a file, which always has more, in full lists. What `items` raises is raised
    after the items before it.

    Args:
        items: each of which may take its time.
        at_most: items of a list, and items that are read ahead.
    """
    waiting: Queue[T | _End] = Queue(at_most)

    def read() -> None:
        trouble: BaseException | None = None
        try:
            for item in items:
                waiting.put(item)
        except BaseException as error:  # noqa: BLE001 - it is raised where the items are used
            trouble = error
        waiting.put(_End(trouble))

    Thread(target=read, name="read posts", daemon=True).start()
    while True:
        some = _those_waiting(waiting, at_most)
        if found := [one for one in some if not isinstance(one, _End)]:
            yield found
        if isinstance(last := some[-1], _End):
            if last.trouble is not None:
                raise last.trouble
            return


class _End:
    """Stands behind the last item."""

    def __init__(self, trouble: BaseException | None) -> None:
        self.trouble = trouble


def _those_waiting(waiting: Queue[T], at_most: int) -> list[T]:
    """At least one, for which it waits."""
    some = [waiting.get()]
    with suppress(Empty):
        while len(some) < at_most:
            some.append(waiting.get_nowait())
    return some
