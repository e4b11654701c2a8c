"""How far a file was read, and where that place lies now: files are renamed, copied, emptied and packed meanwhile."""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import orjson

from crisisdesk.lines import BROKEN_ARCHIVE, TAIL, Progress, UnreadableError, opened

HEAD: Final = 1024
"""Bytes of a file's beginning by which it is known again."""
MAX_CURSOR: Final = 1000
_COUNTER: Final = 999_999
"""The largest number after a file's name that counts rotations; what is larger is a date."""
_NUMBERS: Final = {"inode": 2**64, "modified": 2**63, "offset": 2**63, "line": 2**63, "tail_size": TAIL + 1}
_DIGESTS: Final = ("head", "tail")


@dataclass(frozen=True, slots=True)
class Place:
    """Between two lines of a file, known again by what was read: by the file's beginning and the line before.

    An inode alone will not do: copies have another, a file that is emptied keeps its own, and a new file may get that
    of one that was deleted.
    """

    inode: int
    modified: int
    """When the file was last written to, as far as was seen before reading up to here; nanoseconds of the epoch."""
    offset: int
    """Bytes before it, unpacked and as UTF-8."""
    line: int
    """Lines before it."""
    head: str
    """Digest of the first `HEAD` of these bytes, or of all there are."""
    tail: str
    """Digest of the last `tail_size` of them."""
    tail_size: int

    def __str__(self) -> str:
        return orjson.dumps(self).decode()

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """What `str` gave.

        Raises:
            ValueError: it is damaged.
        """
        if len(cursor) > MAX_CURSOR or not isinstance(values := orjson.loads(cursor), dict):
            raise ValueError("no place in a file")
        numbers = {name: values.pop(name, None) for name in _NUMBERS}
        digests = {name: values.pop(name, None) for name in _DIGESTS}
        if values or not all(type(one) is int and 0 <= one < _NUMBERS[name] for name, one in numbers.items()):
            raise ValueError("no place in a file")
        if not all(isinstance(one, str) and re.fullmatch("[0-9a-f]{16}", one) for one in digests.values()):
            raise ValueError("no place in a file")
        if numbers["offset"] < numbers["tail_size"]:
            raise ValueError("no place in a file")
        return cls(**numbers, **digests)


def beginning(status: os.stat_result) -> Place:
    """Of a file of which nothing was read."""
    return Place(status.st_ino, status.st_mtime_ns, 0, 0, digest(b""), digest(b""), 0)


def digest(content: bytes) -> str:
    """By which bytes are known again."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def holds(path: Path, place: Place) -> bool:
    """Whether what was read up to a place stands in a file.

    Raises:
        UnreadableError, OSError: it cannot be read.
    """
    with opened(path, Progress()) as file, suppress(*BROKEN_ARCHIVE):

        def read(size: int, offset: int) -> bytes:
            file.seek(offset)
            return file.read(size)

        return stands(place, read)
    return False


def stands(place: Place, read: Callable[[int, int], bytes]) -> bool:
    """Whether what was read up to a place stands there; `read` gives so many bytes from an offset on."""
    return (
        digest(read(min(HEAD, place.offset), 0)) == place.head
        and digest(read(place.tail_size, place.offset - place.tail_size)) == place.tail
    )


def find(path: Path, place: Place) -> Path | None:
    """The file that holds a place: the one at `path`, or one that was moved or copied from there; None where none does.

    Raises:
        UnreadableError, OSError: the likeliest of them cannot be read at the moment.
    """
    kin = sorted(family(path), key=lambda entry: (entry[0] != path, entry[1].st_ino != place.inode))
    for one, status in kin:
        likely = one == path or status.st_ino == place.inode
        try:
            if (likely or status.st_mtime_ns >= place.modified - _BLURRED) and holds(one, place):
                return one
        except (OSError, UnreadableError):
            if likely:
                raise
    return None


_BLURRED: Final = 2_000_000_000
"""Nanoseconds by which the time of a file's last change may be earlier after it was moved to another disk or packed."""


def after(path: Path, modified: int, inode: int | None = None) -> list[Path]:
    """The files with what was written after another one, oldest first; last the one at `path`, if it is there.

    Args:
        path: where new lines are written.
        modified: when the other one was last written to. If it is gone, files of that very moment are taken for
            later: what is read twice counts once, what is left out is lost.
        inode: its own, if it is open.

    Raises:
        OSError: the folder cannot be read.
    """
    kin = family(path)
    other = next((number for number, (_, status) in enumerate(kin) if status.st_ino == inode), None)
    if other is not None:
        return [one for one, _ in kin[other + 1 :]]
    return [one for one, status in kin if one == path or status.st_mtime_ns >= modified]


def family(path: Path) -> list[tuple[Path, os.stat_result]]:
    """The files that were at `path` before, in the order in which they were written, and the one that is there.

    They are known by their names, as logrotate and others give them: posts.jsonl.1, posts.jsonl-20081115,
    posts.jsonl.2.gz, posts.1.jsonl, posts.jsonl.2008-11-15_03. Of a link also those that lie where it leads to.

    Raises:
        OSError: the folder cannot be read.
    """
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    names = {path, *_namesakes(path), *_namesakes(target)} - ({target} if target != path else set())
    kin = [(one, status) for one in names if (status := _status(one))]
    kin.sort(key=lambda entry: (entry[0] == path, entry[1].st_mtime_ns, _age(path, entry[0])))
    return kin


def _namesakes(path: Path) -> Iterator[Path]:
    base, ending = path.name.removesuffix(path.suffix), path.suffix
    rotated = re.compile(
        rf"{re.escape(base)}(?:\.\d{{1,3}}|[-._]\d[\d\-._T:]{{5,}})?{re.escape(ending)}"
        r"(?:[-._]\d[\d\-._T:]*|[-._]old)?(?:\.gz)?",
        re.ASCII | re.IGNORECASE,
    )
    try:
        there = os.listdir(path.parent)  # noqa: PTH208 - names, of which thousands may lie there
    except PermissionError:  # a folder may let us in and show us nothing
        there = [path.name]
    names = {name for name in there if name == path.name or rotated.fullmatch(name)}
    return (path.with_name(name) for name in names if name.removesuffix(".gz") not in names - {name})


def _status(path: Path) -> os.stat_result | None:
    """None for what has just gone, and for what is no file."""
    with suppress(FileNotFoundError):
        status = path.stat()
        return status if stat.S_ISREG(status.st_mode) else None
    return None


def _age(path: Path, rotated: Path) -> Sequence[int]:
    """Orders what was written in the same moment: of counted rotations the first is the youngest, of dated the last."""
    digits = "".join(re.findall(r"\d", rotated.name.removeprefix(path.stem)))
    number = int(digits or 0)
    return (number if number > _COUNTER else -number,)
