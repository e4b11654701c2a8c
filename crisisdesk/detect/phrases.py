"""What posts say, as phrases: one to three words in a row, hashtags and emoji. No stop word stands at an end."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from functools import lru_cache
from typing import Final

from crisisdesk.detect.stopwords import STOPWORDS

LONGEST: Final = 48
"""Characters of a phrase; what is longer is no phrase that anybody could read aloud, and may not fill the memory."""
TOKENS_READ: Final = 200
"""Words of a post that are read; the rest of an essay repeats them."""
PAUSE: Final = "|"
"""Stands where no phrase runs on: the end of a sentence, a name, a link, beside a hashtag or an emoji."""

_NOT_WORDING: Final = re.compile(r"https?:\S*|www\.\S+|@\w+")
_PICTURE: Final = (
    "[\u203c\u2049\u231a\u231b\u23e9-\u23fa\u2600-\u2604\u2607-\u26ff\u2702\u2705\u2708-\u270d\u270f\u2714\u2716\u271d"
    "\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27b0\u27bf"
    "\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_TONE: Final = "[\U0001f3fb-\U0001f3ff\ufe0f]"
# A whole emoji: a flag, a key, or a picture with its tone of skin, its sex, and what is joined to it.
_EMOJI: Final = (
    rf"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3"
    rf"|{_PICTURE}{_TONE}*(?:\u200d?[\u2640\u2642]\ufe0f?|\u200d{_PICTURE}{_TONE}*)*"
)
_TOKEN: Final = re.compile(
    rf"(?P<emoji>{_EMOJI})|(?P<tag>#\w+)|(?P<word>\w+(?:['’-]\w+)*)|(?P<pause>[.,;:!?…()\"“”„|/])"
)
_TONES: Final = re.compile(rf"{_TONE}|\u200d?[\u2640\u2642]\ufe0f?")


def spoken(text: str) -> str:
    """A cleaned text as a row of words in small letters, a space before, between and after them.

    Links and names are gone, each hashtag and emoji stands by itself, and `PAUSE` parts what does not belong together:
    a phrase was said where ` phrase ` stands in it.
    """
    words = [PAUSE]
    for found in _TOKEN.finditer(_NOT_WORDING.sub(" | ", text.lower())):
        kind, token = found.lastgroup, found[0]
        if kind == "word":
            words.append(_bare(token))
        elif kind != "pause":
            words += (PAUSE, _TONES.sub("", token) if kind == "emoji" else token, PAUSE)
        elif words[-1] != PAUSE:
            words.append(PAUSE)
        if len(words) > TOKENS_READ:
            break
    return f" {' '.join(words)} "


def phrases(said: str, known: Container[str] | None = None) -> Iterator[str]:
    """The phrases of what `spoken` gave; one that is said twice comes twice.

    Args:
        said: the words.
        known: phrases of several words are given only where each of their telling words is among these.
    """
    before = between = ""  # the last two words of this breath; "" where there is none, or none that tells
    middle = PAUSE
    for word in said.split():
        telling = word if is_telling(word) else ""
        if telling:
            yield word
        if word == PAUSE or (telling and known is not None and word not in known):
            before, between, middle = "", "", PAUSE
            continue
        if telling and between and between != word and len(between) + len(word) < LONGEST:
            yield f"{between} {word}"
        if telling and before and before != word and len(before) + len(middle) + len(word) < LONGEST - 1:
            yield f"{before} {middle} {word}"
        before, between, middle = between, telling, word


@lru_cache(maxsize=20_000)
def is_telling(word: str) -> bool:
    """Whether a word of `spoken` can say what a post is about: no stop word, no number, no single letter."""
    if word in STOPWORDS or len(word) > LONGEST:
        return False
    first = word[0]
    if first.isalpha():
        return len(word) > 1
    return (first == "#" and len(word) > 2) or ord(first) > 0x2000 or word.endswith("\u20e3")


def as_written(phrase: str, texts: Iterable[str]) -> str:
    """A phrase with the capital letters that most of these texts give it, as German nouns want them."""
    spellings = Counter(found for text in texts if (found := _spelling(phrase, text)))
    return max(spellings, key=lambda one: (spellings[one], one), default=phrase)


def _spelling(phrase: str, text: str) -> str:
    """As it stands in a text; empty where the first place that looks like it is part of another word."""
    small = text.lower()
    start = small.find(phrase)
    end = start + len(phrase)
    around = small[start - 1 : start] + small[end : end + 1] if start > 0 else small[end : end + 1]
    whole = start >= 0 and len(small) == len(text) and not any(letter.isalnum() for letter in around)
    return text[start:end] if whole else ""


def _bare(word: str) -> str:
    """Without the genitive, as "brand's" is the brand, and with one kind of apostrophe."""
    word = word.replace("’", "'")
    return word.removesuffix("'s") if word.endswith("'s") and word not in STOPWORDS else word
