"""A file that somebody writes posts to and rotates in all the usual ways, for tests of who follows it."""

import gzip
import os
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson

from crisisdesk.lines import BadLine, UnreadableError
from crisisdesk.records import Post
from crisisdesk.sources.file.followed import Reader
from crisisdesk.sources.file.place import Place
from crisisdesk.sources.file.reading import Maker

NOW = datetime(2008, 11, 15, 4, tzinfo=UTC)
HEADER = b"time;text\n"


class Written:
    """What is written; texts are numbered, and no post has an id.

    Args:
        folder: where the files lie.
        table: whether it is a table rather than JSON lines.
        headers: whether each file of a table gets a header, and not only the first.
        dated: whether rotated files are named by a date rather than counted.
    """

    def __init__(self, folder: Path, *, table: bool = False, headers: bool = True, dated: bool = False) -> None:
        self.path = folder / ("posts.csv" if table else "posts.jsonl")
        self.texts: list[str] = []
        self._table = table
        self._headers = headers
        self._dated = dated
        self._rotated = 0
        self._rest = b""
        self._to = self.path

    def append(self, number: int = 1, *, ended: bool = True) -> None:
        """Write so many posts, the last of them perhaps without a line end."""
        content = b"".join(self._line() for _ in range(number))
        self._write(content if ended else content.removesuffix(b"\n"))
        self._rest = b"" if ended else b"\n"

    def append_half(self) -> None:
        """Write the beginning of a line; the rest comes with what is written next."""
        line = self._line()
        half = random.randrange(1, len(line))
        self._write(line[:half])
        self._rest = line[half:]

    def finish(self) -> None:
        """Write the rest of what was begun."""
        self._write(b"")

    def rename(self, *, create: bool = True) -> None:
        """As logrotate does with `create`, or leaves it to who writes."""
        self._make_room()
        self.path.rename(self._name(1))
        if create:
            self.path.touch()

    def copy_and_empty(self) -> None:
        """As logrotate does with `copytruncate`."""
        self._make_room()
        shutil.copy(self.path, self._name(1))
        os.truncate(self.path, 0)

    def write_anew(self) -> None:
        """Put a file in its place that holds the same and more."""
        self.finish()
        new = self.path.with_name("new")
        shutil.copy(self.path, new)
        new.rename(self.path)
        self.append()

    def pack(self, *, last: bool) -> None:
        """Pack the rotated files, the last of them also or not, as logrotate does with `delaycompress`."""
        spared = {self.path} if last else {self.path, self._name(1)}
        plain = [one for one in self.path.parent.iterdir() if one.suffix != ".gz" and one not in spared]
        for one in plain:
            with one.open("rb") as old, gzip.open(f"{one}.gz", "wb") as new:
                shutil.copyfileobj(old, new)
            shutil.copystat(one, f"{one}.gz")
            one.unlink()

    def _line(self) -> bytes:
        self.texts.append(f"post {len(self.texts)}")
        if not self._table:
            return orjson.dumps({"time": "2008-11-15T03:40:00Z", "text": self.texts[-1]}) + b"\n"
        more = random.choice(("", "\n", " ; ", "\n;\n"))
        self.texts[-1] += f" {' '.join(more.split())}".rstrip()
        return f'2008-11-15 03:40;"post {len(self.texts) - 1}{more}"\n'.encode()

    def _write(self, content: bytes) -> None:
        with self.path.open("ab") as file:
            if self._table and not file.tell() and (self._headers or not self._rotated):
                file.write(HEADER)
            file.write(self._rest + content)
        self._rest = b""

    def _name(self, number: int) -> Path:
        if self._dated:
            return self.path.with_name(f"{self.path.name}-{20081115 + self._rotated - number + 1}")
        return self.path.with_name(f"{self.path.name}.{number}")

    def _make_room(self) -> None:
        self.finish()
        self._rotated += 1
        for number in range(self._rotated - 1, 0, -1) if not self._dated else ():
            for ending in ("", ".gz"):
                old = Path(f"{self._name(number)}{ending}")
                if old.exists():
                    old.rename(f"{self._name(number + 1)}{ending}")


class Follower:
    """One who follows it, is killed and goes on where it was: what comes is kept by its key.

    Args:
        written: what is written.
        on_bad: told of bad lines.
    """

    def __init__(self, written: Written, on_bad: Callable[[BadLine], None]) -> None:
        self.heard: dict[str, str] = {}
        """The texts by the keys of their posts."""
        self.remarks: list[str] = []
        self._written = written
        self._on_bad = on_bad
        self.places: list[Place] = []
        self.reader = self._begun()

    def restart(self, back: int = 0) -> None:
        """Begin anew at the last cursor, or at an earlier one."""
        self.reader.leave()
        del self.places[max(1, len(self.places) - back) :]
        self.reader = self._begun()

    def _begun(self) -> Reader:
        path, place = self._written.path, self.places[-1] if self.places else None
        maker = Maker(path, "posts", self._on_bad, self.remarks.append, present=lambda: NOW, live=True, by_byte=True)
        reader = Reader(path, {}, maker, self.remarks.append, follow=True)
        reader.place = Place.parse(str(place)) if place else None
        return reader

    def hear(self, at_most: int = 500) -> int:
        """Read some; the number of posts."""
        try:
            posts = self.reader.read(at_most)
        except (OSError, UnreadableError):
            return 0
        for post, place in posts:
            self._take(post)
            self.places.append(place)
        if self.reader.place:
            self.places.append(self.reader.place)
        return len(posts)

    def hear_all(self) -> None:
        while self.hear():
            pass

    def _take(self, post: Post) -> None:
        text = self.heard.setdefault(post.key, post.text)
        assert text == post.text, "two posts have one key"


def rotated_at_random(folder: Path, seed: int) -> None:
    """Write, rotate, follow and kill in an order of chance; fails unless every post is heard under one key.

    Each restart goes on at one of the last cursors, so that over many seeds every possible cursor has its turn.
    """
    random.seed(seed)
    bad: list[BadLine] = []
    written = Written(folder, table=seed % 2 == 1, headers=seed % 4 == 1, dated=seed % 3 == 0)
    written.path.touch()
    if seed % 5:
        written.append()
    follower = Follower(written, bad.append)
    follower.hear(random.randint(1, 3))
    while_it_is_there = (
        written.rename,
        partial(written.rename, create=False),
        written.copy_and_empty,
        written.write_anew,
    )
    always = (
        lambda: written.append(random.randint(1, 5)),
        lambda: written.append(random.randint(1, 5)),
        lambda: written.append(ended=False),
        written.append_half,
        partial(written.pack, last=False),
        partial(written.pack, last=True),
        lambda: follower.hear(1),
        lambda: follower.hear(3),
        follower.hear_all,
        follower.hear_all,
        follower.restart,
        lambda: follower.restart(random.randint(0, 6)),
    )
    for _ in range(random.randint(3, 30)):
        random.choice(always + while_it_is_there if written.path.exists() else always)()
    written.append()
    follower.hear_all()
    follower.reader.leave()
    assert sorted(follower.heard.values()) == sorted(written.texts)
    assert bad == []
    assert not any("gone" in remark for remark in follower.remarks)
