"""What people are told of a flood: a statement of its own kind, which calls nobody out of bed."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from crisisdesk.detect.evidence import VOICES, quote
from crisisdesk.detect.flood import Flood, Reading
from crisisdesk.detect.memory import Memory, Remembered
from crisisdesk.detect.people import HOUR, Heard, digest
from crisisdesk.detect.why import Why
from crisisdesk.records import EPOCH, Evidence, Kind, Numbers, Spike
from crisisdesk.text import counted

TEXTS: Final = 5
"""Texts of a flood that its evidence shows."""
GROWN: Final = 1.1
"""Evidence is collected anew when the flood has grown so many times: a flood must not make the desk slow."""
CALM: Final = Numbers(HOUR, 0, 0, 0.0, 0, 0.0, 0.0, 1.0)
"""The figures of an hour without a flood."""


class Brigading:
    """The floods of one watch, as statements. What is said of a flood is how it was at its height."""

    def __init__(self, watch: str, memory: Memory, background: Callable[[], tuple[int, float]]) -> None:
        """Make one.

        Args:
            watch: its name.
            memory: its recent posts, for evidence.
            background: tells how many of its posts of the last hour are not negative, and the usual share of those
                that are.
        """
        self._watch = watch
        self._memory = memory
        self._background = background
        self._flood = Flood()
        self._told: Spike | None = None
        self._height = self._flood.read(0)
        self._shown = 0

    def add(self, moment: float, said: Heard) -> None:
        """Take in a negative post that came at this moment, in minutes since 1970."""
        self._flood.add(moment, said)

    def advance(self, moment: float) -> None:
        """Let time pass."""
        self._flood.advance(moment)

    @property
    def has_news(self) -> bool:
        """Whether there is a flood, or one has just ended."""
        return self._told is not None or self._flood.severity is not None

    def statement(self, now: datetime, *, look: bool = False) -> Spike:
        """How things stand; at a `look` with evidence as new as can be."""
        severity = self._flood.severity
        if severity is None:
            self._told, self._shown = None, 0
            return Spike(self._watch, Kind.BRIGADING, now, None, CALM, "")
        if self._told is None or self._flood.size > self._height.posts:
            self._height = self._flood.read((now - EPOCH).total_seconds() / 60)
            self._told = self._tell(now, self._told.evidence if self._told else Evidence())
        if self._height.posts > self._shown * (1.0 if look else GROWN):
            shown = evidence(self._height, self._memory.negatives(self._height.now - HOUR))
            self._told, self._shown = replace(self._told, evidence=shown), self._height.posts
        return replace(self._told, time=now, severity=severity)

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return self._flood.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        self._flood.restore(state)

    def _tell(self, now: datetime, known: Evidence) -> Spike:
        figures, said = numbers(self._height, *self._background()), why(self._height)
        return Spike(self._watch, Kind.BRIGADING, now, self._height.severity, figures, said.en, known, said.de)


def why(flood: Reading) -> Why:
    """One sentence for a person who has to tell a flood from the public."""
    copies = flood.alike == flood.posts and (flood.accounts > 1 or flood.unnamed > 0)  # one's own words are no copies
    mostly = not copies and 2 * flood.alike >= flood.posts
    return Why(_english(flood, copies=copies, mostly=mostly), _german(flood, copies=copies, mostly=mostly))


def _english(flood: Reading, *, copies: bool, mostly: bool) -> str:
    who = _accounts(flood, "account", "accounts", "unknown accounts", " and ")
    span = "an hour" if flood.minutes >= HOUR - 1 else counted(flood.minutes, "minute")
    said = f"{flood.posts} copies by {who} in {span}" if copies else f"{who} posted {flood.posts} times in {span}"
    said += f", {flood.alike} times the same" if mostly else ""
    usual = f"it is {flood.usual} in the loudest hour" if flood.usual else "there is no such flood"
    return f"{said[0].upper()}{said[1:]}; on most days {usual}."


def _german(flood: Reading, *, copies: bool, mostly: bool) -> str:
    who = _accounts(flood, "Konto", "Konten", "Konten unbekannter Herkunft", " und ")
    wrote = "hat" if flood.accounts - flood.unnamed == 1 == flood.accounts else "haben"
    span = "einer Stunde" if flood.minutes >= HOUR - 1 else f"von {flood.minutes} Minuten"
    span = "einer Minute" if flood.minutes == 1 else span
    said = f"{flood.posts} Kopien von {who} innerhalb {span}"
    if not copies:
        said = f"{who} {wrote} innerhalb {span} {flood.posts}-mal geschrieben"
    said += f", {flood.alike}-mal dasselbe" if mostly else ""
    usual = f"sind es {flood.usual} in der lautesten Stunde" if flood.usual else "gibt es keine solche Flut"
    return f"{said}; an den meisten Tagen {usual}."


def _accounts(flood: Reading, one: str, many: str, unknown: str, link: str) -> str:
    named = flood.accounts - flood.unnamed
    return link.join([f"{named} {one if named == 1 else many}"] * (named > 0) + [unknown] * (flood.unnamed > 0))


def numbers(flood: Reading, calm: int, usual_share: float) -> Numbers:
    """A flood's figures: its posts and accounts, among all negative posts and those that are not (`calm`)."""
    total = flood.posts + flood.others + calm
    return Numbers(
        window_minutes=HOUR,
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
    loudest = Counter(post.author for post in posts if post.author is not None).most_common(VOICES)
    return Evidence(
        posts=tuple(quote(first[wording].scored, number) for wording, number in copies.most_common(TEXTS)),
        first=quote(found[0].scored, copies[found[0].wording]),
        voices=tuple(sorted(((author, reach[author]) for author, _ in loudest), key=lambda row: (-row[1], row[0]))),
        people=flood.accounts,
        reach=sum(reach.values()),
        languages=tuple(Counter(item.scored.mention.language or "unknown" for item in found).most_common()),
        sources=tuple(Counter(post.source for post in posts).most_common()),
    )
