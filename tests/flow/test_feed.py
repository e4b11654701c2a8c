"""The feed source against real servers, good and bad ones, over real sockets."""

import asyncio
import gzip
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from edges import Taken
from feeds import NOW, gives, item, numbered, reading, rss, says_raw, sends_to, serving, steady

from crisisdesk.clock import WallClock
from crisisdesk.errors import FatalSourceError
from crisisdesk.records import Post
from crisisdesk.sources.feed import request
from crisisdesk.sources.feed.apart import read_apart
from crisisdesk.sources.feed.document import Document
from crisisdesk.sources.feed.source import Feeds

TEN = timedelta(minutes=10)
DATE = f"<pubDate>{NOW - TEN:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
ELEVEN = timedelta(minutes=11)


def public(_: str) -> bool:
    """The test's server lies where everybody gets."""
    return False


@pytest.fixture
async def site():
    async with serving() as one:
        yield one


async def test_new_entries_are_posts_oldest_first(site):
    site.answers["/feed"] = [gives(numbered(1, 2)), gives(numbered(2, 3, 4))]
    async with reading(site.url("/feed")) as desk:
        await desk.rests()
        assert desk.edge.texts == ["entry 1", "entry 2"]
        assert TEN <= await desk.again() <= ELEVEN
        assert desk.edge.texts == ["entry 1", "entry 2", "entry 3", "entry 4"]
        status = desk.source.status()
    assert desk.edge.posts[3] == Post(
        "urn:entry:4",
        "127.0.0.1",
        NOW - timedelta(minutes=56),
        "entry 4",
        url="https://blog.example/4",
    )
    assert (status.state, status.events, status.posts, status.bad, status.trouble) == ("live", 2, 4, 0, "")
    assert status.last_event == desk.clock.now()


async def test_all_that_is_new_counts_also_what_concerns_nobody(site):
    site.answers["/feed"] = [gives(rss(item(1, "Acme again"), item(2, "the weather")))]
    async with reading(site.url("/feed"), edge=Taken(["acme"])) as desk:
        await desk.rests()
        assert desk.edge.texts == ["Acme again"]
        assert desk.source.status().posts == 2


async def test_what_has_not_changed_is_not_sent_again(site):
    site.answers["/feed"] = [gives(numbered(1), etag='W/"a b"', modified="Mon, 25 May 2026 14:00:00 GMT")]
    async with reading(site.url("/feed")) as desk:
        await desk.again()
        first, second = site.asked("/feed")
        status = desk.source.status()
    assert "If-None-Match" not in first.headers
    assert second.headers["If-None-Match"] == 'W/"a b"'
    assert second.headers["If-Modified-Since"] == "Mon, 25 May 2026 14:00:00 GMT"
    assert (status.events, status.posts, status.state) == (2, 1, "live")


async def test_a_restart_goes_on_with_what_is_new(site):
    site.answers["/feed"] = [gives(numbered(1, 2), etag="1"), gives(numbered(1, 2, 3), etag="2")]
    async with reading(site.url("/feed")) as before:
        await before.rests()
    async with reading(site.url("/feed"), cursor=before.source.cursor) as after:
        await after.rests()
    assert after.edge.texts == ["entry 3"]
    assert site.asked("/feed")[1].headers["If-None-Match"] == "1"


async def test_the_cursor_stands_before_a_document_until_all_of_it_was_sent(site):
    site.answers["/feed"] = [gives(numbered(1, 2, 3), etag="1")]
    cursors, held = [], asyncio.Event()

    async def wait(post: Post) -> None:
        cursors.append(desk.source.cursor)
        if post.text == "entry 2":
            held.set()
            await asyncio.Event().wait()

    async with reading(site.url("/feed"), edge=Taken(wait=wait)) as desk:
        await asyncio.wait_for(held.wait(), 20)
    async with reading(site.url("/feed"), cursor=cursors[-1]) as after:
        await after.rests()
    assert after.edge.texts == ["entry 1", "entry 2", "entry 3"], "the desk's edge knows the first of them"
    assert "If-None-Match" not in site.asked("/feed")[1].headers


async def test_whenever_it_is_killed_nothing_is_lost(site):
    chance, saved, kills, names = random.Random(5), None, 0, ("/a", "/b")
    counted: dict[str, set[str]] = {name: set() for name in names}
    for name in names:
        entries = [rss(*(item(number, f"{name} {number}") for number in range(10 + 5 * n))) for n in range(40)]
        site.answers[name] = [gives(one, etag=str(number)) for number, one in enumerate(entries)]

    async def wait(post: Post) -> None:
        nonlocal saved, kills
        cursor = desk.source.cursor
        if kills < 6 and chance.random() < 0.05:
            kills += 1
            desk.task.cancel()
            await asyncio.sleep(0)
        counted[post.text.split()[0]].add(post.text)
        if chance.random() < 0.3:  # the desk writes down where it is, which is before this post
            saved = cursor

    while kills < 6:
        async with reading(*map(site.url, names), cursor=saved, edge=Taken(wait=wait)) as desk:
            with suppress(asyncio.CancelledError):
                await desk.pass_by(timedelta(minutes=12))
    async with reading(*map(site.url, names), cursor=saved, edge=Taken(wait=wait)) as desk:
        await desk.again()
    for name in names:
        last = max(int(text.split()[1]) for text in counted[name])
        assert counted[name] == {f"{name} {number}" for number in range(last + 1)}


async def test_a_changed_entry_is_corrected_and_may_concern_somebody_now(site):
    changed = "<item><guid>urn:entry:1</guid><title>Acme did it</title></item>"
    dated = rss(item(1, "somebody did it"), item(2, "other"))
    later = rss(changed.replace("<guid>", "<guid isPermaLink='false'>"), item(2, "other"))
    site.answers["/feed"] = [gives(dated), gives(later)]
    async with reading(site.url("/feed"), edge=Taken(["acme"])) as desk:
        await desk.again()
        assert [(one.key, one.text) for one in desk.edge.corrections] == [("127.0.0.1:urn:entry:1", "Acme did it")]
        assert desk.edge.texts == ["Acme did it"]
        assert desk.source.status().posts == 2, "no new entry"


async def test_what_vanishes_is_not_taken_back_and_is_known_when_it_returns(site):
    site.answers["/feed"] = [gives(numbered(1, 2)), gives(numbered(2)), gives(numbered(1, 2))]
    async with reading(site.url("/feed")) as desk:
        await desk.again()
        await desk.again()
        assert len(site.requests) == 3
        assert desk.edge.texts == ["entry 1", "entry 2"]
        assert desk.edge.corrections == []


async def test_entries_without_a_date_count_from_the_second_reading_on(site):
    def undated(*names: str) -> str:
        return rss(*(f"<item><guid>urn:{name}</guid><title>{name}</title></item>" for name in names))

    site.answers["/feed"] = [gives(undated("old", "older")), gives(undated("new", "old", "older"))]
    async with reading(site.url("/feed")) as desk:
        await desk.again()
        (post,) = desk.edge.posts
        assert (post.text, post.time) == ("new", desk.clock.now())
        assert desk.source.status().posts == 3


async def test_dates_are_kept_and_those_to_come_are_set_back(site):
    def future(number: int) -> str:
        return item(number, date=NOW + timedelta(days=3))

    old = item(1, date=datetime(2026, 5, 20, tzinfo=UTC))
    site.answers["/feed"] = [gives(rss(old, future(2))), gives(rss(old, future(2), future(3)))]
    async with reading(site.url("/feed")) as desk:
        await desk.again()
        assert desk.edge.texts == ["entry 1", "entry 3"], "nobody knows when the second one was written"
        assert [post.time for post in desk.edge.posts] == [datetime(2026, 5, 20, tzinfo=UTC), desk.clock.now()]


async def test_an_entry_with_another_id_each_time_counts_once(site):
    def named(*ids: str) -> str:
        return rss(
            *(f"<item><guid>https://a.example/?sid={one}</guid><title>never</title>{DATE}</item>" for one in ids)
        )

    site.answers["/feed"] = [gives(named("a")), gives(named("b")), gives(named("c"))]
    async with reading(site.url("/feed")) as desk:
        await desk.again()
        await desk.again()
        assert desk.edge.texts == ["never"]
        assert desk.edge.corrections == []


async def test_a_bare_number_is_an_id_in_its_own_feed_only_wherever_that_is_fetched_from(site):
    def counted(*numbers: int) -> str:
        return rss(*(f"<item><guid>{n}</guid><title>{n}</title>{DATE}</item>" for n in numbers))

    site.answers["/a"] = [sends_to("/store?signature=1", 302), sends_to("/store?signature=2", 302)]
    site.answers["/store"], site.answers["/b"] = [gives(counted(17)), gives(counted(18, 17))], [gives(counted(17))]
    async with reading(site.url("/a"), site.url("/b")) as desk:
        await desk.pass_by(ELEVEN)
        ids = [post.id for post in desk.edge.posts]
    assert sorted(one.partition("@")[0] for one in ids) == ["17", "17", "18"]
    assert len(set(ids)) == 3


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


async def test_a_machine_that_starts_no_process_is_told(site, monkeypatch):
    site.answers["/feed"] = [gives(numbered(1))]
    with monkeypatch.context() as broken:
        broken.setattr("sys.executable", "/nowhere/python")
        async with reading(site.url("/feed"), waits=steady(60)) as desk:
            await desk.rests()
            assert "this machine starts no process for it (No such file or directory)" in desk.trouble
            broken.undo()
            await desk.again()
            assert (desk.edge.texts, desk.trouble) == (["entry 1"], "")


class JumpingClock(WallClock):
    """Is set back while somebody waits."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


async def test_a_clock_that_is_set_back_does_not_make_the_source_deaf(site, monkeypatch):
    monkeypatch.setattr("crisisdesk.sources.feed.source.HOST_PAUSE", 0.1)
    for name in "abc":
        site.answers[f"/{name}"] = [gives(numbered(ord(name)))]
    clock, edge = JumpingClock(), Taken()
    clock.ahead = timedelta(days=365)
    source = Feeds([site.url(f"/{name}") for name in "abc"], clock)
    task = asyncio.create_task(source.run(edge))
    await edge.until(lambda: len(edge.posts) == 1)
    clock.ahead = timedelta()
    await edge.until(lambda: len(edge.posts) == 3, 5)
    task.cancel()


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


async def test_the_same_entry_in_two_feeds_of_a_site_is_one_post(site):
    site.answers["/a"] = site.answers["/b"] = [gives(numbered(1))]
    async with reading(site.url("/a"), site.url("/b")) as desk:
        await desk.again()
        assert len({post.key for post in desk.edge.posts}) == 1


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


@pytest.mark.parametrize("status", [301, 308])
async def test_a_feed_that_has_moved_for_good_is_read_there_also_after_a_restart(site, status):
    site.answers["/old"] = [sends_to("/new", status)]
    site.answers["/new"] = [gives(numbered(1)), gives(numbered(1, 2)), gives(numbered(1, 2, 3))]
    async with reading(site.url("/old"), is_inward=public) as desk:
        await desk.again()
        assert "/old has moved for good to 127.0.0.1" in desk.trouble
        assert desk.trouble.endswith("/new; write that as 'url' of the source.")
    async with reading(site.url("/old"), cursor=desk.source.cursor, is_inward=public) as again:
        await again.rests()
        assert again.edge.texts == ["entry 3"]
        assert "has moved for good" in again.trouble
    async with reading(site.url("/new"), cursor=again.source.cursor) as mended:
        await mended.rests()
        assert mended.edge.texts == [], "what was read under the old address is known under the new one"
        assert mended.trouble == ""
    assert len(site.asked("/old")) == 1


@pytest.mark.parametrize("status", [302, 303, 307])
async def test_a_feed_that_is_elsewhere_for_now_is_asked_where_it_was(site, status):
    site.answers["/old"] = [sends_to("/new", status)]
    site.answers["/new"] = [gives(numbered(1))]
    async with reading(site.url("/old")) as desk:
        await desk.again()
        assert desk.trouble == ""
    assert len(site.asked("/old")) == 2


@pytest.mark.parametrize("now", [gives(status=410), gives(status=500), gives("<p>"), says_raw("")])
async def test_a_feed_that_moved_and_is_not_there_is_asked_where_it_was(site, now):
    site.answers["/old"] = [sends_to("/new", 301), gives(numbered(1, 2))]
    site.answers["/new"] = [gives(numbered(1)), now]
    async with reading(site.url("/old"), is_inward=public, waits=steady(60)) as desk:
        await desk.again()
        await desk.again()
        assert desk.edge.texts == ["entry 1", "entry 2"]
        assert desk.trouble == ""


async def test_where_a_feed_of_ones_own_network_has_moved_is_not_remembered(site):
    async with serving("127.0.0.2") as other:
        site.answers["/old"] = [sends_to(other.url("/new"), 301)]
        other.answers["/new"] = [gives(numbered(1)), gives(numbered(1, 2))]
        async with reading(site.url("/old")) as desk:
            await desk.again()
            assert (desk.edge.texts, desk.trouble) == (["entry 1", "entry 2"], "")
        assert len(site.asked("/old")) == 2


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/feed", "it sends us from one address to the next, more than 5 times"),
        ("", "it sends us to what is no address of the web"),
        ("ftp://a.example/", "it sends us to what is no address of the web"),
        ("file:///etc/passwd", "it sends us to what is no address of the web"),
        ("http://[broken", "it sends us to what is no address of the web"),
        ("http://0/", "it sends us to what is no address of the web"),
        ("http://a..b/", "it sends us to what is no address of the web"),
        ("http://127.0.0.1:9/", "it sends us to 127.0.0.1, where nobody answers"),
    ],
)
async def test_redirects_that_lead_nowhere(site, location, told):
    site.answers["/feed"] = [sends_to(location, 302)]
    async with reading(site.url("/feed")) as desk:
        await desk.rests()
        assert desk.trouble.endswith(f"/feed cannot be read: {told}.")
        assert not desk.task.done(), "what a stranger says ends nothing"
    assert len(site.requests) <= 6


async def test_nobody_sends_us_into_a_private_network(site):
    async with serving("127.0.0.2") as inner:
        inner.answers["/admin"] = [gives(numbered(1))]
        site.answers["/feed"] = [sends_to(inner.url("/admin"), 301)]
        async with reading(site.url("/feed"), is_inward=lambda address: address == "127.0.0.2") as desk:
            await desk.rests()
            assert desk.trouble.endswith("it sends us to a private network, where no feed may send us.")
        assert inner.requests == []
        async with reading(site.url("/feed")) as desk:  # one that lies within itself may
            await desk.rests()
            assert desk.edge.texts == ["entry 1"]


async def test_a_name_that_means_another_address_at_each_look_opens_no_door(site):
    lies_within = iter([False, True])  # as one whose owner answers first with a public address
    site.answers["/feed"], site.answers["/admin"] = [sends_to("/admin", 302)], [gives(numbered(1))]
    async with reading(site.url("/feed"), is_inward=lambda _: next(lies_within)) as desk:
        await desk.rests()
        assert desk.trouble.endswith("it sends us to a private network, where no feed may send us.")
    assert site.asked("/admin") == []


@pytest.mark.parametrize(
    ("address", "lies_within"),
    [
        *((one, True) for one in ("127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1")),  # noqa: S104
        *((one, True) for one in ("fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "100.64.0.1", "224.0.0.1", "what")),
        *((one, False) for one in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8")),
    ],
)
def test_which_addresses_are_private(address, lies_within):
    assert request._lies_within(address) is lies_within


async def test_the_password_goes_to_nobody_else(site):
    async with serving("127.0.0.2") as other:
        other.answers["/feed"] = [gives(numbered(1))]
        site.answers["/feed"] = [sends_to(other.url("/feed"), 302)]
        async with reading(site.url("/feed"), authorization="Basic eDp5", user_agent="linux:acme:1") as desk:
            await desk.rests()
            assert desk.edge.texts == ["entry 1"]
        assert site.requests[0].headers["Authorization"] == "Basic eDp5"
        assert "Authorization" not in other.requests[0].headers
        assert other.requests[0].headers["User-Agent"] == "linux:acme:1"


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


async def test_where_a_feed_leads_is_told(site):
    async with serving("127.0.0.2") as other:
        other.answers["/login"] = [gives("<!DOCTYPE html><html>", headers={"Content-Type": "text/html"})]
        site.answers["/feed"] = [sends_to(other.url("/login"), 302)]
        async with reading(site.url("/feed")) as desk:
            await desk.rests()
            assert "/feed leads to 127.0.0.2" in desk.trouble
            assert "/login, which cannot be read: it is a web page, not a feed" in desk.trouble


async def test_where_more_is_said_than_a_feed_shows_that_is_told_and_it_is_read_more_often(site):
    site.answers["/feed"] = [gives(numbered(*range(n, n + 25))) for n in (0, 20, 60, 70)]
    async with reading(site.url("/feed")) as desk:
        assert await desk.again() >= TEN
        assert desk.trouble == "", "some were known"
        await desk.again()
        assert desk.trouble.endswith(
            f"newest entries only, and on {desk.clock.now():%d %B at %H:%M} UTC all were new: some may be missing."
        )
        assert await desk.again() < timedelta(minutes=2)
        assert await desk.again() >= TEN
        await desk.pass_by(timedelta(hours=2))
        assert desk.trouble == ""


async def test_a_search_that_finds_little_is_not_overrun(site):
    site.answers["/feed"] = [gives(numbered(*one)) for one in ((), (1, 2), (3, 4))]
    async with reading(site.url("/feed")) as desk:
        assert await desk.again() >= TEN
        assert await desk.again() >= TEN
        assert desk.trouble == ""


async def test_a_feed_that_breaks_off_is_used_as_far_as_it_goes_and_asked_for_whole(site):
    cut = numbered(1, 2)[:-60]
    site.answers["/feed"] = [gives(cut, etag="1"), gives(numbered(1, 2, 3), etag="1")]
    async with reading(site.url("/feed")) as desk:
        await desk.again()
        assert desk.edge.texts[-1] == "entry 3"
        assert "If-None-Match" not in site.requests[1].headers


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
