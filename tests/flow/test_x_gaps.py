"""What was said on X while nobody listened."""

import asyncio
from datetime import datetime, timedelta

import pytest
from edges import Taken, running, until
from xs import (
    MOTRIN,
    NOW,
    SEARCH,
    START,
    Pauses,
    Ticking,
    body,
    frame,
    new,
    play,
    post_id,
    refuse,
    resumed,
    source_of,
    tweet,
)

from crisisdesk.engine.warmup import Past
from crisisdesk.errors import SourceError
from crisisdesk.match import Matcher, WatchRule
from crisisdesk.sources.x import past
from crisisdesk.sources.x.place import moment_of
from crisisdesk.sources.x.rules import Topic


def numbers(edge: Taken) -> list[int]:
    return [int(text.split()[1]) for text in edge.texts]


async def test_what_was_said_while_the_desk_was_off_is_read_oldest_first(network):
    network.tweets = [tweet(number) for number in range(60, 600)]
    source, edge = resumed(network, at=100), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 540)
        await until(lambda: int(source.cursor or 0) >= int(post_id(599)))
        seen = source.status()
    assert numbers(edge) == [*range(60, 600)], "a little more than was missed, in the order of time"
    assert seen.trouble == ""
    (first, *_) = network.asked_for(SEARCH)
    assert first.query["start_time"] == "2026-05-25T14:00:40Z"
    assert first.query["max_results"] == "100"
    assert first.query["expansions"] == "author_id"


async def test_the_cursor_stays_before_the_gap_until_it_is_closed(network):
    go_on, asked = asyncio.Event(), asyncio.Event()

    async def slow(request):
        asked.set()
        await go_on.wait()
        return await network.find(request)

    network.tweets = [tweet(number) for number in range(10, 20)]
    network.searches = [slow]
    source, edge = resumed(network), Taken()
    async with running(source, edge):
        await asked.wait()
        await network.publish(frame(700))
        await edge.until(lambda: bool(edge.posts))
        assert source.cursor == post_id(0)
        go_on.set()
        await edge.until(lambda: len(edge.posts) == 11)
        await until(lambda: source.cursor == post_id(700))
    assert numbers(edge) == [700, *range(10, 20)]


async def test_what_was_missed_waits_until_the_desk_has_time_for_it(network):
    """What pushes is dropped where more waits than can be judged; what was searched for is paid, and can wait."""
    network.tweets = [tweet(number) for number in range(250)]
    source, edge = resumed(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 250)
        assert edge.asked_for_room == 250
        await network.publish(frame(700))
        await edge.until(lambda: len(edge.posts) == 251)
    assert edge.asked_for_room == 250


async def test_it_stays_before_a_break_as_well(network):
    go_on, asked = asyncio.Event(), asyncio.Event()

    async def slow(request):
        asked.set()
        await go_on.wait()
        return await network.find(request)

    network.answers = [play(new(1750), every=0.02, then="end"), network.live]
    network.searches = [slow]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await asked.wait()
        assert source.cursor == post_id(1750)
        await network.publish(frame(1790))
        await edge.until(lambda: len(edge.posts) == 2)
        assert source.cursor == post_id(1750)
        go_on.set()
        await until(lambda: source.cursor == post_id(1790))


async def test_a_break_is_filled_and_nothing_counts_twice(network):
    network.answers = [play(new(1700), new(1701), then="end"), network.live]
    network.tweets = [tweet(number) for number in range(1699, 1710)]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 11)
        await asyncio.sleep(0.02)
    assert sorted(numbers(edge)) == [*range(1699, 1710)]
    assert source.status().posts == 11


async def test_where_nothing_was_ever_heard_nothing_is_searched(network):
    network.tweets = [tweet(1)]
    source = source_of(network)
    async with running(source, Taken()):
        await until(lambda: source.cursor)
    assert network.asked_for(SEARCH) == []
    assert source.cursor is not None
    assert START < NOW - timedelta(minutes=2) < moment(source.cursor) <= NOW - timedelta(minutes=1)


async def test_signs_of_life_move_the_place(network):
    """A desk that hears nothing for a week must not search a week when it is started again."""
    clock = Ticking()
    source = source_of(network, clock=clock)
    async with running(source, Taken()):
        await until(lambda: source.cursor)
        clock.present = network.now = NOW + timedelta(hours=5)
        await until(lambda: moment(source.cursor) > NOW + timedelta(hours=4))


async def test_a_search_that_fails_goes_on_where_it_was(network):
    network.tweets = [tweet(number) for number in range(250)]
    reset = str(int(NOW.timestamp()) + 300)
    network.searches = [network.find, refuse(503), refuse(429, {"x-rate-limit-reset": reset}, title="Too Many")]
    pauses, seen = Pauses(), []

    async def pause(seconds: float) -> None:
        seen.append(source.status().trouble)
        await pauses(seconds)

    source, edge = resumed(network, pause=pause), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 250)
        assert source.status().trouble == ""
    assert pauses.seconds == [0.0, 5, 300]
    assert "What was said since 25 May 14:00 UTC is not read yet: 127.0.0.1:" in seen[1]
    assert [one.query.get("next_token") for one in network.asked_for(SEARCH)] == [None, "100", "100", "100", "200"]


@pytest.mark.parametrize(
    "answer", [refuse(403, title="Forbidden"), refuse(400, detail="start_time"), body(b"x"), refuse(401)]
)
async def test_what_cannot_be_searched_is_told_as_missing(network, answer):
    clock = Ticking()
    network.searches = [answer]
    source, edge = resumed(network, clock=clock), Taken()
    async with running(source, edge):
        await network.until_listened()
        await network.publish(frame(900))
        await edge.until(lambda: bool(edge.posts))
        await until(lambda: source.status().trouble)
        told = source.status().trouble
        assert told.startswith("What was said from 25 May 14:00 to 25 May 14:30 UTC (30 min) may be missing: 127.0.0.1")
        assert source.status().state == "live"
        assert int(source.cursor or 0) >= int(post_id(900))
        clock.present = network.now = NOW + timedelta(hours=13)
        assert source.status().trouble == ""


async def test_what_is_not_searched_for_one_watch_costs_the_others_nothing(network):
    network.tweets = [tweet(number) for number in range(10)]
    network.searches = [refuse(400, title="Invalid Request", detail="the query"), network.find]
    source, edge = resumed(network, topics=[Topic("Advil", ("advil",)), MOTRIN]), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 10)
        await until(
            lambda: source.status().trouble.endswith(
                "may be missing: " + network.url[7:] + " answers HTTP 400: the query."
            )
        )


async def test_a_rule_that_x_does_not_take_is_not_searched_either(network):
    network.invalid = {"advil"}
    network.tweets = [tweet(1)]
    source, edge = resumed(network, topics=[Topic("Advil", ("advil",)), MOTRIN]), Taken()
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
    assert ["advil" in one.query["query"] for one in network.asked_for(SEARCH)] == [False]


async def test_more_than_is_read_is_told(network, monkeypatch):
    monkeypatch.setattr(past, "MAX_PAGES", 2)
    network.tweets = [tweet(number) for number in range(500)]
    source, edge = resumed(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 200)
        await until(lambda: source.status().trouble)
    assert numbers(edge) == [*range(300, 500)]
    told = "What was said from 25 May 13:59 to 25 May 14:05 UTC (6 min) may be missing: it is more than is read after"
    assert source.status().trouble.startswith(told)


async def test_each_watch_has_its_newest_where_more_was_said_than_is_read(network, monkeypatch):
    monkeypatch.setattr(past, "MAX_PAGES", 3)
    network.tweets = [tweet(number) for number in range(500)]
    source = resumed(network, topics=[MOTRIN, Topic("Advil", ("advil",))])
    async with running(source, Taken()):
        await until(lambda: len(network.asked_for(SEARCH)) == 3)
    assert ["advil" in one.query["query"] for one in network.asked_for(SEARCH)] == [False, True, False]


async def test_x_searches_seven_days_back_only(network):
    clock = Ticking(START + timedelta(days=9))
    network.now = clock.present
    source = resumed(network, clock=clock)
    async with running(source, Taken()):
        await until(lambda: network.asked_for(SEARCH))
        told = source.status().trouble
    assert network.asked_for(SEARCH)[0].query["start_time"] == "2026-05-27T14:01:00Z"
    assert "(2 d) may be missing: X searches no further back." in told


async def test_gaps_may_be_left_open(network):
    network.tweets = [tweet(number) for number in range(10)]
    source, edge = resumed(network, fill_gaps=False), Taken()
    async with running(source, edge):
        await until(lambda: source.status().trouble)
        assert source.status().trouble.endswith("(30 min) may be missing: 'fill_gaps' is off.")
    assert network.asked_for(SEARCH) == []
    assert edge.posts == []


async def test_a_post_that_seems_a_little_ahead_hides_no_gap(network):
    """X tells its time in whole seconds only."""
    network.tweets = [tweet(1795), tweet(1785)]
    source, edge = resumed(network, at=1803), Taken()
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
    assert edge.texts == ["motrin 1785"]


async def test_a_cursor_of_the_future_does_no_harm(network):
    source, edge = resumed(network, at=9_000_000), Taken()
    async with running(source, edge):
        await network.until_listened()
        await network.publish(frame(5))
        await edge.until(lambda: bool(edge.posts))
        told = "What was said before 25 May 14:30 UTC may be missing: this machine's clock was ahead."
        assert (source.status().state, source.status().trouble) == ("live", told)
        await until(lambda: moment(source.cursor) < NOW)
    assert network.asked_for(SEARCH) == []


async def test_a_killed_desk_reads_again_what_it_had_not_sent(network):
    network.tweets = [tweet(number) for number in range(150)]
    stop = asyncio.Event()

    async def hold(post):
        if post.text == "motrin 70":
            stop.set()
            await asyncio.sleep(60)

    first, edge = resumed(network, at=1), Taken(wait=hold)
    async with running(first, edge):
        await stop.wait()
    assert first.cursor == post_id(69)

    second, rest = source_of(network), Taken()
    second.resume(first.cursor)
    async with running(second, rest):
        await rest.until(lambda: numbers(rest)[-1:] == [149])
    assert {*numbers(edge), *numbers(rest)} == {*range(150)}


async def test_a_new_watch_learns_from_what_was_said_before(network):
    network.tweets = [tweet(number) for number in range(30)]
    source = source_of(network, MOTRIN, Topic("Advil", ("advil",)), history=timedelta(hours=24))
    assert source.history == timedelta(hours=24)
    past = Past(Matcher([WatchRule("Motrin", MOTRIN.terms)]))
    await source.recall(NOW - source.history, NOW).run(past)
    assert [mention.post.text for mention in past.mentions()] == [f"motrin {number}" for number in range(30)]
    (asked,) = network.asked_for(SEARCH)
    assert "advil" not in asked.query["query"], "only what the new watch looks for is read, since it is billed"
    assert network.asked == []


async def test_a_past_that_cannot_be_read_is_told(network):
    network.searches = [refuse(403, title="Forbidden")]
    source = source_of(network, history=timedelta(hours=24))
    with pytest.raises(SourceError, match="HTTP 403"):
        await source.recall(NOW - source.history, NOW).run(Past(Matcher([WatchRule("Motrin", MOTRIN.terms)])))


def moment(cursor: str | None) -> datetime:
    found = moment_of(int(cursor or 0))
    assert found is not None
    return found
