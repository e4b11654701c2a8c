"""A terminal that goes away, or takes nothing for a while, must not hold up the desk behind the console.

Textual writes in a thread that dies of a closed terminal, and waits for it without end: so would everything that runs
on the same loop. Here what cannot be written is let go, a closed terminal ends the console, and one that has been slow
is drawn anew when it is there again.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, cast

from textual.driver import Driver


def held_to_nothing(driver: type[Driver]) -> type[Driver]:
    """The same driver for terminals that may go away; as it is where it does not write to one."""
    try:
        from textual.drivers.linux_driver import LinuxDriver  # noqa: PLC0415  Windows has no such terminals
    except ImportError:
        return driver
    if driver is not LinuxDriver:
        return driver

    class LooseDriver(LinuxDriver):
        """Waits for nobody."""

        def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  the library's own
            super().__init__(*args, **options)
            loop, terminal = asyncio.get_running_loop(), cast("IO[str]", self._file)
            writing = _Writing(terminal, lambda: loop.call_soon_threadsafe(self._app.exit))
            self._file = writing  # type: ignore[assignment]  # it is written to, and no more
            self._is_behind = False

        def write(self, data: str) -> None:
            thread = self._writer_thread
            if thread is not None and thread._queue.full():  # noqa: SLF001  it offers no way to ask
                self._is_behind = True  # whole frames are left out, never half a sequence
                return
            super().write(data)
            if self._is_behind:
                self._is_behind = False
                self._app.call_later(self._app.refresh, layout=True)

    return LooseDriver


class _Writing:
    """A terminal; what it does not take any more is let go, and that is told once."""

    def __init__(self, terminal: IO[str], tell: Callable[[], object]) -> None:
        self._terminal = terminal
        self._tell = tell
        self._is_gone = False

    def write(self, text: str) -> None:
        self._as_long_as_it_is_there(lambda: self._terminal.write(text))

    def flush(self) -> None:
        self._as_long_as_it_is_there(self._terminal.flush)

    def fileno(self) -> int:
        return self._terminal.fileno()

    def isatty(self) -> bool:
        return self._terminal.isatty()

    def _as_long_as_it_is_there(self, do: Callable[[], object]) -> None:
        if self._is_gone:
            return
        try:
            do()
        except OSError:
            self._is_gone = True
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._tell()
