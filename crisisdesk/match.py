"""Compiled watch rules: which watches a post concerns. Pure; thousands of terms cost about as much as one.

How text and terms are compared:

- Letter case does not count; neither do full-width or ornamental letters. Umlauts equal their ASCII spellings
  (ü = ue, ß = ss); other accents do not count (é = e).
- A hyphen or dash equals a space ("pain-reliever" = "pain reliever"), every apostrophe equals every other.
- A term matches as a whole: "motrin" is found in "Motrin!", "Motrin's", "motrin-moms", "#motrin", "@motrin" and
  "motrin.com", not in "#motrinmoms" or "motrin_moms". In scripts without spaces a term may stand inside a text.
- A term that begins with #, @ or $ matches only with that sign, and no letter or digit before it.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ahocorasick_rs import AhoCorasick

from crisisdesk.errors import UsageError
from crisisdesk.records import Post
from crisisdesk.text import clean

SIGNS: Final = "#@$"

_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_APOSTROPHES: Final = re.compile("[\u2018\u2019\u201b\u02bc\u00b4`]")
_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")
# Han, kana, Thai, Lao, Myanmar, Khmer: words stand side by side without a space.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)


@dataclass(frozen=True, slots=True)
class WatchRule:
    """What belongs to a watch: any of `terms`, none of `not_terms`.

    Posts in other `languages` than these belong to it, too, but are counted apart; none stand for those of the model.
    """

    name: str
    terms: tuple[str, ...]
    not_terms: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    """The brand's own accounts, as posts name their authors."""


def fold(text: str) -> str:
    """The form in which texts and terms are compared; cleaning comes first, folding again changes nothing."""
    text = text.casefold()
    if not text.isascii():
        text = _DASHES.sub("-", _in_plain_letters(_APOSTROPHES.sub("'", text)))
    text = text.replace("-", " ")
    return " ".join(text.split()) if "  " in text else text


def _in_plain_letters(text: str) -> str:
    # These three are what most often makes a text need the slow normalisation, and that is all it would do to them.
    text = text.replace("…", "...").replace("！", "!").replace("？", "?")
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text).casefold()
    text = text.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text))


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether text[start:end], both folded, stands there as a word or phrase of its own, not inside a longer word."""
    first, last = text[start], text[end - 1]
    if start and _in_word(text[start - 1]) and (first in SIGNS or _joins(text[start - 1], first)):
        return False
    return end == len(text) or not (_in_word(text[end]) and _joins(last, text[end]))


def _in_word(character: str) -> bool:
    """Letters, digits, the underscore, and marks that sit on letters."""
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def _joins(left: str, right: str) -> bool:
    """Whether two neighbours belong to one word."""
    return _in_word(left) and _in_word(right) and not (_UNSPACED.match(left) or _UNSPACED.match(right))


class Matcher:
    """Finds all watches of a post in one pass over its text.

    Args:
        rules: the watches, names unique.

    Raises:
        UsageError: a term holds nothing that could be found.
    """

    def __init__(self, rules: Sequence[WatchRule]) -> None:
        self._rules = tuple(rules)
        self._index_of = {rule.name: index for index, rule in enumerate(rules)}
        self._wanted: dict[str, list[int]] = {}
        self._unwanted: dict[str, list[int]] = {}
        for index, rule in enumerate(self._rules):
            _collect(self._wanted, rule.terms, index, rule.name)
            _collect(self._unwanted, rule.not_terms, index, rule.name)
        self._terms = tuple(self._wanted | self._unwanted)
        self._automaton = AhoCorasick(self._terms)

    def match(self, post: Post) -> tuple[str, ...]:
        """Names of the watches that the post concerns, in the order of the rules.

        A tag of the post that is a watch's name puts it there whatever its words.
        """
        found = self._indexes(post.text)
        if post.tags:
            found |= {self._index_of[tag] for tag in post.tags if tag in self._index_of}
        return self._names(found)

    def watches_in(self, text: str) -> tuple[str, ...]:
        """Names of the watches that a cleaned text concerns, in the order of the rules."""
        return self._names(self._indexes(text))

    def _names(self, found: set[int]) -> tuple[str, ...]:
        return tuple(self._rules[index].name for index in sorted(found)) if found else ()

    def _indexes(self, text: str) -> set[int]:
        terms = self._terms_in(text)
        if not terms:
            return set()
        found = {index for term in terms for index in self._wanted.get(term, ())}
        found.difference_update(index for term in terms for index in self._unwanted.get(term, ()))
        return found

    def _terms_in(self, text: str) -> set[str]:
        folded = fold(text)
        hits = self._automaton.find_matches_as_indexes(folded, overlapping=True)
        return {self._terms[term] for term, start, end in hits if is_whole(folded, start, end)} if hits else set()


def _collect(index_of: dict[str, list[int]], terms: Iterable[str], index: int, name: str) -> None:
    for term in terms:
        folded = fold(clean(term)).strip()
        if not folded.strip(SIGNS + " "):
            raise UsageError(
                f"Watch '{name}': the term '{term}' holds nothing to look for; write a word, #tag or @name."
            )
        index_of.setdefault(folded, []).append(index)
