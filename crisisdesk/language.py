"""Which language a post is in: its own mark is trusted; without one its words are read, and a doubt stays a doubt.

- A mark is what network or author say: "en", "en-US", "de_AT", "deu", a list of them. Many clients mark whatever is
  written with their own language; the mark is trusted all the same. "und", "zxx", "none", an invented code and a list
  of several languages say nothing.
- Without a mark the words are read, without links, names, tags, numbers and emoji. Too few of them, none that stands
  out, or a part that may be English or German: then the language is unknown.
- Unknown is not another language: such a post counts for every watch, since a crisis must not be missed for a doubt.

The library is py3langid. `tests/bench/test_language.py` measures it, and what of the home languages it loses.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

Reader = Callable[[str], str | None]
"""Reads a cleaned text: its language as a code of two letters, None in doubt."""

CANDIDATES: Final = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id",
    "it", "ja", "ko", "lt", "lv", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "ta", "te", "th", "tl",
    "tr", "uk", "ur", "vi", "zh",
)  # fmt: skip
"""Languages that words are held against: what is written a lot. Rare ones only draw away short English posts."""
HOME: Final = frozenset({"en", "de"})
"""The desk's own: a post that may be in one of them is not called anything else."""
SURE: Final = 0.7
"""Probability from which on a language is believed."""
AT_HOME: Final = 0.05
"""Probability of a home language from which on a post is not said to be in another one."""
LEAST_WORDS, LEAST_LETTERS, LEAST_OTHER_LETTERS = 3, 12, 4
"""What must be there to be read: "lol ok" is in any language; four letters of another script say enough."""
MOST_READ: Final = 1_200
"""Characters of a post that are looked at."""
MOST_LETTERS: Final = 400
"""Characters of its words that are read; a third of them would do."""

_TAG: Final = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*", re.ASCII)
_TWO_LETTERS: Final = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
    et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki
    kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nd ne ng nl no nr nv
    ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th
    ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
_CODES: Final = frozenset(_TWO_LETTERS.split())
_OTHER_SPELLINGS: Final = """
    in=id iw=he ji=yi mo=ro nb=no nn=no sh=sr
    ara=ar ben=bn ces=cs cze=cs cmn=zh dan=da deu=de dut=nl ell=el eng=en fas=fa fil=tl fin=fi fra=fr fre=fr ger=de
    gre=el heb=he hin=hi hun=hu ind=id ita=it jpn=ja kor=ko nld=nl nob=no nor=no pol=pl por=pt ron=ro rum=ro rus=ru
    spa=es swe=sv tgl=tl tha=th tur=tr ukr=uk urd=ur vie=vi yue=zh zho=zh chi=zh
    bar=de gsw=de ksh=de nds=de sco=en
"""
_OTHER_CODES: Final = dict(pair.split("=", 1) for pair in _OTHER_SPELLINGS.split())
"""Other spellings, and the near kin of the home languages, which the model reads like them."""

_NO_WORDS: Final = re.compile(r"https?:\S*|www\.\S+|[@#$]\w+|&#?\w+;|\b(?:RT|MT|via)\b")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_STRETCHED: Final = re.compile(r"(\w)\1{2,}")
_LATIN_ENDS: Final = "\u024f"


def marked(mark: object) -> str | None:
    """The language that a mark names, as a code of two letters; None for a mark that says nothing, whatever it is."""
    if isinstance(mark, Sequence) and not isinstance(mark, str | bytes):
        named = {language for one in mark if (language := marked(one))}
        return named.pop() if len(named) == 1 else None
    found = _TAG.fullmatch(mark.strip().lower()) if isinstance(mark, str) else None
    code = found[1] if found else ""
    code = _OTHER_CODES.get(code, code)
    return code if code in _CODES else None


def words_of(text: str) -> str:
    """What of a post can be read: its words, without links, names, tags, numbers and emoji; possibly nothing."""
    text = _STRETCHED.sub(r"\1\1", _NO_WORDS.sub(" ", text[:MOST_READ]))
    return " ".join(_WORD.findall(text))[:MOST_LETTERS]


def is_enough(words: str) -> bool:
    """Whether so few words can be in one language rather than in another."""
    letters = len(words) - words.count(" ")
    if not words.isascii() and sum(c > _LATIN_ENDS and c.isalpha() for c in words) >= LEAST_OTHER_LETTERS:
        return True
    return letters >= LEAST_LETTERS and words.count(" ") + 1 >= LEAST_WORDS


def load() -> Reader:
    """Make a reader; takes a second, 50 MB, and a moment of space for a temporary file: not in the event loop.

    Raises:
        OSError: its files cannot be read or unpacked.
    """
    identifier = _identifier()

    def read(text: str) -> str | None:
        words = words_of(text)
        return _decide(dict(identifier.rank(words))) if is_enough(words) else None

    return read


def _decide(chances: dict[str, float]) -> str | None:
    best = max(chances, key=chances.__getitem__)
    at_home = sum(chances[language] for language in HOME if language != best)
    return best if chances[best] >= SURE and at_home < AT_HOME else None


def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - only unmarked posts need it

    every = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    every.set_languages(CANDIDATES)
    # A new one, so that the tables of the hundred other languages are let go.
    return LanguageIdentifier(
        every.nb_ptc, every.nb_pc, every.nb_classes, every.tk_nextmove, every.tk_output,
        norm_probs=True, tk_row=every.tk_row,
    )  # fmt: skip
