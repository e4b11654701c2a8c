"""Posts in files: JSON lines or CSV, packed with gzip or not, or on standard input; never whole in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import chain, count
from pathlib import Path
from typing import Final

import orjson

from crisisdesk.errors import InputError
from crisisdesk.lines import (
    STDIN,
    TOO_LONG,
    BadLine,
    Line,
    Progress,
    check_files,
    decoded,
    opened,
    read_lines,
    shown_name,
    suffix,
)
from crisisdesk.records import Post
from crisisdesk.sources.bodies import json_in
from crisisdesk.sources.file.table import SHOWN_COLUMNS, Record, looks_like_table, proposed, read_table
from crisisdesk.sources.posts import MAX_NAME, REQUIRED, names_no_zone, post_from, text_from
from crisisdesk.text import clean

_JSON_SUFFIXES: Final = frozenset({".jsonl", ".ndjson", ".json"})
_TABLE_SUFFIXES: Final = frozenset({".csv", ".tsv"})

OnBad = Callable[[BadLine], None]
OnNote = Callable[[str], None]
"""Told, in a sentence with the file's name, what a person should know about how it was read."""
_Tell = Callable[[int, str], None]


def read_posts(
    paths: Sequence[Path],
    *,
    columns: Mapping[str, str] | None = None,
    on_bad: OnBad,
    on_note: OnNote = lambda _: None,
    progress: Callable[[int], None] | None = None,
    present: Callable[[], datetime] | None = None,
    live: bool = False,
    zone: tzinfo = UTC,
) -> Iterator[Post]:
    """The posts of the files, one file after the other, each in the order in which it has them.

    Args:
        paths: files; `-` is standard input. The source of posts that name none is the name of their file without
            its endings, and with its folder's (`b/posts`) where another file before it has that name already:
            each may count its ids from 1. A file given twice is one source, so that its posts count once.
        columns: our field name -> the file's column, or its name in JSON.
        on_bad: told of every line that is no post; reading goes on.
        on_note: told, once a file, how it is read that is not as programmes write it.
        progress: told now and then how many bytes of all files were read, packed as they are.
        present: the time by the clock of this machine; a post that is more than a day later is no post.
        live: the posts are being written now, so none is later than the present.
        zone: of times that name none.

    Raises:
        UsageError: a file cannot be opened (at once), or a CSV header lacks a column (when it is reached).
    """
    check_files(paths)
    makers = [
        Maker(path, source, on_bad, on_note, present=present, live=live, zone=zone)
        for path, source in zip(paths, _sources(paths), strict=True)
    ]
    return _posts(paths, makers, columns or {}, Progress(progress))


def _posts(
    paths: Sequence[Path], makers: Sequence["Maker"], columns: Mapping[str, str], progress: Progress
) -> Iterator[Post]:
    for path, maker in zip(paths, makers, strict=True):
        yield from posts_of(path, columns, maker, progress)


class Maker:
    """Makes posts of the records of a file, and tells of those that are none.

    Args:
        path: the file; with its name begins what is told.
        source: of posts that name none.
        on_bad, on_note, present, live, zone: see `read_posts`.
        cure: how to name the zone of times that have none.
        by_byte: a post without an id gets one by where in the file it begins rather than by its line.
    """

    def __init__(
        self, path: Path, source: str, on_bad: OnBad, on_note: OnNote, *,
        present: Callable[[], datetime] | None = None, live: bool = False, zone: tzinfo = UTC,
        cure: str = "--timezone names another", by_byte: bool = False,
    ) -> None:  # fmt: skip
        self._name = shown_name(path)
        self._source = source
        self._on_bad = on_bad
        self._on_note = on_note
        self._present = present
        self._live = live
        self._zone = zone
        self._cure = cure
        self._by_byte = by_byte
        self._unsaid = zone is UTC  # another one was asked for

    def post(self, record: Record) -> Post | None:
        """The post; None if it is none, which is told."""
        if record.fields is None:
            self.tell(record.first.number, record.reason)
            return None
        now = self._present() if self._present else None
        place = record.first.start if self._by_byte else record.first.number
        try:
            post = post_from(record.fields, self._source, now if self._live else None, place, self._zone, present=now)
        except InputError as error:
            self.tell(record.first.number, str(error))
            return None
        if self._unsaid and names_no_zone(record.fields["time"]):
            self.note(f"times without a zone are taken for UTC; {self._cure}")
        self._unsaid = False
        return post

    def tell(self, number: int, reason: str) -> None:
        """A line is bad."""
        self._on_bad(BadLine(self._name, number, reason))

    def note(self, text: str) -> None:
        """What a person should know about how the file is read."""
        self._on_note(f"{self._name}: {text}.")


def _sources(paths: Sequence[Path]) -> list[str]:
    """A source for each file, its own for each that is another file."""
    names: dict[Path, str] = {}
    places = [path if str(path) == STDIN else path.resolve() for path in paths]
    for path, place in zip(paths, places, strict=True):
        if place in names:
            continue
        plain = _stem(path)
        longer = f"{clean(place.parent.name, MAX_NAME)}/{plain}"
        candidates = chain((plain, longer), (f"{longer} {number}" for number in count(2)))
        names[place] = next(name for name in candidates if name not in names.values())
    return [names[place] for place in places]


def _stem(path: Path) -> str:
    """The name of a file without folder and endings."""
    return "stdin" if str(path) == STDIN else clean(path.name.split(".")[0] or path.name, MAX_NAME) or "file"


def posts_of(path: Path, columns: Mapping[str, str], maker: Maker, progress: Progress) -> Iterator[Post]:
    """The posts of one file, whatever its form."""
    with opened(path, progress) as file:
        lines = read_lines(file, progress, maker.tell)
        first = next(lines, None)
        if first is None:
            return
        lines = chain((first,), lines)
        if is_table(path, first, columns):
            records = read_table(lines, columns, shown_name(path), maker.note)
        else:
            records = read_objects(lines, columns)
        for record in records:
            if post := maker.post(record):
                yield post


def is_table(path: Path, first: Line, columns: Mapping[str, str]) -> bool:
    """Whether a file is a table rather than JSON lines, by its name or by its first line."""
    if suffix(path) in _TABLE_SUFFIXES:
        return True
    return not is_named_json(path) and bool(first.content) and looks_like_table(first.content or b"", columns)


def is_named_json(path: Path) -> bool:
    """Whether a file says by its name that it holds JSON."""
    return suffix(path) in _JSON_SUFFIXES


def read_objects(
    lines: Iterable[Line], columns: Mapping[str, str], required: Sequence[str] = REQUIRED
) -> Iterator[Record]:
    """The JSON objects, one a line; `columns` and `required` as for a table (`read_table`)."""
    for line in lines:
        try:
            yield Record(line, line, _renamed(_object(line.content), columns, required))
        except ValueError as error:
            yield Record(line, line, None, str(error))


def _renamed(found: dict[str, object], columns: Mapping[str, str], required: Sequence[str]) -> Mapping[str, object]:
    """A post's fields by our names.

    Raises:
        ValueError: one that is required is missing; names those that are there and the cure.
    """
    fields = found | {ours: found[theirs] for ours, theirs in columns.items() if theirs in found} if columns else found
    if missing := [field for field in required if field not in fields]:
        shown = ", ".join(clean(name, 40) for name in [*found][:SHOWN_COLUMNS]) or "nothing"
        meant = proposed(missing, [*found], columns)
        raise ValueError(f'{missing[0]}: is missing; the line has: {shown}; say which are meant: columns "{meant}"')
    return fields


def _object(content: bytes | None) -> dict[str, object]:
    """Read one JSON object.

    Raises:
        ValueError: what is there instead.
    """
    if content is None:
        raise ValueError(TOO_LONG)
    try:
        value = json_in(content)
    except orjson.JSONDecodeError as error:
        decoded(content)
        raise ValueError(f"is not JSON ({error.msg}, character {error.colno})") from None
    if not isinstance(value, dict):
        raise ValueError("is not a post; one post a line, in braces: {" + '"time": …, "text": …}')  # noqa: TRY004
    return value


def read_texts(
    path: Path,
    *,
    columns: Mapping[str, str] | None = None,
    on_bad: OnBad,
    on_note: OnNote = lambda _: None,
    progress: Progress | None = None,
) -> Iterator[tuple[str, str]]:
    """What `score` reads: (id, cleaned text) per line; the id is the line number where there is none.

    Lines are posts in JSON or rows of a table, of which only `text` is needed, if the file's name, its first line or
    `columns` says so; else each line that is not blank is a text.

    Args:
        path: the file; `-` is standard input.
        columns: our field name -> the file's column, or its name in JSON; with them it is either of the two.
        on_bad: told of every line that is no text; reading goes on.
        on_note: told, in a sentence, how it is read that is not as programmes write it.
        progress: counts the bytes that were read of the file, packed as it is.

    Raises:
        UsageError: the file cannot be opened (at once), or a header lacks a column (when it is reached).
    """
    check_files([path])
    return _texts(path, columns or {}, _teller(path, on_bad), lambda said: on_note(f"{shown_name(path)}: {said}."),
                  progress or Progress())  # fmt: skip


def _texts(
    path: Path, columns: Mapping[str, str], tell: _Tell, note: Callable[[str], None], progress: Progress
) -> Iterator[tuple[str, str]]:
    with opened(path, progress) as file:
        lines, kind = read_lines(file, progress, tell), suffix(path)
        if (first := next(lines, None)) is None:
            return
        lines = chain((first,), lines)
        is_json = kind in _JSON_SUFFIXES or (first.content or b"").lstrip().startswith(b"{")
        if kind in _TABLE_SUFFIXES or (columns and not is_json):
            records = read_table(lines, columns, shown_name(path), note, required=("text",))
        elif is_json:
            records = read_objects(lines, columns, required=("text",))
        else:
            records = _plain_texts(lines)
        for record in records:
            number = record.first.number
            if record.fields is None:
                tell(number, record.reason)
                continue
            try:
                yield _id(record.fields.get("id"), number), text_from(record.fields.get("text"))
            except InputError as error:
                tell(number, str(error))


def _plain_texts(lines: Iterable[Line]) -> Iterator[Record]:
    """Each line is a text."""
    for line in lines:
        try:
            yield Record(line, line, {"text": _plain(line.content)})
        except ValueError as error:
            yield Record(line, line, None, str(error))


def _plain(content: bytes | None) -> str:
    if content is None:
        raise ValueError(TOO_LONG)
    return decoded(content)


def _id(value: object, number: int) -> str:
    """The id as it stands in the file: it is written out again, so it is not shortened."""
    named = isinstance(value, str | int) and not isinstance(value, bool)
    return (clean(str(value)) if named else "") or str(number)


def _teller(path: Path, on_bad: OnBad) -> _Tell:
    """Tell of bad lines of this file."""
    return lambda number, reason: on_bad(BadLine(shown_name(path), number, reason))
