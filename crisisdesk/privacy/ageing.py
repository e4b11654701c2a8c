"""What becomes of an incident's evidence with time: names become pseudonyms, later the words go; figures stay. Pure.

as it was said ──keep_posts──→ pseudonyms, no addresses, @names masked ──keep_evidence──→ figures and phrases
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from crisisdesk.privacy.pseudonyms import Pseudonyms, is_pseudonym
from crisisdesk.privacy.terms import Terms
from crisisdesk.records import Evidence, Incident, Quote

SOMEBODY: Final = "@…"
"""Stands where a text named an account."""
SOMEWHERE: Final = "https://…"
"""Stands where a text had a link, which may lead to its author."""

_ACCOUNT: Final = re.compile(
    r"[\w.+-]{0,64}[@＠]\w[\w.-]*(?:@[\w.-]+)?|\bu/[\w-]+|\b(?:[\w-]{1,63}\.){1,3}bsky\.social\b", re.IGNORECASE
)
_LINK: Final = re.compile(r"(?:[a-z]{2,10}://|www\.)\S+|\b(?:[\w-]{1,63}\.){1,6}[a-z]{2,24}/\S*", re.IGNORECASE)
"""Also as people and networks shorten them: `instagram.com/anna`. A bare site, such as a brand's, names nobody."""


def masked(text: str) -> str:
    """A text without the accounts, mail addresses and links that it names."""
    return _ACCOUNT.sub(SOMEBODY, _LINK.sub(SOMEWHERE, text))


def aged(incident: Incident, terms: Terms, now: datetime, names: Callable[[], Pseudonyms]) -> Incident:
    """The incident as it may be kept at this moment; the same object where nothing has to change.

    Args:
        incident: as it is.
        terms: for how long what is kept.
        now: the moment.
        names: gives the pseudonyms, asked only where some are needed.
    """
    plain_until, words_until = now - terms.keeps(incident.watch), now - terms.evidence
    evidence, last = incident.evidence, incident.evidence_until
    if (oldest := words_from(incident)) is not None and oldest < words_until:
        evidence = _without_words(evidence, words_until, voices=last >= words_until)
    if any(_is_plain(quote) and quote.time < plain_until for quote in evidence.quotes):
        known = names()
        evidence = evidence.each_quote(lambda quote: _veiled(quote, plain_until, known))
    if last < plain_until and any(not is_pseudonym(name) for name, _ in evidence.voices):
        known = names()
        evidence = replace(evidence, voices=tuple((known.person(name), reach) for name, reach in evidence.voices))
    return incident if evidence == incident.evidence else replace(incident, evidence=evidence)


def plain_from(incident: Incident) -> datetime | None:
    """The time of the oldest that is kept as it was said; None for nothing. Voices are of the newest evidence."""
    times = [quote.time for quote in incident.evidence.quotes if _is_plain(quote)]
    if any(not is_pseudonym(name) for name, _ in incident.evidence.voices):
        times.append(incident.evidence_until)
    return min(times, default=None)


def words_from(incident: Incident) -> datetime | None:
    """The time of the oldest words or voices that are kept, with names or without; None for none."""
    times = [quote.time for quote in incident.evidence.quotes]
    if incident.evidence.voices:
        times.append(incident.evidence_until)
    return min(times, default=None)


def _is_plain(quote: Quote) -> bool:
    return not quote.veiled


def _veiled(quote: Quote, before: datetime, names: Pseudonyms) -> Quote:
    if quote.veiled or quote.time >= before:
        return quote
    return replace(
        quote,
        id=names.post(quote.source, quote.id),
        author=None if quote.author is None else names.person(quote.author),
        url=None,
        text=masked(quote.text),
        veiled=True,
    )


def _without_words(evidence: Evidence, before: datetime, *, voices: bool) -> Evidence:
    """Without the posts from before a moment, and without the voices where they are that old."""
    first = evidence.first
    return replace(
        evidence,
        posts=tuple(quote for quote in evidence.posts if quote.time >= before),
        signals=tuple(quote for quote in evidence.signals if quote.time >= before),
        first=first if first is not None and first.time >= before else None,
        voices=evidence.voices if voices else (),
    )
