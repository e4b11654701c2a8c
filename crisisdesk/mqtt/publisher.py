"""One connection's life, as the one who publishes sees it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from crisisdesk.errors import OutputError, RefusedError
from crisisdesk.mqtt.client import Broker, Client, Session

_TOO_LARGE: Final = 149
_FRAME: Final = 12  # bytes of a packet besides its topic, its properties and its payload, at most


@dataclass(frozen=True, slots=True)
class Message:
    """What is published; `expiry` in seconds and all that follows travel with MQTT 5 only."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry: int | None = None
    content_type: str | None = None
    properties: Sequence[tuple[str, str]] = ()
    correlation: bytes | None = None
    """By which the one who asked knows what this answers."""

    def in_5(self) -> Properties:
        """What travels with it in MQTT 5."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if self.payload:
            properties.PayloadFormatIndicator = 1  # UTF-8
        if self.expiry is not None:
            properties.MessageExpiryInterval = self.expiry
        if self.content_type is not None:
            properties.ContentType = self.content_type
        if self.properties:
            properties.UserProperty = list(self.properties)
        if self.correlation is not None:
            properties.CorrelationData = self.correlation
        return properties

    @property
    def size(self) -> int:
        """Bytes of its packet, at most."""
        properties = len(self.in_5().pack())  # type: ignore[no-untyped-call]
        return _FRAME + len(self.topic.encode()) + properties + len(self.payload)


class TooLargeError(RefusedError):
    """The broker takes no message of this size; a smaller one may pass."""


class Publisher(Client):
    """Hands messages over. The library takes a refusal (PUBACK "not authorised") for success; this one does not.

    Several may be under way at once; the broker gets them in the order in which they were sent.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        version: aiomqtt.ProtocolVersion,
        session: Session,
        will: aiomqtt.Will | None = None,
    ) -> None:
        super().__init__(broker, client_id, version, session, will)
        self._asked: dict[int, asyncio.Future[ReasonCode]] = {}
        self._under_way: list[int] = []

    @property
    def under_way(self) -> int:
        """Bytes of the largest message that the broker has got and not acknowledged; 0 where there is none."""
        return max(self._under_way, default=0)

    async def send(self, message: Message) -> None:
        """Publish a message and wait for its acknowledgement, for the connection's end or for the time limit.

        Raises:
            OutputError: it has perhaps not arrived, and the connection is over.
            RefusedError: the broker does not take it; the connection stays.
        """
        size = message.size
        self._under_way.append(size)
        try:
            if why := await self.answered(answer := self._hand_over(message)):
                self.abandon(why)
                raise OutputError(f"The MQTT broker {self._name} did not take a message ({why}); it is sent again.")
        finally:
            if not self.is_over:
                self._under_way.remove(size)
        code = answer.result()
        if code.value == _TOO_LARGE:
            raise TooLargeError(f"The MQTT broker {self._name} takes no message of {size:,} bytes ({code}).")
        if code.is_failure:
            raise RefusedError(
                f"The MQTT broker {self._name} refuses messages on {message.topic} ({code}): allow this user to publish"
                " there; they are sent again."
            )

    def _hand_over(self, message: Message) -> "asyncio.Future[ReasonCode]":
        """Returns what becomes the broker's answer."""
        answer: asyncio.Future[ReasonCode] = asyncio.get_running_loop().create_future()
        properties = message.in_5() if self._five else None
        told = self._client.publish(message.topic, message.payload, 1, message.retain, properties)
        if told.rc == paho.MQTT_ERR_SUCCESS:
            self._asked[told.mid] = answer
        else:
            answer.set_exception(aiomqtt.MqttCodeError(told.rc, "it cannot be sent"))
        return answer

    def _on_message(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        """It has asked for nothing; what comes all the same, for a session of somebody else under its name, is dropped.

        The library would keep all of it in memory.
        """

    def _on_publish(
        self, client: paho.Client, userdata: object, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        answer = self._asked.pop(mid, None)
        if answer is not None and not answer.done():
            answer.set_result(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)
