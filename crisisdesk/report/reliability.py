"""The picture of a calibration: how often a model is right where it says that it is so and so sure.

Drawn with Pillow like the back-test. All posts stand in a large panel, groups of them in small ones below.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from crisisdesk.report.axes import Scale, count_ticks
from crisisdesk.report.style import (
    ABOVE,
    BAND,
    BAR,
    EXPECTED,
    FAINT,
    GRID,
    INK,
    PAPER,
    WIDTH,
    font,
    legend,
    name,
    rows,
    save,
    title,
)
from crisisdesk.text import shorten

EDGE: Final = 40
HEADER: Final = 140
COLUMNS: Final = 3
LARGE, SMALL = 640, 420
"""Heights of the panels."""
MOST_GROUPS: Final = 12
LEAST: Final = 0.25
"""Where the axis of probabilities begins: of three, the largest is never below a third."""
NINE_OF_TEN: Final = 1.645
"""Standard deviations around what is promised within which chance alone leaves nine bins of ten."""


@dataclass(frozen=True, slots=True)
class Point:
    """The posts of one bin of probabilities, from `low` to `high`: how many, how sure on average, how often right."""

    low: float
    high: float
    posts: int
    confidence: float
    accuracy: float

    @property
    def by_chance(self) -> float:
        """How far from its promise chance alone may leave the share of right ones, nine times of ten."""
        return NINE_OF_TEN * math.sqrt(self.confidence * (1 - self.confidence) / self.posts)


@dataclass(frozen=True, slots=True)
class Curve:
    """Posts of one kind, bin by bin, and their calibration error beside what chance alone would give."""

    name: str
    points: tuple[Point, ...]
    error: float
    chance: float

    @property
    def posts(self) -> int:
        """How many there are."""
        return sum(point.posts for point in self.points)


def plot(path: Path, curves: Sequence[Curve], heading: str) -> int:
    """Write a PNG: the first curve large, the others small, those of most posts if there are more than fit.

    Returns:
        how many curves were left out.

    Raises:
        CrisisdeskError: the file cannot be written.
    """
    first, *others = curves
    shown = set(sorted(others, key=lambda curve: -curve.posts)[:MOST_GROUPS])
    save(_draw(first, [curve for curve in others if curve in shown], heading), path)
    return len(others) - len(shown)


def _draw(first: Curve, others: Sequence[Curve], heading: str) -> Image.Image:
    height = HEADER + LARGE + math.ceil(len(others) / COLUMNS) * SMALL + EDGE // 2
    image = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(image)
    _header(draw, heading)
    _Panel(draw, (EDGE, HEADER, WIDTH - EDGE, HEADER + LARGE), 16).show(first)
    width = (WIDTH - 2 * EDGE) // COLUMNS
    for number, curve in enumerate(others):
        left, top = EDGE + number % COLUMNS * width, HEADER + LARGE + number // COLUMNS * SMALL
        _Panel(draw, (left, top, left + width - 24, top + SMALL), 13).show(curve)
    return image


def _header(draw: ImageDraw.ImageDraw, heading: str) -> None:
    draw.text((EDGE, 20), title(heading), INK, font(30))
    words = "Across: how sure the model is of the mood it gives a post. Up: how often that mood is right. Below: posts."
    draw.text((EDGE, 62), words, FAINT, font(17))
    entries = (
        (EXPECTED, "as sure as it is right"),
        (BAND, "what chance alone allows, 9 times of 10"),
        (BAR, "within it"),
        (ABOVE, "outside: too sure below the line, too shy above it"),
    )
    legend(draw, EDGE, 102, entries)


class _Panel:
    """One curve in a rectangle: title, diagram, and the number of posts in each bin below it."""

    def __init__(self, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], size: int) -> None:
        """Take the place from left, top to right, bottom, with letters of this size."""
        left, top, right, bottom = box
        self._draw = draw
        self._size = size
        self._title = (left, top + 2 * size)
        self._figures = (left, top + 7 * size // 2)
        self._left, self._right = left + 4 * size, right
        upper, lower = top + 9 * size // 2 + 6, bottom - 3 * size
        self._shares = Scale(1.0, upper, upper + (lower - upper) * 3 // 4)
        self._posts_upper, self._posts_lower = upper + (lower - upper) * 5 // 6, lower

    def show(self, curve: Curve) -> None:
        """Draw all of it; the name is outside text and cleaned here."""
        shown, large = name(curve.name), font(self._size + 4)
        while self._draw.textlength(shown, large) > self._right - self._title[0]:
            shown = shorten(shown, len(shown) - 1)
        self._draw.text(self._title, shown, INK, large, anchor="ls")
        words = f"{curve.posts:,} posts, calibration error {curve.error:.3f}, by chance {curve.chance:.3f}"
        self._draw.text(self._figures, words, FAINT, font(self._size), anchor="ls")
        self._grid()
        for point in curve.points:
            self._promise(point)
        self._draw.line((self._x(LEAST), self._shares.y(LEAST), self._x(1), self._shares.y(1)), EXPECTED, 2)
        for point in curve.points:
            self._outcome(point)
        self._counts(curve.points)

    def _x(self, probability: float) -> float:
        return self._left + (self._right - self._left) * (max(probability, LEAST) - LEAST) / (1 - LEAST)

    def _grid(self) -> None:
        labels = [(tenth / 10, f"{tenth * 10} %") for tenth in range(0, 11, 2)]
        rows(self._draw, self._shares, (self._left, self._right), labels, self._size)
        for tenth in range(4, 11, 2):
            x, label = self._x(tenth / 10), f"{tenth * 10} %"
            self._draw.line((x, self._shares.upper, x, self._shares.lower), GRID)
            anchor = "ra" if tenth == 10 else "ma"
            self._draw.text((x, self._posts_lower + 8), label, FAINT, font(self._size), anchor=anchor)

    def _promise(self, point: Point) -> None:
        """Where the share of right ones may lie if the model is as sure as it is right."""
        upper, lower = (
            self._shares.y(point.confidence + point.by_chance),
            self._shares.y(point.confidence - point.by_chance),
        )
        self._draw.rectangle((self._x(point.low) + 1, upper, self._x(point.high) - 1, lower), BAND)

    def _outcome(self, point: Point) -> None:
        """Where it lies, tied to the promise."""
        outside = abs(point.accuracy - point.confidence) > point.by_chance
        colour, radius = ABOVE if outside else BAR, self._size // 2 - 1
        x, y = self._x(point.confidence), self._shares.y(point.accuracy)
        self._draw.line((x, self._shares.y(point.confidence), x, y), colour, 2)
        self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour, PAPER)

    def _counts(self, points: Sequence[Point]) -> None:
        most = count_ticks(max((point.posts for point in points), default=1))[-1]
        scale = Scale(most, self._posts_upper, self._posts_lower)
        rows(self._draw, scale, (self._left, self._right), [(0, "0"), (most, f"{most:,}")], self._size)
        for point in points:
            box = (self._x(point.low) + 1, scale.y(point.posts), self._x(point.high) - 1, scale.lower)
            self._draw.rectangle(box, BAR)
