"""The panel of one watch: its bars, the usual band, and the calls."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import fmean
from typing import Final

from PIL import ImageDraw

from crisisdesk.records import Severity
from crisisdesk.report.axes import TimeAxis, count_ticks, day
from crisisdesk.report.style import ABOVE, BAND, BAR, COLOURS, EXPECTED, FAINT, GRID, INK, NAME_LENGTH, PAPER, font
from crisisdesk.text import clean, shorten

PANEL_HEIGHT: Final = 284
"""Pixels, as all lengths here."""
TOP: Final = 90
"""From the panel's upper edge to the plot: the title, then the labels of the marks."""
BOTTOM: Final = PANEL_HEIGHT - 46
"""From the panel's upper edge to the plot's lower end; the dates stand below."""
LABEL_ROW: Final = 19
LABEL_ROWS: Final = 3
LABEL_GAP: Final = 14
DATE_DISTANCE: Final = 100
LINE_STEP: Final = 4.0
"""Least distance between two points of the expected line."""


@dataclass(frozen=True, slots=True)
class _Label:
    """The words of a mark at `x`, from `left` to `right` in a row above the plot; without a row they are left out."""

    x: float
    severity: Severity
    words: str
    left: float
    right: float
    row: int | None = None

    def meets(self, other: "_Label") -> bool:
        """Whether they would be read as one in the same row."""
        return self.left < other.right + LABEL_GAP and other.left < self.right + LABEL_GAP


class Panel:
    """A rectangle of the picture from `top` on, with counts from 0 to at least `most` upwards and time to the right."""

    def __init__(self, draw: ImageDraw.ImageDraw, axis: TimeAxis, top: int, most: float) -> None:
        self._draw = draw
        self._axis = axis
        self._top = top
        self._upper, self._lower = top + TOP, top + BOTTOM
        self._counts = count_ticks(most)

    def _y(self, count: float) -> float:
        return self._lower - (self._lower - self._upper) * count / self._counts[-1]

    def title(self, name: str, summary: str) -> None:
        """The watch's name and its figures; the name is outside text and cleaned here."""
        shown = shorten(clean(name, 4 * NAME_LENGTH), NAME_LENGTH) or "(without a name)"
        self._draw.text((self._axis.left, self._top + 22), shown, INK, font(21), anchor="ls")
        end = self._axis.left + self._draw.textlength(shown, font(21)) + 16
        self._draw.text((end, self._top + 22), summary, FAINT, font(15), anchor="ls")

    def grid(self) -> None:
        """Lines and labels of counts and dates."""
        left, right = self._axis.left, self._axis.right
        for count in self._counts:
            self._draw.line((left, self._y(count), right, self._y(count)), GRID)
            self._draw.text((left - 10, self._y(count)), f"{count:,}", FAINT, font(14), anchor="rm")
        for moment, label in self._axis.ticks(DATE_DISTANCE):
            x = self._axis.x(moment)
            self._draw.line((x, self._upper, x, self._lower + 6), GRID)
            self._draw.text((x, self._lower + 10), label, FAINT, font(14), anchor="ma")

    def band(self, hours: Sequence[tuple[datetime, datetime, float | None]]) -> None:
        """Shade from zero to the upper end of the usual, hour by hour: from, to, upper end."""
        for start, end, high in hours:
            if high is not None:
                self._box(start, end, high, BAND)

    def bars(self, hours: Sequence[tuple[datetime, datetime, int, float | None]]) -> None:
        """A bar an hour: from, to, count, upper end of the usual. Those above it come last, lest others hide them."""
        for above in (False, True):
            for start, end, count, high in hours:
                if count and (high is not None and count > high) is above:
                    self._box(start, end, count, ABOVE if above else BAR)

    def line(self, hours: Sequence[tuple[datetime, float | None]]) -> None:
        """The expected counts. Where the hours are narrow, several are averaged: a daily wave would only smear."""
        width = self._axis.x(hours[1][0]) - self._axis.x(hours[0][0]) if len(hours) > 1 else LINE_STEP
        together = max(1, math.ceil(LINE_STEP / max(width, 0.01)))
        points: list[tuple[float, float]] = []
        for number in range(0, len(hours), together):
            chunk = [(time, expected) for time, expected in hours[number : number + together] if expected is not None]
            if chunk:
                points.append((self._axis.x(chunk[0][0]), self._y(fmean(expected for _, expected in chunk))))
            elif points:
                self._draw.line(points, EXPECTED, 2)
                points = []
        self._draw.line(points, EXPECTED, 2)

    def marks(self, marks: Sequence[tuple[datetime, Severity]]) -> int:
        """A line at every call and, where there is room, its severity and time above; the worst are labelled first.

        Returns:
            how many got no label.
        """
        placed = self._place(marks)
        for label in placed:
            top = self._upper if label.row is None else self._label_y(label.row)
            self._draw.line((label.x, top, label.x, self._lower), COLOURS[label.severity], 2)
        for label in placed:
            if label.row is not None:  # on paper of its own, over the lines of its neighbours
                box = self._draw.textbbox((label.left, self._label_y(label.row)), label.words, font(15))
                self._draw.rectangle(box, PAPER)
                self._draw.text(box[:2], label.words, COLOURS[label.severity], font(15), anchor="lt")
        return sum(label.row is None for label in placed)

    def _label_y(self, row: int) -> int:
        return self._upper - 4 - LABEL_ROW * (row + 1)

    def _place(self, marks: Sequence[tuple[datetime, Severity]]) -> list[_Label]:
        """Give every mark the lowest row in which its label has room, right of its line or, at the edge, left of it."""
        placed: list[_Label] = []
        for time, severity in sorted(marks, key=lambda mark: (-mark[1], mark[0])):
            words = f"{severity.name} {day(time)} {time:%H:%M}"
            x, width = self._axis.x(time), self._draw.textlength(words, font(15))
            left = x + 5 if x + 5 + width <= self._axis.right + 30 else x - 5 - width
            label = _Label(x, severity, words, left, left + width)
            rows = (
                row for row in range(LABEL_ROWS) if not any(label.meets(other) for other in placed if other.row == row)
            )
            placed.append(replace(label, row=next(rows, None)))
        return placed

    def _box(self, start: datetime, end: datetime, count: float, colour: str) -> None:
        """From zero to a count; a gap stays between hours where there is room, and nothing is thinner than a pixel."""
        left, right = self._axis.x(start), self._axis.x(end)
        self._draw.rectangle(
            (left, self._y(count), max(left, right - (2 if right - left > 4 else 1)), self._lower), colour
        )
