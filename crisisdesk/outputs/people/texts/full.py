"""An incident in full, as far as a service has room for it. Pure."""

from collections.abc import Sequence
from typing import Final

from crisisdesk.outputs.people.texts.matter import Matter, handed_over, reason
from crisisdesk.outputs.people.texts.reader import Reader, Space
from crisisdesk.records import Chosen, Event, Evidence, Quote
from crisisdesk.text import shorten

POSTS: Final = 3
PHRASES: Final = 5
POST_LENGTH: Final = 220
WHY_LENGTH: Final = 700

Paragraph = tuple[int, str]
"""The higher the number, the earlier it is left out where room is short."""


def full(matter: Matter, reader: Reader, space: Space, room: int) -> str:
    """Why somebody is called, what it is, who says what, what to do, and how to answer."""
    paragraphs = _paragraphs(matter, reader)
    while len(paragraphs) > 1 and space.size(_joined(paragraphs)) > room:
        paragraphs.remove(max(paragraphs, key=lambda one: one[0]))
    return space.cut(_joined(paragraphs), room)


def _joined(paragraphs: Sequence[Paragraph]) -> str:
    return "\n\n".join(text for _, text in paragraphs)


def _paragraphs(matter: Matter, reader: Reader) -> list[Paragraph]:
    words, incident, change = reader.words, matter.incident, matter.change
    paragraphs = [(0, handed_over(matter.handed, reader))] if matter.handed else []
    paragraphs += [(2, _called(matter, reader)), (3, shorten(words.why(incident), WHY_LENGTH))]
    if phrases := incident.evidence.phrases[:PHRASES]:
        paragraphs.append((9, words.said_most(phrases)))
    paragraphs += [(6 + rank, _post(quote, reader)) for rank, quote in enumerate(_decisive(incident.evidence))]
    if incident.playbook:
        paragraphs.append((4, words.playbook(incident.playbook)))
    if (holder := words.holder(incident)) and change.event is not Event.ASSIGNED:
        paragraphs.append((5, holder))
    answer = "" if change.event is Event.RAISED else words.answer(others=change.event is Event.CALLED)  # the reader's
    where = "\n".join(filter(None, (answer, reader.address(incident))))
    return [*paragraphs, (1, where)] if where else paragraphs


def _called(matter: Matter, reader: Reader) -> str:
    """Why somebody is called, and since when it has been an incident."""
    words, incident, change = reader.words, matter.incident, matter.change
    begun = words.opened(reader.when(incident.opened, change.time, matter.zone_of))
    if change.event is Event.ASSIGNED:
        return begun
    why = words.nobody(incident) if change.event is Event.UNANSWERED else reason(matter, reader)
    return f"{why} {begun}".strip()


def _decisive(evidence: Evidence) -> list[Quote]:
    """Three posts: the widest reach, the newest, the most typical; others where one of these is missing."""
    ranks = {Chosen.WIDEST: 0, Chosen.NEWEST: 1, Chosen.TYPICAL: 2, None: 3}
    seen: set[Chosen | None] = set()
    firsts: list[Quote] = []
    others: list[Quote] = []
    for quote in evidence.posts:
        (others if quote.role is None or quote.role in seen else firsts).append(quote)
        seen.add(quote.role)
    return [*sorted(firsts, key=lambda quote: ranks[quote.role]), *others][:POSTS]


def _post(quote: Quote, reader: Reader) -> str:
    said = reader.words.post(quote, shorten(quote.text, POST_LENGTH))
    return f"{said}\n{quote.url}" if quote.url else said
