"""The connection to an MQTT broker: the only file that knows the MQTT client.

It stays connected, says `online` and `offline` (as its will, too), and promises one thing: `publish` returns only after
the broker has acknowledged the message (QoS 1). What was not acknowledged raises, and is the caller's to repeat.

The library leaves three gaps, closed in `_Client`: it waits out its time limit where the broker has already hung up,
it takes a refusal (PUBACK "not authorised") for success, and it cannot drop a connection without saying good-bye, which
would cancel the will.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from crisisdesk.errors import FatalOutputError, OutputError
from crisisdesk.retry import delays

LOG: Final = logging.getLogger("crisisdesk.mqtt")
_LIBRARY_LOG: Final = logging.getLogger("crisisdesk.mqtt.library")
_LIBRARY_LOG.setLevel(logging.CRITICAL)  # it logs what we raise, in its own words

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"

_SESSION_SECONDS: Final = 300  # the will's delay holds only while the broker remembers the session
_TCP_SECONDS: Final = 3.0  # an attempt cannot be interrupted, so this is also how long a stop may take
_UNSUPPORTED_VERSION: Final = frozenset({132})
_NOT_LET_IN: Final = frozenset({134, 135, 140})  # bad user name or password, not authorised, bad method
_TAKEN_OVER: Final = frozenset({142})


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to be let in."""

    host: str
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 10.0
    """Seconds that the broker has for each answer before the connection is thrown away."""
    keepalive: int = 30
    """Seconds of silence after which either side asks whether the other is still there."""
    will_delay: int = 5
    """Seconds that the broker waits before it says `offline` for us, to ride out a short break (MQTT 5)."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


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
        waits: seconds between attempts to connect.
        greet: called after each connect, before anything else is published, to say again what a broker that
            restarted empty has forgotten.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        client_id: str,
        status_topic: str,
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
        self._waits = waits
        self._greet = greet
        self._client: _Client | None = None
        self._fatal: FatalOutputError | None = None
        self._moved = asyncio.Event()
        self._version = aiomqtt.ProtocolVersion.V5
        self._speaks_5 = False

    @property
    def version(self) -> str:
        """The protocol that is spoken: "5" or "3.1.1"."""
        return "5" if self._version is aiomqtt.ProtocolVersion.V5 else "3.1.1"

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
        waits = self._waits()
        while True:
            try:
                client = await self._connect()
                waits = self._waits()
                self._turn("live", "", client)
                reason = await client.died()
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

    def _turn(self, state: str, trouble: str, client: "_Client | None" = None) -> None:
        if trouble and trouble != self.trouble:
            LOG.warning("%s", trouble)
        elif client is not None and self.state != "connecting":
            LOG.warning("Connected to the MQTT broker %s again.", self._broker)
        self.state, self.trouble, self._client = state, trouble, client
        self._moved.set()

    async def _connect(self) -> "_Client":
        """Connect, say `online` and greet."""
        client = _Client(self._broker, self._client_id, self._status_topic, self._version)
        try:
            await client.connect()
            self._speaks_5 = self._speaks_5 or self._version is aiomqtt.ProtocolVersion.V5
            await client.send(Message(self._status_topic, ONLINE, retain=True))
            if self._greet is not None:
                await self._greet(client.send)
        except aiomqtt.MqttError as error:
            raise self._refusal(error) from error
        except BaseException:
            client.abandon()
            raise
        return client

    def _refusal(self, error: aiomqtt.MqttError) -> OutputError:
        """Whether to knock again, knock in another language, or give up: decided here and nowhere else."""
        code = _code(error)
        if code in _NOT_LET_IN:
            return FatalOutputError(
                f"The MQTT broker {self._broker} does not let us in ({error}): mend username and password_env of this"
                " output, then start again."
            )
        knows_no_5 = code in _UNSUPPORTED_VERSION or (isinstance(error, _NoAnswerError) and not self._speaks_5)
        if knows_no_5 and self._version is aiomqtt.ProtocolVersion.V5:
            self._version = aiomqtt.ProtocolVersion.V311
            return _OtherVersionError()
        if isinstance(error, _NoAnswerError) and not self._speaks_5:
            self._version = aiomqtt.ProtocolVersion.V5  # it answers neither: perhaps it is only starting
        return OutputError(
            f"No MQTT broker answers at {self._broker} ({error}): start it, or mend host and port of this output;"
            " it is tried again."
        )

    async def _leave(self, client: "_Client") -> None:
        """Say `offline` ourselves: the broker says it for us only when we vanish."""
        try:
            await client.send(Message(self._status_topic, OFFLINE, retain=True))
            await client.disconnect()
        except (OutputError, aiomqtt.MqttError) as error:
            LOG.warning("The MQTT broker %s will say offline for us: %s", self._broker, error)
            client.abandon()
            await client.died()
        self.state = "connecting"


class _NoAnswerError(aiomqtt.MqttError):
    """The broker was reached and did not answer, as some do that do not know the version."""


class _OtherVersionError(OutputError):
    """Try at once with the other version of the protocol."""


class _Client(aiomqtt.Client):
    """One connection's life; see the top of the file for what it adds."""

    def __init__(self, broker: Broker, client_id: str, status_topic: str, version: aiomqtt.ProtocolVersion) -> None:
        five = version is aiomqtt.ProtocolVersion.V5
        will = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        will.WillDelayInterval = broker.will_delay
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        session.SessionExpiryInterval = max(_SESSION_SECONDS, broker.will_delay)
        self._five = five
        self._name = str(broker)
        self._seconds = broker.timeout
        self._is_connecting = True
        self._why = ""
        self._refused: ReasonCode | None = None
        self._one_at_a_time = asyncio.Lock()
        super().__init__(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=client_id,
            protocol=version,
            will=aiomqtt.Will(status_topic, OFFLINE, qos=1, retain=True, properties=will if five else None),
            properties=session if five else None,
            timeout=broker.timeout,
            keepalive=broker.keepalive,
            logger=_LIBRARY_LOG,
            clean_session=None if five else True,
            clean_start=False if five else paho.MQTT_CLEAN_START_FIRST_ONLY,
        )
        self._client.connect_timeout = min(_TCP_SECONDS, broker.timeout)

    async def connect(self) -> None:
        """Connect. The library does it in a thread that cannot be interrupted, so a cancelled caller waits for it."""
        connecting = asyncio.create_task(self.__aenter__())
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            while not connecting.done():
                self.abandon()
                await asyncio.wait({connecting}, timeout=0.05)
            connecting.exception()
            raise
        except aiomqtt.MqttError as error:
            mute = self._client.socket() is not None and _code(error) is None
            self.abandon()
            if mute:
                raise _NoAnswerError(f"no answer within {self._seconds:g} s") from error
            raise
        finally:
            self._is_connecting = False

    async def disconnect(self) -> None:
        """Leave in order: the broker drops the will."""
        await self.__aexit__(None, None, None)

    def abandon(self, why: str = "we dropped it") -> None:
        """Drop the connection without a good-bye, so that the will holds; the library sees it as the broker's end."""
        self._why = self._why or why
        connected = self._client.socket()
        if isinstance(connected, socket.socket):
            with contextlib.suppress(OSError):  # the other side was first
                connected.shutdown(socket.SHUT_RDWR)

    async def died(self) -> str:
        """Return when the connection is over, with the reason."""
        await asyncio.wait({self._disconnected})
        error = self._disconnected.exception()
        if _code(error) in _TAKEN_OVER:
            return "another client came with our name; give each desk a name of its own"
        return self._why or "the connection was lost"

    async def send(self, message: Message) -> None:
        """Publish one message and wait for its acknowledgement, for the connection's end or for the time limit."""
        async with self._one_at_a_time:
            self._refused = None
            sending = asyncio.create_task(self._publish(message))
            done, _ = await _first({sending, asyncio.create_task(self.died())}, self._seconds)
            if sending in done:
                why = str(sending.exception() or "")
            else:
                why = "the connection was lost" if done else f"no answer within {self._seconds:g} s"
            if why:
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

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if not self._is_connecting:
            super()._on_disconnect(client, userdata, flags, reason_code, properties)
        elif not self._connected.done():
            self._connected.set_exception(_NoAnswerError("it hung up without an answer"))

    def _on_publish(
        self, client: paho.Client, userdata: object, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if reason_code.is_failure:
            self._refused = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)


async def _first(
    tasks: set["asyncio.Task[Any]"], seconds: float
) -> tuple[set["asyncio.Task[Any]"], set["asyncio.Task[Any]"]]:
    """Wait until one is done or the time is over; the others are cancelled and gone."""
    try:
        done, pending = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    if pending:
        await asyncio.wait(pending)
    return done, pending


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


def _code(error: BaseException | None) -> int | None:
    """The broker's reason as a number of MQTT 5; the library translates those of 3.1.1."""
    code = getattr(error, "rc", None)
    return code.value if isinstance(code, ReasonCode) else None
