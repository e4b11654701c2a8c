"""The prepared posts that the training scripts share: what `prepare.py` writes and the others read."""

import argparse
import csv
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crisisdesk.sentiment.prepare import prepare
from crisisdesk.text import clean

LABELS: Final = ("negative", "neutral", "positive")
COLUMNS: Final = ("lang", "source", "label", "text")
LINE_BREAK: Final = "|LBR|"
"""How GermEval 2018 writes a line break."""


@dataclass(frozen=True, slots=True)
class Post:
    """One prepared post; `label` is an index into `LABELS`, or None where nobody judged it."""

    lang: str
    source: str
    label: int | None
    text: str


def read_rows(path: Path) -> list[dict[str, str]]:
    """Every row of a tab-separated file with a header as a dictionary; a `"` is a character like any other.

    Raises:
        SystemExit: there is no such file, it is not packed, its header lacks a column, or a row has not as many cells.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            header = next(lines, "").rstrip("\n").split("\t")
            if lacking := [name for name in COLUMNS if name not in header]:
                raise SystemExit(
                    f"{path}:1: no column {', '.join(lacking)}; the first line must be: {' '.join(COLUMNS)}"
                )
            return [_row(path, number, header, line.rstrip("\n").split("\t")) for number, line in enumerate(lines, 2)]
    except OSError as error:
        raise SystemExit(f"{path} cannot be read: {error}") from error


def _row(path: Path, number: int, header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise SystemExit(f"{path}:{number}: {len(cells)} cells, but the header has {len(header)}; mend the line.")
    return dict(zip(header, cells, strict=True))


def as_read(text: str) -> str:
    """A post as the desk's model gets it."""
    return prepare(clean(text.replace(LINE_BREAK, " ")))


def existing_folder(text: str) -> Path:
    """An argument of a script: a folder that is there."""
    if not (path := Path(text)).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return path


def read_posts(folder: Path, *names: str) -> list[Post]:
    """Prepared posts of the named parts: `train`, `calibration`, `unlabelled`."""
    found = []
    for name in names:
        for row in read_rows(folder / f"{name}.tsv.gz"):
            label = LABELS.index(row["label"]) if row["label"] in LABELS else None
            found.append(Post(row["lang"], row["source"], label, row["text"]))
    return found


def write_posts(path: Path, posts: Iterable[Post]) -> None:
    """Write posts so that `read_posts` finds them."""
    with gzip.open(path, "wt", encoding="utf-8", newline="\n") as out:
        rows = csv.writer(out, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        rows.writerow(COLUMNS)
        for post in posts:
            rows.writerow([post.lang, post.source, "" if post.label is None else LABELS[post.label], post.text])
