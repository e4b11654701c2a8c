"""The one interface through which people see the desk and act on it.

The console holds a `Desk` and cannot tell whether it is in the same process; what it gets are frozen pictures.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Protocol, TypeVar
from zoneinfo import ZoneInfo

from crisisdesk.clock import Clock
from crisisdesk.detect.baseline import SETTLED
from crisisdesk.detect.planned import Planned
from crisisdesk.detect.weeks import Week
from crisisdesk.errors import UsageError
from crisisdesk.incidents.register import Register
from crisisdesk.inquiries.queue import Queue
from crisisdesk.oncall.prospect import Prospect
from crisisdesk.playbooks.format import Playbook
from crisisdesk.playbooks.library import Library
from crisisdesk.privacy.erasure import Erased, Wanted
from crisisdesk.records import (
    Answering,
    Change,
    Correction,
    Incident,
    Inquiry,
    OutputStatus,
    Post,
    Scored,
    Severity,
    SourceStatus,
    Verdict,
)

Record = TypeVar("Record", Incident, Inquiry)

MENTIONS_KEPT: Final = 500
"""Mentions that a picture shows at most; the feed is a window, the record is in the incidents."""
LEARNS_DAYS: Final = SETTLED // 24
"""Days of ordinary hours that a watch learns from before it knows what is usual."""
FLOOD: Final = 20
"""Posts of an hour in other languages from which on they are a flood, if they are not fewer than those that count."""


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One bar of a watch's chart: `negative` posts of one hour from `time` on, against what is usual then.

    `expected` is the usual number of negative posts, `high` the upper end of the usual band (about 1 hour in 50
    is above it); both None while the watch knows too little.
    """

    time: datetime
    negative: int
    total: int
    expected: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class WatchPicture:
    """One watch as the console shows it: the last hour in figures, the last days as a chart, oldest point first."""

    name: str
    severity: Severity | None
    """Of its open incident; None while all is calm."""
    learning: bool
    """It knows too little of the usual yet, so its thresholds are stricter."""
    negative_hour: int
    total_hour: int
    expected_hour: float
    negative_share: float | None
    """Of the last 24 hours; None without posts."""
    usual_share: float
    chart: tuple[ChartPoint, ...] = ()
    other_hour: tuple[tuple[str, int], ...] = ()
    """Posts of the last hour in languages that do not count, most first; no other figure knows of them."""
    weeks: tuple[Week, ...] = ()
    """Without the hours that were flagged, oldest first; the last is the present one, so far."""
    rise: str = ""
    """A negative share that has risen over weeks, which is no spike, in a sentence; empty where there is none."""
    rise_de: str = ""
    """The same in German."""
    spent: str = ""
    """What was spent of the budget of false alarms, in a sentence."""
    advice: str = ""
    """What to do because too much was spent; empty while it keeps to its budget."""
    days_known: int = 0
    """Days that it has learnt from, of the `LEARNS_DAYS` after which it knows what is usual."""
    unheard_since: datetime | None = None
    """Since when a live desk has listened without one post of it; None from the first post on."""
    zone: ZoneInfo | None = None
    """Where its people live; None where nobody has said it."""
    dropped: int = 0
    """Posts of it that were dropped within the last hour, because more came than could be judged."""
    planned: Planned | None = None
    """What was announced and goes on: the number of posts calls nobody until it ends."""

    @property
    def flooded(self) -> bool:
        """Whether so much is said in other languages that people must be told, since nobody is called for it."""
        return sum(posts for _, posts in self.other_hour) >= max(FLOOD, self.total_hour)


@dataclass(frozen=True, slots=True)
class Lost:
    """The desk is elsewhere and cannot be reached, so what is shown is of an earlier moment."""

    where: str
    """The desk's address, as people write it."""
    why: str
    """What is wrong and what to do, in sentences; empty while it is not known yet."""
    since: datetime | None = None
    """When the desk was last heard, by its own clock; None where it never was."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the console shows, at one moment."""

    now: datetime
    number: int = 0
    """Pictures of one desk with the same number show the same, but for what time alone moves."""
    incidents: tuple[Incident, ...] = ()
    """Open ones first, those that are silent behind the others, by the worst they have been, then as they are now, then
    the newest; after them the resolved ones, newest first."""
    watches: tuple[WatchPicture, ...] = ()
    mentions: tuple[Scored, ...] = ()
    """Newest first, at most `MENTIONS_KEPT`."""
    sources: tuple[SourceStatus, ...] = ()
    outputs: tuple[OutputStatus, ...] = ()
    waiting: int = 0
    """Mentions that wait for the model."""
    model: str = ""
    """Name and digest of the model; empty while it is being loaded."""
    notice: str = ""
    """A line that stays on the screen: what this stream is, if it is not the live public."""
    troubles: tuple[str, ...] = ()
    """What is wrong with the desk itself, each with what to do."""
    prospects: tuple[Prospect, ...] = ()
    """What the desk will do about open incidents by itself."""
    on_call: tuple[str, ...] = ()
    """Who is on call now, a rota each."""
    people: tuple[str, ...] = ()
    """Whom an incident can be handed over to, as far as the desk knows them; those first who are on call."""
    inquiries: tuple[Inquiry, ...] = ()
    """Posts that need an answer, the weightiest first and of equals the oldest; after them those that ended last."""
    answering: tuple[Answering, ...] = ()
    """How the posts of each watch are answered that has such a queue."""
    lost: Lost | None = None
    """None while this is how the desk is now."""
    barred: str = ""
    """Why whoever looks at it can do nothing about it, and who can; empty where they may."""

    def prospect(self, incident: str) -> Prospect:
        """What the desk will do about an incident by itself; nothing where nothing is known."""
        return next((one for one in self.prospects if one.incident == incident), Prospect(incident))

    @property
    def is_deaf(self) -> bool:
        """Whether nothing is heard: no source is there, and it is known why of one at least."""
        lost = [one for one in self.sources if one.state not in {"live", "ended"}]
        return bool(lost) and len(lost) == len(self.sources) and any(one.trouble for one in lost)


class Desk(Protocol):
    """What people can see and do; every action returns the incident, or the post to answer, as it is after it.

    Actions raise `UsageError` with a sentence for a person when they make no sense (no such incident, already over).
    """

    async def picture(self) -> Picture:
        """The desk at this moment."""

    async def changed(self, since: Picture) -> None:
        """Return as soon as a picture would differ from that one; many may wait."""

    async def timeline(self, incident: str) -> tuple[Change, ...]:
        """Everything that happened to an incident, oldest first."""

    async def playbook(self, incident: str) -> Playbook | None:
        """The playbook proposed for an incident, as it stands in its file now."""

    async def acknowledge(self, incident: str, person: str, *, instead_of: str = "") -> Incident:
        """Say that this person has it: the calling stops, the watching does not; `instead_of` names who had it."""

    async def assign(self, incident: str, person: str, to: str, note: str = "") -> Incident:
        """Ask somebody to take it, with a word on how things stand; who has it has it until they do."""

    async def silence(self, incident: str, person: str, until: datetime, reason: str) -> Incident:
        """Call nobody for it until then, or until it gets worse; it outlives the end of the incident."""

    async def lift(self, incident: str, person: str) -> Incident:
        """End a silence before its time."""

    async def note(self, incident: str, person: str, text: str) -> Incident:
        """Write something down in the incident's timeline."""

    async def resolve(self, incident: str, person: str, verdict: Verdict) -> Incident:
        """End an incident and say what it was."""

    async def judge(self, incident: str, person: str, verdict: Verdict) -> Incident:
        """Say of an incident that is over what it was: it ended by itself, or more is known by now."""

    async def take(self, inquiry: str, person: str) -> Inquiry:
        """Say that this person answers a post, so that nobody else does."""

    async def give_back(self, inquiry: str, person: str) -> Inquiry:
        """Let a post wait again: who has it cannot answer it, or it was not answered after all."""

    async def answer(self, inquiry: str, person: str) -> Inquiry:
        """Say that this person has answered a post, where it was written."""

    async def pass_over(self, inquiry: str, person: str, reason: str = "") -> Inquiry:
        """Decide that a post gets no answer."""

    async def forget(self, person: str, *, author: str = "", source: str = "", post: str = "") -> Erased:
        """Erase all of an author, in one source or all, or one post by its key or address; says what was found where.

        Raises `StorageError` where the database does not take it; then it has to be asked for again.
        """


async def nothing_to_forget(wanted: Wanted, person: str) -> Erased:
    """What a desk forgets that keeps nothing."""
    raise UsageError(f"This desk keeps nothing, so that {person or 'nobody'} can have the {wanted.kind} erased.")


@dataclass(slots=True)
class Instruments:
    """Where the desk reads what it shows; `app.py` connects them."""

    watches: Callable[[], Iterable[WatchPicture]] = lambda: ()
    sources: Callable[[], Iterable[SourceStatus]] = lambda: ()
    outputs: Callable[[], Iterable[OutputStatus]] = lambda: ()
    waiting: Callable[[], int] = lambda: 0
    model: Callable[[], str] = lambda: ""
    troubles: Callable[[], Iterable[str]] = lambda: ()
    prospects: Callable[[], Iterable[Prospect]] = lambda: ()
    on_call: Callable[[], Iterable[str]] = lambda: ()
    people: Callable[[], Iterable[str]] = lambda: ()
    forget: Callable[[Wanted, str], Awaitable[Erased]] = nothing_to_forget


class LocalDesk:
    """The desk in this process."""

    def __init__(
        self,
        register: Register,
        library: Library,
        clock: Clock,
        instruments: Instruments,
        *,
        notice: str = "",
        queue: Queue | None = None,
    ) -> None:
        self._queue = queue
        self._register = register
        self._library = library
        self._clock = clock
        self._instruments = instruments
        self._notice = notice
        self._mentions: deque[Scored] = deque(maxlen=MENTIONS_KEPT)
        self._touched = asyncio.Event()
        self._number = 0

    def show(self, scored: Scored) -> None:
        """Put a mention into the feed, and into the queue if it needs an answer."""
        if self._queue is not None:
            self._queue.hear(scored, self._clock.now())
        self._mentions.appendleft(scored.by_itself())
        self.touch()

    def correct(self, correction: Correction) -> int:
        """A mention in the feed reads otherwise now; one that is gone leaves it. Returns how many that were."""
        meant = [(one, one.post.is_meant(correction)) for one in self._mentions]
        if correction.text is None:
            shown = [one for one, is_meant in meant if not is_meant]
        else:
            shown = [one.corrected(correction) if is_meant else one for one, is_meant in meant]
        self._mentions = deque(shown, maxlen=MENTIONS_KEPT)
        self.touch()
        return sum(is_meant for _, is_meant in meant)

    def let_go(self, before: Callable[[str], datetime]) -> None:
        """Mentions that are older than each of their watches may keep them leave the feed."""
        old = [one for one in self._mentions if one.post.time < min(map(before, one.mention.watches))]
        if old:
            gone = set(map(id, old))
            self._mentions = deque((one for one in self._mentions if id(one) not in gone), maxlen=MENTIONS_KEPT)
            self.touch()

    def posts(self) -> Iterator[Post]:
        """The posts in the feed."""
        return (one.post for one in self._mentions)

    def touch(self) -> None:
        """Something that a picture shows has changed."""
        self._number += 1
        self._touched.set()
        self._touched = asyncio.Event()

    async def picture(self) -> Picture:
        read, now = self._instruments, self._clock.now()
        return Picture(
            now=now,
            number=self._number,
            incidents=tuple(sorted(self._register.incidents(), key=partial(_urgency, now))),
            watches=tuple(read.watches()),
            mentions=tuple(self._mentions),
            sources=tuple(read.sources()),
            outputs=tuple(read.outputs()),
            waiting=read.waiting(),
            model=read.model(),
            notice=self._notice,
            troubles=(*read.troubles(), *self._library.troubles()),
            prospects=tuple(read.prospects()),
            on_call=tuple(read.on_call()),
            people=tuple(read.people()),
            inquiries=self._queue.inquiries() if self._queue else (),
            answering=self._queue.answering(now) if self._queue else (),
        )

    async def changed(self, since: Picture) -> None:
        if since.number == self._number:
            await self._touched.wait()

    async def timeline(self, incident: str) -> tuple[Change, ...]:
        return await self._register.timeline(incident)

    async def playbook(self, incident: str) -> Playbook | None:
        reference = self._register.find(incident).playbook
        return self._library.get(reference.id) if reference else None

    async def acknowledge(self, incident: str, person: str, *, instead_of: str = "") -> Incident:
        return self._after(await self._register.acknowledge(incident, person, self._clock.now(), instead_of))

    async def assign(self, incident: str, person: str, to: str, note: str = "") -> Incident:
        return self._after(await self._register.assign(incident, person, to, self._clock.now(), note))

    async def silence(self, incident: str, person: str, until: datetime, reason: str) -> Incident:
        now = self._clock.now()
        return self._after(await self._register.silence(incident, person, now, until=until, reason=reason))

    async def lift(self, incident: str, person: str) -> Incident:
        return self._after(await self._register.lift(incident, person, self._clock.now()))

    async def note(self, incident: str, person: str, text: str) -> Incident:
        return self._after(await self._register.note(incident, person, text, self._clock.now()))

    async def resolve(self, incident: str, person: str, verdict: Verdict) -> Incident:
        return self._after(await self._register.resolve(incident, person, verdict, self._clock.now()))

    async def judge(self, incident: str, person: str, verdict: Verdict) -> Incident:
        return self._after(await self._register.judge(incident, person, verdict, self._clock.now()))

    async def take(self, inquiry: str, person: str) -> Inquiry:
        return self._after(await self._answers.take(inquiry, person, self._clock.now()))

    async def give_back(self, inquiry: str, person: str) -> Inquiry:
        return self._after(await self._answers.give_back(inquiry, person, self._clock.now()))

    async def answer(self, inquiry: str, person: str) -> Inquiry:
        return self._after(await self._answers.answer(inquiry, person, self._clock.now()))

    async def pass_over(self, inquiry: str, person: str, reason: str = "") -> Inquiry:
        return self._after(await self._answers.pass_over(inquiry, person, self._clock.now(), reason))

    async def forget(self, person: str, *, author: str = "", source: str = "", post: str = "") -> Erased:
        erased = await self._instruments.forget(Wanted(author, source, post), person)
        self.touch()
        return erased

    @property
    def _answers(self) -> Queue:
        if self._queue is None:
            raise UsageError("This desk has no answer queue.")
        return self._queue

    def _after(self, record: Record) -> Record:
        self.touch()
        return record


def _urgency(now: datetime, incident: Incident) -> tuple[bool, bool, int, int, float]:
    """Sort key: open before resolved, then what is not silent, then the worst, then the newest."""
    worst, present = (incident.worst, incident.severity) if incident.is_open else (0, 0)
    silent = incident.is_open and incident.is_silent(now)
    return (not incident.is_open, silent, -worst, -present, -incident.opened.timestamp())
