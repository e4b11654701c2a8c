"""The Bluesky source against a server that speaks Jetstream v1 over a real socket, and misbehaves."""

import asyncio
import itertools
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

import orjson
import pytest
from aiohttp import WSCloseCode, web
from edges import Taken

from crisisdesk.clock import ReplayClock
from crisisdesk.errors import FatalSourceError
from crisisdesk.records import Post
from crisisdesk.sources import bluesky
from crisisdesk.sources.bluesky import Bluesky

NOW = datetime(2026, 5, 25, 14, 30, tzinfo=UTC)
START_US = 1779719000000000
SECOND = 1_000_000

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def event(number: int, time_us: int | None = None) -> str:
    """Post `number`, one a second."""
    return orjson.dumps(
        {
            "did": f"did:plc:author{number % 7}",
            "time_us": START_US + number * SECOND if time_us is None else time_us,
            "kind": "commit",
            "commit": {
                "rev": "3mm",
                "operation": "create",
                "collection": "app.bsky.feed.post",
                "rkey": f"k{number}",
                "record": {"$type": "app.bsky.feed.post", "createdAt": "x", "langs": ["en"], "text": f"post {number}"},
                "cid": "bafy",
            },
        }
    ).decode()


DELETE = (
    '{"did":"did:plc:a","time_us":1779719000000001,"kind":"commit",'
    '"commit":{"rev":"3","operation":"delete","collection":"app.bsky.feed.post","rkey":"k1"}}'
)
IDENTITY = '{"did":"did:plc:a","time_us":1779719000000001,"kind":"identity","identity":{"did":"did:plc:a","seq":1}}'
ACCOUNT = '{"did":"did:plc:a","time_us":1779719000000001,"kind":"account","account":{"active":true,"did":"did:plc:a"}}'


class Jetstream:
    """A server that answers each connection with the next of `answers`, the last one ever again."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[web.Request] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.answers[min(len(self.requests), len(self.answers)) - 1](request)

    def cursors(self) -> list[int | None]:
        found = (request.query.get("cursor") for request in self.requests)
        return [None if cursor is None else int(cursor) for cursor in found]


@pytest.fixture
async def server() -> AsyncIterator[Jetstream]:
    jetstream = Jetstream()
    application = web.Application()
    application.router.add_get("/subscribe", jetstream.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    jetstream.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/subscribe"
    yield jetstream
    await runner.cleanup()


def play(*frames: str | bytes, then: str = "wait") -> Answer:
    """Send frames, then wait for ever, close properly, or cut the line."""

    async def answer(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        for frame in frames:
            await (ws.send_str(frame) if isinstance(frame, str) else ws.send_bytes(frame))
        if then == "close":
            await ws.close(code=WSCloseCode.GOING_AWAY)
        elif then == "cut":
            assert request.transport is not None
            request.transport.abort()
        else:
            await ws.receive()
        return ws

    return answer


def refuse(status: int, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


def source_of(server: Jetstream, **options) -> Bluesky:
    return Bluesky(server.url, ReplayClock(NOW), waits=lambda: itertools.repeat(0.0), **options)


async def received(source: Bluesky, count: int) -> list[str]:
    """Run until so many posts came; their texts."""
    texts: list[str] = []
    enough = asyncio.Event()

    async def send(post: Post) -> None:
        texts.append(post.text)
        if len(texts) >= count:
            enough.set()

    task = asyncio.create_task(source.run(Taken(wait=send)))
    try:
        async with asyncio.timeout(20):
            await enough.wait()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return texts


def posts(numbers: Iterable[int]) -> list[str]:
    return [f"post {number}" for number in numbers]


async def test_what_is_asked_for(server):
    server.answers = [play(event(0), event(1))]
    source = source_of(server)
    assert source.status().state == "connecting"
    assert await received(source, 2) == posts(range(2))
    (request,) = server.requests
    assert request.query.getall("wantedCollections") == ["app.bsky.feed.post"]
    assert int(request.query["maxMessageSizeBytes"]) == bluesky.ASKED_MESSAGE
    assert "cursor" not in request.query
    assert "Sec-WebSocket-Extensions" not in request.headers
    assert "Socket-Encoding" not in request.headers
    assert "compress" not in request.query
    assert request.headers["User-Agent"].startswith("crisisdesk/")
    status = source.status()
    assert (status.state, status.events, status.posts, status.bad, status.trouble) == ("live", 2, 2, 0, "")
    assert status.last_event == NOW
    assert source.cursor == str(START_US + SECOND)


async def test_bad_and_other_frames_are_counted_and_do_not_break_the_line(server):
    broken = [
        "oops",
        "{",
        '{"commit":{"operation":"create","collection":"app.bsky.feed.post"}}',
        b"\x00binary",
        "[]",
        event(1, 5),
    ]
    server.answers = [play(event(0), DELETE, *broken, IDENTITY, ACCOUNT, event(2))]
    source = source_of(server)
    assert await received(source, 2) == ["post 0", "post 2"]
    assert len(server.requests) == 1
    status = source.status()
    assert (status.events, status.posts, status.bad) == (11, 2, 6)


async def test_text_that_is_not_utf8_is_one_bad_frame(server):
    async def answer(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_frame(event(0).encode().replace(b"post 0", b"p\xff\xfe"), 1)
        await ws.send_str(event(1))
        await ws.receive()
        return ws

    server.answers = [answer]
    source = source_of(server)
    assert await received(source, 1) == posts([1])
    assert (source.status().bad, len(server.requests)) == (1, 1)


@pytest.mark.parametrize("then", ["close", "cut"])
async def test_breaks_leave_no_gap_and_no_duplicate(server, then):
    async def archive(request: web.Request) -> web.StreamResponse:
        """Ten more of forty posts from the cursor on, itself included, as the protocol has it; then a break."""
        asked = request.query.get("cursor")
        first = 0 if asked is None else max((int(asked) - START_US) // SECOND, 0)
        return await play(*map(event, range(first, min(first + 10, 40))), then=then)(request)

    server.answers = [archive]
    source = source_of(server)
    assert await received(source, 40) == posts(range(40))
    first, *resumed = server.cursors()
    assert first is None
    assert all((asked - START_US) % SECOND == 0 for asked in resumed)
    assert resumed == sorted(resumed)
    assert len(resumed) >= 6
    assert source.status().posts == 40
    assert source.cursor == str(START_US + 39 * SECOND)


async def test_a_restart_goes_on_from_the_cursor(server):
    server.answers = [play(event(7))]
    source = source_of(server)
    source.resume(str(START_US + 7 * SECOND))
    assert await received(source, 1) == posts([7])
    assert server.cursors() == [START_US + 2 * SECOND]


async def test_the_cursor_neither_falls_back_nor_runs_ahead_of_our_clock(server):
    far = int(NOW.timestamp() + 10**6) * SECOND
    server.answers = [play(event(9), event(3), then="close"), play(event(10, far), then="close"), play(event(11))]
    assert await received(source_of(server), 4) == posts([9, 3, 10, 11])
    assert server.cursors() == [None, START_US + 4 * SECOND, int(NOW.timestamp()) * SECOND - 5 * SECOND]


async def test_passing_refusals_are_tried_again(server):
    server.answers = [
        refuse(500),
        refuse(503, Retry_After="0"),
        refuse(429, Retry_After="x"),
        refuse(502),
        play(event(0)),
    ]
    assert await received(source_of(server), 1) == posts([0])
    assert len(server.requests) == 5


async def test_the_server_may_say_how_long_to_wait(server, monkeypatch):
    waited: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    monkeypatch.setattr(bluesky.asyncio, "sleep", noted)
    server.answers = [refuse(429, Retry_After="7"), refuse(429, Retry_After="86400"), refuse(500), play(event(0))]
    await received(source_of(server), 1)
    assert [seconds for seconds in waited if seconds > 1] == [7.0, 300.0]


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404])
async def test_a_refusal_at_the_start_is_fatal_and_names_the_setting(server, status):
    server.answers = [refuse(status)]
    source = source_of(server)
    with pytest.raises(FatalSourceError, match=rf"\(HTTP {status}\); check 'url' of the source"):
        await source.run(Taken(wait=pytest.fail))
    assert source.status().state == "failed"
    assert "check 'url'" in source.status().trouble
    assert len(server.requests) == 1


async def test_a_refusal_of_a_server_that_took_us_before_passes(server):
    server.answers = [play(event(0), then="close"), refuse(404), play(event(1))]
    assert await received(source_of(server), 2) == posts([0, 1])


async def test_a_mute_connection_is_blind_though_it_pings(server):
    async def mute(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(heartbeat=0.01)
        await ws.prepare(request)
        await ws.receive()
        return ws

    proceed = asyncio.Event()

    async def later(request: web.Request) -> web.StreamResponse:
        await proceed.wait()
        return await play(event(1))(request)

    server.answers = [play(event(0), then="close"), mute, later]
    source = source_of(server, silence=0.3)
    states: list[tuple[str, str]] = []

    async def send(post: Post) -> None:
        states.append((post.text, source.status().state))
        if post.text == "post 1":
            raise asyncio.CancelledError

    task = asyncio.create_task(source.run(Taken(wait=send)))
    async with asyncio.timeout(20):
        while len(server.requests) < 3:  # noqa: ASYNC110  (the server counts, and tells nobody)
            await asyncio.sleep(0.01)
        assert source.status().state == "blind"
        assert "said nothing for 0.3 s" in source.status().trouble
        proceed.set()
        with suppress(asyncio.CancelledError):
            await task
    assert states == [("post 0", "live"), ("post 1", "live")]
    assert source.status().trouble == ""


async def test_a_giant_message_is_not_asked_for_again(server, monkeypatch):
    monkeypatch.setattr(bluesky, "MAX_MESSAGE", 10_000)
    server.answers = [play(event(0), '{"a":"' + "x" * 20_000 + '"}', event(1)), play(event(2))]
    assert await received(source_of(server), 2) == posts([0, 2])
    assert server.cursors() == [None, int(NOW.timestamp()) * SECOND - 5 * SECOND]


async def test_nobody_at_the_address_is_tried_again():
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    attempts = 0

    def waits() -> Iterable[float]:
        nonlocal attempts
        while True:
            attempts += 1
            if attempts == 3:
                raise asyncio.CancelledError
            yield 0.0

    source = Bluesky(f"ws://127.0.0.1:{port}/subscribe", ReplayClock(NOW), waits=waits)  # type: ignore[arg-type]
    with pytest.raises(asyncio.CancelledError):
        await source.run(Taken(wait=pytest.fail))
    status = source.status()
    assert status.state == "connecting"
    assert status.trouble.startswith("no connection to 127.0.0.1 (")


async def test_memory_of_ids_is_bounded(server, monkeypatch):
    monkeypatch.setattr(bluesky, "REMEMBERED", 10)
    server.answers = [play(*map(event, range(30)), event(29), event(5))]
    source = source_of(server)
    assert await received(source, 31) == posts([*range(30), 5])
    assert len(source._seen) == 10
