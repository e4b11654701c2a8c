"""Who gets to see the token of the Mastodon source, and what it makes of refusals."""

import asyncio
import itertools

import orjson
import pytest
from edges import Taken, fails, running, until
from mastodons import NOW, TOKEN, body, event, feed, new, play, refuse, resumed, source_of, status

from crisisdesk.clock import ReplayClock
from crisisdesk.sources.mastodon.source import Mastodon


async def test_the_server_names_where_it_streams(home, elsewhere):
    home.instance["configuration"]["urls"]["streaming"] = elsewhere.url.replace("http", "ws")
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await elsewhere.until_listened()
        await elsewhere.publish(status(1))
        await edge.until(lambda: bool(edge.posts))

    assert home.asked == []
    assert edge.posts[0].id == status(1)["uri"]


async def test_or_names_it_to_its_users_alone(home, elsewhere):
    home.instance["configuration"]["urls"]["streaming"] = elsewhere.url.replace("http", "ws")

    async def about(request):
        known = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        return await (body(orjson.dumps(home.instance)) if known else refuse(401))(request)

    home.about = about
    async with running(source_of(home), Taken()):
        await elsewhere.until_listened()


async def test_or_sends_those_who_ask_to_it(home, elsewhere):
    home.about = refuse(404)
    home.moved = f"{elsewhere.url}/api/v1/streaming"
    source, edge = source_of(home, websocket=False), Taken()

    async with running(source, edge):
        await elsewhere.until_listened()
        await elsewhere.publish(status(1))
        await edge.until(lambda: bool(edge.posts))

    assert [request.path for request in elsewhere.asked] == ["/api/v1/streaming/public"]


@pytest.mark.parametrize(
    "named",
    [
        "ws://streaming.example",
        "http://10.0.0.1",
        "ftp://home.example",
        "wss://",
        "http://[",
        7,
        ["wss://a.example"],
    ],
)
async def test_what_cannot_be_trusted_gets_no_token(home, named):
    home.instance["configuration"]["urls"]["streaming"] = named

    trouble = await fails(source_of(home))

    assert home.asked == []
    assert "check 'server' of the source" in trouble
    assert TOKEN not in trouble


@pytest.mark.parametrize("websocket", [True, False])
async def test_no_redirect_is_followed(home, elsewhere, websocket):
    home.answers = home.feeds = [refuse(302, Location=f"{elsewhere.url}/api/v1/streaming/public")]

    trouble = await fails(source_of(home, websocket=websocket))
    home.timelines = [refuse(301, Location=f"{elsewhere.url}/api/v1/timelines/public")]
    await fails(source_of(home))

    assert elsewhere.everything == []
    assert f"HTTP 302 (it sends us on to {elsewhere.url}" in trouble


@pytest.mark.parametrize("websocket", [True, False])
async def test_a_wrong_token_names_its_setting(home, websocket):
    source = Mastodon(home.url, "wrong", ["public"], ReplayClock(NOW), websocket=websocket)
    source.resume(f'{{"server": "{home.url[7:]}", "sent_to": {{"public": "1"}}}}')

    trouble = await fails(source)

    assert "HTTP 401 (Invalid access token)" in trouble
    assert "check 'token_env' or 'token_file' of the source: it must hold the access token of a user, with" in trouble


async def test_a_token_that_is_no_users_names_its_setting(home):
    trouble = await fails(Mastodon(home.url, "an-applications", ["public"], ReplayClock(NOW)))

    assert "HTTP 422 (This method requires an authenticated user); check 'token_env' or 'token_file'" in trouble


@pytest.mark.parametrize(("code", "setting"), [(403, "token_env"), (400, "streams"), (404, "server"), (405, "server")])
async def test_what_will_not_pass_ends_it(home, code, setting):
    home.answers = home.feeds = [refuse(code, "no\x1b[31m way")]

    trouble = await fails(source_of(home))

    assert f"HTTP {code} (no way); check '{setting}'" in trouble
    assert len(home.asked) == 2, "websocket, then events"


async def test_an_unknown_stream_names_its_setting(home):
    home.answers = [play('{"error":"Unknown stream type","status":400}')]

    assert "(Unknown stream type); check 'streams' of the source." in await fails(source_of(home))


async def test_what_is_no_mastodon_server_names_its_setting(home):
    home.timelines = [body(b"<html>Welcome</html>", "text/html")]

    assert "check 'server' of the source" in await fails(source_of(home))


async def test_a_page_in_place_of_a_stream_names_its_setting(home):
    home.feeds = [body(b"<html>Welcome</html>", "text/html")]

    assert "answers with no stream of events; check 'server'" in await fails(source_of(home, websocket=False))


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503])
@pytest.mark.parametrize("websocket", [True, False])
async def test_what_passes_is_waited_for(home, code, websocket):
    home.feeds = [refuse(code), refuse(code), feed(event("update", status(1)))][: 1 if websocket else 3]
    home.answers = [refuse(code), refuse(code), play(new(1))]
    source, edge = source_of(home, websocket=websocket), Taken()

    async with running(source, edge):
        await until(lambda: source.status().trouble or edge.posts)
        await edge.until(lambda: bool(edge.posts))

    assert source.status().state == "live"


async def test_an_instance_in_trouble_is_waited_for(home):
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
async def test_a_server_says_how_long_to_wait(home, headers, monkeypatch):
    waited = []

    async def sleep(seconds, _=None, sleep=asyncio.sleep):
        waited.append(seconds)
        await sleep(0)

    home.answers = [refuse(429, "Too many requests", **headers), home.live]
    source = source_of(home)
    monkeypatch.setattr("crisisdesk.sources.mastodon.source.asyncio.sleep", sleep)
    task = asyncio.create_task(source.run(Taken()))
    await home.until_listened()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert 2 <= max(waited) < 3


async def test_a_refusal_of_one_who_was_welcome_may_pass(home):
    home.answers = [play(new(1), then="close"), refuse(401), refuse(404), play(new(2))]
    home.feeds = [refuse(404)]
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)

    assert source.status().state == "live"


@pytest.mark.parametrize("page", [body(b"<html>Sign in to the network</html>", "text/html"), refuse(403), refuse(404)])
async def test_what_stands_between_us_and_a_server_that_is_known_may_pass(home, page):
    home.timelines = [page]
    home.answers = [page, page, play(new(1))]
    home.feeds = [page]

    assert "check 'server' of the source" in await fails(source_of(home))

    source, edge = resumed(home), Taken()
    async with running(source, edge):
        await until(lambda: "check 'server' of the source" in source.status().trouble)
        await edge.until(lambda: bool(edge.posts))


@pytest.mark.parametrize(
    ("hashtags", "live", "told"),
    [
        (("public", "disabled"), ("public", "disabled"), [
            '{} shows its users nothing of other servers in public; write "public:local" there and name hashtags.',
            "{} shows its users nothing in public:remote; take that out of 'streams' of the source.",
            "{} shows its users nothing of other servers in hashtag:a, hashtag:b; listen to another server as well.",
        ]),
        (("disabled", "disabled"), ("disabled", "public"), [
            '{} shows its users nothing of its own users in public; write "public:remote" there and name hashtags.',
            "{} shows its users nothing in hashtag:a, hashtag:b; take that out of 'streams' of the source.",
        ]),
        (("public", "authenticated"), ("authenticated", "public"), []),
    ],
)  # fmt: skip
async def test_what_a_server_keeps_out_of_its_streams_is_told(home, hashtags, live, told):
    sides = [dict(zip(("local", "remote"), access, strict=True)) for access in (hashtags, live)]
    home.instance["configuration"]["timelines_access"] = dict(zip(("hashtag_feeds", "live_feeds"), sides, strict=True))
    source, edge = source_of(home, "public", "public:remote", "hashtag:a", "hashtag:b"), Taken()

    async with running(source, edge):
        await home.until_listened()
        await until(lambda: source.status().state == "live")

    assert source.status().trouble == " ".join(told).format(*[home.url[7:]] * 3)


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("http://127.0.0.1:1", "no connection to 127.0.0.1 (connection refused); trying again"),
        ("https://nobody.invalid", "no connection to nobody.invalid (its name is not known, or this machine is not"),
        ("https{}", "(it does not speak https as it should)"),
    ],
)
async def test_why_there_is_no_connection_is_told_in_plain_words(home, server, reason):
    source = Mastodon(
        server.format(home.url[4:]), TOKEN, ["public"], ReplayClock(NOW), waits=lambda: itertools.repeat(0.01)
    )

    async with running(source, Taken()):
        await until(lambda: reason in source.status().trouble)

    assert source.status().state == "connecting"
