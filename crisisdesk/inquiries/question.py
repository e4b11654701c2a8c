"""Whether a text asks something that somebody could answer, in English or German. Pure.

A mark alone is no question: links hold some, "really?!" and "right?" want no answer, and what stands in quotation
marks was asked by somebody else. Without a mark only wordings count with which people ask for help.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

_LEFT_OUT: Final = re.compile(r"(?:https?:|www\.)\S*|[\"“„»«][^\"“”„»«]{0,300}[\"”“«»]")
"""Links, and what is quoted."""
_NAME: Final = re.compile(r"@(?=\w)[\w.:@-]*\w|[#$](?=\w)")
"""Names, and the signs of tags, which are words of the sentence otherwise."""
_PAUSE: Final = re.compile(r"[,–—]|\s-\s")
_ENDS: Final = re.compile(r"[.!…;:()|]")
"""Where a sentence ends besides at its mark."""
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_HUNG_ON: Final = re.compile(
    r"(?:right|huh|eh|ok|okay|no|yes|yeah|really|seriously|srsly|what|wtf|lol|innit|oder|oder nicht|ne|gell|wa|echt|"
    r"wirklich|ernsthaft|im ernst|was|hä|nicht|nicht wahr|ja|nein|"
    r"(?:is|are|was|were|do|does|did|have|has|can|could|would|will|ai)n['’]t (?:it|they|you|we|he|she))"
)
"""What is hung on a statement, or called out."""
_ENGLISH: Final = """
who what when where why how which whose whats wheres hows can could do does did is are am was were will would should
shall may has have had any anybody anyone isn't aren't don't doesn't can't won't
"""
_GERMAN: Final = """
wer was wann wo warum wieso weshalb wie welche welcher welches wem wen wessen woher wohin womit wofür kann könnt können
könnte könntet könnten gibt habt haben hat ist sind seid wird werden werdet darf dürfen soll sollte muss weiss kennt
geht kommt bekomme bekommt hilft
"""
_ASKING: Final = frozenset((_ENGLISH + _GERMAN).split())
"""How questions begin."""
FEW: Final = 3
"""Fewer words than these ask nothing that stands by itself,"""
FEW_ASKING: Final = 2
"""unless they begin as questions do: "how much?"."""
READ: Final = 2_000
"""Characters of a text that are read."""
_FOR_HELP: Final = re.compile(
    r"\b(?:"
    r"(?:does|do|has|is|can|could|would) (?:any|some)(?:one|body)"
    r"|(?:any|some)(?:one|body) (?:else )?(?:know|have|help|had|able)"
    r"|how (?:do|can|could|should) (?:i|we)|where (?:do|can|could) (?:i|we)|when (?:can|will|do) (?:i|we|you)"
    r"|(?:can|could|will|would) (?:you|u|someone|anyone) (?:please|pls|plz|help|tell|explain|fix|check|confirm)"
    r"|(?:please|pls|plz) (?:help|advise|explain|fix|respond|reply|answer|contact|call)"
    r"|(?:need|want|get) (?:some |your )?help\b|was wondering (?:if|whether)"
    r"|(?:weiss|kennt|hat|kann) (?:hier |mir |da |vielleicht )*(?:jemand|wer|einer)"
    r"|wie (?:kann|bekomme|komme|mache|erreiche) (?:ich|man|wir)|wo (?:kann|finde|bekomme|gibt) (?:ich|man|wir|es)"
    r"|wann (?:kommt|gibt|wird|bekomme|kann|kommen|geht)"
    r"|(?:könnt|könntet|können|könnten|koennt|koennen) (?:ihr|sie) (?:mir|mal|bitte|uns|da)"
    r"|bitte (?:um )?(?:dringend(?:e)? )?(?:hilfe|antwort|rückmeldung|antworten|melden|helft|helfen|meldet)"
    r"|(?:brauche|bräuchte|benötige|brauchen) (?:dringend |mal |eure |ihre )*(?:hilfe|rat)"
    r")\b"
    r"|^(?:question|frage)\s*[:,]"
)


def is_question(text: str) -> bool:
    """Whether a cleaned text asks something."""
    text = _NAME.sub(" ", _LEFT_OUT.sub(" ", text[:READ].casefold()))
    return any(map(_asks, _before_marks(text))) or _FOR_HELP.search(text.strip()) is not None


def _before_marks(text: str) -> Iterator[str]:
    """The sentences that end in a question mark; "?!" is an outcry, and "a?b" no end."""
    for said, rest in pairwise(text.split("?")):
        if rest[:1] != "!" and not rest[:1].isalnum():
            yield _ENDS.split(said)[-1]


def _asks(sentence: str) -> bool:
    """Whether what stands before a mark is more than a cry or a word that is hung on."""
    if _HUNG_ON.fullmatch(_PAUSE.split(sentence)[-1].strip()):
        return False
    words = _WORD.findall(sentence)
    return len(words) >= (FEW_ASKING if words and words[0] in _ASKING else FEW)
