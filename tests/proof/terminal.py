"""A program on a terminal of its own, as a person has it: what it draws can be waited for, keys can be pressed."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SIGNS = re.compile(r"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)|[\[(][0-9;?<>=]*[ -/]*[@-~]|P[^\x1b]*\x1b\\|.)")


class Terminal:
    """Runs `python` with these arguments on 140 by 45 cells, and ends it at the end."""

    def __init__(self, *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 140, 0, 0))
        known = {key: value for key, value in os.environ.items() if key not in {"COLUMNS", "LINES", "NO_COLOR"}}
        options: dict[str, Any] = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, *arguments], env={**known, "TERM": "xterm-256color", **(env or {})}, cwd=cwd, **options
        )
        os.close(theirs)
        self.seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._close()

    def until(self, words: str, seconds: float = 50) -> float:
        """Read until these words have been drawn; returns the seconds since the start."""
        end = time.perf_counter() + seconds
        while words not in self.seen:
            if not self._read(end - time.perf_counter()):
                raise AssertionError(f"{words!r} was not drawn; seen was:\n{self.seen[-3000:]}")
        self.seen = self.seen.partition(words)[2]
        return time.perf_counter() - self.began

    def press(self, keys: str) -> None:
        """Press keys, one after another."""
        os.write(self._ours, keys.encode())

    def vanish(self) -> None:
        """Take the terminal away without a word."""
        self._close()

    def resize(self, columns: int) -> None:
        """Make the window wider or narrower, so that everything is drawn anew; nothing is read."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", 45, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def hang_up(self) -> None:
        """Take the terminal away, as when its window is closed or the line breaks."""
        self._close()
        self.process.send_signal(signal.SIGHUP)

    def end(self, seconds: float = 50) -> tuple[int, str]:
        """Read to the end of the program; its exit code and what was drawn last."""
        end = time.perf_counter() + seconds
        while self._read(end - time.perf_counter()):
            pass
        return self.process.wait(max(0.1, end - time.perf_counter())), self.seen

    def _close(self) -> None:
        if self._ours >= 0:
            os.close(self._ours)
        self._ours = -1

    def _read(self, seconds: float) -> bool:
        """A little more of what is drawn; False when there is no more in this time."""
        if not select.select([self._ours], [], [], max(0.0, seconds))[0]:
            return False
        try:
            part = os.read(self._ours, 1 << 16)
        except OSError:  # how Linux says that the other end has gone
            return False
        self.seen += SIGNS.sub("", part.decode(errors="replace"))
        return bool(part)
