"""Sources that show a token to a server: where the token is looked up, and which addresses may see it."""

import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from pydantic import model_validator

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings.section import FilePath, Label, Section, Variable, secret
from crisisdesk.settings.server import is_loopback
from crisisdesk.text import clean


class TokenSection(Section):
    """A source with an access token, which is in the environment or in a file."""

    name: Label
    """What status lines call it."""
    token_env: Variable | None = None
    """The environment variable that holds the access token."""
    token_file: FilePath | None = None
    """The file whose first line is the access token."""

    @property
    def where_tokens_are(self) -> str:
        """Why a token is needed, and how people come by one."""
        return "the server shows nothing without one"

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.token_env and self.token_file:
            raise ValueError("has both 'token_env' and 'token_file'; keep one of them")
        if not (self.token_env or self.token_file):
            raise ValueError(f"has neither 'token_env' nor 'token_file'; {self.where_tokens_are}")
        return self

    def token(self, environ: Mapping[str, str]) -> str:
        """Look up the access token, which is never kept in the settings.

        Raises:
            ConfigurationError: it is not where the settings say, or cannot be one.
        """
        table = f'[[source]] "{self.name}"'
        token = (secret("token", table, self.token_env, self.token_file, environ) or "").strip()
        if not re.fullmatch(r"[!-~]+", token):
            key = "token_env" if self.token_env else "token_file"
            raise ConfigurationError(f"{table}: what {key} names holds no access token; copy it as it stands.")
        return token


def web_address(address: str, example: str) -> str:
    """The address of a server, without a path; a token goes there, so it must be encrypted.

    Raises:
        ValueError: it is none, or a token must not go there.
    """
    found = re.fullmatch(r"(https?)://([^\s/?#@]+)/?", address)
    try:
        host = urlsplit(address).hostname if found else None
    except ValueError:
        host = None
    if found is None or not host:
        raise ValueError(f"'{clean(address, 60)}' is no address of a server; write it like \"{example}\"")
    if found[1] == "http" and not is_loopback(host):
        raise ValueError("must begin with https://, since the token goes there; http:// is for this machine only")
    return f"{found[1]}://{found[2]}"
