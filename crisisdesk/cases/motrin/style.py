"""How a person's way of writing changes a line: case, apostrophes, haste. English only, and never a name or link."""

import random
import re
from typing import Final

from crisisdesk.cases.motrin.people import Person

TERMS: Final = re.compile(r"(?<!\w)(?:motrin|#motrinmoms|pain reliever)(?!\w)", re.IGNORECASE)
"""What the watch of the case looks for."""

_FIXED: Final = re.compile(r"^[@#]|^https?:|motrin|^<|^[:;>=]", re.IGNORECASE)
_SHORT: Final = {
    "you": "u", "your": "ur", "you're": "ur", "are": "r", "because": "bc", "with": "w/", "people": "ppl", "and": "&",
    "please": "pls", "thanks": "thx", "though": "tho", "to": "2", "for": "4", "before": "b4", "tomorrow": "tmrw",
}  # fmt: skip
_STRETCHED: Final = {
    "so": "sooo", "no": "nooo", "really": "reeeally", "oh": "ohhh", "please": "pleeease", "way": "waaay",
    "mad": "maaaad", "ugh": "ughhh", "ow": "owww", "tired": "tiiired", "long": "looong", "hi": "hiii", "yes": "yesss",
}  # fmt: skip
_SAD: Final = (":(", ":(", ":-(", ">:(", ":/", ":(")
_GLAD: Final = (":)", ":)", ":-)", ";)", ":D", "=)", "lol", "haha")
_ENDED: Final = re.compile(r"[.!?…):*\"]$|^https?:|^[#@<]|[:;=]-?[()DP/]$")


def dress(text: str, person: Person, *, negative: bool, rng: random.Random) -> str:
    """The text as this person types it; tags at the end stay last."""
    words = text.split()
    tail: list[str] = []
    while words and (words[-1].startswith(("#", "http"))):
        tail.insert(0, words.pop())
    if not words or person.lang != "en":
        return text
    if person.short:
        words = [_swap(word, _SHORT, 0.55, rng) for word in words]
    if rng.random() < person.lively:
        words = _liven(words, negative=negative, rng=rng)
    if rng.random() < person.careless:
        words = _slip(words, rng)
    return " ".join(_shape(words, person, rng, closes=not tail) + tail)


def _swap(word: str, table: dict[str, str], chance: float, rng: random.Random) -> str:
    return table[word] if word in table and rng.random() < chance else word


def _liven(words: list[str], *, negative: bool, rng: random.Random) -> list[str]:
    if rng.random() < 0.5:
        words = [_swap(word, _STRETCHED, 0.5, rng) for word in words]
    last = words[-1]
    if rng.random() < 0.3 and re.search(r"[a-z]\.?$", last):
        return [*words[:-1], last.rstrip(".") + rng.choice(("!", "!!", "...", "!!!"))]
    if rng.random() < 0.3 and not _FIXED.search(last) and not last.endswith("?"):
        return [*words, rng.choice(_SAD if negative else _GLAD)]
    return words


def _slip(words: list[str], rng: random.Random) -> list[str]:
    """One typing error in a longer word, where there is one: letters swapped or one left out."""
    places = [i for i, word in enumerate(words) if word.isalpha() and 5 <= len(word) <= 11 and not _FIXED.search(word)]
    if not places:
        return words
    place = rng.choice(places)
    word = words[place]
    at = rng.randint(1, len(word) - 2)
    wrong = word[:at] + word[at + 1] + word[at] + word[at + 2 :] if rng.random() < 0.6 else word[:at] + word[at + 1 :]
    return [*words[:place], wrong, *words[place + 1 :]]


def _shape(words: list[str], person: Person, rng: random.Random, *, closes: bool) -> list[str]:
    if person.plain:
        words = [word if _FIXED.search(word) else word.replace("'", "") for word in words]
    if person.lower:
        return [word if word.startswith(("@", "http", ":", ";", "=", "RT")) else word.lower() for word in words]
    if person.proper:
        words = ["I" + word[1:] if re.match(r"i('|$)", word) else word for word in words]
        first = 1 if words[0].startswith("@") and len(words) > 1 else 0
        words[first] = words[first][:1].upper() + words[first][1:]
        if closes and not _ENDED.search(words[-1]) and rng.random() < 0.8:
            words[-1] += "."
        return words
    if words[-1].endswith(".") and not words[-1].endswith("..") and rng.random() < 0.4:
        words[-1] = words[-1][:-1]
    return words
