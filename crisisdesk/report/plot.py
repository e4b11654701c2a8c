"""The picture of a back-test: negative posts an hour, what was usual, and when the desk would have called.

Drawn with Pillow and the font that it brings, so that a picture needs no plotting library. Times are UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from crisisdesk.errors import CrisisdeskError
from crisisdesk.records import EPOCH, Severity
from crisisdesk.report.axes import TimeAxis, day
from crisisdesk.report.panel import PANEL_HEIGHT, Panel
from crisisdesk.report.style import ABOVE, BAND, BAR, EXPECTED, FAINT, INK, PAPER, font, legend
from crisisdesk.text import clean, shorten

WIDTH: Final = 1600
"""Pixels, as all lengths here."""
LEFT: Final = 80
RIGHT: Final = WIDTH - 40
HEADER: Final = 132
FOOTER: Final = 24
MOST_PANELS: Final = 12
TITLE_LENGTH: Final = 80
"""Characters."""
BAR_TIME: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """The moment at which an incident opened or rose to this severity."""

    time: datetime
    severity: Severity


@dataclass(frozen=True, slots=True)
class WatchSeries:
    """What one watch saw, an entry an hour, oldest first.

    `times` are the beginnings of the hours; `negative` the negative posts in them; `expected` the usual number and
    `high` the upper end of the usual band, None while the watch knew too little.
    """

    name: str
    times: tuple[datetime, ...]
    negative: tuple[int, ...]
    expected: tuple[float | None, ...]
    high: tuple[float | None, ...]
    marks: tuple[Mark, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.times) == len(self.negative) == len(self.expected) == len(self.high):
            raise ValueError(f"the series of {self.name!r} differ in length")


def plot(path: Path, watches: Sequence[WatchSeries], title: str = "Back-test") -> int:
    """Write a PNG with a panel for each of the most eventful watches.

    Worst severity first, then most calls, then most negative posts; at most `MOST_PANELS`. The picture says how many
    were left out.

    Returns:
        how many watches were left out.

    Raises:
        CrisisdeskError: the file cannot be written.
    """
    shown = sorted(watches, key=_eventfulness)[:MOST_PANELS]
    left_out = len(watches) - len(shown)
    image = _draw(shown, title, left_out)
    try:
        image.save(path, format="PNG", optimize=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CrisisdeskError(
            f"The picture {path} cannot be written: {reason}. Give a path in a folder of yours."
        ) from error
    return left_out


def _eventfulness(watch: WatchSeries) -> tuple[int, int, int, str]:
    """Sort key, most eventful first."""
    worst = max((mark.severity for mark in watch.marks), default=0)
    return (-worst, -len(watch.marks), -sum(watch.negative), watch.name)


def _draw(watches: Sequence[WatchSeries], title: str, left_out: int) -> Image.Image:
    axis = _axis(watches)
    image = Image.new("RGB", (WIDTH, HEADER + PANEL_HEIGHT * max(1, len(watches)) + FOOTER), PAPER)
    draw = ImageDraw.Draw(image)
    _header(draw, title, axis, len(watches), left_out)
    for number, watch in enumerate(watches):
        panel = Panel(draw, axis, HEADER + number * PANEL_HEIGHT, max([4, *watch.negative, *filter(None, watch.high)]))
        panel.grid()
        ends = [time + BAR_TIME for time in watch.times]
        panel.band(list(zip(watch.times, ends, watch.high, strict=True)))
        panel.bars(list(zip(watch.times, ends, watch.negative, watch.high, strict=True)))
        panel.line(list(zip(watch.times, watch.expected, strict=True)))
        unlabelled = panel.marks([(mark.time, mark.severity) for mark in watch.marks])
        panel.title(watch.name, _summary(watch, unlabelled))
    return image


def _axis(watches: Sequence[WatchSeries]) -> TimeAxis:
    """From the first to the last moment of any watch, so that panels can be compared."""
    moments = [time for watch in watches for time in (*watch.times, *(mark.time for mark in watch.marks))]
    start = min(moments, default=EPOCH)
    end = max((time + BAR_TIME for time in moments), default=EPOCH + BAR_TIME)
    return TimeAxis(start, end, LEFT, RIGHT)


def _summary(watch: WatchSeries, unlabelled: int) -> str:
    """A panel's figures in words."""
    calls = [f"{count} {word}" for word, count in _calls(watch) if count] or ["no incident"]
    small = f" ({unlabelled} of them without a label)" if unlabelled else ""
    most = max(watch.negative, default=0)
    return f"{', '.join(calls)}{small}; {sum(watch.negative):,} negative posts, at most {most:,} an hour"


def _calls(watch: WatchSeries) -> list[tuple[str, int]]:
    severities = [mark.severity for mark in watch.marks]
    return [(severity.name, severities.count(severity)) for severity in sorted(Severity, reverse=True)]


def _header(draw: ImageDraw.ImageDraw, title: str, axis: TimeAxis, panels: int, left_out: int) -> None:
    draw.text((LEFT, 20), shorten(clean(title), TITLE_LENGTH), INK, font(30))
    years = f"{day(axis.start)} {axis.start:%Y} to {day(axis.end)} {axis.end:%Y}, times in UTC"
    what = f"{years}; the {panels} most eventful watches, {left_out} left out" if left_out else years
    draw.text((LEFT, 62), what if panels else "No watch saw a post.", FAINT, font(17))
    entries = (
        (BAR, "negative posts an hour"),
        (ABOVE, "more than usual"),
        (EXPECTED, "expected"),
        (BAND, "usual band"),
    )
    end = legend(draw, LEFT, 98, entries)
    draw.text((end, 98), "| a call: its severity and time", FAINT, font(15), anchor="lm")
