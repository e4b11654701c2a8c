"""The words above a plot: a severity on its colour, and beside it when. Where there is no room, they are left out."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import ImageDraw

from crisisdesk.records import Severity
from crisisdesk.report.style import COLOURS, FAINT, INK, PAPER, font

SIZE: Final = 22
ROW: Final = 34
ROWS: Final = 2
GAP: Final = 14
PADDING: Final = 7


@dataclass(frozen=True, slots=True)
class Tag:
    """Words for the moment at `x`; `severity` None marks a moment that called nobody."""

    x: float
    severity: Severity | None
    words: str

    @property
    def pill(self) -> str:
        """The word on the colour."""
        return self.severity.name if self.severity is not None else ""


class Tags:
    """Rows of tags above `lower`, from `left` to `right`."""

    def __init__(self, draw: ImageDraw.ImageDraw, left: float, right: float, lower: float) -> None:
        self._draw = draw
        self._left, self._right, self._lower = left, right, lower
        self._taken: list[list[tuple[float, float]]] = [[] for _ in range(ROWS)]

    def put(self, tags: Sequence[Tag]) -> int:
        """Draw them, the most important first.

        Returns:
            how many had no room.
        """
        return sum(not self._put(tag) for tag in tags)

    def _put(self, tag: Tag) -> bool:
        width = self._width(tag)
        right_of_it = max(self._left, min(tag.x, self._right - width))
        left_of_it = max(self._left, tag.x - width)
        for begin, row in itertools.product((right_of_it, left_of_it), range(ROWS)):
            taken = self._taken[row]
            if all(begin > right + GAP or begin + width + GAP < left for left, right in taken):
                taken.append((begin, begin + width))
                self._draw_tag(tag, begin, self._lower - ROW * row - ROW // 2)
                return True
        return False

    def _width(self, tag: Tag) -> float:
        pill = self._draw.textlength(tag.pill, font(SIZE)) + 2 * PADDING + PADDING if tag.pill else 0.0
        return pill + self._draw.textlength(tag.words, font(SIZE))

    def _draw_tag(self, tag: Tag, left: float, middle: float) -> None:
        if tag.severity is not None:
            right = left + self._draw.textlength(tag.pill, font(SIZE)) + 2 * PADDING
            box = (left, middle - ROW // 2 + 2, right, middle + ROW // 2 - 3)
            self._draw.rounded_rectangle(box, 4, COLOURS[tag.severity])
            self._draw.text((left + PADDING, middle), tag.pill, PAPER, font(SIZE), anchor="lm")
            left = right + PADDING
        self._draw.text((left, middle), tag.words, INK if tag.severity else FAINT, font(SIZE), anchor="lm")
