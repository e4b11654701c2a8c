"""What all pictures have in common: their colours, their font, and how a legend is drawn."""

from collections.abc import Iterable
from functools import cache
from typing import Final

from PIL import ImageDraw, ImageFont

from crisisdesk.records import Severity

NAME_LENGTH: Final = 40
"""Characters of a watch's name."""

PAPER: Final = "#ffffff"
INK: Final = "#1f2933"
FAINT: Final = "#52606d"
GRID: Final = "#e4e7eb"
BAND: Final = "#d6e6f5"
BAR: Final = "#7b8794"
ABOVE: Final = "#d9480f"
EXPECTED: Final = "#1c64b0"
COLOURS: Final = {Severity.NOTICE: "#52606d", Severity.AMBER: "#a85b00", Severity.RED: "#b91c1c"}


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that Pillow brings."""
    return ImageFont.load_default(size)


def legend(draw: ImageDraw.ImageDraw, left: float, middle: int, entries: Iterable[tuple[str, str]]) -> float:
    """What the colours mean, side by side from `left` on, in a row whose middle is at `middle`; `EXPECTED` is a line.

    Returns:
        where the next entry would begin.
    """
    for colour, words in entries:
        upper, lower = (middle - 1, middle) if colour is EXPECTED else (middle - 5, middle + 5)
        draw.rectangle((left, upper, left + 22, lower), colour)
        draw.text((left + 30, middle), words, FAINT, font(15), anchor="lm")
        left += 30 + draw.textlength(words, font(15)) + 34
    return left
