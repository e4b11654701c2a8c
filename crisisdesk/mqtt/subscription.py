"""A connection that receives, and acknowledges a message only when we say that it is safe.

The broker keeps a session for us (QoS 1): what is published while we are away, and what we had not acknowledged when
we fell, is sent when we come back. The library acknowledges at once and keeps without end what waits; here neither.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from crisisdesk.errors import FatalSourceError, SourceError
from crisisdesk.mqtt.client import Broker, Session
from crisisdesk.mqtt.entrance import Entrance, TopicRefusedError
from crisisdesk.mqtt.publisher import Publisher

UNCONFIRMED: Final = 100
"""Messages that the broker may send before one is confirmed: so many are written to the disk at once."""
WAITING: Final = 10_000
"""Messages that wait here, where a broker sends more than it may, as mosquitto 2.0.11 does, or speaks 3.1.1."""
WAITING_BYTES: Final = 1 << 25
"""Their bytes."""

LARGEST: Final = 1 << 24
"""Bytes of a message with its topic. Of a larger one the broker does not even tell us (MQTT 5), and it would have to be
read as a whole before it can be refused."""


class MuteError(SourceError):
    """The broker did not hang up, and said nothing any more."""


class OustedError(SourceError):
    """Another client took our place."""


class OverrunError(SourceError):
    """The broker sent more than fits here, and was left so that it sends the rest again."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message; `topic` and `payload` are as a stranger sent them."""

    topic: str
    payload: bytes
    """Cut where it is larger than what is read."""
    qos: int
    number: int
    """The broker's, by which it is confirmed."""
    is_retained: bool = False
    """Whether the broker keeps it, or has kept it, for those who come later."""
    is_repeated: bool = False
    """Whether it may have come before."""
    response_topic: str | None = None
    """Where an answer is wanted (MQTT 5)."""
    correlation: bytes | None = None
    """What the answer is to bring back (MQTT 5)."""


class Subscription:
    """Some topics of a broker, under a name by which it knows us again.

    Args:
        broker: where, and how to be let in.
        client_id: ours and nobody else's, the same after every restart.
        topics: to read; they may hold `+` and `#`, and begin with `$share/<group>/`.
        seconds: how long the broker keeps our session, and with it what comes meanwhile (MQTT 5).
        largest: bytes of a payload that are read; of a larger one there is one byte more, to tell.
        room: whose settings a message names, "source" or "output".
        fresh: only what is published while we are here or expected is wanted, nothing that the broker keeps for late
            comers (MQTT 5; else it is marked), and 3.1.1 need not remember us.
        packet: bytes of a message with its topic; of a larger one the broker does not even tell us (MQTT 5).
    """

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        topics: Sequence[str],
        seconds: int,
        largest: int,
        room: str = "source",
        fresh: bool = False,
        packet: int = LARGEST,
    ) -> None:
        self._broker = broker
        self._client_id = client_id
        self.remembered: Sequence[str] = ()
        """Topics for which the broker knows us, perhaps of an earlier run; what is not ours any more is called off."""
        self._topics = topics
        self._fresh = fresh
        self._session = Session(seconds, outlives=seconds > 0 and not fresh, unconfirmed=UNCONFIRMED, largest=packet)
        self._largest = largest
        self._entrance = Entrance(broker, room)

    @property
    def version(self) -> str:
        """The protocol that is spoken: "5" or "3.1.1"."""
        return "5" if self._entrance.version is aiomqtt.ProtocolVersion.V5 else "3.1.1"

    def holds(self, topic: str) -> bool:
        """Whether a message's topic is one of ours; a session may remember what the settings do not."""
        return any(paho.topic_matches_sub(unshared(ours), topic) for ours in self._topics)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Inbox"]:
        """Connected and subscribed while inside; the session stays.

        Raises:
            SourceError: it is worth another attempt.
            FatalSourceError: it is not, before the settings are mended.
        """
        inbox = await self._enter()
        try:
            yield inbox
        finally:
            await inbox.leave()

    async def _enter(self) -> "Inbox":
        while True:
            inbox = Inbox(self._broker, self._client_id, self._entrance.version, self._session, self._largest)
            try:
                await inbox.connect()
                self._entrance.opened()
                await inbox.ask_for(self._topics, fresh=self._fresh)
                await inbox.call_off([topic for topic in self.remembered if topic not in self._topics])
            except aiomqtt.MqttError as error:
                inbox.abandon()
                refusal = self._entrance.refusal(error)
                if not refusal.at_once:
                    raise (FatalSourceError if refusal.final else SourceError)(refusal.why) from error
            except BaseException:
                inbox.abandon()
                raise
            else:
                self._entrance.proved()
                self.remembered = self._topics
                return inbox


class Inbox(Publisher):
    """One connection's life, and what came by it."""

    def __init__(
        self, broker: Broker, client_id: str, version: aiomqtt.ProtocolVersion, session: Session, largest: int
    ) -> None:
        super().__init__(broker, client_id, version, session)
        self.dropped = 0
        """Messages without confirmation (QoS 0) for which there was no room."""
        self.unkept = False
        """Whether the broker keeps no message until it is confirmed, though it was asked to (it grants QoS 0)."""
        self._largest = largest
        self._waiting: deque[Received] = deque()
        self._bytes = 0
        self._overrun = False
        self._news = asyncio.Event()
        self._client.manual_ack_set(on=True)

    async def ask_for(self, topics: Sequence[str], *, fresh: bool = False) -> None:
        """Subscribe; see `Subscription` for what is fresh.

        Raises:
            aiomqtt.MqttError: the broker does not let us, or does not answer.
        """
        self._disconnected.add_done_callback(lambda _: self._news.set())
        # What is retained comes at the first time only, not at every connect (MQTT 5).
        retained = SubscribeOptions.RETAIN_DO_NOT_SEND if fresh else SubscribeOptions.RETAIN_SEND_IF_NEW_SUB
        options = SubscribeOptions(qos=1, retainAsPublished=fresh, retainHandling=retained)
        asking = asyncio.create_task(
            self.subscribe([(topic, options) for topic in topics] if self._five else [(topic, 1) for topic in topics])
        )
        if why := await self.answered(asking):
            raise aiomqtt.MqttError(why)
        for topic, code in zip(topics, asking.result(), strict=False):  # a broken broker may answer for fewer
            if isinstance(code, ReasonCode) and code.is_failure:
                raise TopicRefusedError(topic, code)
            self.unkept = self.unkept or code == 0

    async def call_off(self, topics: Sequence[str]) -> None:
        """Unsubscribe.

        Raises:
            aiomqtt.MqttError: the broker does not answer.
        """
        if topics and (why := await self.answered(asyncio.create_task(self.unsubscribe(list(topics))))):
            raise aiomqtt.MqttError(why)

    async def take(self) -> Received:
        """The next message; of those that came before the connection ended, too, since some come only once.

        Raises:
            OverrunError: come again at once for what did not fit.
            MuteError, OustedError, SourceError: the connection is over.
        """
        while not self._waiting:
            if self._overrun:
                raise OverrunError(f"The MQTT broker {self._name} sends more than we take; it is asked again.")
            if self.is_over:
                error = MuteError if self.was_mute else OustedError if self.was_ousted else SourceError
                raise error(f"The MQTT broker {self._name} went away ({await self.died()}); it is tried again.")
            self._news.clear()
            await self._news.wait()
        return self._next()

    def more(self) -> Received | None:
        """Another message that is here already."""
        return self._next() if self._waiting else None

    def confirm(self, messages: Iterable[Received]) -> None:
        """The broker may forget these; where it is gone, it will send them again."""
        if not self.is_over:
            for message in messages:
                self._client.ack(message.number, message.qos)

    async def leave(self) -> None:
        """End the connection; the broker keeps the session."""
        if not self.is_over:
            with contextlib.suppress(aiomqtt.MqttError):
                await self.disconnect()
        self.abandon()

    def _next(self) -> Received:
        message = self._waiting.popleft()
        self._bytes -= len(message.topic) + len(message.payload)
        return message

    def _on_message(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:  # noqa: ARG002
        try:
            topic = message.topic
        except UnicodeDecodeError:  # no broker should let it pass
            topic = "�"
        payload = bytes(message.payload[: self._largest + 1])
        size = len(topic) + len(payload)
        is_full = self._waiting and (len(self._waiting) >= WAITING or self._bytes + size > WAITING_BYTES)
        if is_full or (self._overrun and message.qos):  # it comes again; a later one must not be confirmed before it
            self._overrun = self._overrun or message.qos > 0
            self.dropped += message.qos == 0
            return
        wanted, correlation = (getattr(message.properties, key, None) for key in ("ResponseTopic", "CorrelationData"))
        self._waiting.append(
            Received(topic, payload, message.qos, message.mid, message.retain, message.dup, wanted, correlation)
        )
        self._bytes += size
        self._news.set()


def unshared(topic: str) -> str:
    """The topic of a shared subscription, `$share/<group>/<topic>`."""
    return topic.split("/", 2)[-1] if topic.startswith("$share/") else topic
