"""Terms of watches in the language of X's rules; they bring at least what the watches look for, the desk decides.

X compares letters in its own way: case does not count, but in the stream é is not e and ü is not ue. So a term is asked
for in all its German spellings, and without its accents; a word without accents is not looked for with them.
"""

import re
import unicodedata
from itertools import product
from typing import Final

from crisisdesk.text import clean

MOST_SPELLINGS: Final = 8
"""Ways of writing a term that are asked for at most."""

_SPELT: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
_UMLAUTS: Final = {spelt: umlaut for umlaut, spelt in _SPELT.items()}
_SPELT_UMLAUT: Final = re.compile("ae|oe|ue|ss")
_RESERVED: Final = frozenset({"and", "or", "not"})
_HANDLE: Final = re.compile(r"[a-z0-9_]{1,15}", re.ASCII)
_CASHTAG: Final = re.compile(r"[a-z]{1,6}(?:[._][a-z]{1,2})?", re.ASCII)
_HASHTAG: Final = re.compile(r"\w*[^\W\d]\w*")
_OWN: Final = re.compile(r"@?([A-Za-z0-9_]{1,15})@x\.com", re.ASCII | re.IGNORECASE)


def clauses_of(term: str) -> list[str]:
    """What stands in a rule for a term, any of it: `motrin`, `#motrin`, `"pain reliever"`; nothing if it has no words.

    A single word is also found as a hashtag or name, as the desk's own matching does it.
    """
    text = clean(term).lower()
    sign, rest = (text[0], text[1:]) if text[:1] in {"#", "@", "$"} else ("", text)
    clauses = [clause for spelling in spellings(rest) for clause in _clauses(sign, spelling)]
    return list(dict.fromkeys(clauses))


def author_clause(account: str) -> str | None:
    """What finds the posts of one of the brand's own accounts, `@acme@x.com`; None for one of another network."""
    found = _OWN.fullmatch(account)
    return f"from:{found[1].lower()}" if found else None


def spellings(text: str) -> list[str]:
    """The ways to write a text in small letters: as it stands, without accents, its umlauts spelt out or put back."""
    spelt = "".join(_SPELT.get(letter, letter) for letter in unicodedata.normalize("NFC", text))
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(letter))
    parts = _SPELT_UMLAUT.split(plain)
    pairs = [(pair, _UMLAUTS[pair]) for pair in _SPELT_UMLAUT.findall(plain)]
    if 2 ** len(pairs) <= MOST_SPELLINGS:
        chosen = [list(one) for one in product(*pairs)]
    else:
        chosen = [[pair for pair, _ in pairs], [umlaut for _, umlaut in pairs]]
    mixed = ["".join(a + b for a, b in zip(parts, [*choice, ""], strict=True)) for choice in chosen]
    return list(dict.fromkeys([text, plain, *mixed]))


def _clauses(sign: str, text: str) -> list[str]:
    if sign == "#" and _HASHTAG.fullmatch(text):
        return [f"#{text}"]
    if sign == "@" and _HANDLE.fullmatch(text):
        return [f"@{text}"]
    if sign == "$" and _CASHTAG.fullmatch(text):
        return [f"${text}"]
    phrase = " ".join(re.sub(r'["\\]', " ", text).split())
    if not phrase.strip("#@$ -"):
        return []
    clauses = [phrase if phrase.isalnum() and phrase not in _RESERVED else f'"{phrase}"']
    if not sign and _HASHTAG.fullmatch(phrase):
        clauses.append(f"#{phrase}")
    if not sign and _HANDLE.fullmatch(phrase):
        clauses.append(f"@{phrase}")
    return clauses
