"""X as it is spoken: posts, an API with rules, counts, searches and a stream, and the source that listens to it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self

import orjson
from aiohttp import web
from edges import Taken

from crisisdesk.clock import ReplayClock
from crisisdesk.records import Post
from crisisdesk.sources.x.api import Api
from crisisdesk.sources.x.cost import Bill, Prices
from crisisdesk.sources.x.place import id_at
from crisisdesk.sources.x.rules import Topic
from crisisdesk.sources.x.source import Wishes, X
from crisisdesk.sources.x.waits import Waits

TOKEN = "an-apps-token"  # noqa: S105
START = datetime(2026, 5, 25, 14, 0, tzinfo=UTC)
NOW = START + timedelta(minutes=30)
MOTRIN = Topic("Motrin", ("motrin", "pain reliever"))
RULE = '(motrin OR #motrin OR @motrin OR "pain reliever") -is:retweet'
STREAM = "/2/tweets/search/stream"
RULES = f"{STREAM}/rules"
SEARCH = "/2/tweets/search/recent"
COUNTS = "/2/tweets/counts/recent"
PROBLEMS = "https://api.twitter.com/2/problems"
BEAT = b"\r\n"

Json = dict[str, Any]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def post_id(number: int) -> str:
    """As X numbers what was written in the n-th second."""
    return str(id_at(START + timedelta(seconds=number)) + number % 4_096)


def tweet(number: int, text: str | None = None, **more: Any) -> Json:
    """Post `number`, written in the n-th second."""
    return {
        "id": post_id(number),
        "edit_history_tweet_ids": [post_id(number)],
        "text": f"motrin {number}" if text is None else text,
        "created_at": f"{START + timedelta(seconds=number):%Y-%m-%dT%H:%M:%S}.000Z",
        "author_id": str(2_000 + number),
        "lang": "en",
    } | more


def user(number: int) -> Json:
    """The author of post `number`."""
    metrics = {"followers_count": 40 + number, "following_count": 3, "tweet_count": 9, "listed_count": 0}
    return {
        "id": str(2_000 + number),
        "name": f"Author {number}",
        "username": f"author{number}",
        "public_metrics": metrics,
    }


def frame(number: int, text: str | None = None, **more: Any) -> Json:
    """What the stream brings."""
    return {
        "data": tweet(number, text, **more),
        "includes": {"users": [user(number)]},
        "matching_rules": [{"id": "1", "tag": "crisisdesk/acme/Motrin"}],
    }


def line(content: object) -> bytes:
    return (content if isinstance(content, bytes) else orjson.dumps(content)) + b"\r\n"


def new(number: int, text: str | None = None, **more: Any) -> bytes:
    return line(frame(number, text, **more))


class Network:
    """X. Whoever asks for the stream gets the next of `answers`; the last one is given ever again, and without any it
    is live."""

    def __init__(self) -> None:
        self.tweets: list[Json] = []
        """What searches and counts find, whatever the query."""
        self.rules: list[Json] = []
        self.invalid: set[str] = set()
        """What a rule must not hold."""
        self.answers: list[Answer] = []
        self.about_rules: list[Answer] = []
        """What answers the next requests for rules; after them they are as they are."""
        self.counts: list[Answer] = []
        self.searches: list[Answer] = []
        self.most = 1_000
        """Rules of an answer."""
        self.asked: list[web.Request] = []
        """Requests for the stream."""
        self.everything: list[web.Request] = []
        self.changed: list[tuple[bool, Json]] = []
        """What was asked to be changed of the rules, and whether only to try it."""
        self.now = NOW
        self.url = ""
        self._lines: list[web.StreamResponse] = []
        self._listening = asyncio.Condition()
        self._next = 100
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._note])
        application.router.add_get(STREAM, self._stream)
        application.router.add_get(RULES, self._list)
        application.router.add_post(RULES, self._change)
        application.router.add_get(COUNTS, self._count)
        application.router.add_get(SEARCH, self._search)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def publish(self, *frames: Json) -> None:
        """Say something live, and let it be found."""
        for one in frames:
            self.tweets.append(one["data"])
            for response in [*self._lines]:
                with suppress(ConnectionError):
                    await response.write(line(one))

    async def until_listened(self) -> None:
        async with asyncio.timeout(10), self._listening:
            await self._listening.wait_for(lambda: bool(self._lines))

    def asked_for(self, path: str, method: str = "GET") -> list[web.Request]:
        return [one for one in self.everything if (one.path, one.method) == (path, method)]

    async def cut(self) -> None:
        """Break all streams."""
        for request in self.asked:
            if request.transport is not None:
                request.transport.abort()

    @web.middleware
    async def _note(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        self.everything.append(request)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return await refuse(401, title="Unauthorized", detail="Unauthorized", type="about:blank")(request)
        return await handler(request)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        if self.answers:
            return await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)
        return await self.live(request)

    async def live(self, request: web.Request) -> web.StreamResponse:
        """A stream that brings what is published."""
        response = await begun(request, self.now)
        async with self._listening:
            self._lines.append(response)
            self._listening.notify_all()
        try:
            while True:
                await asyncio.sleep(0.02)
                await response.write(BEAT)
        except ConnectionError:
            return response
        finally:
            self._lines.remove(response)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        return await (self.about_rules.pop(0) if self.about_rules else self.show)(request)

    async def show(self, request: web.Request) -> web.StreamResponse:
        first = int(request.query.get("pagination_token", "0"))
        shown, more = self.rules[first : first + self.most], first + self.most < len(self.rules)
        meta = {"sent": stamp(self.now), "result_count": len(shown)}
        meta |= {"next_token": str(first + self.most)} if more else {}
        return self._json({"data": shown, "meta": meta} if shown else {"meta": meta})

    async def _change(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.changed.append((request.query.get("dry_run") == "true", body))
        return await (self.about_rules.pop(0) if self.about_rules else self.change)(request)

    async def change(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if "delete" in body:
            gone = set(body["delete"]["ids"])
            self.rules = [one for one in self.rules if one["id"] not in gone]
            return self._json({"meta": {"sent": stamp(self.now), "summary": {"deleted": len(gone), "not_deleted": 0}}})
        return self._add(body["add"], is_dry=request.query.get("dry_run") == "true")

    def _add(self, rules: list[Json], *, is_dry: bool) -> web.StreamResponse:
        made, errors = [], []
        for one in rules:
            there = next((rule for rule in self.rules if rule["value"] == one["value"]), None)
            if there is not None:
                known = {"value": one["value"], "id": there["id"], "title": "DuplicateRule"}
                errors.append(known | {"type": f"{PROBLEMS}/duplicate-rules"})
            elif any(part in one["value"] for part in self.invalid):
                details = ["Reference to invalid operator 'beat'. (at position 1)"]
                invalid = {"value": one["value"], "details": details, "title": "UnprocessableEntity"}
                errors.append(invalid | {"type": f"{PROBLEMS}/invalid-rules"})
            else:
                self._next += 1
                made.append(one | {"id": str(self._next)})
        if not is_dry:
            self.rules += made
        summary = {"created": len(made), "not_created": len(errors), "valid": len(made), "invalid": len(errors)}
        answer = {"meta": {"sent": stamp(self.now), "summary": summary}}
        answer |= ({"data": made} if made else {}) | ({"errors": errors} if errors else {})
        return self._json(answer, 201 if made else 400)

    async def _count(self, request: web.Request) -> web.StreamResponse:
        return await (self.counts.pop(0) if self.counts else self.count)(request)

    async def count(self, _: web.Request) -> web.StreamResponse:
        total = len(self.tweets)
        day = {"start": stamp(self.now - timedelta(days=7)), "end": stamp(self.now), "tweet_count": total}
        return self._json({"data": [day], "meta": {"total_tweet_count": total}})

    async def _search(self, request: web.Request) -> web.StreamResponse:
        return await (self.searches.pop(0) if self.searches else self.find)(request)

    async def find(self, request: web.Request) -> web.StreamResponse:
        since, until = (datetime.fromisoformat(request.query[name]) for name in ("start_time", "end_time"))
        low, high = id_at(since), id_at(until)
        held = sorted((one for one in self.tweets if low <= int(one["id"]) < high), key=lambda one: -int(one["id"]))
        first, size = int(request.query.get("next_token", "0")), int(request.query["max_results"])
        page = held[first : first + size]
        meta: Json = {"result_count": len(page)}
        meta |= {"next_token": str(first + size)} if first + size < len(held) else {}
        users = {one["author_id"]: user(int(one["author_id"]) - 2_000) for one in page}
        return self._json({"data": page, "includes": {"users": list(users.values())}, "meta": meta})

    def _json(self, answer: object, status: int = 200) -> web.Response:
        headers = {"Date": format_datetime(self.now, usegmt=True)}
        return web.json_response(answer, status=status, headers=headers)


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def play(*chunks: bytes, then: str = "wait", every: float = 0.0) -> Answer:
    """A stream in these chunks, then silence, signs of life, its end, or a cut line."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await begun(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(every)
        if then == "cut":
            assert request.transport is not None
            request.transport.abort()
        while then in {"beat", "wait"} and request.transport is not None:
            if then == "beat":
                await response.write(BEAT)
            await asyncio.sleep(0.02)
        return response

    return answer


async def begun(request: web.Request, now: datetime = NOW) -> web.StreamResponse:
    headers = {"Content-Type": "application/json; charset=utf-8", "Date": format_datetime(now, usegmt=True)}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    return response


def refuse(status: int, /, headers: dict[str, str] | None = None, **said: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        about = {"Date": format_datetime(NOW, usegmt=True)} | (headers or {})
        return web.Response(
            status=status, headers=about, body=orjson.dumps(said | {"status": status}), content_type="application/json"
        )

    return answer


def body(content: bytes, content_type: str = "application/json") -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, content_type=content_type)

    return answer


TOO_MANY = {
    "title": "ConnectionException",
    "detail": "This stream is currently at the maximum allowed connection limit.",
    "connection_issue": "TooManyConnections",
    "type": f"{PROBLEMS}/streaming-connection",
}
DISCONNECT = {
    "errors": [
        {
            "title": "operational-disconnect",
            "disconnect_type": "UpstreamOperationalDisconnect",
            "detail": "This stream has been disconnected upstream for operational reasons.",
            "type": f"{PROBLEMS}/operational-disconnect",
        }
    ]
}


class Pauses:
    """Waits nowhere, and knows how long it should have."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0.001)


class Counted(Taken):
    """An edge that knows for which watches each post was sent."""

    def __init__(self, terms: Sequence[str] = ()) -> None:
        super().__init__(terms)
        self.counted: list[tuple[str, tuple[str, ...] | None]] = []

    async def send(self, post: Post, watches: tuple[str, ...] | None = None) -> None:
        self.counted.append((post.text, watches))
        await super().send(post, watches)


class Ticking(ReplayClock):
    """A clock that somebody sets."""

    def __init__(self, now: datetime = NOW) -> None:
        super().__init__(now)
        self.present = now

    def now(self) -> datetime:
        return self.present


def source_of(network: Network, *topics: Topic, clock: ReplayClock | None = None, **wishes: Any) -> X:
    """A source whose waits are nothing; what `Wishes` has goes there, the rest to the source."""
    clock = clock or ReplayClock(NOW)
    wished = {name: wishes.pop(name) for name in [*wishes] if name in Wishes.__dataclass_fields__}
    token, authors = wishes.pop("token", TOKEN), wishes.pop("authors", True)
    wished = {"bill": Bill(Prices(0.005, 0.01 if authors else 0.0)), "desk": "acme"} | wished
    api = Api(network.url, token, clock, authors=authors, reposts=wished.get("reposts", False))
    options = {"waits": lambda: Waits(lambda: 1.0), "pause": Pauses(), "settle": 0.0} | wishes
    return X(api, Wishes(topics or (MOTRIN,), **wished), clock, **options)


def resumed(network: Network, at: int = 0, topics: Sequence[Topic] = (), **options: Any) -> X:
    """One that had come to post `at`."""
    source = source_of(network, *topics, **options)
    source.resume(post_id(at))
    return source
