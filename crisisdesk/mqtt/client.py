"""One connection's life, and where the library leaves gaps in it.

It waits out its time limit where the broker has already hung up, does not say whether the broker remembered us and why
it hung up, and cannot drop a connection without saying good-bye, which would cancel the will.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from dataclasses import dataclass, field
from typing import Any, Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from crisisdesk.text import clean

_LIBRARY_LOG: Final = logging.getLogger("crisisdesk.mqtt.library")
_LIBRARY_LOG.setLevel(logging.CRITICAL)  # it logs what we raise, in its own words

_TCP_SECONDS: Final = 3.0  # an attempt cannot be interrupted, so this is also how long a stop may take
_TAKEN_OVER: Final = frozenset({142})
_MUTE: Final = frozenset({141})
_TOO_MUCH: Final = frozenset({149})


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
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """Whom we believe to be the broker, and by what certificate it knows us; None for an open connection."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Session:
    """What the broker is asked to remember of us, and how much it may send at once."""

    seconds: int
    """How long after a connection (MQTT 5)."""
    outlives: bool
    """Whether it outlives a connection at all (3.1.1)."""
    unconfirmed: int | None = None
    """Messages that it may send before we confirm one (MQTT 5)."""
    largest: int | None = None
    """Bytes of a message with its topic (MQTT 5)."""


class _EncryptedSocket(ssl.SSLSocket):
    """Does not wait long for a handshake, and is closed where there is none: the library does neither."""

    def do_handshake(self, block: bool = False) -> None:
        self.settimeout(_TCP_SECONDS)
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


class NoAnswerError(aiomqtt.MqttError):
    """The broker was reached and did not answer, as some do that do not know the version."""


class Client(aiomqtt.Client):
    """A connection; see the top of the file for what it adds to the library's."""

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        version: aiomqtt.ProtocolVersion,
        session: Session,
        will: aiomqtt.Will | None = None,
    ) -> None:
        five = version is aiomqtt.ProtocolVersion.V5
        self.was_remembered = False
        """Whether the broker still had our session when we came."""
        self.granted_seconds = session.seconds
        """How long it will remember us after this connection (MQTT 5)."""
        self.largest: int | None = None
        """Bytes of the largest packet that it takes, where it says so (MQTT 5)."""
        self._five = five
        self._name = str(broker)
        self._client_id = client_id
        self._seconds = broker.timeout
        self._is_connecting = True
        self._why = ""
        self._farewell = ""
        if broker.tls is not None:
            broker.tls.sslsocket_class = _EncryptedSocket
        super().__init__(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            identifier=client_id,
            protocol=version,
            will=will,
            properties=_connect_properties(session) if five else None,
            timeout=broker.timeout,
            keepalive=broker.keepalive,
            logger=_LIBRARY_LOG,
            tls_context=broker.tls,
            clean_session=None if five else not session.outlives,
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
            mute = self._client.socket() is not None and code_of(error) is None
            self.abandon()
            if mute:
                raise NoAnswerError(f"no answer within {self._seconds:g} s") from error
            raise
        finally:
            self._is_connecting = False
        self._disconnected.add_done_callback(asyncio.Future.exception)  # or the loop complains where nobody asks why

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

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self._disconnected.done()

    @property
    def was_mute(self) -> bool:
        """Whether it ended because the broker, though connected, said nothing any more."""
        return self.is_over and not self._farewell and code_of(self._disconnected.exception()) in _MUTE

    @property
    def was_ousted(self) -> bool:
        """Whether it ended because another client came under our name (MQTT 5)."""
        return self.is_over and code_of(self._disconnected.exception()) in _TAKEN_OVER

    @property
    def had_too_much(self) -> bool:
        """Whether it ended because a packet was too large for the broker (MQTT 5)."""
        return self.is_over and code_of(self._disconnected.exception()) in _TOO_MUCH

    async def died(self) -> str:
        """Return when the connection is over, with the reason."""
        await asyncio.wait({self._disconnected})
        if self.was_ousted:
            return f"another client came as {self._client_id}; give each desk and each source a name of its own"
        if self.was_mute:
            return "it says nothing any more"
        return self._why or self._farewell or "the connection was lost"

    async def answered(self, asking: "asyncio.Future[Any]") -> str:
        """Wait for the answer, for the connection's end or for the time limit; returns why there is no answer."""
        dying = asyncio.create_task(self.died())
        answers: set[asyncio.Future[Any]] = {asking, dying}
        done, _ = await _first(answers, self._seconds)
        if asking in done:
            return str(asking.exception() or "")
        return dying.result() if done else f"no answer within {self._seconds:g} s"

    def _on_connect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.was_remembered = flags.session_present
        self.granted_seconds = getattr(properties, "SessionExpiryInterval", self.granted_seconds)
        self.largest = getattr(properties, "MaximumPacketSize", None)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            told = getattr(properties, "ReasonString", "")
            self._farewell = f"it said {clean(f'{reason_code}. {told}', 200).rstrip(' .')}"
        if not self._is_connecting:
            super()._on_disconnect(client, userdata, flags, reason_code, properties)
        elif not self._connected.done():
            self._connected.set_exception(NoAnswerError("it hung up without an answer"))


async def _first(
    tasks: set["asyncio.Future[Any]"], seconds: float
) -> tuple[set["asyncio.Future[Any]"], set["asyncio.Future[Any]"]]:
    """Wait until one is done or the time is over; the others are cancelled and gone."""
    try:
        done, pending = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
    if pending:
        await asyncio.wait(pending)
    return done, pending


def _connect_properties(session: Session) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = session.seconds
    if session.unconfirmed is not None:
        properties.ReceiveMaximum = session.unconfirmed
    if session.largest is not None:
        properties.MaximumPacketSize = session.largest
    return properties


def code_of(error: BaseException | None) -> int | None:
    """The broker's reason as a number of MQTT 5; the library translates those of 3.1.1."""
    code = getattr(error, "rc", None)
    return code.value if isinstance(code, ReasonCode) else None
