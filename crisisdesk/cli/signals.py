"""Signals, answered in the loop and in order, whenever they come."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any


def until_ctrl_c(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Ctrl+c, once or more often, ends the work where it waits, and is answered when the loop has ended.

    asyncio's own answer falls into the midst of whatever runs, where it becomes a traceback or is lost.
    """

    async def listening() -> None:
        task = asyncio.ensure_future(work())
        pressed.then(task.cancel)
        await task

    with noting("SIGINT") as pressed:
        try:
            asyncio.run(listening())
        except asyncio.CancelledError:
            if not pressed.came:
                raise
    if pressed.came:
        raise KeyboardInterrupt


class Signals:
    """Whether one has come, and what is to be done in the loop each time."""

    def __init__(self) -> None:
        self.came = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._do: list[Callable[[], object]] = []

    def then(self, do: Callable[[], object]) -> None:
        """Do this when one comes, and now if one has come."""
        self._loop = asyncio.get_running_loop()
        self._do.append(do)
        if self.came:
            do()

    def take(self, _number: int, _frame: object) -> None:
        """One has come."""
        self.came = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: there is nothing left to be done
                self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        for do in self._do:
            do()


@contextmanager
def noting(*names: str) -> Iterator[Signals]:
    """Signals that come before the end of the block; a loop's own handlers miss what comes while the loop closes.

    Windows has not all of them, and `nohup` wants nothing to be heard of a lost terminal.
    """
    signals = Signals()
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if signal.getsignal(hang_up := getattr(signal, "SIGHUP", signal.SIGTERM)) is signal.SIG_IGN:
        numbers = [number for number in numbers if number != hang_up]
    before = {number: signal.signal(number, signals.take) for number in numbers}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
