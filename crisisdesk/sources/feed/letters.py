"""The letters of a document that says of itself, or of which its server says, what it is written in; often wrongly."""

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BEGINNINGS: Final = ((b"<\0?\0", "utf-16-le"), (b"\0<\0?", "utf-16-be"))
_DECLARED: Final = re.compile(rb"""^\s{0,100}<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_DECLARATION: Final = re.compile(r"^\s{0,100}<\?xml[^>]{0,500}\?>")
_WHOLE: Final = 3
"""Bytes of letters of UTF-8 that are in order, to each that is not."""
_ALPHABETS: Final = re.compile(r"utf|iso|latin|ascii|cp\d|koi8|gb|big5|euc|shift|mac|tis|hz|johab")
"""Python knows others, too, that are none of a text, or take time with the square of its length (punycode)."""


def letters_of(content: bytes, charset: str = "") -> str:
    """The text of an XML document, without the line that says how it was written.

    What is UTF-8, but for a few bytes that some programme has cut in the middle, is UTF-8, whoever says something else:
    no other text is so by chance. Then the server and the document are believed, and what fits neither is read with
    the letters of Windows.

    Args:
        content: the document.
        charset: what the server calls its encoding; may be empty.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return _without_declaration(content.removeprefix(mark).decode(name, "replace"))
    for beginning, name in _BEGINNINGS:
        if content.startswith(beginning):
            return _without_declaration(content.decode(name, "replace"))
    with suppress(UnicodeError):
        return _without_declaration(content.decode("utf-8"))
    text = content.decode("utf-8", "replace")
    letters = len(content) - len(text)  # or more: they have more bytes than one
    if text.count("\ufffd") * _WHOLE <= letters:
        return _without_declaration(text)
    for name in _named(content, charset):
        try:
            return _without_declaration(content.decode(name))
        except (UnicodeError, LookupError):
            continue
    return _without_declaration(content.decode("cp1252", "replace"))


def _named(content: bytes, charset: str) -> Iterator[str]:
    declared = _DECLARED.match(content[:1_000])
    for name in (charset, declared[1].decode("ascii") if declared else ""):
        try:
            known = codecs.lookup(name).name
        except (LookupError, ValueError):
            continue
        # Windows' letters are what those mean who write latin-1, and in XML its control characters are an error.
        if _ALPHABETS.match(known):
            yield "cp1252" if known == "iso8859-1" else known


def _without_declaration(text: str) -> str:
    return _DECLARATION.sub("", text, count=1).lstrip("\ufeff \t\r\n")
