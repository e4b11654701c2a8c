"""A connection that publishes.

It stays connected, says `online` and `offline` (as its will, too), and promises one thing: `publish` returns only after
the broker has acknowledged the message (QoS 1). What was not acknowledged raises, and is the caller's to repeat.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalOutputError, OutputError, RefusedError
from crisisdesk.mqtt.client import Broker, Session
from crisisdesk.mqtt.entrance import Entrance
from crisisdesk.mqtt.publisher import Message, Publisher, TooLargeError
from crisisdesk.retry import delays

LOG: Final = logging.getLogger("crisisdesk.mqtt")

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
SESSION_SECONDS: Final = 300
"""For so long the broker remembers us: the will's delay holds no longer than that."""

_HEALTHY: Final = timedelta(minutes=1)
_OFTEN: Final = 3
_LARGE: Final = 1 << 15
"""Bytes of a message from which on it may be the reason why a broker hangs up."""

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
        """What is wrong and what to do about it; while connected it is what the broker refuses, mostly nothing."""
        self._broker = broker
        self._client_id = client_id
        self._status_topic = status_topic
        self._clock = clock
        self._waits = waits
        self._greet = greet
        self._client: Publisher | None = None
        self._largest: int | None = None
        self._suspected = 0
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
            OutputError: not connected, or no answer in time; it may or may not have arrived.
            RefusedError: the broker does not take this one; a TooLargeError where it is for its size.
            FatalOutputError: the broker does not let us in.
        """
        if self._fatal is not None:
            raise self._fatal
        if self._client is None:
            raise OutputError(self.trouble or f"There is no connection to the MQTT broker {self._broker} yet.")
        await self._send(self._client, message)

    def takes(self, message: Message) -> bool:
        """Whether the broker takes messages of this size, for all that is known."""
        return self._largest is None or message.size <= self._largest

    async def _send(self, client: Publisher, message: Message) -> None:
        if not self.takes(message):
            raise TooLargeError(
                f"The MQTT broker {self._broker} takes no message of more than {self._largest:,} bytes."
            )
        try:
            await client.send(message)
        except TooLargeError:
            self._largest = message.size - 1
            raise

    async def _keep(self) -> None:
        waits, breaks = self._waits(), 0
        while True:
            try:
                client = await self._connect()
                began = self._clock.now()
                self._turn("live", await self._introduce(client), client)
                reason = await client.died()
                client.abandon()
                self._learn_size(client)
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

    def _turn(self, state: str, trouble: str, client: Publisher | None = None) -> None:
        if client is not None and self.state != "connecting":
            LOG.warning("Connected to the MQTT broker %s again.", self._broker)
        if trouble and trouble != self.trouble:
            LOG.warning("%s", trouble)
        self.state, self.trouble, self._client = state, trouble, client
        self._moved.set()

    async def _connect(self) -> Publisher:
        version = self._entrance.version
        session = Session(max(SESSION_SECONDS, self._broker.will_delay), outlives=False)
        client = Publisher(self._broker, self._client_id, version, session, self._will(version))
        try:
            await client.connect()
            self._entrance.opened()
        except aiomqtt.MqttError as error:
            refusal = self._entrance.refusal(error)
            if refusal.at_once:
                raise _OtherVersionError from error
            raise (FatalOutputError if refusal.final else OutputError)(refusal.why) from error
        except BaseException:
            client.abandon()
            raise
        self._entrance.proved()
        self._largest = min(filter(None, (client.largest, self._largest)), default=None)
        return client

    def _will(self, version: aiomqtt.ProtocolVersion) -> aiomqtt.Will:
        """What the broker says for us when we vanish."""
        delay = None
        if version is aiomqtt.ProtocolVersion.V5:
            delay = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
            delay.WillDelayInterval = self._broker.will_delay
        return aiomqtt.Will(self._status_topic, OFFLINE, qos=1, retain=True, properties=delay)

    async def _introduce(self, client: Publisher) -> str:
        """Say `online` and greet; returns what the broker refuses, which need not keep other messages in."""
        refused: list[str] = []

        async def send(message: Message) -> None:
            try:
                await self._send(client, message)
            except RefusedError as error:
                refused.append(str(error))

        try:
            await send(Message(self._status_topic, ONLINE, retain=True))
            if self._greet is not None:
                await self._greet(send)
        except BaseException:
            self._learn_size(client)
            client.abandon()
            raise
        return refused[0] if refused else ""

    def _learn_size(self, client: Publisher) -> None:
        """A broker that hangs up on what is too large for it need not say why (3.1.1); then it does so twice."""
        size = client.under_way
        if size > _LARGE and (client.had_too_much or size == self._suspected):
            self._largest = size - 1
        self._suspected = size

    async def _leave(self, client: Publisher) -> None:
        """Say `offline` ourselves: the broker says it for us only when we vanish."""
        try:
            with contextlib.suppress(RefusedError):  # the will is refused, too
                await client.send(Message(self._status_topic, OFFLINE, retain=True))
            await client.disconnect()
        except (OutputError, aiomqtt.MqttError) as error:
            LOG.warning("The MQTT broker %s will say offline for us: %s", self._broker, error)
            client.abandon()
            await client.died()
        self.state = "connecting"


class _OtherVersionError(OutputError):
    """Try at once with the other version of the protocol."""
