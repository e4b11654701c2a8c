"""The line to a desk elsewhere: what is asked of it over HTTP, and why there is no answer, in words for people."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from urllib.parse import quote

import aiohttp
import orjson
from yarl import URL

from crisisdesk.errors import CrisisdeskError, UsageError
from crisisdesk.net.proxies import NONE, proxy_of
from crisisdesk.net.unreachable import why_no_answer
from crisisdesk.text import clean

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 10.0
SILENT_SECONDS: Final = 4.0
"""A stream that says nothing for so long is broken: a desk says something every second."""
MOST_BYTES: Final = 1 << 26
"""Of a picture, or of any other answer; the picture of five thousand watches has fewer."""

_API: Final = "/api/v1"
_RECORDS: Final = "application/vnd.crisisdesk.record+json"
_STREAM: Final = "text/event-stream"
_NOT_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_PROXIES: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""How a proxy says that there is nobody behind it."""


class DeniedError(UsageError):
    """The desk wants a token, or another one."""


class NoAnswerError(CrisisdeskError):
    """Nobody answers.

    Attributes:
        sent: whether what was asked may have been done all the same.
    """

    def __init__(self, sentence: str, *, sent: bool) -> None:
        super().__init__(sentence)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a desk is, and how one comes in."""

    url: str
    """Its address without a path: `https://desk.example:8443`."""
    token: str = field(default="", repr=False)
    person: str = ""
    """Who asks, for a desk that knows nobody by a token."""
    tls: ssl.SSLContext | bool = True
    """What certificates are trusted; False trusts any, which is for this machine alone, so that no proxy is asked."""

    @property
    def name(self) -> str:
        """As people call it: `desk.example:8443`."""
        return self.url.partition("://")[2]

    def headers(self) -> dict[str, str]:
        """By which one is known there."""
        known = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return known | ({"X-Crisisdesk-Person": quote(self.person)} if self.person else {})


@dataclass(frozen=True, slots=True)
class Me:
    """Who one is to a desk, and what desk it is."""

    person: str
    role: str
    desk: str
    timezone: str
    """Where its people live; empty where nobody has said it."""
    version: str


class Told(NamedTuple):
    """One event of a stream."""

    id: str
    kind: str
    data: bytes


class Line:
    """Asks a desk. Use it as a context.

    Args:
        place: where it is.
        find: looks again before each greeting, for one that is elsewhere after a restart; None where it finds nothing.
    """

    def __init__(self, place: Place, find: Callable[[], Place | None] = lambda: None) -> None:
        self.place = place
        self._find = find

    async def __aenter__(self) -> Self:
        # Nothing is unpacked: a few bytes can be more than fits into the memory.
        headers = {"Accept": _RECORDS, "Accept-Encoding": "identity", "User-Agent": "crisisdesk"}
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, sock_connect=CONNECT_SECONDS)
        connector = aiohttp.TCPConnector(ssl=self.place.tls)
        self._session = aiohttp.ClientSession(
            headers=headers, timeout=timeout, connector=connector, auto_decompress=False
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def me(self) -> Me:
        """Who one is to it.

        Raises:
            DeniedError: it wants a token, or another one.
            UsageError: it is no desk that consoles can be attached to, or the address is wrong.
            NoAnswerError: nobody answers.
        """
        if (found := await asyncio.to_thread(self._find)) is not None:
            self.place = found
        said = await self.ask("GET", "me")
        try:
            return Me(**{name: clean(said[name], 200) for name in Me.__slots__})
        except (KeyError, TypeError, AttributeError):
            raise self._stranger() from None

    async def ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
        """What it answers, as `read` gives it.

        Args:
            method: of HTTP.
            path: below `/api/v1/`; names in it are quoted.
            body: sent as JSON.

        Raises:
            UsageError: it says that this makes no sense, or may not be.
            NoAnswerError: nobody answers.
        """
        data = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"} if data is not None else {}
        async with self._asked(method, path, data=data, headers=headers) as response:
            try:
                return read(await self._whole(response))
            except ValueError:
                raise self._stranger() from None

    async def pictures(self, last: str) -> AsyncGenerator[Told, None]:
        """What it shows, from the event of this id on, as long as it does.

        Raises:
            UsageError, NoAnswerError: as of `me`; the line is broken.
        """
        headers = {"Accept": _STREAM} | ({"Last-Event-ID": last} if last else {})
        timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS, sock_read=SILENT_SECONDS)
        async with self._asked("GET", "picture", headers=headers, timeout=timeout) as response:
            if response.content_type != _STREAM:
                raise self._stranger()
            rest = bytearray()
            async for chunk in response.content.iter_any():
                looked = max(0, len(rest) - 1)
                rest += chunk
                while (end := rest.find(b"\n\n", looked)) >= 0:
                    yield _told(bytes(rest[:end]))
                    del rest[: end + 2]
                    looked = 0
                if len(rest) > MOST_BYTES:
                    raise self._stranger()
        raise NoAnswerError(f"{self.place.name} has ended the connection.", sent=True)

    @asynccontextmanager
    async def _asked(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:  # noqa: ANN401
        url = URL(f"{self.place.url}{_API}/{path}", encoded=True)
        proxy = proxy_of(url) if self.place.tls else NONE
        headers = self.place.headers() | options.pop("headers", {})
        try:
            async with self._session.request(
                method,
                url,
                headers=headers,
                allow_redirects=False,
                proxy=proxy.url,
                proxy_headers=proxy.known,
                **options,
            ) as response:
                if response.status != HTTPStatus.OK:
                    raise await self._refusal(response)
                yield response
        except (aiohttp.ClientError, OSError) as error:
            raise self._no_answer(error) from None

    async def _refusal(self, response: aiohttp.ClientResponse) -> CrisisdeskError:
        """Why it does not do what is asked."""
        status, name = response.status, self.place.name
        if location := response.headers.get("Location", ""):
            return UsageError(f"{name} sends one on to {clean(location, 200)}; give that address.")
        try:
            sentence = clean(read(await self._whole(response))["error"], 1000)
        except (ValueError, KeyError, TypeError, AttributeError):
            if status in _PROXIES:
                return NoAnswerError(f"{name} is there, but the desk behind it does not answer ({status}).", sent=True)
            return self._stranger()
        if status == HTTPStatus.UNAUTHORIZED:
            return DeniedError(sentence)
        if status == HTTPStatus.NOT_FOUND and response.url.path in {f"{_API}/me", f"{_API}/picture"}:
            return UsageError(f"The desk at {name} is older and lets no console in; upgrade it there.")
        later = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
        return (CrisisdeskError if later else UsageError)(sentence)

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        """All of an answer that is no stream."""
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MOST_BYTES:
                raise self._stranger()
        return bytes(body)

    def _stranger(self) -> UsageError:
        return UsageError(f"What answers at {self.place.url} is no crisisdesk; check the address and its port.")

    def _no_answer(self, error: Exception) -> CrisisdeskError:
        """What a person makes of a connection that does not come about or breaks."""
        name = self.place.name
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            reason = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
            return UsageError(
                f"The certificate of {name} is not to be trusted ({clean(reason, 200)}). Where it is of an authority "
                "of your own, name the file of that with --ca; else ask whoever runs the desk, and do not go on."
            )
        if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
            return NoAnswerError(
                f"The proxy on the way to {name} lets nothing through; check HTTPS_PROXY and NO_PROXY.", sent=False
            )
        if isinstance(error, aiohttp.ClientSSLError):
            return UsageError(f"{name} does not speak https there; check the port, or ask whoever runs the desk.")
        scheme = " (https:// where the desk encrypts)" if self.place.url.startswith("http:") else ""
        cure = f"check the address{scheme}, and that the desk runs and this machine is connected"
        return NoAnswerError(
            f"{name} cannot be reached ({why_no_answer(error)}); {cure}.", sent=not isinstance(error, _NOT_SENT)
        )


def read(data: bytes) -> Any:  # noqa: ANN401 - JSON
    """JSON from elsewhere. A desk has cleaned its texts; of whoever is none, or broken, they obey no terminal either.

    Raises:
        ValueError: it is none.
    """
    try:
        return _harmless(orjson.loads(data))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _harmless(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str) and not value.isprintable():
        return "\n".join(line if line.isprintable() else clean(line) for line in value.split("\n"))
    if isinstance(value, list):
        return [_harmless(one) for one in value]
    if isinstance(value, dict):
        return {_harmless(name): _harmless(one) for name, one in value.items()}
    return value


def _told(lines: bytes) -> Told:
    fields = {name: value for name, _, value in (line.partition(b": ") for line in lines.split(b"\n"))}
    kind, identity = (fields.get(name, b"").decode("ascii", "replace") for name in (b"event", b"id"))
    return Told(identity, kind, fields.get(b"data", b""))
