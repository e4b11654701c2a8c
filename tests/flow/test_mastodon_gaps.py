"""Breaks and restarts of the Mastodon source: what was said meanwhile is read from the timelines."""

import asyncio
import itertools
import random
from datetime import timedelta

import pytest
from edges import Taken, running, until
from mastodons import START, TAGGED, Home, body, play, refuse, resumed, source_of, status, status_id

from crisisdesk.records import Correction


async def _insert(home: Home, one) -> None:
    """It reaches the server while nobody is told."""
    home.statuses.append(one)
    await home.cut()


async def test_a_first_start_begins_now(home):
    home.statuses = [status(number) for number in range(100)]
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await home.until_listened()
        await home.publish(status(200))
        await edge.until(lambda: bool(edge.posts))
        await until(lambda: len(home.read) >= 2)

    assert edge.texts == ["post 200"]


async def test_a_break_is_filled_oldest_first(home):
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
    assert edge.asked_for_room >= 100, "what was said before can wait"


async def test_a_restart_goes_on_at_the_cursor(home):
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


async def test_what_reached_the_server_late_is_found(home):
    source, edge = source_of(home), Taken()
    async with running(source, edge):
        await home.until_listened()
        await home.publish(status(100))
        await edge.until(lambda: bool(edge.posts))
        home.statuses.append(status(40))  # written a minute before the break, delivered in it
        await home.cut()
        await edge.until(lambda: len(edge.posts) == 2)

    assert edge.texts == ["post 100", "post 40"]


async def test_live_posts_do_not_wait_for_the_gap_and_do_not_hide_it(home):
    release = asyncio.Event()

    async def slow(request):
        await release.wait()
        return await home.page(request)

    source, edge = resumed(home), Taken()
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


async def test_while_it_catches_up_it_says_how_far_it_has_come(home):
    release = asyncio.Event()

    async def slow(request):
        await release.wait()
        return await home.page(request)

    source, edge = resumed(home, at=200), Taken()
    home.statuses = [status(number) for number in range(100, 190)]
    home.timelines = [home.page, home.page, slow]
    async with running(source, edge):
        await home.until_listened()
        await edge.until(lambda: len(edge.posts) == 40)
        await home.publish(status(500))
        await edge.until(lambda: len(edge.posts) == 41)
        assert source.status().latest == START + timedelta(seconds=139)
        release.set()
        await until(lambda: source.status().latest == START + timedelta(seconds=500))

    assert len(edge.posts) == 91


async def test_a_timeline_that_fails_is_asked_again_while_live_goes_on(home):
    source, edge = resumed(home), Taken()
    home.statuses = [status(1)]
    home.timelines = [refuse(500), refuse(429, Retry_After="0"), refuse(503)] * 3
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
        await until(lambda: source.status().trouble == "")

    assert edge.texts == ["post 1"]
    assert source.status().state == "live"


async def test_a_timeline_in_trouble_keeps_no_stream_from_beginning(home):
    source, edge = source_of(home, "hashtag:motrin", "public"), Taken()
    home.timelines = [refuse(500), home.page, refuse(500), refuse(500), refuse(500)]
    async with running(source, edge):
        await home.until_listened(2)
        await home.publish(status(1))
        await edge.until(lambda: bool(edge.posts))
        await until(lambda: '"hashtag:motrin":"0"' in (source.cursor or ""))
        home.statuses.append(status(2, **TAGGED))
        await home.cut()
        await edge.until(lambda: len(edge.posts) == 2)


async def test_a_timeline_that_is_refused_for_good_is_told(home):
    source, edge = resumed(home), Taken()
    home.timelines = [refuse(403, "This action is not allowed")] * 2
    async with running(source, edge):
        await until(lambda: "may be missing" in source.status().trouble)
        trouble = source.status().trouble
        await home.publish(status(7))
        await edge.until(lambda: bool(edge.posts))

    assert trouble.startswith("What was said in public since 25 May 14:00 UTC may be missing: ")
    assert "HTTP 403 (This action is not allowed)" in trouble


async def test_more_than_can_be_read_is_told(home, monkeypatch):
    monkeypatch.setattr("crisisdesk.sources.mastodon.gap.MAX_PAGES", 2)
    source, edge = resumed(home), Taken()
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


async def test_a_page_of_nonsense_ends(home):
    source, edge = resumed(home), Taken()
    home.statuses = [status(1)]
    home.timelines = [home.page, body(b'[{"id": []}, 5, null, {"content": "x"}]')]
    async with running(source, edge):
        await until(lambda: len(home.read) >= 2)
        await home.until_listened()
        await home.publish(status(9))
        await edge.until(lambda: bool(edge.posts))

    assert edge.texts == ["post 9"]


async def test_what_an_earlier_run_has_sent_can_be_taken_back(home):
    home.statuses = [status(number) for number in range(100)]
    home.timelines = [home.page] * 3 + [refuse(503)]
    source, edge = resumed(home, at=2_000), Taken(terms=["motrin"])
    async with running(source, edge):
        await home.until_listened()
        await until(lambda: len(home.read) == 4)
        for number in (20, 5, 20):
            await home.take_back(status_id(number))
        await edge.until(lambda: bool(edge.corrections))
        await until(lambda: source.status().events == 3)

    assert edge.corrections == [Correction("mastodon", status(20)["uri"])], "as far as it could be read"
    assert (edge.posts, source.status().trouble) == ([], "")


async def test_what_is_older_than_the_windows_is_told_and_not_read(home):
    source, edge = resumed(home, at=-4 * 86_400), Taken()
    home.statuses = [status(-3 * 86_400), status(1)]
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))

    assert edge.texts == ["post 1"]
    assert source.status().trouble == (
        "What was said in public from 22 May 14:00 UTC to 23 May 14:30 UTC is not read any more: "
        "the desk goes back 2 d."
    )


async def test_of_a_stream_in_which_nothing_was_said_for_long_nothing_is_missing(home):
    source, edge = resumed(home, at=-4 * 86_400, quiet=0.02), Taken()
    home.statuses = [status(-4 * 86_400)]
    async with running(source, edge):
        await until(lambda: len(home.read) > 6)
        assert source.status().trouble == ""
        home.statuses.append(status(1))
        await edge.until(lambda: "post 1" in edge.texts)

    assert source.status().trouble == ""


async def test_a_timeline_that_was_empty_is_not_read_from_its_beginning(home):
    source, edge = source_of(home), Taken()
    home.answers = [play(then="close"), home.live]
    home.statuses = []
    async with running(source, edge):
        await until(lambda: '"0"' in (source.cursor or ""))
        home.statuses += [status(-4 * 86_400), status(1)]
        await edge.until(lambda: bool(edge.posts))

    assert (edge.texts, source.status().trouble) == (["post 1"], "")


async def test_reading_at_length_leaves_requests_for_all_else(home, monkeypatch):
    rested = []

    async def sleep(seconds, _=None, sleep=asyncio.sleep):
        rested.append(seconds)
        await sleep(min(seconds, 0.01))

    async def nearly_used_up(request):
        answer = await home.page(request)
        answer.headers["X-RateLimit-Remaining"] = "59"
        answer.headers["X-RateLimit-Reset"] = "2026-05-25T14:04:00.123Z"
        answer.headers["Date"] = "Mon, 25 May 2026 14:00:00 GMT"
        return answer

    home.statuses = [status(number) for number in range(1, 60)]
    home.timelines = [nearly_used_up]
    source, edge = resumed(home), Taken()
    monkeypatch.setattr("crisisdesk.sources.mastodon.server.asyncio.sleep", sleep)
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 59)

    assert any(239 < seconds < 241 for seconds in rested)


async def test_a_stream_that_keeps_back_what_is_said_is_found_out(home):
    home.answers = [play(then="ping"), home.live]
    source, edge = source_of(home, quiet=0.1), Taken()
    async with running(source, edge):
        await until(lambda: source.status().state == "live")
        for number in itertools.count(1):
            home.statuses.append(status(number))
            await edge.until(lambda number=number: len(edge.posts) == number)
            if len(home.asked) > 1:
                break
        await home.until_listened()
        await home.publish(status(900))
        await edge.until(lambda: "post 900" in edge.texts)
        seen = source.status()

    assert (len(home.asked), seen.state, seen.bad) == (2, "live", 0)
    assert len(set(edge.texts)) == len(edge.texts)
    assert "streams nothing of what is said in public, so it is read from the timeline every few" in seen.trouble


async def test_a_stream_in_which_nothing_is_said_is_left_alone(home):
    home.answers = [play(then="ping")]
    home.statuses = [status(1)]
    source, edge = source_of(home, quiet=0.02), Taken()
    async with running(source, edge):
        await until(lambda: len(home.read) > 12)
        home.statuses.append(status(2))  # it may have been on its way
        await edge.until(lambda: bool(edge.posts))
        reads = len(home.read)
        await until(lambda: len(home.read) > reads + 12)

    assert (len(home.asked), edge.texts, source.status().trouble) == (1, ["post 2"], "")


async def test_every_cursor_brings_its_post_again(home):
    """Killed while a post is being handed over, the next run gets it: the cursor stands before it."""
    cursors: dict[str, str | None] = {}

    async def note(post):
        cursors.setdefault(post.text, source.cursor)
        await asyncio.sleep(0)

    source, edge = resumed(home, "public", "hashtag:motrin"), Taken(wait=note)
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
async def test_no_order_of_events_loses_a_post(home, seed):
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
