"""What can be read only once, as it comes: standard input, a named pipe, a device."""

import stat
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from crisisdesk.errors import FatalSourceError
from crisisdesk.lines import STDIN
from crisisdesk.records import Post


class Pipe:
    """Posts that are piped in; it has no places to go on at."""

    def __init__(self, posts: Iterator[Post]) -> None:
        self.place = self.began = None
        self.ended = False
        self._posts = posts

    def read(self, at_most: int) -> Sequence[tuple[Post, None]]:
        """The next posts, for which it waits."""
        posts = [(post, None) for post in islice(self._posts, at_most)]
        self.ended = not posts
        return posts

    def leave(self) -> None:
        """A read that is under way may wait for ever."""


def is_piped(path: Path) -> bool:
    """Whether what is read from there is gone for everybody else."""
    return str(path) == STDIN or _kind(path) not in {None, stat.S_IFREG, stat.S_IFDIR}


def is_folder(path: Path) -> bool:
    """Whether files lie in it."""
    return _kind(path) == stat.S_IFDIR


def leave_terminal(path: Path) -> None:
    """Leave a terminal to the console, which wants its keys.

    Raises:
        FatalSourceError: standard input is one.
    """
    if str(path) == STDIN and sys.stdin.isatty():
        raise FatalSourceError("standard input: nothing is piped in; start the desk as `… | crisisdesk run`.")


def _kind(path: Path) -> int | None:
    """The type that `stat` gives; None for what is not there, or may not be looked at."""
    try:
        return stat.S_IFMT(path.stat().st_mode)
    except (OSError, ValueError):
        return None
