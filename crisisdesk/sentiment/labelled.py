"""Posts whose mood people have judged: a tab-separated file, one post a line, never whole in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from crisisdesk.errors import InputError, UsageError
from crisisdesk.lines import TOO_LONG, BadLine, Line, Progress, check_files, opened, read_lines, shown_name
from crisisdesk.sentiment.card import LABELS
from crisisdesk.text import clean, shorten

SHOWN: Final = 200
"""Characters of a file's first line that a message shows; it may be no header at all."""


@dataclass(frozen=True, slots=True)
class LabelledPost:
    """One line of a labelled file; `groups` are what the columns asked for hold, cleaned; `text` is as it stands."""

    label: int
    text: str
    groups: tuple[str, ...] = ()


def read_labelled(
    path: Path,
    by: Sequence[str] = (),
    bad: Callable[[BadLine], None] = lambda _: None,
    progress: Progress | None = None,
) -> Iterator[LabelledPost]:
    """Posts of a tab-separated file with a header and columns `label` and `text`, without quoting, `.gz` or not.

    Args:
        path: the file, read line by line; `-` is standard input.
        by: columns whose values become groups.
        bad: told of each line that is skipped; blank ones are nothing and not told.
        progress: counts the bytes that were read of the file, packed as it is.

    Raises:
        UsageError: the file cannot be opened or lacks a column.
        InputError: the file is cut off or damaged; figures of a part of it would be taken for those of all.
    """
    check_files([path])
    progress = progress or Progress()

    def breaks_off(number: int, reason: str) -> NoReturn:
        raise InputError(f"{shown_name(path)}:{number}: {reason}; fetch or pack it again.")

    with opened(path, progress) as file:
        lines = read_lines(file, progress, breaks_off)
        header = [clean(cell) for cell in _cells(next(lines, Line(1, b"")))]
        places = [_place(path, header, column) for column in ("label", "text", *map(clean, by))]
        for line in lines:
            try:
                yield _post(_cells(line), len(header), places)
            except ValueError as error:
                bad(BadLine(shown_name(path), line.number, str(error)))


def _cells(line: Line) -> list[str]:
    """The cells of a line; bytes that are no UTF-8 become replacement characters. A line that is too long has none."""
    return [] if line.content is None else line.content.decode(errors="replace").split("\t")


def _place(path: Path, header: Sequence[str], column: str) -> int:
    if column in header:
        return header.index(column)
    raise UsageError(
        f"{shown_name(path)} has no column {column}; its first line must name the columns, separated by tabs "
        f"(found: {shorten(', '.join(header), SHOWN) or 'nothing'}).{_save_anew(header, column)}"
    )


def _save_anew(header: Sequence[str], column: str) -> str:
    """The cure for columns that another sign separates, as spreadsheets write them; nothing where none does."""
    [line, *more] = header or [""]
    for sign, name in ((",", "commas"), (";", "semicolons")):
        if not more and column in [cell.strip(' "') for cell in line.split(sign)]:
            return (
                f" Its columns are separated by {name}: open it as a table, save it as tab-separated text in UTF-8, "
                "without line breaks in the cells, and name that file."
            )
    return ""


def _post(cells: Sequence[str], columns: int, places: Sequence[int]) -> LabelledPost:
    """A line's post.

    Raises:
        ValueError: why it is none.
    """
    if not cells:
        raise ValueError(TOO_LONG)
    if len(cells) != columns:
        raise ValueError(f"{len(cells)} columns where the header has {columns}")
    label, text, *groups = (cells[place] for place in places)
    given = clean(label)
    if given not in LABELS:
        raise ValueError(f"the label is {shorten(given, 40)!r}, not {', '.join(LABELS)}")
    return LabelledPost(LABELS.index(given), text, tuple(map(clean, groups)))
