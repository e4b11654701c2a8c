"""How good a model is on labelled posts: the figures of `crisisdesk model evaluate`."""

import gzip
import io
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from crisisdesk.errors import InputError, UsageError
from crisisdesk.sentiment.base import Model
from crisisdesk.sentiment.card import LABELS
from crisisdesk.text import clean, shorten

BINS: Final = 15
CALMEST_FIRST: Final = np.array([LABELS.index(name) for name in ("neutral", "positive", "negative")])
"""Of equal probabilities the calmer label counts, as in `Scored.label`."""
CHUNK: Final = 2000
"""Posts read and scored at once, so that a file may be larger than memory."""
SHOWN: Final = 200
"""Characters of a file's first line that a message shows; it may be no header at all."""


@dataclass(frozen=True, slots=True)
class LabelledPost:
    """One line of a labelled file; `group` is what the column asked for holds, cleaned; `text` is as it stands."""

    label: int
    text: str
    group: str


@dataclass(slots=True)
class Tally:
    """Sums from which the figures follow; grows by post, not with them."""

    confusion: np.ndarray = field(default_factory=lambda: np.zeros((len(LABELS), len(LABELS)), np.int64))
    """Counts (true label, given label)."""
    bins: np.ndarray = field(default_factory=lambda: np.zeros((BINS, 3)))
    """By equal-width bin of the top probability: posts, sum of top probabilities, right ones."""
    seconds: float = 0.0

    def add(self, labels: np.ndarray, chances: np.ndarray, seconds: float) -> None:
        """Count posts with true `labels` (n,) and probabilities `chances` (n, 3)."""
        given = CALMEST_FIRST[chances[:, CALMEST_FIRST].argmax(axis=1)]
        top = chances.max(axis=1)
        np.add.at(self.confusion, (labels, given), 1)
        bins = np.clip(np.ceil(top * BINS).astype(int) - 1, 0, BINS - 1)
        np.add.at(self.bins, bins, np.column_stack([np.ones_like(top), top, given == labels]))
        self.seconds += seconds

    def figures(self) -> dict[str, Any]:
        """The keys of `model evaluate --json`; a label that never occurs has the recall None and enters no mean."""
        n = int(self.confusion.sum())
        right = np.diag(self.confusion)
        true, given = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        present = true > 0
        recall = right / np.maximum(true, 1)
        f1 = 2 * right / np.maximum(true + given, 1)
        return {
            "n": n,
            "accuracy": _rounded(right.sum() / max(n, 1)),
            "macro_recall": _rounded(recall[present].mean()) if n else None,
            "macro_f1": _rounded(f1[present].mean()) if n else None,
            "recall": {name: _rounded(recall[i]) if present[i] else None for i, name in enumerate(LABELS)},
            "ece": _rounded(np.abs(self.bins[:, 1] - self.bins[:, 2]).sum() / max(n, 1)),
            "posts_per_second": round(n / self.seconds, 1) if self.seconds else None,
        }


def _rounded(value: float) -> float:
    return round(float(value), 4)


@dataclass(frozen=True, slots=True)
class Report:
    """The figures over all posts, and by each value of a column if one was asked for."""

    total: dict[str, Any]
    by: dict[str, dict[str, Any]] | None = None

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return self.total if self.by is None else {**self.total, "by": self.by}


def read_labelled(
    path: Path, by: str | None = None, bad: Callable[[str], None] | None = None
) -> Iterator[LabelledPost]:
    """Posts of a tab-separated file with a header and columns `label` and `text`, without quoting, `.gz` or not.

    Args:
        path: the file, read line by line.
        by: a column whose values become groups.
        bad: told of each line that is skipped: file, line number, reason.

    Raises:
        UsageError: the file cannot be opened or lacks a column.
        InputError: the file is an archive that is cut off or damaged.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as raw:
            # Only line feeds end a line, and bytes that are no UTF-8 become "\ufffd".
            lines = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="replace", newline="\n")
            yield from _rows(path, lines, by, bad or (lambda _: None))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read to its end: the .gz file is cut off or damaged; fetch or pack it again."
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{path}: cannot be read ({reason.lower()}); check the path.") from error


def _rows(path: Path, lines: io.TextIOWrapper, by: str | None, bad: Callable[[str], None]) -> Iterator[LabelledPost]:
    header = [clean(cell) for cell in next(lines, "").rstrip("\r\n").split("\t")]
    by = clean(by) if by else None
    for column in ("label", "text", *([] if by is None else [by])):
        if column not in header:
            raise UsageError(
                f"{path} has no column {column}; its first line must name the columns, separated by tabs "
                f"(found: {shorten(', '.join(header), SHOWN) or 'nothing'})."
            )
    label, text = header.index("label"), header.index("text")
    group = None if by is None else header.index(by)
    for number, line in enumerate(lines, start=2):
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) != len(header):
            bad(f"{path}:{number}: {len(cells)} columns where the header has {len(header)}; skipped")
        elif (given := clean(cells[label])) not in LABELS:
            bad(f"{path}:{number}: the label is {shorten(given, 40)!r}, not {', '.join(LABELS)}; skipped")
        else:
            yield LabelledPost(LABELS.index(given), cells[text], "" if group is None else clean(cells[group]))


def evaluate(
    path: Path,
    model: Model,
    *,
    by: str | None = None,
    bad: Callable[[str], None] | None = None,
    progress: Callable[[int], None] | None = None,
    seconds: Callable[[], float] = time.perf_counter,
) -> Report:
    """Score a labelled file and compare.

    Args:
        path: see `read_labelled`.
        model: what is measured.
        by: a column by whose values the figures are given as well.
        bad: told of each line that is skipped.
        progress: told how many posts were scored since the last call.
        seconds: a stopwatch.

    Raises:
        UsageError: the file cannot be opened or lacks a column.
        InputError: the file is damaged, or not one of its lines can be used.
    """
    total, groups = Tally(), dict[str, Tally]()
    posts = read_labelled(path, by, bad)
    while chunk := list(islice(posts, CHUNK)):
        began = seconds()
        chances = np.array(model.score([clean(post.text) for post in chunk]))
        _count(total, groups if by else None, chunk, chances, seconds() - began)
        if progress:
            progress(len(chunk))
    if not total.confusion.any():
        raise InputError(f"{path} holds no post with a label of {', '.join(LABELS)} that can be read.")
    return Report(total.figures(), {name: groups[name].figures() for name in sorted(groups)} if by else None)


def _count(
    total: Tally, groups: dict[str, Tally] | None, chunk: Sequence[LabelledPost], chances: np.ndarray, seconds: float
) -> None:
    """Add a scored chunk to the tallies; a group gets its share of the time."""
    labels = np.array([post.label for post in chunk])
    total.add(labels, chances, seconds)
    if groups is None:
        return
    names = np.array([post.group for post in chunk], dtype=object)
    for name in dict.fromkeys(names):
        mask = names == name
        groups.setdefault(name, Tally()).add(labels[mask], chances[mask], seconds * float(mask.mean()))


def render(report: Report) -> str:
    """The figures as a table for a person, one line for all and one by group."""
    head = ("", "n", "accuracy", "macro recall", "macro F1", *(f"recall {name}" for name in LABELS), "ece", "posts/s")
    rows = [head, *(_cells(name, figures) for name, figures in [("all", report.total), *(report.by or {}).items()])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def _cells(name: str, figures: dict[str, Any]) -> tuple[str, ...]:
    shares = [figures["accuracy"], figures["macro_recall"], figures["macro_f1"], *figures["recall"].values()]
    shares.append(figures["ece"])
    speed = "-" if figures["posts_per_second"] is None else f"{figures['posts_per_second']:,.0f}"
    return (name, f"{figures['n']:,}", *("-" if share is None else f"{share:.3f}" for share in shares), speed)
