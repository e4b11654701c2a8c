"""What a person reads to judge for herself: posts, phrases, voices."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from crisisdesk.records.post import Correction, account, mark_of, marks

SIGNALS: Final = 3
"""First signals that evidence names at most."""


class Chosen(StrEnum):
    """Why a post is shown as evidence."""

    TYPICAL = "typical"
    """It says most of what sets the spike apart."""
    WIDEST = "widest"
    """Its author has the most followers."""
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Quote:
    """A post as evidence. `copies` counts the posts that say the same or nearly so, itself included.

    The three probabilities and the model's name and digest are kept with it; in evidence from before they were,
    `neutral` and `positive` are None and `model` is empty.
    """

    id: str
    source: str
    time: datetime
    author: str | None
    text: str
    reach: int
    url: str | None
    negative: float
    copies: int = 1
    neutral: float | None = None
    positive: float | None = None
    model: str = ""
    role: Chosen | None = None
    """What it was chosen for, among the decisive posts."""

    veiled: bool = False
    """Author and id are pseudonyms, and the text names nobody: it has been kept for as long as a post may be."""

    @property
    def key(self) -> str:
        """That of the post."""
        return f"{self.source}:{self.id}"

    @property
    def marks(self) -> tuple[str, ...]:
        """By what a correction may mean it."""
        return marks(self.source, self.author, self.id)

    def is_meant(self, correction: Correction) -> bool:
        """Whether a correction is of this post, or of its author."""
        return correction.source in ("", self.source) and correction.mark in self.marks

    def corrected(self, correction: Correction) -> "Quote":
        """The same, if it is the post that was corrected, as its author wants it now."""
        if not self.is_meant(correction):
            return self
        if correction.text is None:
            return replace(self, id="", text=correction.leaves, author=None, url=None, veiled=True)
        return replace(self, text=correction.text)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that set the spike apart: `posts` people say it in negative posts, usually a share of `usual` of all posts.

    One to three words as most people write them, a hashtag, or an emoji.
    """

    text: str
    posts: int
    usual: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a person reads to judge for herself."""

    phrases: tuple[Phrase, ...] = ()
    posts: tuple[Quote, ...] = ()
    """Decisive posts: the most typical, the widest reach, the newest; near-copies folded."""
    first: Quote | None = None
    """The first of the signals; where nothing sets it apart, so that there are none, its earliest negative post."""
    voices: tuple[tuple[str, int], ...] = ()
    """Authors with the widest reach, and that reach."""
    languages: tuple[tuple[str, int], ...] = ()
    sources: tuple[tuple[str, int], ...] = ()
    unjudged: int = 0
    """Posts in the window on which the model failed; they count as neutral."""
    other_languages: tuple[tuple[str, int], ...] = ()
    """Posts of the window in languages that do not count for the watch, of any mood; part of no other figure."""
    signals: tuple[Quote, ...] = ()
    """Who said it first: the earliest posts, up to `SIGNALS`, that say what sets the spike apart."""
    people: int = 0
    """Distinct people behind the negative posts, those who only repeat what others said among them."""
    reach: int = 0
    """Followers of all these people together."""

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """All posts that it shows; some more than once."""
        return (*self.posts, *self.signals, *((self.first,) if self.first else ()))

    @property
    def marks(self) -> frozenset[str]:
        """By what a correction may mean anything of it."""
        of_quotes = (mark for quote in self.quotes for mark in quote.marks)
        return frozenset((*of_quotes, *(mark_of(name) for name, _ in self.voices)))

    def each_quote(self, become: Callable[[Quote], Quote]) -> "Evidence":
        """The same, each post that it shows as what becomes of it."""
        return replace(
            self,
            posts=tuple(map(become, self.posts)),
            signals=tuple(map(become, self.signals)),
            first=become(self.first) if self.first else None,
        )

    def corrected(self, correction: Correction) -> "Evidence":
        """The same with a post as its author wants it now; who took it back is no voice any more."""
        if correction.mark not in self.marks:
            return self
        meant = [quote for quote in self.quotes if quote.is_meant(correction)]
        gone: set[str | None] = set()
        if correction.text is None:
            gone = {account(name) for name in (correction.author, *(quote.author for quote in meant)) if name}
        voices = tuple(voice for voice in self.voices if account(voice[0]) not in gone)
        if not meant and voices == self.voices:
            return self
        return replace(self.each_quote(lambda quote: quote.corrected(correction)), voices=voices)

    def continuing(self, known: "Evidence", *, called: bool = True) -> "Evidence":
        """The same, with what was known of the beginning.

        Who said it first is sought with all that is known, until somebody was `called`: a person was told of a first
        signal then, and it stays the first. Only later ones are added, up to `SIGNALS`.
        """
        signals = self.signals or known.signals
        if called and known.signals:
            later = [quote for quote in self.signals if quote.time > known.signals[0].time]
            each = {(quote.source, quote.id): quote for quote in (*later, *known.signals)}.values()
            signals = tuple(sorted(each, key=lambda quote: (quote.time, quote.id))[:SIGNALS])
        return replace(self, signals=signals, first=next(iter(signals), known.first or self.first))
