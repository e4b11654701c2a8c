"""[[source]] kind = "mastodon": the streams of a Mastodon server."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, model_validator

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings.section import FilePath, Label, Section, secret
from crisisdesk.settings.server import is_loopback
from crisisdesk.text import clean

MAX_STREAMS: Final = 100
TRANSPORTS: Final = ("websocket", "sse")
_PUBLIC: Final = frozenset({"public", "public:local", "public:remote"})


def _server(address: str) -> str:
    """The address of a server, without a path; the token goes there, so it must be encrypted."""
    found = re.fullmatch(r"(https?)://([^\s/?#@]+)/?", address)
    try:
        host = urlsplit(address).hostname if found else None
    except ValueError:
        host = None
    if found is None or not host:
        raise ValueError(f"'{clean(address, 60)}' is no address of a server; write it like \"https://mastodon.social\"")
    if found[1] == "http" and not is_loopback(host):
        raise ValueError("must begin with https://, since the token goes there; http:// is for this machine only")
    return f"{found[1]}://{found[2]}"


def _streams(value: object) -> tuple[str, ...]:
    """One stream, or a list of them."""
    streams = [value] if isinstance(value, str) else value
    if not isinstance(streams, list) or not streams or not all(isinstance(stream, str) for stream in streams):
        raise ValueError('must be a list such as ["public", "hashtag:motrin"]')
    if len(streams) > MAX_STREAMS:
        raise ValueError(f"has more than {MAX_STREAMS} streams; servers do not take that many")
    return tuple(dict.fromkeys(map(_stream, streams)))


def _stream(written: str) -> str:
    if written in _PUBLIC:
        return written
    kind, _, tag = written.partition(":")
    tag = tag.removeprefix("#").lower()
    if kind != "hashtag" or not re.fullmatch(r"\w{1,100}", tag):
        known = ", ".join(sorted(_PUBLIC))
        raise ValueError(f"'{clean(written, 60)}' is no stream; write {known} or a hashtag such as hashtag:motrin")
    return f"hashtag:{tag}"


def _transport(written: str) -> str:
    if written not in TRANSPORTS:
        raise ValueError(f"'{clean(written, 60)}' is no way to send; write {' or '.join(TRANSPORTS)}")
    return written


class MastodonSource(Section):
    """[[source]] kind = "mastodon": public posts as a Mastodon server sees them, with the token of a user of it."""

    kind: Literal["mastodon"]
    server: Annotated[str, AfterValidator(_server)]
    """Where that user is at home."""
    name: Label = "mastodon"
    """What status lines call it."""
    token_env: str | None = None
    """The environment variable that holds the access token."""
    token_file: FilePath | None = None
    """The file whose first line is the access token."""
    streams: Annotated[tuple[str, ...], BeforeValidator(_streams)] = ("public",)
    """What to listen to. Answers to others are left out of public streams by the servers, boosts of all of these."""
    transport: Annotated[str, AfterValidator(_transport)] = "websocket"
    """How it is sent. Where a websocket is refused, server-sent events ("sse") are asked for in any case."""

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if self.token_env and self.token_file:
            raise ValueError("has both 'token_env' and 'token_file'; keep one of them")
        if not (self.token_env or self.token_file):
            raise ValueError(
                "has neither 'token_env' nor 'token_file'; servers stream only to users: make an application with the "
                f"scope read:statuses on {self.server}/settings/applications, and put its access token there"
            )
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
            raise ConfigurationError(
                f"{table}: what {key} names holds no access token; copy the server's as it stands."
            )
        return token
