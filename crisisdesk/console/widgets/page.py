"""Lines that know how to fill a width: what every list and every panel of the console is drawn from."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.segment import Segment
from textual.content import Content
from textual.css.styles import RulesMap
from textual.strip import Strip
from textual.style import Style
from textual.visual import RenderOptions, Visual

from crisisdesk.console.paint import joined, plain

EMPTY: Final = Content()
APART: Final = re.compile(r"(?<=\d) (?=%)")
"""Between a number and its sign no line may break."""
TIED: Final = "\ue000"
"""Stands in its place while lines are broken, as that is done at every kind of space; cleaned texts have none."""


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph: `left` wraps below itself, behind `sign` and `indent`, in at most `most` lines (0: all it takes).

    `right` stands at the right edge of its first line; `left` gives way.
    """

    left: Content
    right: Content = EMPTY
    sign: Content = EMPTY
    indent: int = 0
    most: int = 0

    def fit(self, width: int) -> list[Content]:
        """The lines of at most `width` cells that it becomes."""
        start = self.indent + self.sign.cell_length
        right = self.right.truncate(max(0, width - start - 3), ellipsis=True)
        room = max(1, width - start - (right.cell_length + 2 if right else 0))
        first, *others = self._wrap(room)
        gap = width - start - first.cell_length - right.cell_length if right else 0
        head = Content.assemble(" " * self.indent, self.sign, first, " " * max(0, gap), right)
        return [head, *(line.pad_left(start) for line in others)]

    def _wrap(self, room: int) -> list[Content]:
        if not self.most:
            return _broken(self.left, room) if self.left else [Content()]
        if self.most == 1:
            return [self.left.truncate(room, ellipsis=True)]
        # A little more than can be seen, so that a text of ten thousand signs costs no more than a short one.
        lines = _broken(self.left.truncate(room * (self.most + 1)), room)
        if len(lines) > self.most:
            last = lines[self.most - 1].truncate(room - 1).rstrip()
            lines = [*lines[: self.most - 1], Content.assemble(last, "…")]
        return lines or [Content()]


def _broken(text: Content, room: int) -> list[Content]:
    """Lines of at most so many cells."""
    if not APART.search(text.plain):
        return text.wrap(room)
    tied = Content(APART.sub(TIED, text.plain), list(text.spans))
    return [Content(line.plain.replace(TIED, " "), list(line.spans)) for line in tied.wrap(room)]


def row(left: Content, right: Content, indent: int = 0) -> Line:
    """A single line with something at either end."""
    return Line(left, right, indent=indent, most=1)


BLANK: Final = Line(EMPTY)


def heading(text: str) -> Line:
    """The title of a section."""
    return Line(Content.styled(text, "bold $primary"))


def counts_lines(title: str, counts: Iterable[tuple[str, int]]) -> list[Line]:
    """A section of names with a number each; nothing without any."""
    parts = [
        Content.assemble(plain(name, cells=30), (f" {count:,}" if count else "", "$faint")) for name, count in counts
    ]
    return [heading(title), Line(joined(*parts, by="   ")), BLANK] if parts else []


class Page(Visual):
    """Lines as one visual; it remembers how it fell at the last width."""

    def __init__(self, lines: Sequence[Line] = ()) -> None:
        self.lines = tuple(lines)
        self._fitted: tuple[int, list[Content]] = (0, [])

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Page)
            and len(self.lines) == len(other.lines)
            and all(_same(mine, theirs) for mine, theirs in zip(self.lines, other.lines, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]

    def fit(self, width: int) -> list[Content]:
        """All lines at this width."""
        if self._fitted[0] != width:
            self._fitted = (width, [row for line in self.lines for row in line.fit(width)])
        return self._fitted[1]

    def render_strips(self, width: int, height: int | None, style: Style, options: RenderOptions) -> list[Strip]:
        return [_strip(row, width, style, options) for row in self.fit(width)[:height]]

    def get_optimal_width(self, rules: RulesMap, container_width: int) -> int:  # noqa: ARG002 - Textual's signature
        return container_width

    def get_height(self, rules: RulesMap, width: int) -> int:  # noqa: ARG002 - Textual's signature
        return len(self.fit(width)) if width else 0


def _same(mine: Line, theirs: Line) -> bool:
    return (
        (mine.indent, mine.most) == (theirs.indent, theirs.most)
        and mine.sign.is_same(theirs.sign)
        and mine.left.is_same(theirs.left)
        and mine.right.is_same(theirs.right)
    )


def _strip(row: Content, width: int, style: Style, options: RenderOptions) -> Strip:
    parts = row.render(style, end="", parse_style=options.get_style)
    segments = [Segment(text, (style + part).rich_style) for text, part in parts]
    return Strip(segments).adjust_cell_length(width, style.rich_style)
