"""Posts on topics of an MQTT broker, in the shape of `posts.py`: one in a message, an array, or JSON lines.

A message is acknowledged when its posts are on the disk. Until then it stays with the broker, which sends it again to
a desk that fell or could not write; what comes twice counts once. A message that holds no post is acknowledged, too,
since it would be sent for ever; it is counted and shown.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NoReturn

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError, SourceError, StorageError
from crisisdesk.mqtt import Broker, Inbox, MuteError, OverrunError, Received, Subscription
from crisisdesk.records import Post, SourceStatus
from crisisdesk.retry import delays
from crisisdesk.sources.base import Edge
from crisisdesk.sources.bodies import MAX_BODY, posts_in
from crisisdesk.text import clean, counted

AT_ONCE: Final = 500
"""Posts that are written down together, about; and together they come from no more bytes than a large message has."""
HEALTHY: Final = timedelta(minutes=1)
"""A connection that lasted so long starts the waiting afresh."""
TOLD_FOR: Final = timedelta(hours=1)
"""How long what went wrong once is spoken of."""


class MqttSource:
    """The posts on some topics.

    Args:
        broker: where, and how to be let in.
        topics: to read; they may hold `+` and `#`, and begin with `$share/<group>/`.
        clock: tells when messages arrive.
        client_id: by which the broker knows us again: ours alone, and the same after every restart.
        name: what status lines call the source, and the source of posts that name none.
        session_seconds: how long the broker keeps what comes while we are away.
        waits: the seconds to wait between attempts, begun afresh after a healthy connection.
    """

    pushes: Final = False
    resumes: Final = False
    cursor: Final = None

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
        self._clock = clock
        self._waits = waits
        self._state = "connecting"
        self._trouble = ""
        self._remarks: dict[str, tuple[datetime, str]] = {}
        self._away_since: datetime | None = None
        self._last_event: datetime | None = None
        self._events = self._posts = self._bad = self._lost = 0

    def resume(self, cursor: str) -> None:
        """What is to be sent again is for the broker to know."""

    def status(self) -> SourceStatus:
        """How it is doing: every message is an event, every post in it that cannot be read is `bad`."""
        now = self._clock.now()
        remarks = [text for since, text in self._remarks.values() if now - since <= TOLD_FOR]
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
            self._note(trouble)
            if isinstance(trouble, FatalSourceError):
                raise trouble
            if self._clock.now() - began >= HEALTHY:
                waits = self._waits()
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
                        silence = 2 * self._broker.keepalive if inbox.was_mute else 0
                        self._away_since = self._clock.now() - timedelta(seconds=silence)
            except OverrunError:
                continue
            except SourceError as error:
                return error

    async def _read(self, inbox: Inbox, edge: Edge) -> NoReturn:
        """Hand over what comes.

        Raises:
            SourceError: the connection is over.
        """
        while True:
            messages = [await inbox.take()]
            posts = self._posts_of(messages[0])
            size = len(messages[0].payload)
            while len(posts) < AT_ONCE and size < MAX_BODY and (message := inbox.more()):
                messages.append(message)
                posts += self._posts_of(message)
                size += len(message.payload)
            await self._keep(posts, edge)
            inbox.confirm(messages)
            self._posts += len(posts)
            if inbox.dropped:
                self._lost, inbox.dropped = self._lost + inbox.dropped, 0
                lost = f"{counted(self._lost, 'message')} without confirmation (QoS 0) came too fast and went lost"
                self._remark("lost", f"{lost}; publish with QoS 1, and the broker keeps what cannot be taken yet.")

    def _posts_of(self, message: Received) -> list[Post]:
        """The posts of a message; what is no post is counted and told."""
        self._last_event = self._clock.now()
        self._events += 1
        topic = clean(message.topic, 100)
        if not self._subscription.holds(message.topic):
            left = f"The broker still sends {topic}, which an earlier setting asked for; it is left out"
            self._remark("topic", f"{left}. Another client_id ends that.", once=True)
            return []
        body = posts_in(message.payload, self.name, self._last_event)
        self._bad += len(body.bad)
        for number, reason in body.bad[:1]:
            which = f"{topic}, post {number}:" if number else f"A message on {topic}"
            self._remark("bad", f"{which} {reason}. It is skipped, and so is all that is like it.", once=True)
        return list(body.posts)

    async def _keep(self, posts: Sequence[Post], edge: Edge) -> None:
        """Have posts written down, however long that takes; meanwhile all that follows waits at the broker."""
        waits = self._waits()
        while posts:
            try:
                await edge.keep(posts)
            except StorageError as error:
                self._trouble = f"{error} Until then the MQTT broker {self._broker} keeps the posts."
                await asyncio.sleep(next(waits))
            else:
                self._trouble = ""
                return

    def _connected(self, inbox: Inbox) -> None:
        self._state, self._trouble = "live", ""
        if self._away_since is not None and not inbox.was_remembered:
            since = f"{self._away_since.day} {self._away_since:%b %H:%M} UTC"
            missing = f"The MQTT broker {self._broker} has forgotten our session: posts since {since} may be missing."
            self._remark("forgotten", f"{missing} Switch its persistence on, or set a longer session_seconds.")
        self._away_since = None

    def _note(self, trouble: SourceError) -> None:
        self._trouble = str(trouble)
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
