"""[server]: where the desk can be reached over HTTP, and by whom."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator

from crisisdesk.settings.section import FilePath, Section
from crisisdesk.text import clean

DEFAULT: Final = "127.0.0.1:8080"

_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})", re.ASCII)


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether only programmes of this machine reach a host of that name."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _address(value: object) -> Address:
    found = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 1 <= int(found[2]) <= 65535:
        shown = f"'{clean(value, 60)}' is no address and port" if isinstance(value, str) else "must be a text in quotes"
        raise ValueError(f'{shown}; write it like "{DEFAULT}", or "0.0.0.0:8080" to be reached from elsewhere')
    return Address(found[1].strip("[]"), int(found[2]))


class ServerSettings(Section):
    """[server]: the address at which consoles, programmes and webhooks reach the desk."""

    listen: Annotated[Address, BeforeValidator(_address)] = Field(default=DEFAULT, validate_default=True)
    """Address and port; the default is reached from this machine only."""
    tls_certificate: FilePath | None = None
    """The certificate, with those between it and its root, in PEM; with it everything is encrypted (https)."""
    tls_key: FilePath | None = None
    """Its key in PEM, without a passphrase."""
    tokens: FilePath | None = None
    """The file of those who may use the desk; without it one beside the database."""
    per_minute: Annotated[int, Field(ge=1, le=60_000)] = 600
    """Requests a minute of each token."""
    streams: Annotated[int, Field(ge=1, le=400)] = 64
    """Consoles and others who listen, at once."""

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            given, missing = ("tls_certificate", "tls_key") if self.tls_certificate else ("tls_key", "tls_certificate")
            raise ValueError(f"has a '{given}' but no '{missing}'; add it, or take both out")
        return self

    @property
    def is_shared(self) -> bool:
        """Whether other machines may reach it."""
        return not is_loopback(self.listen.host)

    def tokens_of(self, database: Path) -> Path:
        """The file of those who may use the desk with this database."""
        return self.tokens or database.with_suffix(".tokens")
