"""What all pictures have in common: colours, font, names, legend, the lines of a scale, and how they are written."""

import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from crisisdesk.errors import CrisisdeskError
from crisisdesk.records import Severity
from crisisdesk.report.axes import Scale
from crisisdesk.text import clean, shorten

WIDTH: Final = 1600
"""Pixels, as all lengths."""
NAME_LENGTH: Final = 40
"""Characters of a watch's name."""
TITLE_LENGTH: Final = 80
_SPELLINGS: Final = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "Ä": "Ae",
        "Ö": "Oe",
        "Ü": "Ue",
        "ß": "ss",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
    }
    | dict.fromkeys("–—", "-")
    | dict.fromkeys("‘’", "'")
    | dict.fromkeys("“”„", '"')
    | {"€": "EUR"}
)

PAPER: Final = "#ffffff"
INK: Final = "#1f2933"
FAINT: Final = "#52606d"
GRID: Final = "#e4e7eb"
BAND: Final = "#cfe0f3"
BAR: Final = "#7b8794"
ABOVE: Final = "#d9480f"
EXPECTED: Final = "#1c64b0"
COLOURS: Final = {Severity.NOTICE: "#52606d", Severity.AMBER: "#a85b00", Severity.RED: "#b91c1c"}
TINTS: Final = {Severity.NOTICE: "#eff1f4", Severity.AMBER: "#fdf0d9", Severity.RED: "#fde4e1"}
"""The same as a background."""


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that Pillow brings."""
    return ImageFont.load_default(size)


def name(text: str) -> str:
    """A name from outside as it can stand in a picture."""
    return shorten(_spelled(clean(text, 4 * NAME_LENGTH)), NAME_LENGTH) or "(without a name)"


def title(text: str) -> str:
    """The same of a title."""
    return shorten(_spelled(clean(text)), TITLE_LENGTH)


def _spelled(text: str) -> str:
    """In the letters of the font, which are those of English: "Söhne & Café" as "Soehne & Cafe"; "?" for all others."""
    plain = unicodedata.normalize("NFKD", text.translate(_SPELLINGS))
    return "".join(letter if letter.isascii() or letter == "…" else "?" for letter in plain if not _is_accent(letter))


def _is_accent(letter: str) -> bool:
    return unicodedata.combining(letter) > 0


def legend(
    draw: ImageDraw.ImageDraw, left: float, middle: int, entries: Iterable[tuple[str, str]], size: int = 15
) -> float:
    """What the colours mean, side by side from `left` on, in a row whose middle is at `middle`; `EXPECTED` is a line.

    Returns:
        where the next entry would begin.
    """
    for colour, words in entries:
        half = 1 if colour is EXPECTED else size // 3
        draw.rectangle((left, middle - half, left + 1.5 * size, middle + half), colour)
        left += 2 * size
        draw.text((left, middle), words, FAINT, font(size), anchor="lm")
        left += draw.textlength(words, font(size)) + 2 * size
    return left


def rows(
    draw: ImageDraw.ImageDraw, scale: Scale, across: tuple[float, float], labels: Iterable[tuple[float, str]], size: int
) -> None:
    """A line at each value from left to right (`across`), its label beside it."""
    left, right = across
    for value, label in labels:
        y = scale.y(value)
        draw.line((left, y, right, y), GRID)
        draw.text((left - 10, y), label, FAINT, font(size), anchor="rm")


def save(image: Image.Image, path: Path) -> None:
    """Write a PNG.

    Raises:
        CrisisdeskError: the file cannot be written.
    """
    try:
        image.save(path, format="PNG", optimize=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CrisisdeskError(
            f"The picture {clean(str(path))} cannot be written: {reason}. Give a path in a folder of yours."
        ) from error
