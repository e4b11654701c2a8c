"""[[source]] and [[output]] kind = "mqtt": a broker, and what we do there."""

import re
import ssl
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import IPv6Address
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings.section import FilePath, Label, Section, Variable, secret
from crisisdesk.text import clean, digest

PLAIN_PORT: Final = 1883
TLS_PORT: Final = 8883
A_DAY: Final = 86_400
COMMANDS: Final = ("acknowledge", "silence", "resolve", "note")
"""What can be asked of a desk by message."""

_MAX_TOPIC: Final = 65_535
_SHARED: Final = "$share/"


def _topics(value: object) -> tuple[str, ...]:
    """One topic, or a list of them."""
    topics = [value] if isinstance(value, str) else value
    if not isinstance(topics, list) or not topics or not all(isinstance(topic, str) for topic in topics):
        raise ValueError('must be a topic in quotes such as "posts/#", or a list of topics in brackets')
    for topic in topics:
        if what := _wrong_topic(topic):
            raise ValueError(f"'{clean(topic, 60)}' is no topic: {what}")
    return tuple(topics)


def _wrong_topic(topic: str) -> str:
    """What is wrong with a topic that one wants to read, and how it is written; empty where nothing is."""
    levels = topic.split("/")
    if topic.startswith(_SHARED):
        if len(levels) < 3 or not levels[1] or set(levels[1]) & set("+#"):
            return 'a shared one is "$share/<group>/<topic>"'
        levels = levels[2:]
    if levels == [""]:
        return "it is empty"
    if not topic.isprintable() or topic != topic.strip() or len(topic.encode()) > _MAX_TOPIC:
        return "it holds what cannot be printed, has a space before or after it, or is too long"
    if any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        return "'#' stands alone at the end, such as \"posts/#\""
    if any("+" in level and level != "+" for level in levels):
        return "'+' stands alone between two '/', such as \"posts/+/new\""
    return ""


def _commands(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError('must be a list of commands in brackets, such as ["acknowledge", "note"]')
    for one in value:
        if one not in COMMANDS:
            near = get_close_matches(one, COMMANDS, n=1)
            cure = f"did you mean '{near[0]}'?" if near else f"it can be: {', '.join(COMMANDS)}"
            raise ValueError(f"'{clean(one, 40)}' is no command; {cure}")
    return tuple(value)


def _host(host: str) -> str:
    if not re.fullmatch(r"[^\s/:@\[\]]+", host):
        try:
            IPv6Address(host)
        except ValueError:
            alone = 'must be a name or an address alone, such as "broker.example"'
            raise ValueError(f"{alone}; the port stands in 'port', encryption in 'tls'") from None
    return host


def _client_id(name: str) -> str:
    if not name or clean(name, 200) != name:
        raise ValueError('must be a printable name such as "crisisdesk-acme-posts", without spaces around it')
    return name


class BrokerSettings(Section):
    """Where a broker is, and how to be let in."""

    table: ClassVar[str]

    host: Annotated[str, Field(min_length=1), AfterValidator(_host)]
    """The broker's name or address."""
    name: Label = "mqtt"
    """What status lines call it."""
    port: Annotated[int, Field(ge=1, le=65535)] = PLAIN_PORT
    """The broker's port; 8883 where nothing is set and `tls` is true."""
    username: str | None = None
    """Who we are to the broker; None where it does not ask."""
    password_env: Variable | None = None
    """The environment variable that holds the password."""
    password_file: FilePath | None = None
    """The file whose first line is the password."""
    tls: bool = False
    """Whether the connection is encrypted, and the broker has to show its certificate."""
    ca_file: FilePath | None = None
    """Who vouches for that certificate, in PEM; None for those whom this machine trusts."""
    certificate_file: FilePath | None = None
    """Our own certificate, in PEM; None where the broker asks for none."""
    key_file: FilePath | None = None
    """Its key, in PEM, without a passphrase; None where it is in the same file."""

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("tls") is True and "port" not in values:
            return values | {"port": TLS_PORT}
        return values

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.password_env and self.password_file:
            raise ValueError("has both 'password_env' and 'password_file'; keep one of them")
        if (self.password_env or self.password_file) and not self.username:
            raise ValueError("has a password but no 'username'; add it")
        if self.key_file and not self.certificate_file:
            raise ValueError("has a 'key_file' but no 'certificate_file'; add it")
        for key in ("ca_file", "certificate_file"):
            if getattr(self, key) and not self.tls:
                raise ValueError(f"has a '{key}' but does not say 'tls = true'; add it")
        return self

    def password(self, environ: Mapping[str, str]) -> str | None:
        """Look up the password, which is never kept in the settings; None where none is set.

        Raises:
            ConfigurationError: it is not where the settings say.
        """
        where = f'[[{self.table}]] "{self.name}"'
        return secret("password", where, self.password_env, self.password_file, environ)

    def encryption(self) -> ssl.SSLContext | None:
        """How the connection is encrypted; None where it is not.

        Raises:
            ConfigurationError: a certificate cannot be used; names its file.
        """
        if not self.tls:
            return None
        reading = self.ca_file
        try:
            context = ssl.create_default_context(cafile=reading)
            if reading := self.certificate_file:
                context.load_cert_chain(reading, self.key_file, password="")  # or OpenSSL asks the terminal
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
            key = " or its key" if reading != self.ca_file and self.key_file else ""
            what = "the certificate" if reading != self.ca_file else "the certificate of those who vouch"
            raise ConfigurationError(
                f'{reading}: {what} of [[{self.table}]] "{self.name}"{key} cannot be used '
                f"({clean(str(reason), 100)}); it must be PEM, its key without a passphrase."
            ) from None
        return context


class MqttSourceSettings(BrokerSettings):
    """[[source]] kind = "mqtt": posts that others publish on topics of a broker."""

    table = "source"

    kind: Literal["mqtt"]
    topic: Annotated[tuple[str, ...], BeforeValidator(_topics)]
    """What to read: one topic or several; `+` and `#` and `$share/<group>/` are fine."""
    client_id: Annotated[str, AfterValidator(_client_id)] | None = None
    """By which the broker knows us again; None for one of the desk's name and this one's."""
    session_seconds: Annotated[int, Field(ge=60, le=31_536_000)] = A_DAY
    """Seconds for which the broker keeps what comes while we are away (MQTT 5)."""

    def client_name(self, desk: str) -> str:
        """By which the broker knows us again."""
        plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", self.name)
        unique = plain if plain == self.name else f"{plain}-{digest(self.name) % 0x10000:04x}"
        return self.client_id or f"crisisdesk-{desk}-{unique}"


class MqttOutput(BrokerSettings):
    """[[output]] kind = "mqtt": incidents to an MQTT broker."""

    table = "output"

    kind: Literal["mqtt"]
    heartbeat_seconds: Annotated[float, Field(ge=1, le=86400)] = 30.0
    """Seconds between two heartbeats."""
    commands: Annotated[tuple[str, ...], BeforeValidator(_commands)] = ()
    """What others may ask of the desk by message: whoever may publish there acts in any name. None where left out."""
