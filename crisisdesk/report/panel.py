"""The panel of one watch: its negative posts with the usual band, their share below, and its incidents over both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from PIL import ImageDraw

from crisisdesk.records import Severity
from crisisdesk.report.axes import Scale, TimeAxis, count_ticks
from crisisdesk.report.bars import Bar, shares
from crisisdesk.report.style import (
    ABOVE,
    BAND,
    BAR,
    COLOURS,
    EXPECTED,
    FAINT,
    GRID,
    INK,
    TINTS,
    WIDTH,
    font,
    rows,
)
from crisisdesk.report.tags import ROW, ROWS, Tag, Tags

SIZE: Final = 22
"""Of all letters but the title's; pixels, as all lengths here."""
TITLE: Final = 50
CAP: Final = {Severity.NOTICE: 4, Severity.AMBER: 8, Severity.RED: 12}
"""How thick the edge over an incident is: thicker is worse, for whoever cannot tell the colours."""
TOP: Final = TITLE + ROW * ROWS + CAP[Severity.RED] + 4
"""From the panel's upper edge to the plot."""
STRIP: Final = 64
"""Height of the shares' plot, and with the space above it for its name."""
STRIP_GAP: Final = 44
BOTTOM: Final = 56
"""From the lower plot to the panel's lower edge: the dates."""
FURNITURE: Final = TOP + STRIP_GAP + STRIP + BOTTOM
"""What a panel needs besides the plot of its counts."""
DATE_DISTANCE: Final = 150
NAME: Final = 32
"""Of the letters of a watch's name."""
EDGE: Final = 10
"""Between the last date and the edge of the picture."""
SHARES: Final = "Share of posts that are negative"
THINNEST: Final = 4
"""Of an incident that is short for the picture."""


Moment = tuple[datetime, Severity | None, str]
"""When somebody was called or could have been, how bad it was then or became, and words for it."""


@dataclass(frozen=True, slots=True)
class Level:
    """An incident from `start` to `end`; `severity` None between its first signal and the desk's first word."""

    start: datetime
    end: datetime
    severity: Severity | None


class Panel:
    """A part of the picture from `top` on, with counts up to at least `most` on a plot of this height."""

    def __init__(self, draw: ImageDraw.ImageDraw, axis: TimeAxis, top: int, height: int, most: float) -> None:
        self._draw = draw
        self._axis = axis
        self._top = top
        self._ticks = count_ticks(most)
        upper = top + TOP
        self._counts = Scale(self._ticks[-1], upper, upper + height)
        self._shares = Scale(1.0, upper + height + STRIP_GAP, upper + height + STRIP_GAP + STRIP)

    def title(self, words: str, summary: str) -> None:
        """The watch's name, cleaned, and its figures."""
        self._draw.text((self._axis.left, self._top + 34), words, INK, font(NAME), anchor="ls")
        end = self._axis.left + self._draw.textlength(words, font(NAME)) + 18
        self._draw.text((end, self._top + 34), summary, FAINT, font(SIZE), anchor="ls")

    def spans(self, levels: Sequence[Level]) -> None:
        """Shade each incident as it was, and what came before the desk's first word; the worst over the rest."""
        for level in _worst_last(levels):
            left, right = self._between(level.start, level.end)
            colour = TINTS[level.severity or Severity.NOTICE]
            self._draw.rectangle((left, self._counts.upper, right, self._shares.lower), colour)

    def levels(self, levels: Sequence[Level]) -> None:
        """An edge over each incident: how bad it was, and when; a thin line until the desk's first word."""
        for level in _worst_last(levels):
            left, right = self._between(level.start, level.end)
            upper = self._counts.upper
            if level.severity is None:
                self._draw.rectangle((left, upper - 2, right, upper - 1), FAINT)
            else:
                self._draw.rectangle((left, upper - CAP[level.severity], right, upper - 1), COLOURS[level.severity])

    def grid(self) -> None:
        """Lines and labels of counts, shares and dates."""
        across = (self._axis.left, self._axis.right)
        rows(self._draw, self._counts, across, [(count, f"{count:,}") for count in self._ticks], SIZE)
        rows(self._draw, self._shares, across, [(0.0, "0 %"), (1.0, "100 %")], SIZE)
        middle = (self._counts.lower + self._shares.upper) / 2
        self._draw.text((self._axis.left, middle), SHARES, FAINT, font(SIZE), anchor="lm")
        for moment, label in self._axis.ticks(DATE_DISTANCE):
            x = self._axis.x(moment)
            self._draw.line((x, self._counts.upper, x, self._counts.lower), GRID)
            self._draw.line((x, self._shares.upper, x, self._shares.lower + 6), GRID)
            half = self._draw.textlength(label, font(SIZE)) / 2
            inside = min(x, WIDTH - EDGE - half)
            self._draw.text((inside, self._shares.lower + 10), label, FAINT, font(SIZE), anchor="ma")

    def counts(self, bars: Sequence[Bar]) -> None:
        """The usual band, the negative posts, and the line of those expected."""
        for bar in bars:
            if bar.high is not None:
                self._box(bar, bar.high, self._counts, BAND, gap=False)
        for bar in sorted(bars, key=lambda bar: bar.is_above):  # those above come last, lest others hide them
            if bar.negative:
                self._box(bar, bar.negative, self._counts, ABOVE if bar.is_above else BAR)
        self._line([(bar, bar.expected) for bar in bars], self._counts)

    def shares(self, bars: Sequence[Bar]) -> None:
        """The share of negative posts, and the line of the usual share."""
        known = list(shares(bars))
        for bar in known:
            self._box(bar, bar.share, self._shares, ABOVE if bar.share_is_above else BAR)
        self._line([(bar, bar.usual_share) for bar in known], self._shares)

    def moments(self, moments: Sequence[Moment]) -> None:
        """A line at each of them, behind the bars to come."""
        for time, severity, _ in moments:
            x, colour = self._axis.x(time), COLOURS[severity] if severity else FAINT
            self._draw.line((x, self._counts.upper, x, self._counts.lower), colour, 2 if severity else 1)

    def words(self, moments: Sequence[Moment]) -> int:
        """The words above, for the first of them first.

        Returns:
            how many had no room.
        """
        place = Tags(self._draw, self._axis.left, self._axis.right, self._counts.upper - CAP[Severity.RED])
        return place.put([Tag(self._axis.x(time), severity, words) for time, severity, words in moments])

    def _between(self, start: datetime, end: datetime) -> tuple[float, float]:
        left, right = self._axis.x(start), self._axis.x(end)
        return left, max(right, left + THINNEST)

    def _box(self, bar: Bar, value: float, scale: Scale, colour: str, *, gap: bool = True) -> None:
        """From zero to a value; a gap stays between bars where there is room, and nothing is thinner than a pixel."""
        left, right = self._axis.x(bar.start), self._axis.x(bar.end)
        space = (2 if right - left > 4 else 1) if gap else 0
        self._draw.rectangle((left, scale.y(value), max(left, right - space), scale.lower), colour)

    def _line(self, values: Sequence[tuple[Bar, float | None]], scale: Scale) -> None:
        """Through the middles of the bars, broken where nothing is known."""
        points: list[tuple[float, float]] = []
        for bar, value in values:
            if value is not None:
                points.append(((self._axis.x(bar.start) + self._axis.x(bar.end)) / 2, scale.y(value)))
            elif points:
                self._draw.line(points, EXPECTED, 3)
                points = []
        self._draw.line(points, EXPECTED, 3)


def _worst_last(levels: Sequence[Level]) -> list[Level]:
    """What is drawn last is seen where incidents are too short to stand side by side."""
    return sorted(levels, key=lambda level: level.severity or 0)
