"""Who may read the desk's files: the database, its log, its keys and tokens are their owner's only."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

OURS: Final = ("", "-wal", "-shm", ".key", ".desk")
"""Endings of the files that a database consists of; what people put beside it they look after themselves."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def ours(database: Path) -> Iterator[Path]:
    """The files that a database consists of, there or not."""
    return (database.with_name(database.name + ending) for ending in OURS)


def is_open_to_others(path: Path) -> bool:
    """Whether others than its owner can read, change or run it; False where there is no such file, or no owner."""
    if os.name != "posix":
        return False
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def closed(database: Path) -> str:
    """Close the desk's own files to others, where an older version or somebody has opened them.

    Returns:
        What was done, in a sentence; empty where nothing had to be.
    """
    mended: list[str] = []
    left: list[str] = []
    for path in ours(database):
        if (
            not is_open_to_others(path) or path.name == f"{database.name}.key"
        ):  # that was known to others is not mended so
            continue
        with suppress(OSError):
            path.chmod(0o600)
        (left if is_open_to_others(path) else mended).append(path.name)
    said: list[str] = []
    if mended:
        said.append(f"Others could read {', '.join(mended)} in {database.parent}; now only their owner can.")
    if left:
        said.append(f"Others can read {', '.join(left)} in {database.parent}: chmod 600 them as their owner.")
    return " ".join(said)


def readable_secrets(files: Iterable[Path]) -> Iterator[str]:
    """Those of some files with secrets that others can read, a sentence each with its cure."""
    for path in dict.fromkeys(files):
        if is_open_to_others(path):
            yield f"Others can read the secret in {path}: chmod 600 {path}, and change it if somebody may have."
