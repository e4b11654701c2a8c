"""Other words for a line that comes again, so that what two people say alike they do not say the same way."""

import random
import re
from importlib.resources import files
from typing import Final

SWAP: Final = 0.45
"""Chance that a word with alternatives gives way to one of them."""
EDGE: Final = 0.12
"""Chance that a line gets a word before or after it."""
_COMMON: Final = frozenset(
    (
        *(
            "the",
            "this",
            "it",
            "that",
            "what",
            "why",
            "how",
            "my",
            "we",
            "they",
            "you",
            "just",
            "not",
            "so",
            "is",
            "are",
        ),
        *("do", "does", "if", "when", "who", "a", "an", "no", "our", "all", "there", "can", "did"),
    )
)
"""Words that lose their capital behind an opening."""
_ENDED: Final = re.compile(r"[.!?…):\"]$")


class Words:
    """The alternatives of bank/words.txt."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._swaps: dict[str, list[str]] = {}
        self._edges: dict[str, list[str]] = {}
        heading = ""
        for row in (files(__package__) / "bank" / "words.txt").read_text(encoding="utf-8").splitlines():
            if row.startswith("== "):
                heading = row[3:]
            elif heading == "swap":
                self._learn(row)
            elif not row.startswith("# "):
                self._edges[heading] = row.split(" | ")
        phrases = sorted(self._swaps, key=len, reverse=True)
        self._phrase = re.compile(rf"(?<![\w@#/'{{])({'|'.join(map(re.escape, phrases))})(?![\w'}}])", re.IGNORECASE)

    def _learn(self, row: str) -> None:
        if " > " in row:
            phrase, others = row.split(" > ")
            self._swaps.setdefault(phrase.lower(), []).extend(others.split(" | "))
            return
        group = row.split(" | ")
        for phrase in group:
            self._swaps.setdefault(phrase.lower(), []).extend(other for other in group if other != phrase)

    def vary(self, text: str, kind: str) -> str:
        """The text in somewhat other words; `kind` is complaint, talk, ache or daily. A tag slot at the end stays."""
        rng = self._rng
        tail = " {tag}" if text.endswith(" {tag}") else ""
        head = re.match(r"@\S+ ", text)
        start = head[0] if head else ""
        body = self._phrase.sub(self._swapped, text[len(start) : len(text) - len(tail)])
        body = re.sub(r"\b([Aa])n? (?=([a-gi-tv-z]))", _article, " ".join(body.split()))
        if body[:1].isalpha() and rng.random() < EDGE:
            body = self._edged(body, kind)
        return start + body + tail

    def _swapped(self, match: re.Match[str]) -> str:
        if self._rng.random() >= SWAP:
            return match[0]
        other = self._rng.choice(self._swaps[match[0].lower()]).removeprefix("-")
        return other[:1].upper() + other[1:] if match[0][:1].isupper() and match[0] != "I'm" else other

    def _edged(self, body: str, kind: str) -> str:
        rng = self._rng
        if rng.random() < 0.5:
            opening = rng.choice(self._edges[f"open {kind}"])
            first = body.split(maxsplit=1)[0].lower()
            lower = first in _COMMON and not opening.endswith(".")
            return f"{opening} {body[:1].lower() + body[1:] if lower else body}"
        if "{link}" in body:
            return body
        mark = " " if _ENDED.search(body) else rng.choice((". ", ", ", "... ", " "))
        return body + mark + rng.choice(self._edges[f"close {kind}"])


def _article(match: re.Match[str]) -> str:
    """`a` or `an`, as the next letter asks; before h and u it depends on the sound, so those stay."""
    return match[1] + ("n " if match[2] in "aeio" else " ")
