"""The Mastodon source against a server that speaks the real protocol over real sockets, and misbehaves."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from edges import Taken
from mastodons import START, TOKEN, Home, body, event, feed, frame, new, play, refuse, status, status_id

from crisisdesk.clock import ReplayClock
from crisisdesk.errors import FatalSourceError
from crisisdesk.records import Correction
from crisisdesk.sources.mastodon import Mastodon

NOW = START + timedelta(minutes=30)
TAGGED = {"tags": [{"name": "motrin", "url": "https://away.example/tags/motrin"}]}


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    server = Home()
    await server.open()
    yield server
    await server.close()


def source_of(home: Home, *streams: str, **options) -> Mastodon:
    options = {"waits": lambda: itertools.repeat(0.01), "settle": 0.0} | options
    return Mastodon(home.url, TOKEN, streams or ("public",), ReplayClock(NOW), **options)


@asynccontextmanager
async def running(source: Mastodon, edge: Taken) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(source.run(edge))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, FatalSourceError):
            await task


async def until(enough, seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not enough():  # noqa: ASYNC110  what a status says is not told by any event
            await asyncio.sleep(0.005)


async def fails(source: Mastodon) -> str:
    with pytest.raises(FatalSourceError) as failed:
        async with asyncio.timeout(10):
            await source.run(Taken())
    assert source.status().state == "failed"
    assert source.status().trouble == str(failed.value)
    return str(failed.value)


class TestListening:
    async def test_posts_come_over_a_websocket(self, home):
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await home.until_listened()
            await home.publish(status(5, "I hate it, <b>Motrin</b>!<br>Never again"))
            await edge.until(lambda: len(edge.posts) == 1)

        (post,) = edge.posts
        assert post.id == "https://away.example/users/author5/statuses/5"
        assert post.source == "mastodon"
        assert post.text == "I hate it, Motrin! Never again"
        assert post.author == "@author5@away.example"
        assert post.time == START + timedelta(seconds=5)
        assert (post.lang, post.reach, post.url) == ("en", 45, "https://away.example/@author5/5")
        assert home.subscribed == [{"type": "subscribe", "stream": "public"}]
        seen = source.status()
        assert (seen.state, seen.events, seen.posts, seen.bad, seen.trouble) == ("live", 1, 1, 0, "")

    async def test_several_streams_share_one_websocket(self, home):
        source, edge = source_of(home, "public:remote", "hashtag:motrin"), Taken()

        async with running(source, edge):
            await home.until_listened(2)
            await home.publish(status(1, **TAGGED))
            await edge.until(lambda: len(edge.posts) == 1)

        assert len(home.asked) == 1
        assert home.subscribed[1] == {"type": "subscribe", "stream": "hashtag", "tag": "motrin"}
        assert {request.path_qs.split("?")[0] for request in home.read} == {
            "/api/v1/timelines/public",
            "/api/v1/timelines/tag/motrin",
        }
        assert any(request.query.get("remote") == "true" for request in home.read)

    async def test_server_sent_events_have_a_connection_for_each_stream(self, home):
        source, edge = source_of(home, "public", "hashtag:motrin", websocket=False), Taken()

        async with running(source, edge):
            await home.until_listened(2)
            await home.publish(status(1))
            await home.publish(status(2, **TAGGED))
            await edge.until(lambda: len(edge.posts) == 2)

        assert sorted(edge.texts) == ["post 1", "post 2"], "what comes in two streams is one post"
        assert sorted(request.path_qs for request in home.asked) == [
            "/api/v1/streaming/hashtag?tag=motrin",
            "/api/v1/streaming/public",
        ]

    async def test_where_a_websocket_is_refused_events_are_asked_for(self, home):
        home.answers = [refuse(400)]
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await home.until_listened()
            await home.publish(status(1))
            await edge.until(lambda: len(edge.posts) == 1)

        assert [request.path for request in home.asked] == ["/api/v1/streaming", "/api/v1/streaming/public"]
        assert source.status().trouble == ""

    async def test_what_concerns_nobody_is_counted_and_left(self, home):
        source, edge = source_of(home), Taken(terms=["motrin"])

        async with running(source, edge):
            await home.until_listened()
            for number in range(5):
                await home.publish(status(number))
            await home.publish(status(6, "motrin"))
            await edge.until(lambda: len(edge.posts) == 1)

        assert source.status().posts == 6

    async def test_a_post_without_words_is_asked_for_by_its_author(self, home):
        class Asked(Taken):
            authors: list[str | None] = []  # noqa: RUF012

            def concerns(self, text: str, author: str | None = None) -> tuple[str, ...]:
                self.authors.append(author)
                return super().concerns(text, author)

        source, edge = source_of(home), Asked()

        async with running(source, edge):
            await home.until_listened()
            silent = status(1)
            await home.publish(silent | {"content": "", "account": silent["account"] | {"acct": "brand"}})
            await until(lambda: source.status().posts)

        assert edge.authors == ["@brand@home.example"]
        assert edge.posts == []
        assert source.status().bad == 0


class TestCorrections:
    async def test_what_is_taken_back_or_changed_is_corrected(self, home):
        changed = status(2, "new words", edited_at="2026-05-25T14:10:00.000Z")
        home.answers = [
            play(
                new(1), new(2), frame("delete", status_id(1)), frame("status.update", changed),
                frame("delete", status_id(99)), new(3),
            )
        ]  # fmt: skip
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await edge.until(lambda: len(edge.posts) == 3)

        assert edge.corrections == [
            Correction("mastodon", status(1)["uri"]),
            Correction("mastodon", status(2)["uri"], "new words"),
        ]
        assert source.status().posts == 3

    async def test_a_correction_that_overtakes_its_post_holds(self, home):
        changed = status(2, "new words")
        home.answers = [
            play(frame("delete", status_id(1)), frame("status.update", changed), new(1), new(2, "old words"), new(3))
        ]
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await edge.until(lambda: len(edge.posts) == 2)

        assert edge.texts == ["new words", "post 3"]

    async def test_a_boost_that_is_taken_back_leaves_the_original(self, home):
        boost = status(2, "", uri="https://away.example/users/author2/statuses/2/activity", reblog=status(1))
        home.answers = [play(frame("update", boost), frame("delete", status_id(2)))]
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await edge.until(lambda: len(edge.corrections) == 1)

        (post,) = edge.posts
        assert (post.original, post.text, post.reach) == (status(1)["uri"], "post 1", 42)
        assert (post.author, post.url) == ("@author2@away.example", status(1)["url"])
        assert edge.corrections == [Correction("mastodon", boost["uri"])]


class TestGaps:
    async def test_a_first_start_begins_now(self, home):
        home.statuses = [status(number) for number in range(100)]
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await home.until_listened()
            await home.publish(status(200))
            await edge.until(lambda: bool(edge.posts))
            await until(lambda: len(home.read) >= 2)

        assert edge.texts == ["post 200"]

    async def test_a_break_is_filled_oldest_first(self, home):
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await home.until_listened()
            await home.publish(status(0))
            await edge.until(lambda: bool(edge.posts))
            home.statuses += [status(number) for number in range(1, 101)]
            await home.cut()
            await edge.until(lambda: len(edge.posts) == 101)

        assert edge.texts == [f"post {number}" for number in range(101)]
        assert source.status().posts == 101

    async def test_a_restart_goes_on_at_the_cursor(self, home):
        source, edge = source_of(home), Taken()
        async with running(source, edge):
            await home.until_listened()
            await home.publish(status(0))
            await edge.until(lambda: bool(edge.posts))
            await until(lambda: status_id(0) in (source.cursor or ""))
        home.statuses += [status(number) for number in range(1, 60)]

        again, later = source_of(home), Taken()
        again.resume(source.cursor)
        async with running(again, later):
            await later.until(lambda: len(later.posts) >= 59)

        assert {f"post {number}" for number in range(1, 60)} <= set(later.texts)
        assert again.status().trouble == ""

    async def test_what_reached_the_server_late_is_found(self, home):
        source, edge = source_of(home), Taken()
        async with running(source, edge):
            await home.until_listened()
            await home.publish(status(100))
            await edge.until(lambda: bool(edge.posts))
            home.statuses.append(status(40))  # written a minute before the break, delivered in it
            await home.cut()
            await edge.until(lambda: len(edge.posts) == 2)

        assert edge.texts == ["post 100", "post 40"]

    async def test_live_posts_do_not_wait_for_the_gap_and_do_not_hide_it(self, home):
        release = asyncio.Event()

        async def slow(request):
            await release.wait()
            return await home._timeline(request)

        source, edge = source_of(home), Taken()
        source.resume(f'{{"server": "{home.url[7:]}", "sent_to": {{"public": "{status_id(0)}"}}}}')
        home.statuses = [status(number) for number in range(1, 90)]
        home.timelines = [slow]
        async with running(source, edge):
            await home.until_listened()
            await home.publish(status(500))
            await edge.until(lambda: bool(edge.posts))
            assert edge.texts == ["post 500"]
            assert source.cursor is not None
            assert status_id(0) in source.cursor
            release.set()
            await edge.until(lambda: len(edge.posts) == 90)
            await until(lambda: status_id(500) in (source.cursor or ""))

        assert source.status().posts == 90

    async def test_a_timeline_that_fails_is_asked_again_while_live_goes_on(self, home):
        source, edge = source_of(home), Taken()
        source.resume(f'{{"server": "{home.url[7:]}", "sent_to": {{"public": "{status_id(0)}"}}}}')
        home.statuses = [status(1)]
        home.timelines = [refuse(500), refuse(429, Retry_After="0"), refuse(503)] * 3
        async with running(source, edge):
            await edge.until(lambda: bool(edge.posts))
            await until(lambda: source.status().trouble == "")

        assert edge.texts == ["post 1"]
        assert source.status().state == "live"

    async def test_a_timeline_that_is_refused_for_good_is_told(self, home):
        source, edge = source_of(home), Taken()
        source.resume(f'{{"server": "{home.url[7:]}", "sent_to": {{"public": "{status_id(0)}"}}}}')
        home.timelines = [refuse(403, "This action is not allowed")] * 2
        async with running(source, edge):
            await until(lambda: "may be missing" in source.status().trouble)
            trouble = source.status().trouble
            await home.publish(status(7))
            await edge.until(lambda: bool(edge.posts))

        assert trouble.startswith("What was said in public since 25 May 14:00 UTC may be missing: ")
        assert "HTTP 403 (This action is not allowed)" in trouble

    async def test_more_than_can_be_read_is_told(self, home, monkeypatch):
        monkeypatch.setattr("crisisdesk.sources.mastodon.MAX_PAGES", 2)
        source, edge = source_of(home), Taken()
        source.resume(f'{{"server": "{home.url[7:]}", "sent_to": {{"public": "{status_id(0)}"}}}}')
        home.statuses = [status(number) for number in range(1, 200)]
        async with running(source, edge):
            await edge.until(lambda: len(edge.posts) == 80)
            await until(lambda: source.status().trouble)
            await home.publish(status(300))
            await edge.until(lambda: len(edge.posts) == 81)
            await until(lambda: status_id(300) in (source.cursor or ""))

        assert source.status().trouble == (
            "More was said in public during the break than is read afterwards (2 pages): "
            "posts since 25 May 14:01 UTC (28 min) may be missing."
        )

    async def test_a_page_of_nonsense_ends_and_is_told(self, home):
        source, edge = source_of(home), Taken()
        source.resume(f'{{"server": "{home.url[7:]}", "sent_to": {{"public": "{status_id(0)}"}}}}')
        home.statuses = [status(1)]
        home.timelines = [home._timeline, body(b'[{"id": []}, 5, null, {"content": "x"}]')]
        async with running(source, edge):
            await until(lambda: len(home.read) >= 2)
            await home.until_listened()
            await home.publish(status(9))
            await edge.until(lambda: bool(edge.posts))

        assert edge.texts == ["post 9"]

    async def test_every_cursor_brings_its_post_again(self, home):
        """Killed while a post is being handed over, the next run gets it: the cursor stands before it."""
        cursors: dict[str, str | None] = {}

        async def note(post):
            cursors.setdefault(post.text, source.cursor)
            await asyncio.sleep(0)

        source, edge = source_of(home, "public", "hashtag:motrin"), Taken(wait=note)
        source.resume(f'{{"server": "{home.url[7:]}", "sent_to": {{"public": "{status_id(0)}"}}}}')
        home.statuses = [status(number, **(TAGGED if number % 3 == 0 else {})) for number in range(1, 60)]
        async with running(source, edge):
            await home.until_listened(2)
            for number in (150, 120, 151, 149, 152):  # out of order, as servers number what they hear late
                await home.publish(status(number, **TAGGED))
                await asyncio.sleep(0)
            await edge.until(lambda: len(set(edge.texts)) == 64)

        for text, cursor in [*cursors.items()][::5]:
            again, later = source_of(home, "public", "hashtag:motrin"), Taken()
            again.resume(cursor)
            async with running(again, later):
                await later.until(lambda text=text, later=later: text in later.texts)

    @pytest.mark.parametrize("seed", range(4))
    async def test_no_order_of_events_loses_a_post(self, home, seed):
        """Posts, breaks, restarts and late deliveries at random: each post is handed over."""
        chance, edge, cursor = random.Random(seed), Taken(), None
        numbers = iter(range(1, 10_000))
        for life in range(5):
            source = source_of(home, "public", websocket=chance.random() < 0.7)
            if cursor:
                source.resume(cursor)
            async with running(source, edge):
                await until(lambda source=source: source.cursor is not None)
                if not life:
                    await home.until_listened()
                for _ in range(40):
                    fault = chance.random()
                    one = status(next(numbers) - (chance.randrange(30) if fault < 0.2 else 0) + 40)
                    if any(held["id"] == one["id"] for held in home.statuses):
                        continue
                    await (home.publish(one) if fault < 0.8 else _insert(home, one))
                    if fault > 0.95:
                        await home.cut()
                    await asyncio.sleep(chance.choice((0, 0, 0.001, 0.01)))
                if chance.random() < 0.5:
                    await asyncio.sleep(0.05)
                cursor = source.cursor
            for _ in range(chance.randrange(60)):
                await _insert(home, status(next(numbers) + 40))
        last = source_of(home)
        last.resume(cursor)
        async with running(last, edge):
            said = {f"post {number}" for number in (int(one["uri"].rsplit("/", 1)[1]) for one in home.statuses)}
            await home.until_listened()
            await edge.until(lambda: said <= set(edge.texts))


async def _insert(home: Home, one) -> None:
    """It reaches the server while nobody is told."""
    home.statuses.append(one)
    await home.cut()


class TestTrust:
    """Who gets to see the token."""

    async def test_the_server_names_where_it_streams(self, home):
        elsewhere = Home()
        await elsewhere.open()
        home.instance["configuration"]["urls"]["streaming"] = elsewhere.url.replace("http", "ws")
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await elsewhere.until_listened()
            await elsewhere.publish(status(1))
            await edge.until(lambda: bool(edge.posts))
        await elsewhere.close()

        assert home.asked == []
        (instance,) = [request for request in home.everything if request.path == "/api/v2/instance"]
        assert "Authorization" not in instance.headers
        assert edge.posts[0].id == status(1)["uri"]

    async def test_or_sends_those_who_ask_to_it(self, home):
        elsewhere = Home()
        await elsewhere.open()
        home.about = refuse(404)
        home.moved = f"{elsewhere.url}/api/v1/streaming"
        source, edge = source_of(home, websocket=False), Taken()

        async with running(source, edge):
            await elsewhere.until_listened()
            await elsewhere.publish(status(1))
            await edge.until(lambda: bool(edge.posts))
        await elsewhere.close()

        assert [request.path for request in elsewhere.asked] == ["/api/v1/streaming/public"]
        (asked,) = [request for request in home.everything if request.path == "/api/v1/streaming"]
        assert "Authorization" not in asked.headers

    @pytest.mark.parametrize(
        "named",
        [
            "ws://streaming.example",
            "http://10.0.0.1",
            "ftp://home.example",
            "wss://",
            "",
            "http://[",
            7,
            ["wss://a.example"],
        ],
    )
    async def test_what_cannot_be_trusted_gets_no_token(self, home, named):
        home.instance["configuration"]["urls"]["streaming"] = named

        trouble = await fails(source_of(home)) if named else ""

        assert home.asked == []
        if named:
            assert "check 'server' of the source" in trouble
            assert TOKEN not in trouble

    @pytest.mark.parametrize("websocket", [True, False])
    async def test_no_redirect_is_followed(self, home, websocket):
        elsewhere = Home()
        await elsewhere.open()
        home.answers = home.feeds = [refuse(302, Location=f"{elsewhere.url}/api/v1/streaming/public")]

        trouble = await fails(source_of(home, websocket=websocket))
        home.timelines = [refuse(301, Location=f"{elsewhere.url}/api/v1/timelines/public")]
        await fails(source_of(home))
        await elsewhere.close()

        assert elsewhere.everything == []
        assert f"HTTP 302 (it sends us on to {elsewhere.url}" in trouble


class TestRefusals:
    @pytest.mark.parametrize("websocket", [True, False])
    async def test_a_wrong_token_names_its_setting(self, home, websocket):
        source = Mastodon(home.url, "wrong", ["public"], ReplayClock(NOW), websocket=websocket)
        source.resume(f'{{"server": "{home.url[7:]}", "sent_to": {{"public": "1"}}}}')

        trouble = await fails(source)

        assert "HTTP 401 (Invalid access token)" in trouble
        assert "check 'token_env' or 'token_file' of the source: it must hold the access token of a user." in trouble

    async def test_a_token_that_is_no_users_names_its_setting(self, home):
        trouble = await fails(Mastodon(home.url, "an-applications", ["public"], ReplayClock(NOW)))

        assert "HTTP 422 (This method requires an authenticated user); check 'token_env' or 'token_file'" in trouble

    @pytest.mark.parametrize(
        ("code", "setting"), [(403, "token_env"), (400, "streams"), (404, "server"), (405, "server")]
    )
    async def test_what_will_not_pass_ends_it(self, home, code, setting):
        home.answers = home.feeds = [refuse(code, "no\x1b[31m way")]

        trouble = await fails(source_of(home))

        assert f"HTTP {code} (no way); check '{setting}'" in trouble
        assert len(home.asked) == 2, "websocket, then events"

    async def test_an_unknown_stream_names_its_setting(self, home):
        home.answers = [play('{"error":"Unknown stream type","status":400}')]

        assert "(Unknown stream type); check 'streams' of the source." in await fails(source_of(home))

    async def test_what_is_no_mastodon_server_names_its_setting(self, home):
        home.timelines = [body(b"<html>Welcome</html>", "text/html")]

        assert "check 'server' of the source" in await fails(source_of(home))

    async def test_a_page_in_place_of_a_stream_names_its_setting(self, home):
        home.feeds = [body(b"<html>Welcome</html>", "text/html")]

        assert "(no stream of events); check 'server'" in await fails(source_of(home, websocket=False))

    @pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503])
    @pytest.mark.parametrize("websocket", [True, False])
    async def test_what_passes_is_waited_for(self, home, code, websocket):
        home.feeds = [refuse(code), refuse(code), feed(event("update", status(1)))][: 1 if websocket else 3]
        home.answers = [refuse(code), refuse(code), play(new(1))]
        source, edge = source_of(home, websocket=websocket), Taken()

        async with running(source, edge):
            await until(lambda: source.status().trouble or edge.posts)
            await edge.until(lambda: bool(edge.posts))

        assert source.status().state == "live"

    async def test_an_instance_in_trouble_is_waited_for(self, home):
        home.about = refuse(503)
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await until(lambda: "HTTP 503; trying again" in source.status().trouble)
            assert source.status().state == "connecting"
            home.about = None
            await home.until_listened()

    @pytest.mark.parametrize(
        "headers",
        [
            {"Retry_After": "2"},
            {"Retry_After": "Mon, 25 May 2026 14:00:02 GMT", "Date": "Mon, 25 May 2026 14:00:00 GMT"},
            {"X_RateLimit_Reset": "2026-05-25T14:00:02.123Z", "Date": "Mon, 25 May 2026 14:00:00 GMT"},
        ],
    )
    async def test_a_server_says_how_long_to_wait(self, home, headers, monkeypatch):
        waited = []

        async def sleep(seconds, _=None, sleep=asyncio.sleep):
            waited.append(seconds)
            await sleep(0)

        home.timelines = [refuse(429, "Too many requests", **headers)]
        source = source_of(home)
        monkeypatch.setattr("crisisdesk.sources.mastodon.asyncio.sleep", sleep)
        task = asyncio.create_task(source.run(Taken()))
        await home.until_listened()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert 2 <= max(waited) < 3

    async def test_a_refusal_of_one_who_was_welcome_may_pass(self, home):
        home.answers = [play(new(1), then="close"), refuse(401), refuse(404), play(new(2))]
        home.feeds = [refuse(404)]
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await edge.until(lambda: len(edge.posts) == 2)

        assert source.status().state == "live"

    async def test_a_server_that_is_not_there_is_waited_for(self):
        source = Mastodon(
            "http://127.0.0.1:1", TOKEN, ["public"], ReplayClock(NOW), waits=lambda: itertools.repeat(0.01)
        )

        async with running(source, Taken()):
            await until(lambda: "no connection to 127.0.0.1:1" in source.status().trouble)

        assert source.status().state == "connecting"


class TestMisbehaviour:
    @pytest.mark.parametrize("websocket", [True, False])
    async def test_a_mute_line_is_left(self, home, websocket):
        home.answers = home.feeds = [play() if websocket else feed()]
        source = source_of(home, websocket=websocket, silence=0.1)

        async with running(source, Taken()):
            await until(lambda: source.status().state == "blind")
            assert "said nothing for 0.1 s" in source.status().trouble
            await until(lambda: len(home.asked) >= 2)

    @pytest.mark.parametrize("websocket", [True, False])
    async def test_heartbeats_keep_a_line_and_are_no_posts(self, home, websocket):
        home.answers = home.feeds = [play(then="ping") if websocket else feed(then="beat")]
        source = source_of(home, websocket=websocket, silence=0.2)

        async with running(source, Taken()):
            await asyncio.sleep(0.6)
            seen = source.status()

        assert len(home.asked) == 1
        assert (seen.state, seen.events, seen.posts, seen.last_event) == ("live", 0, 0, None)

    async def test_one_that_was_mute_is_blind_until_it_speaks(self, home):
        home.answers = [play(), play(then="ping")]
        source = source_of(home, silence=0.1)

        async with running(source, Taken()):
            await until(lambda: source.status().state == "blind")
            await until(lambda: source.status().state == "live")

        assert source.status().trouble == ""

    async def test_bad_frames_are_skipped(self, home):
        bad = [
            "", "{", "null", "[]", "5", '"x"', "{}", '{"event":5}', '{"event":"update"}',
            '{"event":"update","payload":{}}',
            frame("update", "undefined"), frame("update", "[]"), frame("update", "{}"), frame("update", '{"id":true}'),
            frame("delete", "not an id"), frame("delete", ""), frame("status.update", "{"), b"\x00\xff",
            "[" * 100_000, frame("update", '{"id":' * 5_000),
        ]  # fmt: skip
        other = [frame("filters_changed", "undefined"), '{"event":"filters_changed"}', frame("notification", "{}")]
        home.answers = [play(*bad, *other, new(1))]
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await edge.until(lambda: bool(edge.posts))

        seen = source.status()
        assert (seen.bad, seen.posts, seen.state, len(home.asked)) == (len(bad), 1, "live", 1)

    async def test_bad_events_are_skipped(self, home):
        cut = event("update", status(2)).encode()
        home.feeds = [
            feed(
                "data: no name\n\n", "event: update\n\n", event("update", "undefined"),
                event("filters_changed", "undefined"),
                ": a comment\nid: 7\nretry: 5\nnonsense\n\n", b"event: update\ndata: \xff\xfe\n\n",
                "event: update\r\ndata: " + '{"id":"1",\r\ndata: "content":"two lines"}\r\n\r\n',
                cut[:50], cut[50:51], cut[51:], event("update", status(3)).encode()[:60],
                then="end",
            ),
            feed(event("update", status(4))),
        ]  # fmt: skip
        source, edge = source_of(home, websocket=False), Taken()

        async with running(source, edge):
            await edge.until(lambda: len(edge.posts) == 3)

        assert edge.texts == ["two lines", "post 2", "post 4"]
        assert edge.posts[0].id == "home.example/1"
        assert source.status().bad == 3

    @pytest.mark.parametrize("websocket", [True, False])
    async def test_a_giant_ends_the_line_not_the_source(self, home, websocket):
        giant = '{"id":"1","content":"' + "x" * (1 << 22) + '"}'
        if websocket:
            home.answers = [play(new(1), frame("update", giant), new(2)), play(new(3))]
        else:
            home.feeds = [feed(event("update", status(1)), event("update", giant)), feed(event("update", status(3)))]
        source, edge = source_of(home, websocket=websocket), Taken()

        async with running(source, edge):
            await edge.until(lambda: len(edge.posts) == 2)

        assert edge.texts == ["post 1", "post 3"]

    @pytest.mark.parametrize("then", ["close", "cut", 1000, 1001, 1008, 1011, 1013, 4000])
    async def test_every_end_of_a_line_is_mended(self, home, then):
        home.answers = [play(new(1), then=then), play(new(2))]
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await edge.until(lambda: len(edge.posts) == 2)

        assert source.status().state == "live"

    async def test_what_comes_twice_is_sent_once(self, home):
        home.answers = [play(new(1), new(2), new(1), then="close"), play(new(2), new(1), new(3))]
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await edge.until(lambda: len(edge.posts) == 3)

        assert edge.texts == ["post 1", "post 2", "post 3"]
        assert source.status().posts == 3

    async def test_a_slow_desk_loses_nothing(self, home):
        async def slow(_):
            await asyncio.sleep(0.002)

        source, edge = source_of(home), Taken(wait=slow)
        async with running(source, edge):
            await home.until_listened()
            for number in range(200):
                await home.publish(status(number, "x" * 2_000 + str(number)))
            await edge.until(lambda: len(edge.posts) >= 200)
            await asyncio.sleep(0.02)

        assert [text.lstrip("x") for text in edge.texts] == [str(number) for number in range(200)]

    async def test_times_that_cannot_be_do_no_harm(self, home):
        claims = [
            "1970-01-01T00:00:00.000Z",
            "2099-01-01T00:00:00.000Z",
            "yesterday",
            None,
            5,
            "2026-05-20T14:00:00.000Z",
        ]
        home.answers = [play(*(new(number, created_at=claim) for number, claim in enumerate(claims)), new(9))]
        source, edge = source_of(home), Taken()

        async with running(source, edge):
            await edge.until(lambda: len(edge.posts) == len(claims) + 1)

        assert [post.time for post in edge.posts[:-1]] == [NOW] * len(claims)
        assert edge.posts[-1].time == START + timedelta(seconds=9)

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "{",
            "null",
            "[]",
            "{}",
            '{"server":"a","sent_to":5}',
            '{"server":"a","sent_to":{"public":"<"}}',
            '{"sent_to":{}}',
            "[" * 200_000,
        ],
    )
    async def test_a_damaged_cursor_is_refused(self, home, cursor):
        with pytest.raises(ValueError):  # noqa: PT011
            source_of(home).resume(cursor)

    async def test_a_cursor_of_another_server_or_stream_is_none(self, home):
        source = source_of(home)
        source.resume('{"server":"other.example","sent_to":{"public":"5"}}')
        source.resume(f'{{"server":"{home.url[7:]}","sent_to":{{"hashtag:gone":"5"}}}}')

        assert source.cursor is None
