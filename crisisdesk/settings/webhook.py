"""[[source]] kind = "webhook": posts that others send us."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, model_validator

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings.section import FilePath, Section, Variable, secret

SHORTEST_SECRET: Final = 16
"""Characters; what is shorter can be guessed."""


class Secrets(NamedTuple):
    """What its senders are known by; None for what is not set."""

    secret: str | None
    token: str | None


def _part_of_address(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise ValueError("must be letters, digits, '-' or '_', at most 64: it is a part of the address, /ingest/NAME")
    return name


class WebhookSource(Section):
    """[[source]] kind = "webhook": listening suites and forms post to `/ingest/<name>` of the [server]."""

    kind: Literal["webhook"]
    name: Annotated[str, AfterValidator(_part_of_address)] = "webhook"
    """Its part of the address; also what status lines call it."""
    secret_env: Variable | None = None
    """The environment variable that holds the secret with which senders sign."""
    secret_file: FilePath | None = None
    """The file whose first line is the secret."""
    token_env: Variable | None = None
    """The environment variable that holds a token, for senders that cannot sign."""
    token_file: FilePath | None = None
    """The file whose first line is the token."""
    most_bytes: Annotated[int, Field(ge=1_000, le=100_000_000)] = 5_000_000
    """Bytes of a request, packed and unpacked."""
    per_minute: Annotated[int, Field(ge=1, le=60_000)] = 600
    """Requests a minute."""

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for what in ("secret", "token"):
            if getattr(self, f"{what}_env") and getattr(self, f"{what}_file"):
                raise ValueError(f"has both '{what}_env' and '{what}_file'; keep one of them")
        return self

    @property
    def is_open(self) -> bool:
        """Whether it takes posts of everybody who reaches it."""
        return not (self.secret_env or self.secret_file or self.token_env or self.token_file)

    def secrets(self, environ: Mapping[str, str]) -> Secrets:
        """Look up what senders are known by, which is never kept in the settings.

        Raises:
            ConfigurationError: it is not where the settings say, or too short.
        """
        table = f'[[source]] "{self.name}"'
        found = Secrets(
            secret("secret", table, self.secret_env, self.secret_file, environ),
            secret("token", table, self.token_env, self.token_file, environ),
        )
        for what, value in found._asdict().items():
            if value is not None and len(value) < SHORTEST_SECRET:
                raise ConfigurationError(
                    f"{table}: its {what} has fewer than {SHORTEST_SECRET} characters and could be guessed; "
                    "`openssl rand -hex 32` makes a good one."
                )
        return found
