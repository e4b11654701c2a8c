"""Posts on topics of an MQTT broker, in the shape of `posts.py`: one in a message, an array, or JSON lines.

A message is acknowledged when its posts are on the disk. Until then it stays with the broker, which sends it again to
a desk that fell or could not write; what comes twice counts once. A message that holds no post is acknowledged, too,
since it would be sent for ever; it is counted and shown. So the broker knows where to go on; the cursor only says until
when it knew us, to tell since when posts may be missing where it has forgotten us, and which topics it was asked for.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn

import orjson

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError, SourceError, StorageError
from crisisdesk.mqtt import Broker, Inbox, MuteError, OustedError, OverrunError, Received, Subscription
from crisisdesk.records import TOLD_FOR, Correction, Post, SourceStatus, stamp
from crisisdesk.retry import delays
from crisisdesk.sources.base import Edge
from crisisdesk.sources.bodies import MAX_BODY, posts_in
from crisisdesk.text import clean, counted, how_long

AT_ONCE: Final = 500
"""Posts that are written down together, about; and together they come from no more bytes than a large message has."""
HEALTHY: Final = timedelta(minutes=1)
"""A connection that lasted so long starts the waiting afresh."""
OFTEN: Final = 3
"""Connections in a row that broke before they were healthy, from which on that is spoken of also while one holds."""


class MqttSource:
    """The posts on some topics.

    Args:
        broker: where, and how to be let in.
        topics: to read; they may hold `+` and `#`, and begin with `$share/<group>/`.
        clock: tells when messages arrive.
        client_id: by which the broker knows us again: ours alone, and the same after every restart.
        name: what status lines call the source, and the source of posts that name none.
        session_seconds: how long the broker keeps what comes while we are away; 0 for a visitor, who need not be able
            to keep it either.
        waits: the seconds to wait between attempts, begun afresh after a healthy connection.
    """

    pushes: Final = False
    resumes: Final = False

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        clock: Clock,
        *,
        client_id: str,
        name: str = "mqtt",
        session_seconds: int = 86_400,
        waits: Callable[[], Iterator[float]] = delays,
    ) -> None:
        self.name = name
        self._broker = broker
        self._subscription = Subscription(
            broker, client_id=client_id, topics=topics, seconds=session_seconds, largest=MAX_BODY
        )
        self._us = f"{client_id} at {broker}"
        self._seconds = session_seconds
        self._clock = clock
        self._waits = waits
        self._state = "connecting"
        self._trouble = self._shortcoming = ""
        self._remarks: dict[str, tuple[datetime, str]] = {}
        self._breaks = 0
        self._away_since: datetime | None = None
        self._last_event: datetime | None = None
        self._events = self._posts = self._bad = self._lost = self._lost_told = 0

    @property
    def cursor(self) -> str | None:
        """Until when the broker knew us, as whom, and for which topics; None where it never did."""
        known_until = self._away_since or (self._clock.now() if self._state == "live" else None)
        if known_until is None:
            return None
        return orjson.dumps([stamp(known_until), self._us, self._subscription.remembered]).decode()

    def resume(self, cursor: str) -> None:
        """Be away since then, unless that was another broker or another name."""
        known_until, us, topics = orjson.loads(cursor)
        if us == self._us:
            self._away_since = datetime.fromisoformat(known_until)
            self._subscription.remembered = [str(topic) for topic in topics]

    def status(self) -> SourceStatus:
        """How it is doing: every message is an event, every post in it that cannot be read is `bad`."""
        now = self._clock.now()
        remarks = [text for since, text in self._remarks.values() if now - since <= TOLD_FOR]
        remarks += [self._shortcoming] * bool(self._shortcoming)
        return SourceStatus(
            name=self.name,
            state=self._state,
            last_event=self._last_event,
            events=self._events,
            posts=self._posts,
            bad=self._bad,
            trouble=self._trouble or " ".join(remarks),
        )

    async def run(self, edge: Edge) -> None:
        """Hand over posts until cancelled; every break is mended.

        Raises:
            FatalSourceError: the broker refuses us as we are set up; the status says `failed`.
        """
        waits = self._waits()
        while True:
            began = self._clock.now()
            trouble = await self._until_broken(edge)
            if self._clock.now() - began >= HEALTHY:
                waits, self._breaks = self._waits(), 0
            self._note(trouble)
            if isinstance(trouble, FatalSourceError):
                raise trouble
            await asyncio.sleep(next(waits))

    async def _until_broken(self, edge: Edge) -> SourceError:
        """Connect and hand over posts; returns what ended it."""
        while True:
            try:
                async with self._subscription.open() as inbox:
                    self._connected(inbox)
                    try:
                        await self._read(inbox, edge)
                    finally:
                        self._breaks += 1
                        silence = 2 * self._broker.keepalive if inbox.was_mute else 0
                        self._away_since = self._clock.now() - timedelta(seconds=silence)
            except OverrunError:
                self._breaks = 0
            except SourceError as error:
                return error

    async def _read(self, inbox: Inbox, edge: Edge) -> NoReturn:
        """Hand over what comes.

        Raises:
            SourceError: the connection is over.
        """
        while True:
            messages, gone = [await inbox.take()], list[Correction]()
            posts = self._posts_of(messages[0], gone)
            size = len(messages[0].payload)
            while len(posts) < AT_ONCE and size < MAX_BODY and (message := inbox.more()):
                messages.append(message)
                posts += self._posts_of(message, gone)
                size += len(message.payload)
            await self._keep(posts, edge)
            for correction in gone:
                await edge.correct(correction)
            inbox.confirm(messages)
            self._posts += len(posts)
            self._lost, inbox.dropped = self._lost + inbox.dropped, 0
            if self._lost > self._lost_told * 2:  # each number is a line in the log
                self._lost_told = self._lost
                lost = (
                    f"{counted(self._lost, 'message')} or more without confirmation (QoS 0) came too fast and went lost"
                )
                self._remark("lost", f"{lost}; publish with QoS 1, and the broker keeps what cannot be taken yet.")

    def _posts_of(self, message: Received, gone: list[Correction]) -> list[Post]:
        """The posts of a message; those that it takes back are added to `gone`. What is no post is counted and told."""
        self._last_event = self._clock.now()
        self._events += 1
        topic = clean(message.topic, 100)
        if not self._subscription.holds(message.topic):
            left = f"The broker still sends {topic}, which an earlier setting asked for; it is left out"
            self._remark("topic", f"{left}. Should that go on, another client_id ends it.", once=True)
            return []
        if not message.qos and not self._shortcoming and "unkept" not in self._remarks:
            come = f"Messages on {topic} come with QoS 0: the broker does not keep them while the desk is away or busy"
            self._remark("unkept", f"{come}. Publish with QoS 1.")
        body = posts_in(message.payload, self.name, self._last_event)
        self._bad += len(body.bad)
        for number, reason in body.bad[:1]:
            which = f"{topic}, post {number}:" if number else f"A message on {topic}"
            self._remark("bad", f"{which} {reason}. It is skipped, and so is all that is like it.", once=True)
        gone += body.corrections
        return list(body.posts)

    async def _keep(self, posts: Sequence[Post], edge: Edge) -> None:
        """Have posts written down, however long that takes; meanwhile all that follows waits at the broker."""
        waits = self._waits()
        while posts:
            try:
                await edge.keep(posts)
            except StorageError as error:
                if not self._seconds:
                    return
                self._trouble = f"{error} Until then the MQTT broker {self._broker} keeps the posts."
                await asyncio.sleep(next(waits))
            else:
                self._trouble = ""
                return

    def _connected(self, inbox: Inbox) -> None:
        self._state, self._trouble = "live", ""
        self._shortcoming = self._shortcoming_of(inbox)
        if self._away_since is not None and not inbox.was_remembered:
            since = f"{self._away_since.day} {self._away_since:%b %H:%M} UTC"
            missing = f"The MQTT broker {self._broker} has forgotten our session: posts since {since} may be missing."
            self._remark("forgotten", f"{missing} Switch its persistence on, or set a longer session_seconds.")
        self._away_since = None

    def _shortcoming_of(self, inbox: Inbox) -> str:
        """What the broker does not grant of what was asked, and what follows from that."""
        if inbox.unkept:
            return (
                f"The MQTT broker {self._broker} keeps nothing for us (it grants QoS 0 only): what comes while the "
                "desk is away or busy is lost. Allow QoS 1 there."
            )
        if inbox.granted_seconds < self._seconds:
            granted = how_long(timedelta(seconds=inbox.granted_seconds))
            return (
                f"The MQTT broker {self._broker} keeps posts for {granted} only while the desk is away, not as long as "
                "session_seconds says. Allow it there, or set a shorter session_seconds."
            )
        return ""

    def _note(self, trouble: SourceError) -> None:
        self._trouble = str(trouble)
        if isinstance(trouble, OustedError):
            self._remark("breaks", f"{trouble} Meanwhile either hears only a part.")
        elif self._breaks >= OFTEN:
            name = f"If another desk or source is there as {self._us}, give each a name of its own"
            self._remark("breaks", f"{trouble} This happens again and again. {name}.")
        if isinstance(trouble, FatalSourceError):
            self._state = "failed"
        elif isinstance(trouble, MuteError) or self._state == "blind":
            self._state = "blind"
        else:
            self._state = "connecting"

    def _remark(self, kind: str, text: str, *, once: bool = False) -> None:
        """Say something for a while; `once`: of what happens again and again the first is told."""
        now = self._clock.now()
        if not once or kind not in self._remarks or now - self._remarks[kind][0] > TOLD_FOR:
            self._remarks[kind] = (now, text)
