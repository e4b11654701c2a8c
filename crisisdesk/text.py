"""Outside text is cleaned once, here, before anything else sees it.

Posts are written by strangers, and a terminal obeys what it prints: an escape sequence can write the clipboard,
a right-to-left override can turn a word round, a stack of combining marks can cover the line above. After `clean`
a text holds printable characters and single spaces only, so every later stage may show it as plain text.
"""

import re
import unicodedata
from datetime import timedelta
from hashlib import blake2b
from typing import Final

from crisisdesk.errors import CrisisdeskError

MAX_LENGTH: Final = 10_000
"""Characters kept of one post; no network lets people write more, and a hostile webhook must not fill the memory."""

# Whole sequences go first, so that their payload ("52;c;aGk=") does not stay behind as text.
_ESCAPE_SEQUENCES: Final = re.compile(
    r"(?:\x1b\]|\x9d|\x1bP|\x90|\x1b_|\x9f|\x1b\^|\x9e|\x1bX|\x98)[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c|$)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)
# Invisible or direction-changing: soft hyphen, bidi marks and overrides, zero-width space and joiners, fillers,
# variation selectors, byte order mark, interlinear marks, tag characters.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_MARKS: Final = r"\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_STACKED_MARKS: Final = re.compile(rf"([{_MARKS}]{{2}})[{_MARKS}]+")
_TO_BE_CLEANED: Final = re.compile(
    rf"[{_MARKS}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What counts as printable and may have to go all the same."""


def clean(text: str, limit: int = MAX_LENGTH) -> str:
    """Make outside text safe to store, match, score and show.

    Removes escape sequences, control characters, invisible and direction-changing characters and lone surrogates;
    folds white space to single spaces; composes accents (NFC) and keeps at most two stacked marks on a letter.

    Args:
        text: anything a network or a file delivered.
        limit: characters kept; what is longer ends in "…".

    Returns:
        One line of printable text, at most `limit` characters, possibly empty. Cleaning it again changes nothing.
    """
    if len(text) > limit * 4:
        text = text[: limit * 4]
    # A whole network's posts have to be looked at, so it must be quick to see that one is a line of plain characters.
    if not (text.isascii() and text.isprintable()):
        text = _plain(text)
    text = " ".join(text.split()) if "  " in text else text.strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def digest(text: str) -> int:
    """Eight bytes that stand for a text, the same in every process, as a signed number, as databases keep them."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


def unforeseen(error: BaseException) -> str:
    """What to tell a person of an error: ours says it itself, another one is a fault of ours."""
    if isinstance(error, CrisisdeskError):
        return str(error)
    what = clean(f"{type(error).__name__}: {error}", 200)
    return f"It failed in a way that nobody foresaw ({what}); please report it."


def counted(number: int, one: str, many: str = "") -> str:
    """`1 post`, `1,200 posts`; `many` where it is not `one` with an s."""
    return f"1 {one}" if number == 1 else f"{number:,} {many or one + 's'}"


def how_long(span: timedelta) -> str:
    """How long, in its two largest units: `3 s`, `14 min`, `2 h 14 min`, `3 d 4 h`."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _plain(text: str) -> str:
    """Printable characters only, and spaces."""
    if "\x1b" not in text and "\x9b" not in text:  # most hold line breaks and emoji, and nothing else that must go
        plain = text.replace("\n\n", " ").replace("\n", " ").replace("\ufe0f", "").replace("\u200d", "")
        if plain.isprintable() and (plain.isascii() or _TO_BE_CLEANED.search(plain) is None):
            return unicodedata.normalize("NFC", plain)
    text = _ESCAPE_SEQUENCES.sub("", text)
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
    return _shown(_STACKED_MARKS.sub(r"\1", text))


def _shown(text: str) -> str:
    """White space as spaces, other control characters too; what has no meaning as a replacement character."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() or not _is_unassigned(c) else "�" for c in text)


def _is_unassigned(character: str) -> bool:
    """Whether it is a lone surrogate, private or unassigned: shown as a replacement character, never raw."""
    return unicodedata.category(character) in {"Cs", "Co", "Cn"}


def shorten(text: str, width: int) -> str:
    """Cut cleaned text to `width` characters, at a word where one is near, with "…" in place of the rest."""
    if len(text) <= width:
        return text
    cut = text[: max(width - 1, 0)]
    space = cut.rfind(" ")
    return (cut[:space] if space > width * 2 // 3 else cut) + "…"
