"""Jetstream as it is spoken: frames of both versions, and a server that plays them, for tests of the Bluesky source."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import WSCloseCode, web

START_US = 1779719000000000
"""25 May 2026, 14:23:20 UTC."""
SECOND = 1_000_000
NSID = "network.bsky.jetstream.subscribeEvents"
V1_PATH, V2_PATH = "/subscribe", f"/xrpc/{NSID}"
POSTS, REPOSTS = "app.bsky.feed.post", "app.bsky.feed.repost"

Event = dict[str, Any]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def record(text: str, **more: Any) -> Event:
    return {"$type": POSTS, "createdAt": "1999-05-25T14:23:28.757Z", "langs": ["en"], "text": text} | more


def commit(number: int, record: Event | None, operation: str = "create", collection: str = POSTS, **more: Any) -> Event:
    """Event `number` of a stream, one a second."""
    inner = {"rev": "3mmoojpaqkn2z", "operation": operation, "collection": collection, "rkey": f"k{number}"}
    if record is not None:
        inner |= {"record": record, "cid": "bafyreicl7ihm5pw4hrzc7aqzfrsxhk7hrqyz6qozv4fpcfixdqpcwvhfuq"}
    event = {"did": f"did:plc:author{number % 7}", "time_us": START_US + number * SECOND, "kind": "commit"}
    return event | {"commit": inner | {name: more.pop(name) for name in ("rkey",) if name in more}} | more


def post(number: int, text: str | None = None, **more: Any) -> Event:
    return commit(number, record(f"post {number}" if text is None else text), **more)


def uri(event: Event) -> str:
    return f"at://{event['did']}/{event['commit']['collection']}/{event['commit']['rkey']}"


def repost(number: int, of: str) -> Event:
    inner = {"$type": REPOSTS, "createdAt": "2026-05-25T14:23:28.757Z", "subject": {"cid": "bafyre", "uri": of}}
    return commit(number, inner, collection=REPOSTS)


def delete(number: int, of: Event) -> Event:
    was = of["commit"]
    gone = commit(number, None, "delete", was["collection"], rkey=was["rkey"])
    return gone | {"did": of["did"]}


def account(number: int, did: str, status: str | None) -> Event:
    time = START_US + number * SECOND
    inner = {"active": status is None, "did": did, "seq": 4711, "time": "2026-05-25T14:23:29.111Z"}
    return {"did": did, "time_us": time, "kind": "account", "account": inner | ({"status": status} if status else {})}


def identity(number: int) -> Event:
    did = f"did:plc:author{number}"
    inner = {"did": did, "seq": 4712, "time": "2026-05-25T14:23:29.111Z"}
    return {"did": did, "time_us": START_US + number * SECOND, "kind": "identity", "identity": inner}


def sync(number: int, did: str) -> Event:
    """The server has found that it had not all of an account, and repeats all its posts, at the same time (v2 only)."""
    inner = {"did": did, "rev": "3mmoojpaqkn2z", "seq": 4713, "time": "2026-05-25T14:23:29.111Z", "blocks": "AA=="}
    return {"did": did, "time_us": START_US + number * SECOND, "kind": "sync", "sync": inner}


def v1(event: Event) -> str:
    return orjson.dumps(event).decode()


def v2(event: Event, seq: int | None = None) -> str:
    """The same in the frames of v2; its number in the stream is that of its second."""
    kind = event["kind"]
    moment = datetime.fromtimestamp(event["time_us"] / SECOND, UTC)
    inner = event[kind] if kind == "commit" else {kind: event[kind]}
    payload = {
        "$type": f"{NSID}#{kind}",
        "seq": 1_000 + (event["time_us"] - START_US) // SECOND if seq is None else seq,
        "did": event["did"],
        "time": f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
        "witnessedAt": f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
    }
    return orjson.dumps({"$type": "message", "payload": payload | inner}).decode()


def info(name: str) -> str:
    payload = {"$type": f"{NSID}#info", "name": name, "message": "starting at seq 7"}
    return orjson.dumps({"$type": "message", "payload": payload}).decode()


def error(name: str, message: str) -> str:
    return orjson.dumps({"$type": "error", "error": name, "message": message}).decode()


FRAME = {V1_PATH: v1, V2_PATH: v2}
"""How an event is framed, by the path at which it is asked for."""


def as_on_the_network(number: int, text: str, chance: random.Random, lang: str = "en") -> Event:
    """A post with as much about it as real ones have: answers, pictures, links with their cards, quotes."""

    def letters(count: int) -> str:
        return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz234567", k=count))

    def link() -> Event:
        return {"cid": f"bafyrei{letters(52)}", "uri": f"at://did:plc:{letters(24)}/{POSTS}/{letters(13)}"}

    def blob() -> Event:
        link = {"$link": f"bafkrei{letters(52)}"}
        return {"$type": "blob", "ref": link, "mimeType": "image/jpeg", "size": chance.randrange(10**6)}

    more: Event = {"langs": [lang]}
    kind = chance.random()
    if kind < 0.45:
        more["reply"] = {"parent": link(), "root": link()}
    elif kind < 0.65:
        size = {"height": 1_440, "width": 1_080}
        images = [{"alt": "", "aspectRatio": size, "image": blob()} for _ in range(chance.choice((1, 1, 2)))]
        more["embed"] = {"$type": "app.bsky.embed.images", "images": images}
    elif kind < 0.8:
        page = f"https://www.example.org/2026/05/25/news/what-happened-and-who-said-it-{letters(8)}"
        about = "What happened, who said it, and what the company has answered so far. Our reporters are on the spot."
        card = {"description": about, "thumb": blob(), "title": "News of the day: a company apologises", "uri": page}
        more["embed"] = {"$type": "app.bsky.embed.external", "external": card}
        feature = {"$type": "app.bsky.richtext.facet#link", "uri": page}
        more["facets"] = [{"features": [feature], "index": {"byteEnd": 20, "byteStart": 0}}]
    elif kind < 0.9:
        more["embed"] = {"$type": "app.bsky.embed.record", "record": link()}
    event = commit(number, record(text, **more), rkey=letters(13))
    event["commit"]["cid"] = f"bafyrei{letters(52)}"
    return event | {"did": f"did:plc:{letters(24)}"}


class Jetstream:
    """A server that answers each connection with the next of `answers`, the last one ever again."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[web.Request] = []
        self.dictionary: bytes | None = None
        self.stalls = False
        """Whether who asks for the dictionary waits for ever."""
        self.base = ""
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        application = web.Application()
        for path in (V1_PATH, V2_PATH):
            application.router.add_get(path, self._handle)
        application.router.add_get("/xrpc/network.bsky.jetstream.getZstdDictionary", self._give_dictionary)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base = f"ws://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def cursors(self) -> list[int | None]:
        """What was asked for, connection by connection."""
        found = (request.query.get("cursor") for request in self.requests)
        return [None if cursor is None else int(cursor) for cursor in found]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return await self.answers[min(len(self.requests), len(self.answers)) - 1](request)

    async def _give_dictionary(self, request: web.Request) -> web.StreamResponse:
        """In pieces, as servers behind others do, which do not say how long it is."""
        if self.stalls:
            await asyncio.sleep(60)
        if self.dictionary is None:
            return web.json_response({"error": "DictionaryNotFound"}, status=404)
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        await response.prepare(request)
        with suppress(ConnectionResetError):  # nobody wants the rest
            await response.write(self.dictionary[:100])
            await response.write(self.dictionary[100:])
        return response


def play(*frames: str | bytes | Event, then: str | int = "wait") -> Answer:
    """Send frames, events in the version that was asked for; then wait for ever, close with a code, or cut the line."""

    async def answer(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(compress=request.path == V1_PATH)
        await ws.prepare(request)
        for frame in frames:
            shown = FRAME[request.path](frame) if isinstance(frame, dict) else frame
            await (ws.send_str(shown) if isinstance(shown, str) else ws.send_bytes(shown))
        if then == "close":
            await ws.close(code=WSCloseCode.GOING_AWAY)
        elif isinstance(then, int):
            await ws.close(code=then)
        elif then == "cut":
            assert request.transport is not None
            request.transport.abort()
        else:
            await ws.receive()
        return ws

    return answer


def refuse(status: int, body: Event | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers=named, body=orjson.dumps(body) if body else None)

    return answer
