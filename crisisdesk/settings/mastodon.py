"""[[source]] kind = "mastodon": the streams of a Mastodon server."""

import unicodedata
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from crisisdesk.settings.section import Label
from crisisdesk.settings.token import TokenSection, web_address
from crisisdesk.text import clean

MAX_STREAMS: Final = 100
MAX_TAG: Final = 100
TRANSPORTS: Final = ("websocket", "sse")
_PUBLIC: Final = frozenset({"public", "public:local", "public:remote"})


def _server(address: str) -> str:
    return web_address(address, "https://mastodon.social")


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
    kind, _, tag = ("hashtag", "", written) if written.startswith("#") else written.partition(":")
    tag = unicodedata.normalize("NFC", tag.removeprefix("#")).lower()
    if kind != "hashtag" or not 0 < len(tag) <= MAX_TAG or not all(map(_may_be_in_a_tag, tag)):
        known = ", ".join(sorted(_PUBLIC))
        raise ValueError(f"'{clean(written, 60)}' is no stream; write {known} or a hashtag such as hashtag:motrin")
    return f"hashtag:{tag}"


def _may_be_in_a_tag(character: str) -> bool:
    """Letters, digits, the marks that many scripts set on letters, and what Mastodon lets part words."""
    return unicodedata.category(character)[0] in "LMN" or character in "_·・\u200c"


def _transport(written: str) -> str:
    if written not in TRANSPORTS:
        raise ValueError(f"'{clean(written, 60)}' is no way to send; write {' or '.join(TRANSPORTS)}")
    return written


class MastodonSource(TokenSection):
    """[[source]] kind = "mastodon": public posts as a Mastodon server sees them, with the token of a user of it."""

    kind: Literal["mastodon"]
    server: Annotated[str, AfterValidator(_server)]
    """Where that user is at home."""
    name: Label = "mastodon"
    streams: Annotated[tuple[str, ...], BeforeValidator(_streams)] = ("public",)
    """What to listen to. Answers to others are left out of public streams by the servers, boosts of all of these."""
    history_hours: Annotated[float, Field(ge=0, le=168)] = 24.0
    """How far back the timelines are read for watches that are new; 0 lets them learn from the present alone."""
    transport: Annotated[str, AfterValidator(_transport)] = "websocket"
    """How it is sent. Where a websocket is refused, server-sent events ("sse") are asked for in any case."""

    @property
    def where_tokens_are(self) -> str:
        return (
            "servers stream only to users: make an application with the "
            f"scope read:statuses on {self.server}/settings/applications, and put its access token there"
        )
