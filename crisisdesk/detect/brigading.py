"""What people are told of a flood: a statement of its own kind, which calls nobody out of bed."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from heapq import nlargest
from typing import Any, Final

from crisisdesk.detect.chorus import SPAN, Chorus
from crisisdesk.detect.evidence import VOICES, quote
from crisisdesk.detect.flood import Flood, Reading
from crisisdesk.detect.memory import Memory, Remembered
from crisisdesk.detect.people import HOUR, Heard, digest
from crisisdesk.detect.planned import Planned
from crisisdesk.detect.why import Why
from crisisdesk.records import EPOCH, Correction, Evidence, Kind, Numbers, Severity, Spike
from crisisdesk.text import counted

TEXTS: Final = 5
"""Texts of a flood that its evidence shows."""
GROWN: Final = 1.1
"""Evidence is collected anew when the flood has grown so many times: a flood must not make the desk slow."""
CALM: Final = Numbers(HOUR, 0, 0, 0.0, 0, 0.0, 0.0, 1.0)
"""The figures of an hour without a flood."""


class Brigading:
    """The floods of one watch, as statements. What is said of a flood is how it was at its height."""

    def __init__(
        self,
        watch: str,
        memory: Memory,
        background: Callable[[int], tuple[int, float]],
        event: Callable[[int], Planned | None] = lambda _: None,
    ) -> None:
        """Make one.

        Args:
            watch: its name.
            memory: its recent posts, for evidence.
            background: tells how many of its posts of the last so many minutes (60 or 180) are not negative, and the
                usual share of those that are.
            event: tells what was planned for some of the last so many minutes.
        """
        self._watch = watch
        self._memory = memory
        self._background = background
        self._event = event
        self._flood, self._chorus = Flood(), Chorus()
        self._told: Spike | None = None
        self._height = self._flood.read(0)
        self._shown = 0
        self._now = 0.0

    def add(self, moment: float, said: Heard) -> None:
        """Take in a negative post that came at this moment, in minutes since 1970."""
        self._now, ordinary = moment, self._event(SPAN) is None
        self._flood.add(moment, said, ordinary=ordinary)
        self._chorus.add(moment, said, ordinary=ordinary)

    def advance(self, moment: float) -> None:
        """Let time pass."""
        self._now, ordinary = moment, self._event(SPAN) is None
        self._flood.advance(moment, ordinary=ordinary)
        self._chorus.advance(moment, ordinary=ordinary)

    def correct(self, correction: Correction) -> None:
        """A post that may be shown reads otherwise now, or is gone."""
        if self._told is not None:
            self._told = replace(self._told, evidence=self._told.evidence.corrected(correction))

    def let_go(self, before: datetime) -> None:
        """Forget the posts of a flood of which nothing was said since a moment."""
        if self._told is not None and self._told.time < before:
            self._told = replace(self._told, evidence=Evidence())

    @property
    def has_news(self) -> bool:
        """Whether there is a flood, or one has just ended."""
        return self._told is not None or self._severity is not None

    def statement(self, now: datetime, *, look: bool = False) -> Spike:
        """How things stand; at a `look` with evidence as new as can be."""
        severity = self._severity
        if severity is None:
            self._told, self._shown = None, 0
            return Spike(self._watch, Kind.BRIGADING, now, None, CALM, "")
        larger = self._larger()
        if self._told is None or larger.size > self._height.posts:
            self._height = larger.read((now - EPOCH).total_seconds() / 60)
            self._told = self._tell(now, self._told.evidence if self._told else Evidence())
        if self._height.posts > self._shown * (1.0 if look else GROWN):
            shown = evidence(self._height, self._memory.negatives(self._height.now - self._height.span))
            self._told, self._shown = replace(self._told, evidence=shown), self._height.posts
        return replace(self._told, time=now, severity=severity)

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {**self._flood.state(), "chorus": self._chorus.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave; older versions knew of no chorus.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        self._flood.restore(state)
        if "chorus" in state:
            self._chorus.restore(state["chorus"])

    @property
    def _severity(self) -> Severity | None:
        """The higher one of the two; what was announced is copied, so that is no more than a notice."""
        found = max(filter(None, (self._flood.severity, self._chorus.severity(self._now))), default=None)
        return min(found, Severity.NOTICE) if found and self._event(SPAN) else found

    def _larger(self) -> Flood | Chorus:
        """What there is more of: posts by accounts that repeat themselves, or copies by many people."""
        chorus = self._chorus.severity(self._now) is not None and self._chorus.size
        flood = self._flood.severity is not None and self._flood.size
        return self._chorus if chorus > flood else self._flood

    def _tell(self, now: datetime, known: Evidence) -> Spike:
        figures = numbers(self._height, *self._background(self._height.span))
        said = why(self._height, self._event(self._height.span))
        return Spike(self._watch, Kind.BRIGADING, now, self._height.severity, figures, said.en, known, said.de)


def why(flood: Reading, event: Planned | None = None) -> Why:
    """A few sentences for a person who has to tell a flood from the public, or from what was planned."""
    said = _said(flood)
    if event is None:
        return said
    return Why(
        f"{said.en} This is during the planned event “{event.reason}”, which may explain it.",
        f"{said.de} Das fällt in das geplante Ereignis „{event.reason}“, das es erklären mag.",
    )


def _said(flood: Reading) -> Why:
    if flood.many:
        return Why(_many_english(flood), _many_german(flood))
    copies = flood.alike == flood.posts and (flood.accounts > 1 or flood.unnamed > 0)  # one's own words are no copies
    mostly = not copies and 2 * flood.alike >= flood.posts
    return Why(_english(flood, copies=copies, mostly=mostly), _german(flood, copies=copies, mostly=mostly))


def _english(flood: Reading, *, copies: bool, mostly: bool) -> str:
    who = _accounts(flood, "account", "accounts", "unknown accounts", " and ")
    span = _span(flood)
    said = f"{flood.posts} copies by {who} in {span}" if copies else f"{who} posted {flood.posts} times in {span}"
    said += f", {flood.alike} times the same" if mostly else ""
    usual = f"it is {flood.usual} in the loudest hour" if flood.usual else "there is no such flood"
    return f"{said[0].upper()}{said[1:]}; on most days {usual}."


def _german(flood: Reading, *, copies: bool, mostly: bool) -> str:
    who = _accounts(flood, "Konto", "Konten", "Konten unbekannter Herkunft", " und ")
    wrote = "hat" if flood.accounts - flood.unnamed == 1 == flood.accounts else "haben"
    span = _span_german(flood)
    said = f"{flood.posts} Kopien von {who} innerhalb {span}"
    if not copies:
        said = f"{who} {wrote} innerhalb {span} {flood.posts}-mal geschrieben"
    said += f", {flood.alike}-mal dasselbe" if mostly else ""
    usual = f"sind es {flood.usual} in der lautesten Stunde" if flood.usual else "gibt es keine solche Flut"
    return f"{said}; an den meisten Tagen {usual}."


def _many_english(flood: Reading) -> str:
    copies = f" ({flood.posts:,} copies)" if flood.posts > flood.accounts else ""
    usual = f"; on most days at most {flood.usual:,} do" if flood.usual > 1 else ""
    return (
        f"{flood.accounts:,} people repeat one text within {_span(flood)}{copies}, counted as one voice{usual}. "
        "Read it: is it a campaign, or a public that agrees?"
    )


def _many_german(flood: Reading) -> str:
    copies = f" ({flood.posts} Kopien)" if flood.posts > flood.accounts else ""
    usual = f"; an den meisten Tagen sind es höchstens {flood.usual}" if flood.usual > 1 else ""
    return (
        f"{flood.accounts} Menschen wiederholen innerhalb {_span_german(flood)} einen Text{copies}, gezählt als eine "
        f"Stimme{usual}. Bitte lesen: Ist es eine Kampagne, oder sind es viele, die zustimmen?"
    )


def _span(flood: Reading) -> str:
    if flood.minutes < HOUR - 1:
        return counted(flood.minutes, "minute")
    return "an hour" if flood.minutes <= HOUR + 1 else f"{-(-flood.minutes // HOUR)} hours"


def _span_german(flood: Reading) -> str:
    """In the genitive, behind "innerhalb"."""
    if flood.minutes < HOUR - 1:
        return "einer Minute" if flood.minutes == 1 else f"von {flood.minutes} Minuten"
    return "einer Stunde" if flood.minutes <= HOUR + 1 else f"von {-(-flood.minutes // HOUR)} Stunden"


def _accounts(flood: Reading, one: str, many: str, unknown: str, link: str) -> str:
    named = flood.accounts - flood.unnamed
    return link.join([f"{named} {one if named == 1 else many}"] * (named > 0) + [unknown] * (flood.unnamed > 0))


def numbers(flood: Reading, calm: int, usual_share: float) -> Numbers:
    """A flood's figures: its posts and accounts, among all negative posts and those that are not (`calm`)."""
    total = flood.posts + flood.others + calm
    return Numbers(
        window_minutes=flood.span,
        negative=flood.posts,
        total=total,
        expected=float(flood.usual),
        authors=flood.accounts,
        negative_share=round(flood.posts / total, 4) if total else 0.0,
        usual_share=round(usual_share, 4),
        probability=round(flood.chance, 4),
    )


def evidence(flood: Reading, negatives: Sequence[Remembered]) -> Evidence:
    """What a flood says, copies folded with their number, and the accounts that say it most."""
    found = [
        item for item in negatives if item.moment <= flood.now and {digest(item.person), item.wording} & flood.loud
    ]
    if not found:
        return Evidence()  # the posts were counted before a restart; what is known of them stands in the incident
    copies = Counter(item.wording for item in found)
    first: dict[int, Remembered] = {}
    for item in found:
        first.setdefault(item.wording, item)
    posts = [item.scored.post for item in found]
    reach = {post.author: post.reach for post in posts if post.author is not None}
    loudest = Counter(post.author for post in posts if post.author is not None)
    shown = nlargest(VOICES, loudest, key=(reach if flood.many else loudest).__getitem__)
    return Evidence(
        posts=tuple(quote(first[wording].scored, number) for wording, number in copies.most_common(TEXTS)),
        first=quote(found[0].scored, copies[found[0].wording]),
        voices=tuple(sorted(((author, reach[author]) for author in shown), key=lambda row: (-row[1], row[0]))),
        people=flood.accounts,
        reach=sum(reach.values()),
        languages=tuple(Counter(item.scored.mention.language or "unknown" for item in found).most_common()),
        sources=tuple(Counter(post.source for post in posts).most_common()),
    )
