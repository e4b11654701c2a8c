"""Mastodon as it is spoken: statuses, a server with timelines and streams, and the source that listens to it."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from crisisdesk.clock import ReplayClock
from crisisdesk.sources.mastodon.source import Mastodon

TOKEN = "a-users-token"  # noqa: S105
START = datetime(2026, 5, 25, 14, 0, tzinfo=UTC)
NOW = START + timedelta(minutes=30)
TAGGED = {"tags": [{"name": "motrin", "url": "https://away.example/tags/motrin"}]}
STREAMING = "/api/v1/streaming"

Json = dict[str, Any]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def status_id(number: int, time: datetime | None = None) -> str:
    """As the server numbers what was written at a time: number `n` is one of the n-th second."""
    moment = time or START + timedelta(seconds=number)
    return str((int(moment.timestamp() * 1000) << 16) + number % 65_536)


def status(number: int, text: str | None = None, **more: Any) -> Json:
    """Status `number`, written in the n-th second, as a server shows one of a user of another server."""
    who = f"author{number % 7}"
    return {
        "id": status_id(number),
        "created_at": f"{START + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S}.000Z",
        "in_reply_to_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": "en",
        "uri": f"https://away.example/users/{who}/statuses/{number}",
        "url": f"https://away.example/@{who}/{number}",
        "replies_count": 0,
        "edited_at": None,
        "content": f"<p>{f'post {number}' if text is None else text}</p>",
        "reblog": None,
        "account": {
            "id": "109",
            "username": who,
            "acct": f"{who}@away.example",
            "bot": False,
            "url": f"https://away.example/@{who}",
            "followers_count": 40 + number,
            "created_at": "2022-11-04T00:00:00.000Z",
        },
        "media_attachments": [],
        "mentions": [],
        "tags": [],
        "poll": None,
    } | more


def frame(name: str, payload: object, stream: Sequence[str] = ("public",)) -> str:
    """What a websocket brings."""
    inner = payload if isinstance(payload, str) else orjson.dumps(payload).decode()
    return orjson.dumps({"stream": list(stream), "event": name, "payload": inner}).decode()


def event(name: str, payload: object) -> str:
    """What server-sent events bring."""
    inner = payload if isinstance(payload, str) else orjson.dumps(payload).decode()
    return f"event: {name}\ndata: {inner}\n\n"


def new(number: int, text: str | None = None, **more: Any) -> str:
    return frame("update", status(number, text, **more))


class Home:
    """A server. Whoever asks for a websocket gets the next of `answers`, for events the next of `feeds`; the last one
    is given ever again, and without any it is live."""

    def __init__(self) -> None:
        self.statuses: list[Json] = []
        """What its timelines hold, whatever the order."""
        self.answers: list[Answer] = []
        self.feeds: list[Answer] = []
        self.timelines: list[Answer] = []
        """What answers the next requests for timelines; after them they are as they are."""
        self.instance: Json = {"domain": "home.example", "configuration": {"urls": {}}}
        self.about: Answer | None = None
        self.moved: str | None = None
        self.asked: list[web.Request] = []
        """Requests for streams."""
        self.read: list[web.Request] = []
        """Requests for timelines."""
        self.everything: list[web.Request] = []
        self.subscribed: list[Json] = []
        self.url = ""
        self._lines: list[tuple[set[str], Callable[[str, Json | str], Awaitable[None]]]] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._note])
        application.router.add_get("/api/v2/instance", self._instance)
        application.router.add_get(STREAMING, self._socket)
        application.router.add_get("/api/v1/timelines/public", self._timeline)
        application.router.add_get("/api/v1/timelines/tag/{tag}", self._timeline)
        for path in ("public", "public/local", "public/remote", "hashtag"):
            application.router.add_get(f"{STREAMING}/{path}", self._feed)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def publish(self, one: Json, name: str = "update") -> None:
        """Say something live, and keep it in the timelines."""
        if name == "update":
            self.statuses.append(one)
        for streams, send in [*self._lines]:
            for stream in streams & streams_of(one):
                await send(stream, one)

    async def take_back(self, which: str) -> None:
        """Delete a status."""
        for streams, send in [*self._lines]:
            for stream in streams:
                await send(stream, which)

    async def until_listened(self, count: int = 1) -> None:
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: sum(map(len, (streams for streams, _ in self._lines))) >= count)

    async def _note(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        self.everything.append(request)
        return await handler(request)

    _note = web.middleware(_note)  # type: ignore[assignment, arg-type]

    async def _instance(self, request: web.Request) -> web.StreamResponse:
        return await self.about(request) if self.about else web.json_response(self.instance)

    async def _timeline(self, request: web.Request) -> web.StreamResponse:
        self.read.append(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "This method requires an authenticated user"}, status=422)
        return await (self.timelines.pop(0) if self.timelines else self.page)(request)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """A page of a timeline as it is."""
        tag = request.match_info.get("tag")
        stream = "public" if tag is None else f"hashtag:{tag}"
        held = sorted((one for one in self.statuses if stream in streams_of(one)), key=lambda one: int(one["id"]))
        limit = int(request.query.get("limit", "20"))
        if "min_id" in request.query:
            held = [one for one in held if int(one["id"]) > int(request.query["min_id"])][:limit]
        if "max_id" in request.query:
            held = [one for one in held if int(one["id"]) < int(request.query["max_id"])]
        return web.json_response(held[-limit:][::-1])

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            if self.moved:
                raise web.HTTPMovedPermanently(self.moved)
            return web.json_response({"error": "Missing access token"}, status=401)
        self.asked.append(request)
        if self.answers:
            return await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)
        return await self.live(request)

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self.feeds:
            return await (self.feeds.pop(0) if len(self.feeds) > 1 else self.feeds[0])(request)
        return await self.live_feed(request)

    async def live(self, request: web.Request) -> web.StreamResponse:
        """A websocket that brings what is published."""
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401, headers={"X-Error-Message": "Invalid access token"})
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        streams: set[str] = set()

        async def send(stream: str, one: Json | str) -> None:
            name = "delete" if isinstance(one, str) else "update"
            with suppress(ConnectionError):
                await ws.send_str(frame(name, one, stream.split(":", 1) if "hashtag" in stream else [stream]))

        entry = (streams, send)
        self._lines.append(entry)
        try:
            async for message in ws:
                asked = orjson.loads(message.data)
                self.subscribed.append(asked)
                async with self._changed:
                    streams.add(f"hashtag:{asked['tag']}" if asked["stream"] == "hashtag" else asked["stream"])
                    self._changed.notify_all()
        finally:
            self._lines.remove(entry)
        return ws

    async def live_feed(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events that bring what is published."""
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"error": "Invalid access token"}, status=401)
        response = await _begun(request)
        kind = request.path.removeprefix(f"{STREAMING}/").replace("/", ":")

        async def send(_: str, one: Json | str) -> None:
            with suppress(ConnectionError):
                await response.write(event("delete" if isinstance(one, str) else "update", one).encode())

        entry = ({f"hashtag:{request.query['tag']}" if kind == "hashtag" else kind}, send)
        async with self._changed:
            self._lines.append(entry)
            self._changed.notify_all()
        try:
            while True:
                await asyncio.sleep(0.02)
                await response.write(b":thump\n")
        except ConnectionError:
            return response
        finally:
            self._lines.remove(entry)

    async def cut(self) -> None:
        """Break all connections for streams."""
        for request in self.asked:
            if request.transport is not None:
                request.transport.abort()


def streams_of(one: Json) -> set[str]:
    return {"public", *(f"hashtag:{tag['name']}" for tag in one["tags"])}


def play(*frames: str | bytes, then: str | int = "wait") -> Answer:
    """A websocket that sends frames, then waits for ever, pings, closes with a code, or cuts the line."""

    async def answer(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(autoping=False)
        await ws.prepare(request)
        for one in frames:
            await (ws.send_str(one) if isinstance(one, str) else ws.send_bytes(one))
        if isinstance(then, int):
            await ws.close(code=then)
        elif then == "close":
            await ws.close(code=WSCloseCode.GOING_AWAY)
        elif then == "cut":
            assert request.transport is not None
            request.transport.abort()
        while then in {"wait", "ping"} and not ws.closed:
            if then == "ping":
                with suppress(ConnectionError):
                    await ws.ping(b"beat")
                await asyncio.sleep(0.02)
            elif (await ws.receive()).type in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.ERROR}:
                break
        return ws

    return answer


def feed(*chunks: str | bytes, then: str = "wait") -> Answer:
    """Server-sent events in these chunks, then silence, a heartbeat, or the end."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await _begun(request)
        for chunk in chunks:
            await response.write(chunk.encode() if isinstance(chunk, str) else chunk)
            await asyncio.sleep(0)
        while then in {"beat", "wait"} and request.transport is not None:
            if then == "beat":
                await response.write(b":thump\n")
            await asyncio.sleep(0.02)
        return response

    return answer


async def _begun(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    await response.write(b":)\n")
    return response


def refuse(status: int, error: str | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(
            status=status,
            headers=named,
            body=orjson.dumps({"error": error}) if error else None,
            content_type="application/json",
        )

    return answer


def body(content: bytes, content_type: str = "application/json") -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=content_type)

    return answer


def source_of(home: Home, *streams: str, **options: Any) -> Mastodon:
    options = {"waits": lambda: itertools.repeat(0.01), "settle": 0.0} | options
    return Mastodon(home.url, TOKEN, streams or ("public",), ReplayClock(NOW), **options)


def resumed(home: Home, *streams: str, at: int = 0, **options: Any) -> Mastodon:
    """One whose first stream was sent up to a status."""
    source = source_of(home, *streams, **options)
    source.resume(
        orjson.dumps({"server": home.url[7:], "sent_to": {(streams or ("public",))[0]: status_id(at)}}).decode()
    )
    return source
