"""Which phrases set a spike apart from what its watch usually hears.

Log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008, "Fightin' Words"), as z-scores: the
negative posts of the spike against the negative posts of other days, so that "worst" and "never again" are no news;
the prior is all that was heard, both and the other posts. Counted in people, not in words.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from crisisdesk.detect.memory import Remembered
from crisisdesk.detect.phrases import is_telling, phrases
from crisisdesk.detect.usual import Usual
from crisisdesk.records import Phrase

SHOWN: Final = 8
"""Phrases that are given at most."""
FEWEST: Final = 3
"""People who must say a phrase before it is shown."""
SHARE: Final = 0.02
"""The same as a share of them, for a flood in which everything is said by three."""
CLEARLY: Final = 1.96
"""z-score from which a phrase is more frequent than usual beyond doubt."""
BESIDE: Final = 1 / 6
"""What is told beside the most telling phrase has this part of its z-score at least."""
PRIOR: Final = 20.0
"""Posts that the prior weighs at least; otherwise the geometric mean of both sides, so that it drowns neither."""
SAMPLE: Final = 200
"""Posts, evenly chosen, in which phrases are looked for; those found are counted in all."""
COMPLETED: Final = 0.67
"""A longer phrase stands for its words where it is said by this share of those who say them."""
BARE: Final = 0.5
"""A word that stands in this share of all usual posts says no more than the brand's name."""

_LETTERS: Final = re.compile(r"[^\W_]+")
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


class Brand:
    """The bare names of a watch: its own, and its terms. A hashtag that only holds the name (#acmefail) is no name."""

    def __init__(self, name: str, terms: Iterable[str]) -> None:
        plain = [term for term in terms if not term.startswith("#")]
        self._names = {_squeezed(term) for term in (name, *plain)} - {""}

    def frames(self, phrase: str, too_usual: Iterable[str] = ()) -> bool:
        """Whether the phrase is a bare name, or begins or ends with one: what is left of it then says it all."""
        names = self._names | {_squeezed(word) for word in too_usual}
        words = phrase.split()
        ends = [words[:n] for n in range(1, len(words) + 1)] + [words[-n:] for n in range(1, len(words))]
        return any(_squeezed(" ".join(end)) in names for end in ends)


@dataclass(frozen=True, slots=True)
class _Found:
    phrase: str
    people: int
    surprise: float


def telling(found: Sequence[Remembered], usual: Usual, brand: Brand) -> list[Phrase]:
    """The phrases that set negative posts apart, the most telling first; near-repeats folded.

    Args:
        found: the posts of people in the spike, in the order in which they came.
        usual: what the watch hears on other days.
        brand: whose bare names are left out.
    """
    some = found[:: 1 + len(found) // SAMPLE]
    of = len({item.person for item in some})
    said = _said(some)
    least = max(FEWEST, SHARE * of)
    too_usual = [word for word in said if " " not in word and usual.posts[word] > BARE * max(usual.posts.heard, 1)]
    scored = [
        _Found(phrase, n, _surprise(phrase, n, of, usual))
        for phrase, n in said.items()
        if n >= least and not brand.frames(phrase, too_usual)
    ]
    bound = max([CLEARLY, *(BESIDE * one.surprise for one in scored)])
    clear = sorted((one for one in scored if one.surprise >= bound), key=lambda one: (-one.surprise, one.phrase))
    shown = [one.phrase for one in _folded(clear)[:SHOWN]]
    return [Phrase(phrase, _people(found, phrase), usual.share(phrase)) for phrase in shown]


def _people(found: Sequence[Remembered], phrase: str) -> int:
    mark = f" {phrase} "
    return len({item.person for item in found if mark in item.said})


def _said(posts: Sequence[Remembered]) -> Counter[str]:
    """How many people say what; phrases of several words only where each of their words is said by enough."""
    by_person: dict[str, list[str]] = {}
    for item in posts:
        by_person.setdefault(item.person, []).append(item.said)
    words = Counter(
        chain.from_iterable({word for said in texts for word in said.split()} for texts in by_person.values())
    )
    often = {word for word, n in words.items() if n >= FEWEST and is_telling(word)}
    return Counter(
        phrase
        for texts in by_person.values()
        for phrase in {phrase for said in texts for phrase in phrases(said, often)}
        if " " in phrase or phrase in often
    )


def _surprise(phrase: str, said: int, of: int, usual: Usual) -> float:
    """The z-score of the log-odds ratio, spike against other days."""
    other, heard = usual.negative[phrase], usual.negative.heard
    weight = max(PRIOR, math.sqrt(of * usual.posts.heard))
    prior = weight * (said + usual.posts[phrase]) / (of + usual.posts.heard)
    here = (said + prior) / max(of + weight - said - prior, 1e-9)
    there = (other + prior) / max(heard + weight - other - prior, 1e-9)
    return math.log(here / there) / math.sqrt(1 / (said + prior) + 1 / (other + prior))


def _folded(ranked: Sequence[_Found]) -> list[_Found]:
    """Without those that share a word with a more telling one; a phrase that nearly always goes on, in full."""
    shown: list[_Found] = []
    taken: set[str] = set()
    for one in ranked:
        if taken.isdisjoint(_words(one.phrase)):
            full = max(
                (other for other in ranked if _completes(other, one) and taken.isdisjoint(_words(other.phrase))),
                key=lambda other: (len(other.phrase.split()), other.people),
                default=one,
            )
            shown.append(full)
            taken |= _words(full.phrase)
    return shown


def _completes(longer: _Found, one: _Found) -> bool:
    return f" {one.phrase} " in f" {longer.phrase} " and longer.people >= COMPLETED * one.people


def _words(phrase: str) -> set[str]:
    return {word.lstrip("#") for word in phrase.split() if is_telling(word)}


def _squeezed(text: str) -> str:
    return "".join(_LETTERS.findall(text.casefold())).translate(_UMLAUTS)
