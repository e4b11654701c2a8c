"""What flows through the desk: Post > Mention > Scored > Spike > Incident > Notification.

All records are frozen and hold plain values, so that every stage may keep them, hand them on and compare them.
Times are aware datetimes in UTC. Texts were cleaned at the edge (`crisisdesk.text.clean`).
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Final

SIGNALS: Final = 3
"""First signals that evidence names at most."""


TAKEN_BACK: Final = "(taken back by its author)"
"""Stands where the text of a post stood that is gone."""


class Label(StrEnum):
    """The mood of a post."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Severity(IntEnum):
    """How much an incident asks of people; ordered, so that `max` and `<` mean what they say."""

    NOTICE = 1
    """Shown in the feed, calls nobody."""
    AMBER = 2
    """Look within the hour."""
    RED = 3
    """Call someone now."""

    def __str__(self) -> str:
        return self.name.lower()


class Kind(StrEnum):
    """What an incident is about."""

    SPIKE = "spike"
    BLIND = "blind"
    BRIGADING = "brigading"


class State(StrEnum):
    """Where an incident stands with people."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Event(StrEnum):
    """What can happen to an incident."""

    OPENED = "opened"
    RAISED = "raised"
    SUBSIDED = "subsided"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    SILENCED = "silenced"
    NOTED = "noted"
    RESOLVED = "resolved"


class Verdict(StrEnum):
    """What a person says, afterwards, that an incident was."""

    REAL = "real"
    FALSE_ALARM = "false alarm"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Correction:
    """What became of a post after it was published: its author took it back or changed it."""

    source: str
    id: str
    text: str | None = None
    """How it reads now, cleaned; None for one that is gone, of which neither words nor author are kept."""

    @property
    def key(self) -> str:
        """That of the post."""
        return f"{self.source}:{self.id}"


@dataclass(frozen=True, slots=True)
class Post:
    """One public post, as its source delivered it.

    `time` is the network's record of it, never later than its arrival. `author` is a name or id that is stable
    within the source, None when unknown: such a post counts as a person of its own. `original` is the id of the
    post that this one repeats, "" for a repost whose original is unknown, None for a post of its own. `lang` is
    the language of its own mark (`crisisdesk.language.marked`), None without one that can be trusted.
    """

    id: str
    source: str
    time: datetime
    text: str
    author: str | None = None
    lang: str | None = None
    url: str | None = None
    reach: int = 0
    original: str | None = None
    reply_to: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What makes the post one and the same when it is delivered twice."""
        return f"{self.source}:{self.id}"

    def is_meant(self, correction: Correction) -> bool:
        """Whether a correction is of this post, or of the one that it repeats."""
        return self.source == correction.source and correction.id in (self.id, self.original)

    def corrected(self, correction: Correction) -> "Post":
        """The post as its author wants it now."""
        if correction.text is None:
            return replace(self, text=TAKEN_BACK, author=None, url=None)
        return replace(self, text=correction.text)


@dataclass(frozen=True, slots=True)
class Mention:
    """A post that concerns one or more watches, by name."""

    post: Post
    watches: tuple[str, ...]
    language: str | None = None
    """What it is written in, two letters, by its mark or by its words; None where neither says it beyond doubt."""
    apart: tuple[str, ...] = ()
    """Those of the watches whose language it is not: it is shown and counted apart there, and calls nobody."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A mention and what the model makes of it; the three probabilities add up to 1."""

    mention: Mention
    negative: float
    neutral: float
    positive: float
    model: str
    """The model's name and digest: what judged, so that an incident can be explained a year later."""
    judged: bool = True
    """False where the model failed on the post: it counts as neutral, which nobody said of it."""

    @property
    def label(self) -> Label:
        """The likeliest mood; of equals the calmer one."""
        best = max(self.neutral, self.positive, self.negative)
        if best == self.neutral:
            return Label.NEUTRAL
        return Label.POSITIVE if best == self.positive else Label.NEGATIVE

    @property
    def post(self) -> Post:
        """The post itself."""
        return self.mention.post

    def corrected(self, correction: Correction) -> "Scored":
        """The same judgement, of the post as its author wants it now."""
        return replace(self, mention=replace(self.mention, post=self.post.corrected(correction)))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Why a spike is one, in figures. Counts are of people's posts: copies folded, an author at most twice an hour.

    Of a source that is blind: `window_minutes` is how long it has been, `expected` how many posts of any mood usually
    come in that time (at least), `probability` how likely such a silence is by chance; all others are 0.
    """

    window_minutes: int
    negative: int
    """Negative posts in the window."""
    total: int
    """All posts in the window."""
    expected: float
    """Negative posts that this watch usually has in such a window at this time."""
    authors: int
    """Distinct people behind the negative posts."""
    negative_share: float
    usual_share: float
    probability: float
    """How likely so many at such a share would be on an ordinary day."""
    surprise: float = 0.0
    """Number and share together, on the scale of the watch's thresholds; 0 where it is no spike or was not kept."""


class Role(StrEnum):
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
    role: Role | None = None
    """What it was chosen for, among the decisive posts."""

    @property
    def key(self) -> str:
        """That of the post."""
        return f"{self.source}:{self.id}"

    def corrected(self, correction: Correction) -> "Quote":
        """The same, if it is the post that was corrected, as its author wants it now."""
        if self.key != correction.key:
            return self
        if correction.text is None:
            return replace(self, text=TAKEN_BACK, author=None, url=None)
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

    def corrected(self, correction: Correction) -> "Evidence":
        """The same with a post as its author wants it now; who took it back is no voice any more."""
        quoted = [quote for quote in self.quotes if quote.key == correction.key]
        if not quoted:
            return self
        gone = {quote.author for quote in quoted} if correction.text is None else set()
        return replace(
            self,
            posts=tuple(quote.corrected(correction) for quote in self.posts),
            signals=tuple(quote.corrected(correction) for quote in self.signals),
            first=self.first.corrected(correction) if self.first else None,
            voices=tuple(voice for voice in self.voices if voice[0] not in gone),
        )

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


@dataclass(frozen=True, slots=True)
class Spike:
    """The detector's statement about one watch at one moment of event time.

    `severity` None means that nothing is unusual any more: what the lifecycle needs to subside and resolve. Of kind
    blind, `watch` is the name of a source, or of a watch whose own accounts are silent.
    """

    watch: str
    kind: Kind
    time: datetime
    severity: Severity | None
    numbers: Numbers
    why: str
    evidence: Evidence = field(default_factory=Evidence)
    why_de: str = ""
    """The same as `why`, in German; empty where it is said in English only."""


@dataclass(frozen=True, slots=True)
class PlaybookRef:
    """The playbook that fits an incident, and the first step that is not done."""

    id: str
    title: str
    next_step: str
    reason: str = ""
    """Why this one, in a few words."""
    specific: bool = True
    """It was written for such a case; the general one is not."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What the desk and its people know of one crisis; every change makes a new record."""

    id: str
    watch: str
    kind: Kind
    state: State
    severity: Severity
    opened: datetime
    updated: datetime
    numbers: Numbers
    why: str
    evidence: Evidence = field(default_factory=Evidence)
    playbook: PlaybookRef | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    silenced_until: datetime | None = None
    resolved_at: datetime | None = None
    verdict: Verdict | None = None
    calm_since: datetime | None = None
    """Since when the evidence is weaker than the severity says."""
    easing: Severity | None = None
    """The strongest evidence since `calm_since`; None while there was none at all."""
    why_de: str = ""
    """The same as `why`, in German; empty where it is said in English only."""
    eased_from: Severity | None = None
    """The severity before it first subsided; None while it is as bad as ever."""
    surprise: float = 0.0
    """The highest of its `numbers.surprise` so far."""

    @property
    def worst(self) -> Severity:
        """The highest severity that it has had."""
        return max(self.severity, self.eased_from or self.severity)

    @property
    def is_open(self) -> bool:
        """Whether people may still have to act."""
        return self.state is not State.RESOLVED


@dataclass(frozen=True, slots=True)
class Change:
    """One line of an incident's timeline; `sequence` counts from 1 within the incident."""

    incident: str
    sequence: int
    event: Event
    time: datetime
    severity: Severity
    person: str | None = None
    """Who did it; None for the desk itself."""
    reason: str = ""

    @property
    def id(self) -> str:
        """Stable over restarts and repeated deliveries; letters, digits and hyphens only."""
        return f"{self.incident}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class Notification:
    """What an output owes the outside: a change, and the incident as it was right after it."""

    change: Change
    incident: Incident


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source is doing; `state` is live, connecting, blind, failed or ended."""

    name: str
    state: str = "connecting"
    last_event: datetime | None = None
    """When something came, by our clock."""
    events: int = 0
    """What has come, posts or not."""
    posts: int = 0
    """Posts that have come, whether they concern a watch or not."""
    latest: datetime | None = None
    """How far it has come, by the network's time of the newest of them; None where only the posts can tell."""
    matched: int = 0
    dropped: int = 0
    bad: int = 0
    trouble: str = ""
    """What went wrong last and what to do about it; empty while all is well."""


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """How an output is doing; `state` is connecting, live, retrying or failed."""

    name: str
    state: str = "connecting"
    delivered: int = 0
    waiting: int = 0
    trouble: str = ""


EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(time: datetime) -> str:
    """A time as every outside promise writes it: UTC, whole seconds, `YYYY-MM-DDTHH:MM:SSZ`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
