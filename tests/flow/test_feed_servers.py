"""The servers of feeds, polite and rude, slow, broken and hostile, over real sockets."""

import asyncio
import gzip
from datetime import timedelta

import pytest
from aiohttp import web
from feeds import gives, item, numbered, reading, rss, says_raw, serving, steady

from crisisdesk.errors import FatalSourceError
from crisisdesk.sources.feed.apart import read_apart
from crisisdesk.sources.feed.document import Document


@pytest.fixture
async def site():
    async with serving() as one:
        yield one


async def test_it_is_live_when_each_feed_was_asked(site):
    site.answers["/good"], site.answers["/bad"] = [gives(numbered(1))], [gives(status=404)]
    async with reading(site.url("/good"), site.url("/bad")) as desk:
        await desk.rests()
        status = desk.source.status()
        assert (status.state, status.events) == ("connecting", 1)
        assert status.note == "Some feeds are still to be asked, those of one server 2 seconds apart."
        await desk.again()
        assert (desk.source.status().state, desk.source.status().note) == ("live", "")
        assert "/bad is not there" in desk.trouble


async def test_the_feeds_of_a_server_that_is_not_there_are_not_waited_for(site):
    site.answers["/good"] = [gives(numbered(1))]
    gone = [f"http://127.0.0.1:9/{name}" for name in "abc"]
    async with reading(*gone, site.url("/good"), waits=steady(60)) as desk:
        await desk.rests()
        assert (desk.source.status().state, desk.asking.count) == ("live", 2)
        assert "127.0.0.1:9/a: no connection (Connection refused); it is tried again." in desk.trouble
        await desk.pass_by(timedelta(minutes=5))
        assert desk.asking.count <= 7, "one question for all of them"


async def test_one_bad_feed_costs_the_others_nothing(site):
    site.answers["/good"] = [gives(numbered(1)), gives(numbered(1, 2))]
    site.answers["/bad"] = [gives(status=500)]
    site.answers["/gone"] = [gives(status=410)]
    urls = [site.url("/gone"), site.url("/bad"), site.url("/good")]
    async with reading(*urls, waits=steady(60.0)) as desk:
        await desk.pass_by(timedelta(minutes=12))
        status = desk.source.status()
        assert desk.edge.texts == ["entry 1", "entry 2"]
        assert not desk.task.done()
    host = site.base.removeprefix("http://")
    assert status.state == "live"
    assert status.trouble == (
        f"{host}/gone is gone for good (HTTP 410); take it out of 'url' of the source. "
        f"{host}/bad answers HTTP 500; it is tried again."
    )
    assert len(site.asked("/gone")) == 1
    assert len(site.asked("/bad")) >= 9


async def test_of_many_feeds_in_trouble_a_few_are_told_in_full_and_others_named(site):
    urls = [site.url(f"/{number}") for number in range(20)]
    site.answers = {f"/{number}": [gives(status=404)] for number in range(20)}
    async with reading(*urls) as desk:
        await desk.pass_by(timedelta(seconds=45))
        host = site.base.removeprefix("http://")
        assert desk.trouble.count("is not there (HTTP 404)") == 3
        assert f" In trouble, too: {host}/3, {host}/4, " in desk.trouble
        assert desk.trouble.endswith(f"{host}/12 and 7 more.")


async def test_a_server_is_asked_one_thing_at_a_time_with_a_pause(site):
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.02)
        return await gives(numbered(1))(request)

    for name in "abc":
        site.answers[f"/{name}"] = [slow]
    async with reading(*(site.url(f"/{name}") for name in "abc")) as desk:
        assert [await desk.again(), await desk.again()] == [timedelta(seconds=2)] * 2
        assert len(site.requests) == 3
        assert site.most_at_once == 1
        assert desk.source.status().posts == 3


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (404, "is not there (HTTP 404); check 'url' of the source."),
        (400, "answers HTTP 400; check 'url' of the source."),
        (403, "refuses us (HTTP 403); set 'user_agent' of the source, for Reddit like"),
        (429, "is asked too often (HTTP 429); set 'user_agent' of the source, for Reddit like"),
        (500, "answers HTTP 500; it is tried again."),
        (503, "answers HTTP 503; it is tried again."),
    ],
)
async def test_a_refusal_is_told_and_tried_again(site, status, told):
    site.answers["/feed"] = [gives("<p>no</p>", status), gives(numbered(1))]
    async with reading(site.url("/feed"), waits=steady(60)) as desk:
        await desk.rests()
        assert told in desk.trouble
        assert desk.source.status().state == "connecting"
        assert 60 <= (await desk.again()).total_seconds() <= 66
        assert (desk.source.status().state, desk.trouble) == ("live", "")


@pytest.mark.parametrize(
    ("status", "settings", "told"),
    [
        (401, {}, "refuses us (HTTP 401); set 'username' and 'password_env'."),
        (401, {"authorization": "Basic eA=="}, "(HTTP 401); check 'username' and the password of the source."),
        (403, {"authorization": "Basic eA=="}, "(HTTP 403); check 'username' and the password of the source."),
        (410, {}, "is gone for good (HTTP 410); take it out of 'url' of the source."),
    ],
)
async def test_what_only_the_settings_can_mend_ends_the_source_if_it_is_all(site, status, settings, told):
    site.answers["/a"] = site.answers["/b"] = [gives(status=status)]
    async with reading(site.url("/a"), site.url("/b"), **settings) as desk:
        await desk.pass_by(timedelta(seconds=5))
        with pytest.raises(FatalSourceError, match=r"HTTP \d") as caught:
            await asyncio.wait_for(desk.task, 5)
        assert told in str(caught.value)
        assert desk.source.status().state == "failed"
        assert len(site.requests) == 2


async def test_who_let_us_in_before_may_be_in_a_bad_mood(site):
    site.answers["/feed"] = [gives(numbered(1)), gives(status=403), gives(numbered(1, 2))]
    async with reading(site.url("/feed")) as desk:
        await desk.again()
        assert "(HTTP 403)" in desk.trouble
        await desk.again()
        assert desk.edge.texts == ["entry 1", "entry 2"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "1800"}, 1800),
        ({"Retry-After": "Mon, 25 May 2026 15:30:00 GMT"}, 3600),
        ({"Retry-After": "Mon, 25 May 2026 14:00:00 GMT"}, 60),
        ({"Retry-After": "9" * 400}, 86_400),
        ({"Retry-After": "soon"}, 60),
        ({"Retry-After": "Mon, 25 May 99999999999999999999 15:30:00 GMT"}, 60),
        ({"X-Ratelimit-Remaining": "0.0", "X-Ratelimit-Reset": "431"}, 431),
    ],
    ids=str,
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_wants_us_to_wait_is_waited_for(site, status, headers, seconds):
    site.answers["/feed"] = [gives(status=status, headers=headers), gives(numbered(1))]
    async with reading(site.url("/feed"), waits=steady(60)) as desk:
        wait = (await desk.again()).total_seconds()
        while not desk.edge.posts:
            wait += (await desk.again()).total_seconds()
    assert seconds <= wait <= seconds * 1.2 + 10


@pytest.mark.parametrize("headers", [{"Retry-After": "600"}, {}], ids=["for so long", "for a while"])
async def test_who_wants_to_be_left_alone_is_not_asked_for_other_feeds_either(site, headers):
    site.answers["/a"] = [gives(status=429, headers=headers), gives(numbered(1))]
    site.answers["/b"] = [gives(numbered(2))]
    async with reading(site.url("/a"), site.url("/b"), waits=steady(600)) as desk:
        await desk.pass_by(timedelta(minutes=9))
        assert len(site.requests) == 1
        await desk.pass_by(timedelta(minutes=5))
        assert sorted(desk.edge.texts) == ["entry 1", "entry 2"]


async def test_a_server_that_has_answered_and_has_had_enough_is_left_alone(site):
    had_enough = {"X-Ratelimit-Remaining": "0.0", "X-Ratelimit-Reset": "45"}
    site.answers["/a"], site.answers["/b"] = [gives(numbered(1), headers=had_enough)], [gives(numbered(2))]
    async with reading(site.url("/a"), site.url("/b")) as desk:
        assert timedelta(seconds=45) <= await desk.again() <= timedelta(seconds=50)
        assert sorted(desk.edge.texts) == ["entry 1", "entry 2"]


@pytest.mark.parametrize(
    ("headers", "more", "minutes"),
    [
        ({"Cache-Control": "public, max-age=3600"}, "", 60),
        ({"Cache-Control": "max-age=3600", "Age": "1800"}, "", 30),
        ({"Cache-Control": "max-age=31536000"}, "", 60),
        ({"Cache-Control": "max-age=soon"}, "", 10),
        ({}, "<ttl>45</ttl>", 45),
        ({}, "<ttl>1440</ttl>", 60),
        ({}, "<ttl>-1</ttl>", 10),
        ({}, "<skipHours><hour>14</hour><hour>15</hour></skipHours>", 90),
        ({}, "<skipDays><day>Monday</day></skipDays>", 570),
        ({}, f"<skipHours>{''.join(f'<hour>{n}</hour>' for n in range(24))}</skipHours>", 24 * 60),
    ],
    ids=str,
)
async def test_a_feed_is_read_no_more_often_than_it_wishes(site, headers, more, minutes):
    site.answers["/feed"] = [gives(rss(item(1), more=more), headers=headers)]
    async with reading(site.url("/feed")) as desk:
        wait = (await desk.again()).total_seconds() / 60
    assert minutes <= wait <= minutes * 1.1 + 10


async def test_gzip_in_one_piece_or_two(site):
    half, rest = numbered(1).encode()[:100], numbered(1).encode()[100:]
    pieces = gives(gzip.compress(half) + gzip.compress(rest), headers={"Content-Encoding": "gzip"})
    site.answers["/feed"], site.answers["/pieces"] = [gives(numbered(1), packed=True)], [pieces]
    async with reading(site.url("/feed"), site.url("/pieces")) as desk:
        await desk.again()
        assert desk.edge.texts == ["entry 1", "entry 1"]
    assert "gzip" in site.requests[0].headers["Accept-Encoding"]


async def test_servers_that_write_long_heads(site):
    site.answers["/feed"] = [gives(numbered(1), headers={"Content-Security-Policy": "x" * 20_000})]
    async with reading(site.url("/feed")) as desk:
        await desk.rests()
        assert desk.edge.texts == ["entry 1"]


HEAD = "HTTP/1.1 200 OK\nContent-Type: application/xml\n"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (says_raw(HEAD + "Content-Length: 900", b"<rss>"), "its answer was cut off"),
        (says_raw(HEAD + "Transfer-Encoding: chunked", b"5\r\n<rss>\r\n"), "its answer was cut off"),
        (says_raw(HEAD + "Content-Length: 900", b"<rss>", hold=True), "no answer in time"),
        (says_raw(HEAD + "Content-Length: 900", b"<rss>" * 99, drip=0.05), "no answer in time"),
        (says_raw("", hold=True), "no answer in time"),
        (says_raw("SSH-2.0-OpenSSH_9.2"), "what its server answers is no HTTP"),
        (
            says_raw(HEAD + "Content-Encoding: gzip\nContent-Length: 5", b"<rss>"),
            "its answer was cut off, or is not packed as it says",
        ),
        (
            says_raw(HEAD + "Content-Encoding: br\nContent-Length: 5", b"<rss>"),
            "what its server answers is no HTTP, or packed in an unknown way",
        ),
        (gives(b" " * 5_000_001), "it has more than 5,000,000 bytes"),
        (gives(b" " * 20_000_000, packed=True), "it has more than 5,000,000 bytes"),
        (gives(b""), "it is empty"),
        (
            gives('{"version": "https://jsonfeed.org/version/1.1", "items": []}'),
            "it is a JSON Feed, which is not read here",
        ),
        (gives('{"kind": "Listing"}'), "it is JSON, which is not read here"),
        (
            gives("<!DOCTYPE html><html><p>x</html>"),
            "it is a web page, not a feed; look there for the address of its feed",
        ),
        (gives("<opml version='1.0'></opml>"), "it is XML, but neither RSS nor Atom"),
        (gives(b"\x89PNG\r\n\x1a\n\0\0"), "it is neither RSS nor Atom"),
    ],
    ids=lambda one: one if isinstance(one, str) else "answer",  # the same in every process
)
async def test_an_answer_that_is_no_feed_says_what_it_is(site, answer, told):
    site.answers["/feed"] = [answer, gives(numbered(1))]
    async with reading(site.url("/feed"), seconds=0.8, waits=steady(60)) as desk:
        await desk.rests()
        assert told in desk.trouble
        await desk.again()
        assert desk.edge.texts == ["entry 1"]
        assert desk.trouble == ""


async def test_a_web_page_is_asked_for_its_feed(site):
    page = '<html><head><link rel="alternate" type="application/rss+xml" href="/rss?a=1&amp;b=2"></head></html>'
    site.answers["/blog"] = [gives(page, headers={"Content-Type": "text/html"})]
    async with reading(site.url("/blog")) as desk:
        await desk.rests()
        assert f"it names {site.url('/rss?a=1&b=2')} as its feed: write that as 'url'" in desk.trouble


async def test_what_would_take_for_ever_to_read_is_given_up(site, monkeypatch):
    async def hasty(content: bytes, **said: str) -> Document:
        return await read_apart(content, **said, seconds=0.5 if b"((((" in content else 20.0)

    monkeypatch.setattr("crisisdesk.sources.feed.feed.read_apart", hasty)
    hostile = rss(f"<item><title>t</title><author>{'a' * 200_000}@{'(' * 200_000}</author></item>")
    site.answers["/bad"], site.answers["/good"] = [gives(hostile)], [gives(numbered(1))]
    async with reading(site.url("/bad"), site.url("/good")) as desk:
        await desk.again()
        assert "/bad cannot be read: it takes longer to read than a feed does." in desk.trouble
        assert desk.edge.texts == ["entry 1"]


async def test_a_server_that_is_not_there(site):
    site.answers["/feed"] = [gives(numbered(1))]
    async with reading("http://127.0.0.1:9/feed", site.url("/feed")) as desk:
        await desk.rests()
        assert "127.0.0.1:9/feed: no connection (" in desk.trouble
        assert desk.source.status().state == "live"


async def test_keys_in_an_address_are_not_shown(site):
    site.answers["/search.rss"] = [gives(status=500)]
    async with reading(site.url("/search.rss?feed=5ecret&q=acme")) as desk:
        await desk.rests()
        assert "/search.rss?q=acme answers HTTP 500" in desk.trouble
        assert "5ecret" not in desk.trouble


async def test_nothing_stays_open(site):
    site.answers["/feed"] = [gives(numbered(1))]
    before = asyncio.all_tasks()
    async with reading(site.url("/feed")) as desk:
        await desk.rests()
    await asyncio.sleep(0.05)
    assert {task for task in asyncio.all_tasks() - before if "feed" in task.get_name()} == set()
