"""A connection that publishes.

It stays connected, says `online` and `offline` (as its will, too), and promises one thing: `publish` returns only after
the broker has acknowledged the message (QoS 1). What was not acknowledged raises, and is the caller's to repeat.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalOutputError, OutputError
from crisisdesk.mqtt.client import Broker, Client, Session
from crisisdesk.mqtt.entrance import Entrance
from crisisdesk.retry import delays

LOG: Final = logging.getLogger("crisisdesk.mqtt")

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"

_HEALTHY: Final = timedelta(minutes=1)
_OFTEN: Final = 3
_SESSION_SECONDS: Final = 300  # the will's delay holds only while the broker remembers the session


@dataclass(frozen=True, slots=True)
class Message:
    """What is published; `expiry` in seconds and the properties travel with MQTT 5 only."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry: int | None = None
    content_type: str | None = None
    properties: Sequence[tuple[str, str]] = ()


Send = Callable[[Message], Awaitable[None]]


class Connection:
    """A connection that comes back.

    Args:
        broker: where, and how to be let in.
        client_id: stable over restarts, so that a broker takes over from the dead predecessor and drops its will.
        status_topic: carries `online` or `offline`, retained.
        clock: tells how long a connection has lasted.
        waits: seconds between attempts to connect, begun afresh after a healthy minute.
        greet: called after each connect, before anything else is published, to say again what a broker that
            restarted empty has forgotten.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        status_topic: str,
        clock: Clock,
        waits: Callable[[], Iterator[float]] = delays,
        greet: Callable[[Send], Awaitable[None]] | None = None,
    ) -> None:
        self.state = "connecting"
        """connecting, live, retrying or failed."""
        self.trouble = ""
        """What went wrong last and what to do about it; empty while connected."""
        self._broker = broker
        self._client_id = client_id
        self._status_topic = status_topic
        self._clock = clock
        self._waits = waits
        self._greet = greet
        self._client: _Publisher | None = None
        self._fatal: FatalOutputError | None = None
        self._moved = asyncio.Event()
        self._entrance = Entrance(broker, "output")

    @property
    def version(self) -> str:
        """The protocol that is spoken: "5" or "3.1.1"."""
        return "5" if self._entrance.version is aiomqtt.ProtocolVersion.V5 else "3.1.1"

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep the connection up while inside; at the end say `offline`, within the broker's time limit."""
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(self._keep(), name=f"mqtt {self._broker}")
            try:
                yield
            finally:
                keeper.cancel()
                await asyncio.wait({keeper})
                client, self._client = self._client, None
                if client is not None:
                    await self._leave(client)

    async def ready(self) -> None:
        """Return when connected.

        Raises:
            FatalOutputError: this will never happen with these settings.
        """
        while self._client is None:
            if self._fatal is not None:
                raise self._fatal
            self._moved.clear()
            await self._moved.wait()

    async def publish(self, message: Message) -> None:
        """Hand a message to the broker and return when it has acknowledged it.

        Raises:
            OutputError: not connected, no answer in time, or refused; it may or may not have arrived.
            FatalOutputError: the broker does not let us in.
        """
        if self._fatal is not None:
            raise self._fatal
        if self._client is None:
            raise OutputError(self.trouble or f"There is no connection to the MQTT broker {self._broker} yet.")
        await self._client.send(message)

    async def _keep(self) -> None:
        waits, breaks = self._waits(), 0
        while True:
            try:
                client = await self._connect()
                began = self._clock.now()
                self._turn("live", "", client)
                reason = await client.died()
                client.abandon()
                if self._clock.now() - began >= _HEALTHY:
                    waits, breaks = self._waits(), 0
                breaks += 1
                if breaks >= _OFTEN:
                    reason += f", again and again: perhaps another client is there as {self._client_id}"
                self._turn("retrying", f"The MQTT broker {self._broker} went away ({reason}); it is tried again.")
            except FatalOutputError as error:
                self._fatal = error
                self._turn("failed", str(error))
                return
            except _OtherVersionError:
                continue
            except OutputError as error:
                self._turn("retrying", str(error))
            await asyncio.sleep(next(waits))

    def _turn(self, state: str, trouble: str, client: "_Publisher | None" = None) -> None:
        if trouble and trouble != self.trouble:
            LOG.warning("%s", trouble)
        elif client is not None and self.state != "connecting":
            LOG.warning("Connected to the MQTT broker %s again.", self._broker)
        self.state, self.trouble, self._client = state, trouble, client
        self._moved.set()

    async def _connect(self) -> "_Publisher":
        """Connect, say `online` and greet."""
        client = _Publisher(self._broker, self._client_id, self._status_topic, self._entrance.version)
        try:
            await client.connect()
            self._entrance.opened()
            await client.send(Message(self._status_topic, ONLINE, retain=True))
            if self._greet is not None:
                await self._greet(client.send)
        except aiomqtt.MqttError as error:
            refusal = self._entrance.refusal(error)
            if refusal.at_once:
                raise _OtherVersionError from error
            raise (FatalOutputError if refusal.final else OutputError)(refusal.why) from error
        except BaseException:
            client.abandon()
            raise
        self._entrance.proved()
        return client

    async def _leave(self, client: "_Publisher") -> None:
        """Say `offline` ourselves: the broker says it for us only when we vanish."""
        try:
            await client.send(Message(self._status_topic, OFFLINE, retain=True))
            await client.disconnect()
        except (OutputError, aiomqtt.MqttError) as error:
            LOG.warning("The MQTT broker %s will say offline for us: %s", self._broker, error)
            client.abandon()
            await client.died()
        self.state = "connecting"


class _OtherVersionError(OutputError):
    """Try at once with the other version of the protocol."""


class _Publisher(Client):
    """One connection's life. The library takes a refusal (PUBACK "not authorised") for success; this one does not."""

    def __init__(self, broker: Broker, client_id: str, status_topic: str, version: aiomqtt.ProtocolVersion) -> None:
        delay = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        delay.WillDelayInterval = broker.will_delay
        five = version is aiomqtt.ProtocolVersion.V5
        will = aiomqtt.Will(status_topic, OFFLINE, qos=1, retain=True, properties=delay if five else None)
        session = Session(max(_SESSION_SECONDS, broker.will_delay), outlives=False)
        super().__init__(broker, client_id, version, session, will)
        self._refused: ReasonCode | None = None
        self._one_at_a_time = asyncio.Lock()

    async def send(self, message: Message) -> None:
        """Publish one message and wait for its acknowledgement, for the connection's end or for the time limit."""
        async with self._one_at_a_time:
            self._refused = None
            if why := await self.answered(asyncio.create_task(self._publish(message))):
                self.abandon(why)
                raise OutputError(f"The MQTT broker {self._name} did not take a message ({why}); it is sent again.")
            if self._refused is not None:
                raise OutputError(
                    f"The MQTT broker {self._name} refuses messages on {message.topic} ({self._refused}): allow this"
                    " user to publish there; they are sent again."
                )

    async def _publish(self, message: Message) -> None:
        properties = _publish_properties(message) if self._five else None
        await self.publish(message.topic, message.payload, qos=1, retain=message.retain, properties=properties)

    def _on_publish(
        self, client: paho.Client, userdata: object, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if reason_code.is_failure:
            self._refused = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)


def _publish_properties(message: Message) -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if message.payload:
        properties.PayloadFormatIndicator = 1  # UTF-8
    if message.expiry is not None:
        properties.MessageExpiryInterval = message.expiry
    if message.content_type is not None:
        properties.ContentType = message.content_type
    if message.properties:
        properties.UserProperty = list(message.properties)
    return properties
