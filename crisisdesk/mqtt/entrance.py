"""How a broker is entered: in which version of the protocol, and whether knocking again can help."""

import ssl
from dataclasses import dataclass
from typing import Final

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from crisisdesk.mqtt.client import Broker, NoAnswerError, code_of

_UNSUPPORTED_VERSION: Final = frozenset({132})
_NOT_LET_IN: Final = frozenset({134, 135, 140})  # bad user name or password, not authorised, bad method
_BAD_NAME: Final = frozenset({133})
_FOR_GOOD: Final = frozenset({128, 135, 143, 158, 162})  # of a topic; 128 is all that 3.1.1 can say


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why we are not in, and what follows."""

    why: str
    final: bool = False
    """The settings must be mended first."""
    at_once: bool = False
    """Knock again now, in the other version of the protocol."""


class TopicRefusedError(aiomqtt.MqttError):
    """The broker does not let us read a topic."""

    def __init__(self, topic: str, code: ReasonCode) -> None:
        super().__init__(str(code))
        self.topic = topic
        self.rc = code


class Entrance:
    """The door of one broker, and what was learnt there.

    Args:
        broker: where it is.
        room: whose settings a message names, "output" or "source".
    """

    def __init__(self, broker: Broker, room: str) -> None:
        self.version = aiomqtt.ProtocolVersion.V5
        self._broker = broker
        self._room = room
        self._speaks_5 = False
        self._proven = False

    def opened(self) -> None:
        """The broker has let us in."""
        self._speaks_5 = self._speaks_5 or self.version is aiomqtt.ProtocolVersion.V5

    def proved(self) -> None:
        """The settings work, so that a later refusal is the broker's own trouble and may pass."""
        self._proven = True

    def refusal(self, error: aiomqtt.MqttError) -> Refusal:
        """Whether to knock again, knock in another language, or give up: decided here and nowhere else."""
        code = code_of(error)
        knows_no_5 = code in _UNSUPPORTED_VERSION or (isinstance(error, NoAnswerError) and not self._speaks_5)
        if knows_no_5 and self.version is aiomqtt.ProtocolVersion.V5:
            self.version = aiomqtt.ProtocolVersion.V311
            return Refusal(str(error), at_once=True)
        if isinstance(error, NoAnswerError) and not self._speaks_5:
            self.version = aiomqtt.ProtocolVersion.V5  # it answers neither: perhaps it is only starting
        if cure := self._cure(error):
            final = not self._proven and (code in _FOR_GOOD or not isinstance(error, TopicRefusedError))
            return Refusal(f"{cure}, then start again{'' if final else '; until then it is tried as it is'}.", final)
        if code is not None:
            return Refusal(
                f"The MQTT broker {self._broker} answers and does not let us in ({error}): its own log says more;"
                " it is tried again."
            )
        keys = "host, port, tls and certificate_file" if self._broker.tls else "host, port and tls"
        return Refusal(
            f"The MQTT broker {self._broker} cannot be reached, or hangs up ({error}): start it, or mend {keys} of this"
            f" {self._room}; it is tried again."
        )

    def _cure(self, error: aiomqtt.MqttError) -> str:
        """The setting to mend; empty where none need be wrong."""
        refused, code, cause = "", code_of(error), error.__context__
        if isinstance(error, TopicRefusedError):
            topic = "topic, or " if self._room == "source" else ""
            refused = f"let us read {error.topic} ({error}): mend {topic}what username may read"
        elif code in _NOT_LET_IN:
            refused = f"let us in ({error}): mend username and password_env or password_file"
        elif code in _BAD_NAME:
            refused = f"take our name ({error}): mend client_id"
        elif isinstance(cause, ssl.SSLCertVerificationError):  # the library hides it
            why = f"({cause.verify_message}): renew it there, or mend host and ca_file"
            refused = f"show a certificate that we can trust {why}"
        return f"The MQTT broker {self._broker} does not {refused} of this {self._room}" if refused else ""
