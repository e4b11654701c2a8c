"""Names of people and other things: which are one name in two spellings, and which is the nearest to a misspelt one."""

import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from crisisdesk.text import clean

_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})


def folded(name: str) -> str:
    """A name without what spellings differ in: case, accents, spaces, and umlauts, which are two letters to some."""
    plain = unicodedata.normalize("NFC", name).casefold().translate(_UMLAUTS)
    bare = "".join(one for one in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(one))
    return " ".join(re.sub(r"[-.\s]+", " ", bare).split())


def same(one: str | None, other: str | None) -> bool:
    """Whether two names mean one person: people write them by hand, with capitals and umlauts or without."""
    return one is not None and other is not None and folded(one) == folded(other)


def nearly(one: str, other: str) -> bool:
    """Whether two names are the same but for their spelling, one letter, or two that changed places."""
    first, second = folded(one), folded(other)
    if first == second:
        return True
    if len(first) == len(second):
        at = [index for index, (one, other) in enumerate(zip(first, second, strict=True)) if one != other]
        return len(at) == 1 or (len(at) == 2 and first[at[0] : at[1] + 1] == second[at[0] : at[1] + 1][::-1])
    shorter, longer = sorted((first, second), key=len)
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(len(longer)))


def nearest(name: str, known: Sequence[str]) -> str:
    """What to write instead of a name that nothing bears."""
    if near := near_to(name, known):
        return f"did you mean '{near}'?"
    some = [f"'{clean(one, 60)}'" for one in list(dict.fromkeys(known))[:8]]
    return f"there are {', '.join(some)}" if some else "there is none"


def near_to(name: str, known: Sequence[str]) -> str | None:
    """The nearest that there is, by the whole name or by a first or a last one alone; None where none is near."""
    spelled = {word: one for one in known for word in folded(one).split()} | {folded(one): one for one in known}
    return next((spelled[one] for one in get_close_matches(folded(name), spelled, n=1)), None)
