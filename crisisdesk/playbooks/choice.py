"""Which playbook fits a spike, and why. Pure: the same spike and playbooks always give the same answer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crisisdesk.playbooks.shape import Playbook
from crisisdesk.records import PlaybookRef, Severity, Spike

ENOUGH: Final = 0.2
"""A playbook's words fit when one negative post in five says at least one of them; a press officer's list of words is
never complete, while other trouble is spoken of in other words."""
FEWEST: Final = 2
"""Posts in the evidence that must do so: one stray post is no situation."""
_WORDS_NAMED: Final = 4
_WORD: Final = re.compile(r"[^\W_]+")
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a playbook fits; `rank` sorts, the better the greater."""

    playbook: Playbook
    rank: tuple[bool, float, bool, int, bool]
    reason: str


def choose(playbooks: Sequence[Playbook], spike: Spike) -> PlaybookRef | None:
    """The playbook that fits best, in the spike's language where it is translated; None without even a general one.

    A playbook has to allow the spike's kind, watch and severity, and its words, if it has any, must be said by enough
    posts. Of several that fit, one that names the watch goes first, then the one whose words are said most; of equals
    the first id.
    """
    said, language = _Said(spike), _language(spike)
    fits = [
        fit for playbook in sorted(playbooks, key=lambda one: one.id) if (fit := _fit(playbook, spike, said, language))
    ]
    if not fits:
        return None
    best = max(fits, key=lambda fit: fit.rank)
    playbook = _translated(best.playbook, playbooks, language)
    return PlaybookRef(
        playbook.id, playbook.title, playbook.phases[0].steps[0].text, best.reason, not best.playbook.is_general
    )


def fold(text: str) -> str:
    """The text's words as they are compared: small letters, umlauts in ASCII, one space between and around them."""
    found = _WORD.findall(text.casefold().translate(_UMLAUTS))
    return f" {' '.join(found)} "


def _fit(playbook: Playbook, spike: Spike, said: "_Said", language: str) -> _Fit | None:
    watched = fold(spike.watch) in {fold(watch) for watch in playbook.watches}
    if (
        playbook.translation_of
        or (playbook.watches and not watched)
        or (playbook.kinds and spike.kind not in playbook.kinds)
        or (spike.severity or Severity.NOTICE) < playbook.at_least
    ):
        return None
    shares = {folded: said.share(folded) for folded in map(fold, playbook.words)}
    if playbook.words and not said.enough(shares):
        return None
    rank = (
        watched,
        round(sum(shares.values()), 3),
        bool(playbook.kinds),
        playbook.at_least.value,
        playbook.language == language,
    )
    return _Fit(playbook, rank, _reason(playbook, spike, shares, watched=watched))


def _reason(playbook: Playbook, spike: Spike, shares: Mapping[str, float], *, watched: bool) -> str:
    parts = [f"watch {spike.watch}"] if watched else []
    spelled = {fold(word): word for word in reversed(playbook.words) if shares[fold(word)]}
    if spelled:
        most_said = sorted(spelled, key=lambda folded: (-shares[folded], folded))
        parts.append("words: " + ", ".join(spelled[folded] for folded in most_said[:_WORDS_NAMED]))
    if playbook.kinds and not parts:
        parts.append(f"kind {spike.kind}")
    return "; ".join(parts) or "no other playbook fits"


class _Said:
    """What a spike's negative posts say: phrases are counted over all of them, the decisive posts are a sample."""

    def __init__(self, spike: Spike) -> None:
        evidence, posts = spike.evidence, max(spike.numbers.negative, 1)
        self._phrases = [(fold(phrase.text), phrase.posts / posts) for phrase in evidence.phrases]
        quotes = {quote.id: quote for quote in (*evidence.posts, *filter(None, [evidence.first]))}.values()
        self._quotes = [(fold(quote.text), quote.copies) for quote in quotes]
        self._sampled = max(sum(quote.copies for quote in quotes), 1)

    def share(self, folded: str) -> float:
        """The share of posts that say a word, 0 to 1."""
        counted = max((share for text, share in self._phrases if folded in text), default=0.0)
        return min(1.0, max(counted, sum(n for text, n in self._quotes if folded in text) / self._sampled))

    def enough(self, words: Iterable[str]) -> bool:
        """Whether enough posts say one or another of these words."""
        words = tuple(words)
        counted = sum(share for text, share in self._phrases if any(word in text for word in words))
        sampled = sum(n for text, n in self._quotes if any(word in text for word in words))
        return counted >= ENOUGH or (sampled >= FEWEST and sampled / self._sampled >= ENOUGH)


def _language(spike: Spike) -> str:
    """The language that most posts are in, "" if unknown."""
    languages = spike.evidence.languages
    return max(languages, key=lambda counted: counted[1])[0].lower() if languages else ""


def _translated(playbook: Playbook, playbooks: Iterable[Playbook], language: str) -> Playbook:
    """The playbook in this language, itself if it has no such translation."""
    if playbook.language == language:
        return playbook
    others = (one for one in playbooks if one.translation_of == playbook.id and one.language == language)
    return min(others, key=lambda one: one.id, default=playbook)
