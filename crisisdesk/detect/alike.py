"""Near-copies: the same text with small edits, by the words that two texts share."""

from collections.abc import Iterable
from typing import Final
from zlib import crc32

ALIKE: Final = 0.7
"""Share of the words of two texts, taken together, that both must have: two words of twelve may differ."""
SHORT: Final = 12
"""Fewer words, taken together, may be two people who say nearly the same, each for herself,"""
SHORT_ALIKE: Final = 0.85
"""so of them both must have this share: one word may be added, none be another."""
TOO_SHORT: Final = 4
"""Fewer words than these may be the same by chance."""
_BITS: Final = 1021
"""Words are compared as bits of one number, which costs a tenth of comparing sets; few of them share a bit."""


def sketch(said: str) -> int:
    """The words of a text of `crisisdesk.detect.phrases.spoken`, one bit each; 0 for one too short to have copies."""
    words = {word for word in said.split() if word != "|"}
    bits = 0
    for word in words if len(words) >= TOO_SHORT else ():
        bits |= 1 << crc32(word.encode()) % _BITS
    return bits


def are_alike(one: int, other: int) -> bool:
    """Whether of two sketches one is a near-copy of the other, by the Jaccard similarity of their words."""
    return bool(one and near_copies(one, (other,)))


def near_copies(one: int, others: Iterable[int]) -> list[int]:
    """Where among these sketches the near-copies of one stand, itself included; of one too short, none."""
    least = max(ALIKE * one.bit_count(), 1)
    # A near-copy has so many words in common at least; most texts have not, and are done with by one addition of bits.
    return [
        place
        for place, other in enumerate(others)
        if (common := (one & other).bit_count()) >= least and common >= _least((one | other).bit_count())
    ]


def _least(together: int) -> float:
    """Words that two texts must have in common which have so many together."""
    return (SHORT_ALIKE if together < SHORT else ALIKE) * together
