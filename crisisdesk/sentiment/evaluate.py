"""How good a model is on labelled posts: the figures of `crisisdesk model evaluate`."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from crisisdesk.errors import InputError, UsageError
from crisisdesk.lines import BadLine, Progress, shown_name
from crisisdesk.sentiment.base import Model
from crisisdesk.sentiment.card import LABELS
from crisisdesk.sentiment.labelled import LabelledPost, read_labelled
from crisisdesk.sentiment.tally import Tally
from crisisdesk.text import clean

CHUNK: Final = 2000
"""Posts read and scored at once, so that a file may be larger than memory."""
MOST_GROUPS: Final = 1000
"""Values of a column that get figures of their own; a column with more names posts, not groups of them."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was counted over all posts, and by each value of the columns that were asked for."""

    all: Tally = field(default_factory=Tally)
    columns: dict[str, dict[str, Tally]] = field(default_factory=dict)

    @property
    def total(self) -> dict[str, Any]:
        """The figures over all posts."""
        return self.all.figures()

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints: `by` holds the values of one column, or, of several, each column with its values."""
        by = {
            column: {value: groups[value].figures() for value in sorted(groups)}
            for column, groups in self.columns.items()
        }
        if not by:
            return self.total
        return {**self.total, "by": by if len(by) > 1 else next(iter(by.values()))}

    def rows(self) -> Iterator[tuple[str, Tally]]:
        """All posts, then each group, with what a person calls them."""
        yield "all", self.all
        for column, groups in self.columns.items():
            for value in sorted(groups):
                yield f"{column} {value}" if len(self.columns) > 1 else value, groups[value]


def evaluate(
    path: Path,
    model: Model,
    *,
    by: str | Sequence[str] = (),
    bad: Callable[[BadLine], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
    seconds: Callable[[], float] = time.perf_counter,
) -> Report:
    """Score a labelled file and compare.

    Args:
        path: see `read_labelled`.
        model: what is measured.
        by: a column, or several, by whose values the figures are given as well.
        bad: told of each line that is skipped.
        progress: told after each chunk how many bytes of the file it and those before it took, packed as it is.
        seconds: a stopwatch.

    Raises:
        UsageError: the file cannot be opened, lacks a column, or has one whose values are no groups.
        InputError: the file is damaged, or not one of its lines can be used.
    """
    columns = list(dict.fromkeys(map(clean, (by,) if isinstance(by, str) else by)))
    report, reading = Report(columns={column: {} for column in columns}), Progress()
    posts = read_labelled(path, columns, bad, reading)
    while chunk := list(islice(posts, CHUNK)):
        began = seconds()
        chances = np.array(model.score([clean(post.text) for post in chunk]))
        _count(report, chunk, chances, seconds() - began)
        progress(reading.read)
    if not report.all.posts:
        raise InputError(f"{shown_name(path)} holds no post with a label of {', '.join(LABELS)} that can be read.")
    return report


def _count(report: Report, chunk: Sequence[LabelledPost], chances: np.ndarray, seconds: float) -> None:
    """Add a scored chunk to the tallies; a group gets its share of the time."""
    labels = np.array([post.label for post in chunk])
    report.all.add(labels, chances, seconds)
    for place, (column, groups) in enumerate(report.columns.items()):
        names = np.array([post.groups[place] for post in chunk], dtype=object)
        for name in dict.fromkeys(names):
            mask = names == name
            groups.setdefault(name, Tally()).add(labels[mask], chances[mask], seconds * float(mask.mean()))
        if len(groups) > MOST_GROUPS:
            raise UsageError(
                f"The column {column} has more than {MOST_GROUPS:,} values; name one that groups posts, such as lang."
            )


def render(report: Report) -> str:
    """The figures as a table for a person, one line for all and one by group."""
    head = ("", "n", "accuracy", "macro recall", "macro F1", *(f"recall {name}" for name in LABELS))
    rows = [(*head, "ece", "chance", "posts/s"), *(_cells(name, tally.figures()) for name, tally in report.rows())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def _cells(name: str, figures: dict[str, Any]) -> tuple[str, ...]:
    shares = [figures["accuracy"], figures["macro_recall"], figures["macro_f1"], *figures["recall"].values()]
    shares += [figures["ece"], figures["ece_chance"]]
    speed = "-" if figures["posts_per_second"] is None else f"{figures['posts_per_second']:,.0f}"
    return (name, f"{figures['n']:,}", *("-" if share is None else f"{share:.3f}" for share in shares), speed)
