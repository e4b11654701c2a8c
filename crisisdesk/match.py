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

from ahocorasick_rs import AhoCorasick, Implementation

from crisisdesk.errors import UsageError
from crisisdesk.records import Post
from crisisdesk.text import clean

SIGNS: Final = "#@$"
MAX_TABLE: Final = 20_000_000
"""Cells of four bytes; 50,000 words have 12 million."""

_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_APOSTROPHES: Final = re.compile("[\u2018\u2019\u201b\u02bc\u00b4`]")
_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")
_RARE: Final = re.compile("[\u0300-\u036f\u2018\u2019\u201b\u02bc`\u2010-\u2015\u2212]")
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
    text = (text.casefold() if text.isascii() else _in_plain_letters(text.casefold())).replace("-", " ")
    return " ".join(text.split()) if "  " in text else text


def _in_plain_letters(text: str) -> str:
    # Asking is quicker than doing. These are replaced beforehand since posts are full of them, and often hold nothing
    # else that is.
    text = text.replace("’", "'").replace("–", "-").replace("—", "-").replace("´", "'")
    text = text.replace("…", "...").replace("！", "!").replace("？", "?")
    taken_apart = unicodedata.normalize("NFKD", text)
    if taken_apart is not text:  # what is so already comes back itself
        spelt = text if unicodedata.is_normalized("NFKC", text) else unicodedata.normalize("NFKC", text).casefold()
        spelt = spelt.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
        text = _ACCENTS.sub("", taken_apart if spelt is text else unicodedata.normalize("NFKD", spelt))
    if text.isascii() or _RARE.search(text) is None:
        return text
    return _DASHES.sub("-", _APOSTROPHES.sub("'", _ACCENTS.sub("", text)))


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether text[start:end], both folded, stands there as a word or phrase of its own, not inside a longer word."""
    if (not start or text[start - 1] == " ") and (end == len(text) or text[end] == " "):
        return True
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
        self.rules = tuple(rules)
        self._index_of = {rule.name: index for index, rule in enumerate(rules)}
        wanted: dict[str, list[int]] = {}
        unwanted: dict[str, list[int]] = {}
        for index, rule in enumerate(self.rules):
            _collect(wanted, rule.terms, index, rule.name)
            _collect(unwanted, rule.not_terms, index, rule.name)
        terms = tuple(wanted | unwanted)
        self._find = AhoCorasick(terms, implementation=_implementation(terms)).find_matches_as_indexes
        self._wanted = [wanted.get(term, []) for term in terms]
        """Places of rules among the rules, by the place of the term among all terms."""
        self._unwanted = [unwanted.get(term, []) for term in terms]
        self._alone = [self._named([place]) for place in range(len(terms))]
        """The watches of a text that holds this term and no other, as most do that hold one."""

    def match(self, post: Post) -> tuple[str, ...]:
        """Names of the watches that the post concerns, in the order of the rules.

        A tag of the post that is a watch's name puts it there whatever its words.
        """
        watches = self.watches_in(post.text)
        if not post.tags:
            return watches
        named = {*watches, *(tag for tag in post.tags if tag in self._index_of)}
        return tuple(sorted(named, key=self._index_of.__getitem__))

    def watches_in(self, text: str) -> tuple[str, ...]:
        """Names of the watches that a cleaned text concerns, in the order of the rules."""
        folded = fold(text)
        hits = self._find(folded, overlapping=True)
        if not hits:
            return ()
        if len(hits) == 1:
            term, start, end = hits[0]
            return self._alone[term] if is_whole(folded, start, end) else ()
        return self._named({term for term, start, end in hits if is_whole(folded, start, end)})

    def _named(self, terms: Iterable[int]) -> tuple[str, ...]:
        found = {index for term in terms for index in self._wanted[term]}
        found.difference_update(index for term in terms for index in self._unwanted[term])
        return tuple(self.rules[index].name for index in sorted(found))


def _implementation(terms: Sequence[str]) -> Implementation | None:
    """A table of what follows what is the fastest; where it would be too large, the library's own choice."""
    written = "".join(terms).encode()
    return Implementation.DFA if len(written) * len(set(written)) <= MAX_TABLE else None


def _collect(index_of: dict[str, list[int]], terms: Iterable[str], index: int, name: str) -> None:
    for term in terms:
        folded = fold(clean(term)).strip()
        if not folded.strip(SIGNS + " "):
            raise UsageError(
                f"Watch '{name}': the term '{term}' holds nothing to look for; write a word, #tag or @name."
            )
        index_of.setdefault(folded, []).append(index)
