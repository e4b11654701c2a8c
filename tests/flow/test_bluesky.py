"""The Bluesky source against servers that speak Jetstream v1 and v2 over a real socket, and misbehave."""

import asyncio
import itertools
import socket as sockets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from edges import Taken
from jetstreams import (
    FRAME,
    POSTS,
    REPOSTS,
    SECOND,
    START_US,
    V1_PATH,
    V2_PATH,
    Event,
    Jetstream,
    account,
    commit,
    delete,
    error,
    identity,
    info,
    play,
    post,
    record,
    refuse,
    repost,
    sync,
    uri,
    v1,
    v2,
)

from crisisdesk.clock import ReplayClock
from crisisdesk.errors import FatalSourceError
from crisisdesk.records import TOLD_FOR, Correction, Post
from crisisdesk.sources.bluesky import line
from crisisdesk.sources.bluesky import source as bluesky
from crisisdesk.sources.bluesky.line import zstd
from crisisdesk.sources.bluesky.source import Bluesky

NOW = datetime(2026, 5, 25, 14, 30, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * SECOND
BOTH = pytest.mark.parametrize("path", [V1_PATH, V2_PATH], ids=["v1", "v2"])


@pytest.fixture
async def server() -> AsyncIterator[Jetstream]:
    jetstream = Jetstream()
    await jetstream.open()
    yield jetstream
    await jetstream.close()


@pytest.fixture
async def other() -> AsyncIterator[Jetstream]:
    jetstream = Jetstream()
    await jetstream.open()
    yield jetstream
    await jetstream.close()


def source_of(*urls: str, **options) -> Bluesky:
    return Bluesky(urls, ReplayClock(NOW), **{"waits": lambda: itertools.repeat(0.0)} | options)


async def taken(
    source: Bluesky,
    enough: Callable[[Taken], bool],
    terms: Iterable[str] = (),
    wait: Callable[[Post], Awaitable[None]] | None = None,
) -> Taken:
    """Run until that much has come."""
    edge = Taken(tuple(terms), wait)
    task = asyncio.create_task(source.run(edge))
    try:
        await edge.until(lambda: enough(edge))
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return edge


async def texts_of(source: Bluesky, count: int) -> list[str]:
    return (await taken(source, lambda edge: len(edge.posts) >= count)).texts


def posts(numbers: Iterable[int]) -> list[str]:
    return [f"post {number}" for number in numbers]


async def test_what_is_asked_of_v1(server):
    server.answers = [play(post(0), post(1))]
    source = source_of(server.base + V1_PATH)
    assert source.status().state == "connecting"
    assert await texts_of(source, 2) == posts(range(2))
    (request,) = server.requests
    assert request.query.getall("wantedCollections") == [POSTS, REPOSTS]
    assert int(request.query["maxMessageSizeBytes"]) == line.ASKED_MESSAGE
    assert "cursor" not in request.query
    assert "permessage-deflate" in request.headers["Sec-WebSocket-Extensions"]
    assert "Socket-Encoding" not in request.headers
    assert "compress" not in request.query
    assert request.headers["User-Agent"].startswith("crisisdesk/")
    status = source.status()
    assert (status.state, status.events, status.posts, status.bad, status.trouble) == ("live", 2, 2, 0, "")
    assert status.last_event == NOW
    assert source.cursor == str(START_US + SECOND)


@pytest.mark.parametrize("refused", [False, True])
async def test_a_password_in_the_address_is_used_and_told_to_nobody(server, refused):
    server.answers = [refuse(401) if refused else play(post(0))]
    source = source_of(server.base.replace("//", "//anna:secret@") + V2_PATH)
    if refused:
        with pytest.raises(FatalSourceError, match="HTTP 401"):
            await source.run(Taken())
    else:
        await texts_of(source, 1)
    assert server.requests[0].headers["Authorization"] == "Basic YW5uYTpzZWNyZXQ="
    assert "secret" not in f"{source.cursor} {source.status()}"


async def test_what_is_asked_of_v2(server):
    server.answers = [play(post(0), post(1))]
    source = source_of(server.base + V2_PATH)
    assert await texts_of(source, 2) == posts(range(2))
    (request,) = server.requests
    assert request.query.getall("collections") == [POSTS, REPOSTS]
    assert request.query.getall("kinds") == ["commit", "account", "sync"]
    assert set(request.query) == {"collections", "kinds", "maxMessageSizeBytes"}
    assert "Sec-WebSocket-Extensions" not in request.headers
    assert source.cursor == f"{START_US + SECOND} {server.base.removeprefix('ws://')} 1001"


async def test_v2_is_unfolded_with_the_dictionary_of_the_server(server):
    sample = [v2(post(number, f"sample {number * 7919}")).encode() for number in range(2_000)]
    dictionary = zstd.train_dict(sample, 4_096)
    server.dictionary = dictionary.dict_content
    shown = [zstd.compress(frame, zstd_dict=dictionary) for frame in sample[:3]]
    bomb = zstd.compress(b"0" * (line.MAX_MESSAGE + 1), zstd_dict=dictionary)
    broken = [v2(post(7)), b"\0" * 9, shown[0][:-9], bomb]
    server.answers = [play(shown[0], *broken, *shown[1:])]
    source = source_of(server.base + V2_PATH)
    assert await texts_of(source, 3) == ["sample 0", "sample 7919", "sample 15838"]
    assert server.requests[0].query["zstdDictionary"] == str(dictionary.dict_id)
    assert "Sec-WebSocket-Extensions" not in server.requests[0].headers
    assert source.status().bad == len(broken)


@pytest.mark.parametrize("dictionary", [b"", b"no dictionary", b"x" * (line.MAX_DICTIONARY + 1)])
async def test_without_a_usable_dictionary_v2_is_plain(server, dictionary):
    server.dictionary = dictionary
    server.answers = [play(post(0))]
    assert await texts_of(source_of(server.base + V2_PATH), 1) == posts([0])
    assert "zstdDictionary" not in server.requests[0].query


async def test_a_dictionary_that_does_not_come_costs_only_the_compression(server, monkeypatch):
    monkeypatch.setattr(line, "_DICTIONARY_TIME", aiohttp.ClientTimeout(total=0.1))
    server.stalls = True
    server.answers = [play(post(0))]
    assert await texts_of(source_of(server.base + V2_PATH), 1) == posts([0])
    assert "zstdDictionary" not in server.requests[0].query


async def test_a_retired_dictionary_is_fetched_anew(server):
    sample = [v2(post(number, f"sample {number * 7919}")).encode() for number in range(2_000)]
    first, second = (zstd.train_dict(some, 4_096) for some in (sample, sample[::2]))
    server.dictionary = first.dict_content

    async def retired(request: web.Request) -> web.StreamResponse:
        server.dictionary = second.dict_content
        return await refuse(400, {"error": "UnknownZstdDictionary", "message": "current id is 5"})(request)

    server.answers = [retired, play(zstd.compress(sample[0], zstd_dict=second))]
    assert await texts_of(source_of(server.base + V2_PATH), 1) == ["sample 0"]
    asked = [request.query["zstdDictionary"] for request in server.requests]
    assert asked == [str(first.dict_id), str(second.dict_id)]


@BOTH
async def test_compression_can_be_switched_off(server, path):
    server.dictionary = b"not asked for"
    server.answers = [play(post(0))]
    assert await texts_of(source_of(server.base + path, compress=False), 1) == posts([0])
    assert "Sec-WebSocket-Extensions" not in server.requests[0].headers


@BOTH
async def test_bad_and_other_frames_are_counted_and_do_not_break_the_line(server, path):
    whole = FRAME[path](post(1))
    broken = ["oops", "{", whole[:-40], b"\x00binary", "[]", "null", "7", '{"payload":5}', '{"commit":{"operation":1}}',
              FRAME[path](post(1)).replace('"post 1"', "5"), FRAME[path](post(1)).replace('"k1"', "[]")]  # fmt: skip
    fine = [
        identity(1),
        account(1, "did:plc:a", None),
        commit(1, {}, collection="app.bsky.feed.like"),
        delete(1, post(0)),
    ]
    server.answers = [play(post(0), *broken, *fine, post(2))]
    source = source_of(server.base + path)
    assert await texts_of(source, 2) == posts([0, 2])
    assert len(server.requests) == 1
    status = source.status()
    assert (status.events, status.posts, status.bad) == (2 + len(broken) + len(fine), 3, 10)


@BOTH
async def test_text_that_is_not_utf8_is_one_bad_frame(server, path):
    async def answer(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_frame(FRAME[path](post(0)).encode().replace(b"post 0", b"p\xff\xfe"), 1)
        await ws.send_str(FRAME[path](post(1)))
        await ws.receive()
        return ws

    server.answers = [answer]
    source = source_of(server.base + path)
    assert await texts_of(source, 1) == posts([1])
    assert (source.status().bad, len(server.requests)) == (1, 1)


@pytest.mark.parametrize("then", ["close", "cut", 1000, 1008, 1011, 1012])
@BOTH
async def test_breaks_leave_no_gap(server, path, then):
    async def archive(request: web.Request) -> web.StreamResponse:
        """Ten more of forty posts from the cursor on, itself included, as the protocol has it; then a break."""
        asked = int(request.query.get("cursor", 0))
        first = (asked - START_US) // SECOND if asked >= START_US else asked - 1000
        first = max(first, 0)
        return await play(*map(post, range(first, min(first + 10, 40))), then=then)(request)

    server.answers = [archive]
    source = source_of(server.base + path)
    edge = await taken(source, lambda edge: "post 39" in edge.texts)
    assert list(dict.fromkeys(edge.texts)) == posts(range(40))
    first, *resumed = server.cursors()
    assert first is None
    assert resumed == sorted(resumed)
    assert len(resumed) >= 4
    assert source.cursor is not None
    assert source.cursor.startswith(str(START_US + 39 * SECOND))


@pytest.mark.parametrize(("path", "asked"), [(V1_PATH, START_US + 2 * SECOND), (V2_PATH, 1007)])
async def test_v1_is_asked_again_for_a_few_seconds_and_v2_for_the_last_event(server, path, asked):
    server.answers = [play(post(7), then="close"), play(post(8))]
    await texts_of(source_of(server.base + path), 2)
    assert server.cursors() == [None, asked]


@pytest.mark.parametrize(
    ("cursor", "path", "asked"),
    [
        (f"{START_US + 7 * SECOND}", V1_PATH, START_US + 2 * SECOND),
        (f"{START_US + 7 * SECOND}", V2_PATH, START_US + 2 * SECOND),
        (f"{START_US + 7 * SECOND} HERE 1007", V2_PATH, 1007),
        (f"{START_US + 7 * SECOND} elsewhere.example 1007", V2_PATH, START_US + 2 * SECOND),
        (f"{START_US + 7 * SECOND} elsewhere.example 1007", V1_PATH, START_US + 2 * SECOND),
        (f"{10**16 - 1}", V1_PATH, NOW_US - 5 * SECOND),
    ],
)
async def test_a_restart_goes_on_from_the_cursor(server, cursor, path, asked):
    server.answers = [play(post(7))]
    source = source_of(server.base + path)
    source.resume(cursor.replace("HERE", server.base.removeprefix("ws://")))
    assert await texts_of(source, 1) == posts([7])
    assert server.cursors() == [asked]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "-5", "1.5", "1779719000000000 host", "1779719000000000 host x", "1" * 20, "１７７９", "1 a 2 3"],
)
def test_a_damaged_cursor_is_refused(cursor):
    source = source_of("ws://127.0.0.1:1/subscribe")
    with pytest.raises(ValueError, match="no place"):
        source.resume(cursor)
    assert source.cursor is None


@BOTH
async def test_a_post_is_sent_while_the_cursor_stands_before_it(server, path):
    server.answers = [play(*map(post, range(5)))]
    source = source_of(server.base + path)
    stood: list[str | None] = []

    async def wait(_: Post) -> None:
        stood.append(source.cursor)

    await taken(source, lambda edge: len(edge.posts) == 5, wait=wait)
    assert stood[0] == str(NOW_US)  # when it began to listen
    assert [cursor and cursor.split()[0] for cursor in stood[1:]] == [str(START_US + n * SECOND) for n in range(4)]


@BOTH
async def test_the_cursor_moves_on_while_nothing_matches(server, path):
    server.answers = [play(*map(post, range(5)), post(5, "motrin hurts"), *map(post, range(6, 9)), delete(9, post(8)))]
    source = source_of(server.base + path)
    edge = await taken(source, lambda edge: bool(edge.corrections), terms=["motrin"])
    assert edge.texts == ["motrin hurts"]
    assert source.cursor is not None
    assert source.cursor.split()[0] == str(START_US + 9 * SECOND)
    assert source.status().posts == 9


async def test_the_cursor_neither_falls_back_nor_runs_ahead_of_our_clock(server):
    far = NOW_US + 10**12
    server.answers = [
        play(post(9), post(3), then="close"),
        play(post(12, time_us=0), post(13, time_us=-5), post(14, time_us="soon"), post(10, time_us=far), then="close"),
        play(post(11)),
    ]
    edge = await taken(source_of(server.base + V1_PATH), lambda edge: len(edge.posts) == 7)
    assert edge.texts == posts([9, 3, 12, 13, 14, 10, 11])
    assert [one.time for one in edge.posts[2:6]] == [NOW] * 4  # neither 1970 nor the future
    first, second, third = server.cursors()
    assert (first, third) == (None, NOW_US - 5 * SECOND)
    assert second <= START_US + 4 * SECOND


@BOTH
async def test_reposts_of_what_was_sent_are_its_reach(server, path):
    original = post(1, "motrin hurts")
    others = [repost(number, f"at://did:plc:x/{POSTS}/k{number}") for number in range(2, 5)]
    server.answers = [
        play(repost(0, uri(original)), original, post(2), *others, repost(5, uri(original)), repost(6, uri(original)))
    ]
    source = source_of(server.base + path)
    edge = await taken(source, lambda edge: len(edge.posts) == 3, terms=["motrin"])
    first, *reposts = edge.posts
    assert [one.id for one in reposts] == [f"at://did:plc:author{n}/{REPOSTS}/k{n}" for n in (5, 6)]
    assert {one.original for one in reposts} == {first.id} == {uri(original)}
    assert [(one.text, one.lang, one.url, one.author) for one in reposts] == [
        ("motrin hurts", "en", first.url, f"did:plc:author{n}") for n in (5, 6)
    ]
    assert (source.status().posts, source.status().events) == (4, 8)


def quoting(event: Event, *, with_picture: bool = False) -> Event:
    """The part of a record that quotes another post."""
    link = {"$type": "app.bsky.embed.record", "record": {"cid": "bafyre", "uri": uri(event)}}
    whole = {"$type": "app.bsky.embed.recordWithMedia", "record": link, "media": {"images": []}}
    return {"embed": whole if with_picture else link}


@BOTH
async def test_who_quotes_what_was_sent_speaks_of_it(server, path):
    original, other = post(1, "motrin hurts"), post(2)
    broken = [commit(9, record("odd", embed=embed)) for embed in ("", [], {"record": 5}, {"record": {"record": []}})]
    server.answers = [
        play(
            commit(0, record("too early", **quoting(original))), original, other, *broken,
            commit(3, record("shame on them", **quoting(original))),
            commit(4, record("not of this", **quoting(other))),
            commit(5, record("look at this", langs=["de"], **quoting(original, with_picture=True))),
            commit(6, record("", **quoting(original))),
            repost(7, f"at://did:plc:author3/{POSTS}/k3"),
        )
    ]  # fmt: skip
    source = source_of(server.base + path)
    edge = await taken(source, lambda edge: len(edge.posts) == 5, terms=["motrin"])
    assert edge.texts == ["motrin hurts", "shame on them", "look at this", "motrin hurts", "shame on them"]
    assert [one.original for one in edge.posts] == [None, None, None, edge.posts[0].id, edge.posts[1].id]
    assert (edge.posts[2].lang, edge.posts[3].author) == ("de", "did:plc:author6")
    assert source.status().bad == 0


@BOTH
async def test_what_was_said_during_a_break_waits_until_the_desk_has_time_for_it(server, path):
    said = [post(number) for number in range(0, 1_000, 50)]  # the last ones within the minute
    server.answers = [play(*said)]
    edge = await taken(source_of(server.base + path), lambda edge: len(edge.posts) == len(said))
    late = [one for one in edge.posts if NOW - one.time > timedelta(minutes=1)]
    assert edge.asked_for_room == len(late) > 0


async def test_the_newest_posts_are_remembered_for_their_reposts(server, monkeypatch):
    monkeypatch.setattr(bluesky, "REMEMBERED", 10)
    written = [post(number) for number in range(30)]
    server.answers = [play(*written, repost(31, uri(written[19])), repost(32, uri(written[20])))]
    source = source_of(server.base + V1_PATH)
    edge = await taken(source, lambda edge: len(edge.posts) == 31)
    assert edge.posts[-1].original == uri(written[20])
    assert len(source._sent) == 10


@BOTH
async def test_what_its_author_takes_back_is_taken_back(server, path):
    original, unknown = post(1, "motrin hurts"), post(2)
    shared = repost(3, uri(original))
    edited = commit(6, record("motrin is fine", tags=["PainReliever"]), "update", rkey="k1", did=original["did"])
    server.answers = [
        play(
            original,
            shared,
            edited,
            delete(4, shared),
            delete(5, original),
            delete(7, unknown),
            repost(8, uri(original)),
        )
    ]
    edge = await taken(source_of(server.base + path), lambda edge: len(edge.corrections) == 4, terms=["motrin"])
    assert edge.corrections == [
        Correction("bluesky", uri(original), "motrin is fine #PainReliever"),
        Correction("bluesky", uri(shared)),
        Correction("bluesky", uri(original)),
        Correction("bluesky", uri(unknown)),
    ]
    assert edge.texts == ["motrin hurts", "motrin hurts", "motrin is fine #PainReliever"]


@pytest.mark.parametrize("status", ["deleted", "takendown", "suspended", "deactivated"])
@BOTH
async def test_with_an_account_its_posts_are_gone(server, path, status):
    mine, hers = [post(number, did="did:plc:me") for number in (1, 2)], post(3, did="did:plc:her")
    after = [repost(6, uri(mine[0])), repost(7, uri(hers))]
    passing = [account(4, "did:plc:her", "throttled"), account(4, "did:plc:her", None)]
    server.answers = [play(*mine, hers, *passing, account(5, "did:plc:me", status), *after)]
    edge = await taken(source_of(server.base + path), lambda edge: len(edge.posts) == 4)
    assert edge.corrections == [Correction("bluesky", author="did:plc:me")]
    assert edge.posts[-1].original == uri(hers)  # what is gone does not come again with a repost


async def test_old_posts_of_an_account_that_a_server_repeats_are_not_said_again(server):
    """It repeats all there are of an account of which it had missed something: of years, and what it had missed."""
    now, then = ({"createdAt": f"{day}T14:23:00Z", "text": f"motrin {day}"} for day in ("2026-05-25", "2024-02-01"))
    mine: dict[str, object] = {"did": "did:plc:me", "time_us": START_US + 5 * SECOND}
    server.answers = [
        play(
            commit(4, then, did="did:plc:me"),
            sync(5, "did:plc:me"),
            commit(5, then, **mine, rkey="a"),
            commit(5, now, **mine, rkey="b"),
            commit(5, then, did="did:plc:her"),
            commit(6, then, did="did:plc:me"),
            post(7, "motrin at last"),
        )
    ]
    source = source_of(server.base + V2_PATH)
    edge = await taken(source, lambda edge: edge.texts[-1:] == ["motrin at last"], terms=["motrin"])
    assert edge.texts == [*(["motrin 2024-02-01", "motrin 2026-05-25"] + ["motrin 2024-02-01"] * 2), "motrin at last"]
    assert source.status().bad == 0


async def test_passing_refusals_are_tried_again(server):
    later = [refuse(500), refuse(503, Retry_After="0"), refuse(429, Retry_After="x"), refuse(502)]
    server.answers = [*later, play(post(0))]
    assert await texts_of(source_of(server.base + V1_PATH), 1) == posts([0])
    assert len(server.requests) == 5


async def test_the_server_may_say_how_long_to_wait(server, monkeypatch):
    waited: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    monkeypatch.setattr(bluesky.asyncio, "sleep", noted)
    server.answers = [refuse(429, Retry_After="7"), refuse(429, Retry_After="86400"), refuse(500), play(post(0))]
    await texts_of(source_of(server.base + V1_PATH), 1)
    assert [seconds for seconds in waited if seconds > 1] == [7.0, 300.0]


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404])
@BOTH
async def test_a_refusal_at_the_start_is_fatal_and_names_the_setting(server, path, status):
    server.answers = [refuse(status, {"error": "InvalidRequest", "message": "use \x1b[2Jcollections"})]
    source = source_of(server.base + path)
    with pytest.raises(FatalSourceError, match=rf"\(HTTP {status}: use collections\); check 'url' of the source"):
        await source.run(Taken())
    assert source.status().state == "failed"
    assert "check 'url'" in source.status().trouble
    assert len(server.requests) == 1


async def test_a_refusal_of_a_server_that_took_us_before_passes(server):
    server.answers = [play(post(0), then="close"), refuse(404), play(post(1))]
    assert await texts_of(source_of(server.base + V1_PATH), 2) == posts([0, 1])


async def test_where_one_server_fails_the_next_is_asked_at_once(server, other, monkeypatch):
    monkeypatch.setattr(bluesky.asyncio, "sleep", lambda _: pytest.fail("there is another server"))
    server.answers = [play(post(8), then="cut")]
    other.answers = [play(post(9))]
    source = source_of(server.base + V2_PATH, other.base + V1_PATH)
    assert await texts_of(source, 2) == posts([8, 9])
    assert other.cursors() == [START_US + 3 * SECOND]
    assert (source.status().state, source.status().trouble) == ("live", "")


async def test_servers_are_waited_for_only_when_all_have_failed(server, other):
    waits = iter([0.0, 0.0, 0.0])
    server.answers, other.answers = [refuse(404)], [refuse(503), refuse(503), play(post(0))]
    source = source_of(server.base + V1_PATH, other.base + V1_PATH, waits=lambda: waits)
    assert await texts_of(source, 1) == posts([0])
    assert (len(server.requests), len(other.requests), len(list(waits))) == (3, 3, 1)


async def test_a_source_fails_when_every_server_refuses(server, other):
    server.answers, other.answers = [refuse(404)], [refuse(401)]
    source = source_of(server.base + V1_PATH, other.base + V1_PATH)
    with pytest.raises(FatalSourceError, match=r"HTTP 404.*HTTP 401"):
        await source.run(Taken())


@BOTH
async def test_a_mute_connection_is_blind_though_it_pings(server, path):
    async def mute(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(heartbeat=0.01)
        await ws.prepare(request)
        await ws.receive()
        return ws

    proceed = asyncio.Event()

    async def later(request: web.Request) -> web.StreamResponse:
        await proceed.wait()
        return await play(post(1))(request)

    server.answers = [play(post(0), then="close"), mute, later]
    source = source_of(server.base + path, silence=0.3)
    states: list[str] = []

    async def wait(_: Post) -> None:
        states.append(source.status().state)
        if len(states) == 1:
            return
        assert source.status().trouble == ""

    edge = Taken(wait=wait)
    task = asyncio.create_task(source.run(edge))
    async with asyncio.timeout(20):
        while len(server.requests) < 3:  # noqa: ASYNC110  (the server counts, and tells nobody)
            await asyncio.sleep(0.01)
    assert source.status().state == "blind"
    assert "said nothing for 0.3 s; trying again" in source.status().trouble
    proceed.set()
    await edge.until(lambda: len(edge.posts) == 2)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert states == ["live", "live"]


@pytest.mark.parametrize("half", [b"\x81\x7e\x10", b"\x81\x05hel", b"\xc1\x05\xff\xff\xff\xff\xff", b"\x83\x01x"])
async def test_half_frames_and_broken_ones_end_the_line_only(server, half):
    async def answer(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(compress=True)
        await ws.prepare(request)
        await ws.send_str(v1(post(0)))
        assert request.transport is not None
        request.transport.write(half)
        request.transport.close()
        return ws

    server.answers = [answer, play(post(1))]
    assert await texts_of(source_of(server.base + V1_PATH), 2) == posts([0, 1])


@BOTH
async def test_a_server_that_does_not_answer_is_left(server, other, path, monkeypatch):
    monkeypatch.setattr(line, "CONNECT_SECONDS", 0.2)

    async def stall(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(60)
        raise AssertionError

    server.answers, other.answers = [stall], [play(post(0))]
    assert await texts_of(source_of(server.base + path, other.base + path), 1) == posts([0])


@BOTH
async def test_what_comes_out_of_order_at_the_cut_over_is_not_lost(server, path):
    server.answers = [play(*map(post, (5, 9, 6)), then="cut"), play(*map(post, (6, 7, 8, 9, 10)))]
    edge = await taken(source_of(server.base + path), lambda edge: len(edge.posts) == 8)
    assert set(edge.texts) == set(posts(range(5, 11)))
    assert server.cursors()[1] in {START_US + 1 * SECOND, START_US + 4 * SECOND, 1006}


@BOTH
async def test_a_giant_message_is_not_asked_for_again(server, path, monkeypatch):
    monkeypatch.setattr(line, "MAX_MESSAGE", 10_000)
    server.answers = [play(post(7), '{"a":"' + "x" * 20_000 + '"}', post(1), then="wait"), play(post(9))]
    assert await texts_of(source_of(server.base + path), 2) == posts([7, 9])
    assert server.cursors() == [None, START_US + 8 * SECOND]  # by the time: its number is not known


@BOTH
async def test_a_slow_desk_loses_nothing(server, path):
    server.answers = [play(*map(post, range(300)))]

    async def slowly(_: Post) -> None:
        await asyncio.sleep(0.001)

    edge = await taken(source_of(server.base + path), lambda edge: len(edge.posts) == 300, wait=slowly)
    assert edge.texts == posts(range(300))


async def test_a_terminal_error_of_v2_says_why(server):
    shown: list[str] = []

    async def again(request: web.Request) -> web.StreamResponse:
        shown.append(source.status().trouble)
        return await play(post(1))(request)

    server.answers = [play(post(0), error("ConsumerTooSlow", "2100000 events behind; reconnect with cursor=42")), again]
    source = source_of(server.base + V2_PATH)
    assert await texts_of(source, 2) == posts([0, 1])
    assert shown == ["ConsumerTooSlow: 2100000 events behind; reconnect with cursor=42; trying again"]


async def test_the_reason_of_a_close_is_told(server):
    shown: list[str] = []

    async def close(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.close(code=1008, message=b"too many connections \x1b[2Jfrom you")
        return ws

    async def again(request: web.Request) -> web.StreamResponse:
        shown.append(source.status().trouble)
        return await play(post(1))(request)

    server.answers = [close, again]
    source = source_of(server.base + V1_PATH)
    await texts_of(source, 1)
    (told,) = shown
    assert told.endswith(" ended the connection (code 1008: too many connections from you); trying again")


async def test_a_cursor_that_is_too_old_goes_on_at_the_floor_and_says_what_is_missing(server):
    message = "subscribe: cursor too old: cursor 1007 below lookback floor 4607; re-backfill from your last seq"
    server.answers = [refuse(400, {"error": "CursorTooOld", "message": message}), play(post(300))]
    source = source_of(server.base + V2_PATH)
    source.resume(f"{START_US + 7 * SECOND} {server.base.removeprefix('ws://')} 1007")
    assert await texts_of(source, 1) == posts([300])
    assert server.cursors() == [1007, 4607]
    assert source.status().state == "live"
    assert source.status().trouble.startswith(
        "What was said from 25 May 14:23 to 25 May 14:28 UTC (4 min) is missing: "
    )


async def test_a_refused_cursor_without_a_floor_is_followed_by_the_time_then_by_the_present(server):
    old = refuse(400, {"error": "CursorTooOld"})
    server.answers = [old, old, play(post(300))]
    source = source_of(server.base + V2_PATH)
    source.resume(f"{START_US + 7 * SECOND} {server.base.removeprefix('ws://')} 1007")
    assert await texts_of(source, 1) == posts([300])
    assert server.cursors() == [1007, START_US + 2 * SECOND, None]


async def test_an_outdated_time_says_what_is_missing_until_the_next_shift(server):
    server.answers = [play(info("OutdatedCursor"), post(300))]
    clock = ReplayClock(NOW)
    source = Bluesky([server.base + V2_PATH], clock)
    source.resume(str(START_US))
    assert await texts_of(source, 1) == posts([300])
    assert "(5 min) is missing" in source.status().trouble
    clock.restart(NOW + TOLD_FOR + timedelta(minutes=1), None)
    assert source.status().trouble == ""


async def test_v1_says_nothing_of_what_is_missing_but_we_do(server):
    server.answers = [play(post(0))]
    source = source_of(server.base + V1_PATH)
    source.resume(str(START_US - 40 * 3600 * SECOND))
    await texts_of(source, 1)
    assert "(1 d 16 h) is missing" in source.status().trouble


async def test_a_number_that_the_server_does_not_know_is_followed_by_the_time(server):
    server.answers = [play(info("FutureCursor"), post(900)), play(post(8))]
    source = source_of(server.base + V2_PATH)
    source.resume(f"{START_US + 7 * SECOND} {server.base.removeprefix('ws://')} 1007")
    assert await texts_of(source, 1) == posts([8])
    assert server.cursors() == [1007, START_US + 2 * SECOND]


async def test_nobody_at_the_address_is_tried_again():
    with sockets.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    attempts = 0

    def waits() -> Iterable[float]:
        nonlocal attempts
        while True:
            attempts += 1
            if attempts == 3:
                raise asyncio.CancelledError
            yield 0.0

    source = source_of(f"ws://127.0.0.1:{port}/subscribe", waits=waits)
    with pytest.raises(asyncio.CancelledError):
        await source.run(Taken())
    status = source.status()
    assert status.state == "connecting"
    assert status.trouble.startswith("no connection to 127.0.0.1:")


@BOTH
async def test_what_was_said_between_two_moments_is_read_beside_the_present_and_ends(server, path):
    server.answers = [play(*map(post, range(3600)))]
    source = source_of(server.base + path, history=timedelta(hours=1))
    since, until = (datetime.fromtimestamp((START_US + n * SECOND) / SECOND, UTC) for n in (10, 3000))
    past, edge = source.recall(since, until), Taken()
    async with asyncio.timeout(20):
        await past.run(edge)
    assert {*edge.texts} >= {f"post {n}" for n in range(10, 3000)}
    assert (past.name, source.history) == ("bluesky", timedelta(hours=1))
    (asked,) = server.requests
    assert int(asked.query["cursor"]) == START_US + 5 * SECOND
    assert REPOSTS not in asked.query.getall("wantedCollections", asked.query.getall("collections", []))
    assert source.status().events == 0


async def test_the_past_of_a_server_that_falls_silent_before_the_present_ends_all_the_same(server):
    server.answers = [play(*map(post, range(20)))]
    past, edge = source_of(server.base + V1_PATH, silence=1.0).recall(NOW - timedelta(hours=1), NOW), Taken()
    async with asyncio.timeout(10):
        await past.run(edge)
    assert edge.texts == posts(range(20))
    assert len(server.requests) == 1


@BOTH
async def test_the_newest_event_tells_how_far_it_has_come_whatever_our_clock_says(server, path):
    ahead = NOW_US + 3600 * SECOND
    server.answers = [play(post(1, "motrin"), post(2, "motrin again", time_us=ahead))]
    source = source_of(server.base + path)
    assert source.status().latest is None
    await taken(source, lambda edge: len(edge.posts) == 2, terms=["motrin"])
    assert source.status().latest == NOW + timedelta(hours=1)
