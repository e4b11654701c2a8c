"""Reading that may block for as long as somebody holds a pipe open, without holding up the end of the program."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(read: Callable[[], T]) -> T:
    """What `read` returns or raises, called in a thread of its own that nobody waits for when the program ends.

    `asyncio.to_thread` will not do: both the loop's end and the interpreter's wait for its threads, so that a pipe on
    which nothing comes would keep the program from stopping.
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
            result = read()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            trouble = error
        with suppress(RuntimeError):  # the loop has ended meanwhile, and nobody wants to know
            loop.call_soon_threadsafe(settle, result, trouble)

    Thread(target=work, name="read posts", daemon=True).start()
    return await done
