"""The Mastodon source against a server that misbehaves."""

import asyncio
from datetime import timedelta

import pytest
from edges import Taken, ends_while_it_breaks, running, until
from mastodons import NOW, START, event, feed, frame, new, play, source_of, status


@pytest.mark.parametrize("websocket", [True, False])
async def test_a_mute_line_is_left(home, websocket):
    home.answers = home.feeds = [play() if websocket else feed()]
    source = source_of(home, websocket=websocket, silence=0.1)

    async with running(source, Taken()):
        await until(lambda: source.status().state == "blind")
        assert "said nothing for 0.1 s" in source.status().trouble
        await until(lambda: len(home.asked) >= 2)


@pytest.mark.parametrize("websocket", [True, False])
async def test_heartbeats_keep_a_line_and_are_no_posts(home, websocket):
    home.answers = home.feeds = [play(then="ping") if websocket else feed(then="beat")]
    source = source_of(home, websocket=websocket, silence=0.2)

    async with running(source, Taken()):
        await asyncio.sleep(0.6)
        seen = source.status()

    assert len(home.asked) == 1
    assert (seen.state, seen.events, seen.posts, seen.last_event) == ("live", 0, 0, None)


async def test_one_that_was_mute_is_blind_until_it_speaks(home):
    home.answers = [play(), play(then="ping")]
    source = source_of(home, silence=0.1)

    async with running(source, Taken()):
        await until(lambda: source.status().state == "blind")
        await until(lambda: source.status().state == "live")

    assert source.status().trouble == ""


async def test_bad_frames_are_skipped(home):
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


async def test_bad_events_are_skipped(home):
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
async def test_a_giant_ends_the_line_not_the_source(home, websocket):
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
async def test_every_end_of_a_line_is_mended(home, then):
    home.answers = [play(new(1), then=then), play(new(2))]
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)

    assert source.status().state == "live"


async def test_what_comes_twice_is_sent_once(home):
    home.answers = [play(new(1), new(2), new(1), then="close"), play(new(2), new(1), new(3))]
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 3)

    assert edge.texts == ["post 1", "post 2", "post 3"]
    assert source.status().posts == 3


async def test_a_slow_desk_loses_nothing(home):
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


async def test_times_that_cannot_be_do_no_harm(home):
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
async def test_a_damaged_cursor_is_refused(home, cursor):
    with pytest.raises(ValueError):  # noqa: PT011
        source_of(home).resume(cursor)


async def test_a_cursor_of_another_server_or_stream_is_none(home):
    source = source_of(home)
    source.resume('{"server":"other.example","sent_to":{"public":"5"}}')
    source.resume(f'{{"server":"{home.url[7:]}","sent_to":{{"hashtag:gone":"5"}}}}')

    assert source.cursor is None


@pytest.mark.parametrize("steps", range(12))
async def test_it_ends_when_it_is_told_to_while_the_line_breaks(home, steps):
    await ends_while_it_breaks(source_of(home), home.until_listened(), home.cut(), steps)
