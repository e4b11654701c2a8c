"""Where in a TOML text each key stands, so that a message can name the line; tomllib itself forgets it."""

import re
import tomllib
from collections.abc import Mapping
from typing import Final

Place = tuple[str | int, ...]
"""The way to a value: ("watch", 1, "terms") are the terms of the second [[watch]]."""

_KEY: Final = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEYS: Final = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_BLANK: Final = re.compile(r"(?:\s+|#[^\n]*)*")
_HEADER: Final = re.compile(rf"(\[\[?)[ \t]*({_KEYS})[ \t]*\]\]?")
_ASSIGNMENT: Final = re.compile(rf"({_KEYS})[ \t]*=")
# Texts and comments first, since they may hold brackets and line ends that mean nothing.
_VALUE: Final = re.compile(
    r"""
      \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5}      # texts of several lines
    | "(?:\\.|[^"\\])*" | '[^']*'                      # texts of one line
    | \#[^\n]*                                         # a comment
    | [\[{] | [\]}] | \n | [^"'\#\[\]{}\n]+
    """,
    re.DOTALL | re.VERBOSE,
)


def lines_of(text: str) -> dict[Place, int]:
    """The line of every table and key of a text that tomllib accepts; what is inside a value has no line of its own."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    at = _end(_BLANK, text, 0)
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        if header := _HEADER.match(text, at):
            table = _table(header, counts)
            lines.setdefault(table, line)
            for length in range(1, len(table)):
                lines.setdefault(table[:length], line)
            at = header.end()
        elif assignment := _ASSIGNMENT.match(text, at):
            lines[table + _names(assignment[1])] = line
            at = _end_of_value(text, assignment.end())
        else:
            break
        at = _end(_BLANK, text, at)
    return lines


def line_of(lines: Mapping[Place, int], place: Place) -> int:
    """The line of a place, or of the nearest thing around it; 1 for what is nowhere."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _table(header: re.Match[str], counts: dict[Place, int]) -> Place:
    """The place that a header opens: one more of a [[list of tables]], or below the newest of it."""
    place: Place = ()
    for name in _names(header[2]):
        place += (name,)
        if place in counts:
            place += (counts[place],)
    if header[1] == "[[":
        entries = place if isinstance(place[-1], str) else place[:-1]
        counts[entries] = counts.get(entries, -1) + 1
        place = (*entries, counts[entries])
    return place


def _names(dotted: str) -> tuple[str, ...]:
    """The single names of a dotted key, unquoted as TOML does it."""
    names: list[str] = []
    value: object = tomllib.loads(f"{dotted} = 0")
    while isinstance(value, dict):
        name, value = next(iter(value.items()))
        names.append(name)
    return tuple(names)


def _end_of_value(text: str, at: int) -> int:
    """Where the line ends on which a value ends."""
    depth = 0
    while found := _VALUE.match(text, at):
        piece = found[0]
        if piece == "\n" and depth == 0:
            break
        depth += (piece in "[{") - (piece in "]}")
        at = found.end()
    return at
