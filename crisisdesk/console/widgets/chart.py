"""Negative posts an hour against what is usual, drawn with blocks of an eighth of a line."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from rich.segment import Segment
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget

from crisisdesk.console.times import Times
from crisisdesk.desk import ChartPoint, WatchPicture
from crisisdesk.records import Incident

Cell = tuple[str, str]
"""Characters and the style that they are drawn in, with the theme's variables."""

EIGHTHS: Final = " ▁▂▃▄▅▆▇█"
AXIS: Final = 6
"""Cells left of the bars, for the scale."""
HOUR: Final = timedelta(hours=1)
WIDEST_BAR: Final = 3


LEGEND_FROM: Final = 8
LEGEND: Final[list[Cell]] = [
    ("Negative an hour  ", "$faint"),
    ("█", "$error"), (" above usual  ", "$faint"),
    ("█", "$bar"), (" ordinary  ", "$faint"),
    ("█", "$band"), (" usual band  ", "$faint"),
    ("▲", "bold $error"), (" alert  ", "$faint"),
    ("✓", "bold $success"), (" taken", "$faint"),
]  # fmt: skip


def unusual(point: ChartPoint) -> bool:
    """Whether the hour is above its usual band."""
    return point.high is not None and point.negative > point.high


def sparkline(points: Sequence[ChartPoint]) -> Content:
    """One character an hour; what is above the usual band is coloured and, at least, half a line high."""
    top = max((point.negative for point in points), default=0) or 1
    return Content.assemble(
        *(
            (EIGHTHS[max(1, round(point.negative / top * 8))], "$error" if unusual(point) else "$bar")
            for point in points
        )
    )


def ceiling(points: Sequence[ChartPoint]) -> int:
    """The scale's upper end: an even number at or just above everything shown."""
    highest = max((max(point.negative, point.high or 0) for point in points), default=0)
    size = 1
    while True:
        for step in (4, 6, 8, 10, 12, 16, 20, 24, 30):
            if highest <= step * size:
                return step * size
        size *= 10


def column(point: ChartPoint, top: int, rows: int) -> list[Cell]:
    """One hour from the bottom up: its bar, and where no bar is, the band in which it usually ends."""
    bar = max(round(point.negative / top * rows * 8), 1 if point.negative else 0)
    high = max(round(point.high / top * rows * 8), 1) if point.high is not None else 0
    ink = "$error" if unusual(point) else "$bar"
    return [_cell(bar - row * 8, high - row * 8, ink) for row in range(rows)]


def _cell(bar: int, high: int, ink: str) -> Cell:
    """What one cell shows; bar and high in eighths above its lower edge."""
    if bar >= 8:
        return "█", ink
    if bar > 0:
        return EIGHTHS[bar], f"{ink} on $band" if high > bar else ink
    return EIGHTHS[max(0, min(high, 8))], "$band"


class Chart(Widget):
    """The last hours of a watch, with the moments at which its incident was opened and taken."""

    DEFAULT_CSS = "Chart { height: 10; }"

    def __init__(self, times: Times, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._times = times
        self._watch: WatchPicture | None = None
        self._marks: tuple[tuple[datetime, str, str], ...] = ()
        self._lines: list[Strip] = []

    def show(self, watch: WatchPicture | None, incident: Incident | None) -> None:
        """Show this watch, and the moments of its incident if it has one."""
        marks: list[tuple[datetime, str, str]] = []
        if incident:
            marks.append((incident.opened, "▲", "bold $error"))
        if incident and incident.acknowledged_at:
            marks.append((incident.acknowledged_at, "✓", "bold $success"))
        if (watch, tuple(marks)) != (self._watch, self._marks):
            self._watch, self._marks = watch, tuple(marks)
            self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._redraw()

    def render_line(self, y: int) -> Strip:
        return self._lines[y] if y < len(self._lines) else Strip.blank(self.size.width, self.rich_style)

    def _redraw(self) -> None:
        width, height = self.content_size
        self._lines = [self._strip(row, width) for row in self._rows(width, height)] if width and height > 3 else []
        self.refresh()

    def _rows(self, width: int, height: int) -> list[list[Cell]]:
        points = self._watch.chart[-(width - AXIS) :] if self._watch else ()
        if not points:
            return [[("Nothing counted yet.", "$faint")]]
        legend = height >= LEGEND_FROM
        rows, top = height - 2 - legend, ceiling(points)
        thick = min(WIDEST_BAR, max(1, (width - AXIS) // len(points)))
        columns = [cells for point in points for cells in [column(point, top, rows)] * thick]
        scale = {rows - 1: f"{top:,}", (rows - 1) // 2: f"{top // 2:,}" if rows > 4 else "", 0: "0"}
        drawn = [
            [(f"{scale.get(row, ''):>{AXIS - 1}} ", "$faint"), *(cells[row] for cells in columns)]
            for row in reversed(range(rows))
        ]
        return [*([LEGEND] if legend else []), *drawn, self._moments(points, thick), self._hours(points, thick)]

    def _moments(self, points: Sequence[ChartPoint], thick: int) -> list[Cell]:
        line: list[Cell] = [("─", "$line")] * (len(points) * thick)
        for moment, sign, style in self._marks:
            place = min(int((moment - points[0].time) / HOUR * thick), len(line) - 1)
            if place >= 0:
                while place < len(line) - 1 and line[place][0] != "─":
                    place += 1
                line[place] = (sign, style)
        return [(" " * AXIS, ""), *line]

    def _hours(self, points: Sequence[ChartPoint], thick: int) -> list[Cell]:
        text = [" "] * (len(points) * thick)
        for index, point in enumerate(points):
            moment = self._times.local(point.time)
            label = f"{moment:%a %d}" if moment.hour == 0 else f"{moment:%H}" if moment.hour % 6 == 0 else ""
            place = index * thick
            if label and place + len(label) <= len(text) and not "".join(text[max(0, place - 1) : place]).strip():
                text[place : place + len(label)] = label
        zone = self._times.name(points[-1].time)
        return [(f"{zone if len(zone) < AXIS else '':>{AXIS - 1}} ", "$faint"), ("".join(text), "$faint")]

    def _strip(self, cells: list[Cell], width: int) -> Strip:
        base = self.visual_style
        styles = {name: base + self._get_style(name) if name else base for _, name in cells}
        strip = Strip([Segment(text, styles[name].rich_style) for text, name in cells])
        return strip.adjust_cell_length(width, base.rich_style).simplify()
