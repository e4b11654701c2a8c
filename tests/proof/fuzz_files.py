"""Files whose lines, records and archives were damaged by chance, read at once and as they grow."""

import gzip
import random
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from crisisdesk.sources.file.followed import Reader
from crisisdesk.sources.file.place import Place
from crisisdesk.sources.file.reading import Maker, read_posts
from crisisdesk.sources.file.table import NoColumnError

if TYPE_CHECKING:
    from crisisdesk.lines import BadLine
    from crisisdesk.records import Post

LINES: Final = 100
"""Damaged lines in each file."""
MOST_MEMORY: Final = 64 << 20
"""Bytes that reading may take at any time; a line may have a megabyte, and a chunk of posts has less."""

_NOW: Final = datetime(2008, 11, 16, tzinfo=UTC)
_GOOD: Final = "the good one at the end"
_POSTS: Final[Sequence[dict[str, object]]] = (
    {"id": "1", "time": "2008-11-15T03:40:00Z", "text": "ouch, my back", "author": "a", "lang": "en", "reach": 12},
    {"time": "2008-11-15 03:40", "text": 'zwei "Zitate" und\nUmlaute: äöü 😡', "tags": ["A", "B"], "repost": True},
    {"id": 7, "source": "x", "time": "15.11.2008 03:40", "text": "third; with\tall", "url": "https://a.example/1"},
    {"time": "2008-11-15T03:40:00.123456+01:00", "text": "#tag @name $cash", "reply_to": None, "more": {"a": [1, 2]}},
)  # fmt: skip
_VALUES: Final = (
    b"null", b"true", b"[]", b"{}", b"-1", b"1e999", b"9" * 400, b'"\\ud83d"', b'"\\u0000"', b"[" * 2_000,
    b'{"a":' * 500,
)  # fmt: skip


def fuzz(number: int, folder: Path, seed: int = 0) -> tuple[int, int]:
    """Read so many damaged lines.

    Fails where reading raises what it does not document, loses the good line after the bad ones, takes a line for
    two posts, gives other posts when the file grows bit by bit, or needs ever more memory.

    Returns:
        How many of the lines were posts all the same, and how many were told as bad.
    """
    print(f"seed {seed}")
    chance = random.Random(seed)
    posts = bad = 0
    tracemalloc.start()
    try:
        for file in range(number // LINES):
            read, told = chance.choice((_objects, _grown, _records, _archive))(chance, folder, file)
            posts, bad = posts + read, bad + told
        _cursors(chance, number // LINES)
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()
    return posts, bad


def _objects(chance: random.Random, folder: Path, number: int) -> tuple[int, int]:
    path = folder / f"{number}.jsonl"
    path.write_bytes(_lines(chance))
    return _read(path)


def _records(chance: random.Random, folder: Path, number: int) -> tuple[int, int]:
    separator = chance.choice(";,\t")
    rows = [_row(post, separator) for post in chance.choices(_POSTS, k=LINES)]
    header = separator.join(("time", "text", "author")).encode() + b"\n"
    path = folder / f"{number}.csv"
    damaged = b"".join(_damaged(chance, row) for row in rows)
    path.write_bytes(header + damaged + b"\n" + separator.join(("2008-11-15T03:40Z", _GOOD, "")).encode())
    return _read(path)


def _archive(chance: random.Random, folder: Path, number: int) -> tuple[int, int]:
    """A damaged archive ends somewhere; the file after it is read."""
    first, second = folder / f"{number}.jsonl.gz", folder / f"{number}.jsonl"
    first.write_bytes(_damaged(chance, gzip.compress(_lines(chance))))
    second.write_bytes(_good())
    return _read(first, second)


def _grown(chance: random.Random, folder: Path, number: int) -> tuple[int, int]:
    """What comes in pieces, to somebody who is killed now and then, is what is there in the end."""
    content, path, whole = _lines(chance), folder / f"{number}.jsonl", folder / str(number) / f"{number}.jsonl"
    grown: list[Post] = []
    follower = _follower(path)
    with path.open("ab", 0) as file:
        while content:
            size = chance.choice((1, 10, 100, 1_000, 10_000))
            file.write(content[:size])
            content = content[size:]
            if chance.random() < 0.3:
                follower.leave()
                place, follower = follower.place, _follower(path)
                follower.place = Place.parse(str(place)) if place else None
            grown += [post for post, _ in follower.read(10_000)]
    follower.leave()
    whole.parent.mkdir()
    whole.write_bytes(path.read_bytes())
    follower = _follower(whole)
    again = [post for post, _ in follower.read(10_000)]
    follower.leave()
    assert grown == again
    return _read(path)


def _follower(path: Path) -> Reader:
    maker = Maker(path, "posts", lambda _: None, lambda _: None, present=lambda: _NOW, live=True, by_byte=True)
    return Reader(path, {}, maker, lambda _: None, follow=True)


def _read(*paths: Path) -> tuple[int, int]:
    bad: list[BadLine] = []
    told: list[str] = []
    try:
        posts = list(read_posts(paths, on_bad=bad.append, on_note=told.append, present=lambda: _NOW))
    except NoColumnError:
        assert paths[0].suffix == ".gz"  # by chance its first line reads like a header
        return 0, 0
    assert posts[-1].text == _GOOD
    assert len({(post.source, post.id) for post in posts if "-" in post.id}) <= len(posts)
    assert all(line.line > 0 and line.reason and str(line).isprintable() for line in bad)
    assert all(note.isprintable() for note in told)
    return len(posts), len(bad)


def _lines(chance: random.Random) -> bytes:
    lines = [orjson.dumps(post) + b"\n" for post in chance.choices(_POSTS, k=LINES)]
    return b"".join(_damaged(chance, line) for line in lines) + b"\n" + _good()


def _good() -> bytes:
    return orjson.dumps({"time": "2008-11-15T03:40:00Z", "text": _GOOD}) + b"\n"


def _row(post: dict[str, object], separator: str) -> bytes:
    quoted = str(post["text"]).replace('"', '""')
    return separator.join((str(post["time"]), f'"{quoted}"', str(post.get("author", "")))).encode() + b"\n"


def _damaged(chance: random.Random, content: bytes) -> bytes:
    """The content, damaged in one to three ways, or left alone."""
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        content = chance.choice(_WAYS)(chance, content) or b"\n"
    return content


def _flipped(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def _cut(chance: random.Random, content: bytes) -> bytes:
    begin, end = sorted(chance.choices(range(len(content)), k=2))
    return content[:begin] + content[end:]


def _doubled(chance: random.Random, content: bytes) -> bytes:
    begin, end = sorted(chance.choices(range(len(content)), k=2))
    return content[:end] + content[begin:end] * chance.choice((1, 1, 1, 50)) + content[end:]


def _filled(chance: random.Random, content: bytes) -> bytes:
    place = chance.randrange(len(content))
    junk = chance.choice(
        (b"\0" * chance.choice((1, 5_000)), chance.randbytes(20), b"\xef\xbb\xbf", b"\r", b'"', b"\x1b[2J")
    )
    return content[:place] + junk + content[place:]


def _swapped(chance: random.Random, content: bytes) -> bytes:
    """Another value in the place of one."""
    parts = content.split(b":")
    parts[chance.randrange(len(parts))] = chance.choice(_VALUES) + chance.choice((b"", b',"text"', b',"time"'))
    return b":".join(parts)


def _swollen(chance: random.Random, content: bytes) -> bytes:
    return content.replace(b"o", b"o" * chance.choice((2, 100, 1 << 20 if chance.random() < 0.002 else 3)))


_WAYS: Final[Sequence[Callable[[random.Random, bytes], bytes]]] = (
    _flipped,
    _cut,
    _doubled,
    _filled,
    _swapped,
    _swollen,
)


def _cursors(chance: random.Random, number: int) -> None:
    """A damaged cursor is refused, or is one."""
    place = Place(12, 1_226_720_400_000_000_000, 300, 3, "0123456789abcdef", "fedcba9876543210", 100)
    for _ in range(number):
        damaged = _damaged(chance, str(place).encode()).decode(errors="replace")
        try:
            assert str(Place.parse(damaged))
        except ValueError:
            continue
