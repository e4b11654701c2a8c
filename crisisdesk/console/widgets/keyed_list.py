"""A list whose cursor holds on to its entry, whatever is put above, below or in its place."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from crisisdesk.console.widgets.page import Page


@dataclass(frozen=True, slots=True)
class Row:
    """An entry: what makes it the same from picture to picture, and what it looks like now."""

    key: str
    page: Page


class KeyedList(ScrollView, can_focus=True):
    """Rows of one or more lines, one of them under the cursor; only what is in view is drawn."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keyed-list--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, tooltip="The entry above"),
        Binding("down,j", "move(1)", "Down", show=False, tooltip="The entry below"),
        Binding("pageup", "move(-10)", "Ten up", show=False),
        Binding("pagedown", "move(10)", "Ten down", show=False),
        Binding("home,g", "top", "To the top", show=False, tooltip="The first entry"),
        Binding("end,G", "move(100000)", "To the end", show=False, tooltip="The last entry"),
    ]
    ALLOW_SELECT = False
    KEEPS_MARK: ClassVar[bool] = False
    """Whether the cursor is shown while the focus is elsewhere, because something else follows it."""

    cursor: reactive[str] = reactive("", init=False)
    """Key of the entry under the cursor; empty without entries."""

    @dataclass
    class Moved(Message):
        """The cursor is on another entry."""

        list: "KeyedList"
        key: str

    @dataclass
    class Chosen(Message):
        """An entry was clicked a second time."""

        list: "KeyedList"
        key: str

    def __init__(self, *, id: str, classes: str = "") -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id, classes=classes)
        self._rows: tuple[Row, ...] = ()
        self._tops: list[int] = []
        self._width = 1
        self._drawn: dict[tuple[str, bool], list[Strip]] = {}

    @property
    def position(self) -> int:
        """Index of the entry under the cursor, 0 without entries."""
        return next((index for index, row in enumerate(self._rows) if row.key == self.cursor), 0)

    def put(self, rows: Sequence[Row]) -> None:
        """Show these instead; the cursor stays on its entry, or near where that was."""
        if tuple(rows) == self._rows:
            return
        position, self._rows = self.position, tuple(rows)
        self._measure()
        if not any(row.key == self.cursor for row in self._rows):
            self.cursor = self._rows[min(position, len(self._rows) - 1)].key if self._rows else ""
        else:
            self._follow()

    def watch_cursor(self) -> None:
        self._follow()
        self.refresh()
        self.post_message(self.Moved(self, self.cursor))

    def action_move(self, steps: int) -> None:
        """Move the cursor by so many entries, as far as there are any."""
        if self._rows:
            self.cursor = self._rows[max(0, min(self.position + steps, len(self._rows) - 1))].key

    def action_top(self) -> None:
        """Move the cursor to the first entry."""
        self.action_move(-len(self._rows))

    def on_click(self, event: events.Click) -> None:
        line = event.get_content_offset_capture(self).y + self.scroll_offset.y
        if self._rows and 0 <= line < self.virtual_size.height:
            row = self._rows[bisect_right(self._tops, line) - 1]
            if row.key == self.cursor:
                self.post_message(self.Chosen(self, row.key))
            self.cursor = row.key

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self._measure()

    def notify_style_update(self) -> None:
        self._drawn.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        width, line = self.scrollable_content_region.width, y + self.scroll_offset.y
        if not self._rows or line >= self.virtual_size.height:
            return Strip.blank(width, self.rich_style)
        index = bisect_right(self._tops, line) - 1
        return self._strips(self._rows[index])[line - self._tops[index]].adjust_cell_length(width, self.rich_style)

    def _measure(self) -> None:
        """Lay out all rows; lines are drawn at this width until the next time, so that heights and lines agree."""
        self._width = max(1, self.scrollable_content_region.width - 1)  # the first cell holds the cursor's mark
        top, self._tops = 0, []
        for row in self._rows:
            self._tops.append(top)
            top += len(row.page.fit(self._width))
        self._drawn.clear()
        self.virtual_size = Size(self._width + 1, top)
        self.refresh()

    def _strips(self, row: Row) -> list[Strip]:
        selected = row.key == self.cursor and (self.has_focus or self.KEEPS_MARK)
        strips = self._drawn.get((row.key, selected))
        if strips is None:
            style = self.get_visual_style("keyed-list--cursor") if selected else self.visual_style
            mark = Strip([Segment("▌" if selected else " ", style.rich_style)])
            strips = [Strip.join([mark, strip]) for strip in Visual.to_strips(self, row.page, self._width, None, style)]
            self._drawn[row.key, selected] = strips
        return strips

    def _follow(self) -> None:
        if self._rows and self.size:
            index = self.position
            height = len(self._rows[index].page.fit(self._width))
            region = Region(0, self._tops[index], self._width, height)
            self.scroll_to_region(region, animate=False, force=True, immediate=True)
