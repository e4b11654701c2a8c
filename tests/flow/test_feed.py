"""What a source of feeds sends, when, and once, read from a real server over real sockets."""

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from edges import Taken
from feeds import NOW, gives, item, numbered, reading, rss, sends_to, serving, steady

from crisisdesk.clock import WallClock
from crisisdesk.records import Post
from crisisdesk.sources.feed.source import Feeds

TEN = timedelta(minutes=10)
DATE = f"<pubDate>{NOW - TEN:%a, %d %b %Y %H:%M:%S} GMT</pubDate>"
ELEVEN = timedelta(minutes=11)


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


async def test_the_same_entry_in_two_feeds_of_a_site_is_one_post(site):
    site.answers["/a"] = site.answers["/b"] = [gives(numbered(1))]
    async with reading(site.url("/a"), site.url("/b")) as desk:
        await desk.again()
        assert len({post.key for post in desk.edge.posts}) == 1


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
        await desk.pass_by(timedelta(hours=13))
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
