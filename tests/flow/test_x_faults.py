"""The X source against a server that misbehaves."""

import asyncio

import pytest
from edges import Taken, ends_while_it_breaks, running, until
from xs import BEAT, DISCONNECT, NOW, PROBLEMS, Pauses, frame, line, new, play, post_id, refuse, source_of, tweet


async def test_a_mute_stream_is_left_and_blind_until_it_speaks(network):
    network.answers = [play(new(1)), play(), play(then="beat")]
    source = source_of(network, silence=0.2)
    async with running(source, Taken()):
        await until(lambda: source.status().state == "blind")
        assert "not a sign of life for 0.2 s" in source.status().trouble
        await until(lambda: len(network.asked) == 2)
        await asyncio.sleep(0.05)
        assert source.status().state == "blind", "a stream that stands has not spoken yet"
        await until(lambda: source.status().state == "live" and len(network.asked) == 3)
        assert source.status().trouble == ""


async def test_one_that_is_mute_and_then_refused_stays_blind(network):
    seen: list[str] = []

    async def pause(_: float) -> None:
        seen.append(source.status().state)
        await asyncio.sleep(0.001)

    network.answers = [play(), refuse(503), refuse(503)]
    source = source_of(network, silence=0.1, pause=pause)
    async with running(source, Taken()):
        await until(lambda: len(seen) >= 4)
    assert {*seen} == {"blind"}


async def test_half_a_line_is_no_sign_of_life(network):
    async def drip(request):
        return await play(*(b"{" for _ in range(60)), every=0.02)(request)

    network.answers = [drip, play(new(1), then="beat")]
    source, edge = source_of(network, silence=0.15), Taken()
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
    assert len(network.asked) == 2


async def test_bad_lines_are_skipped(network):
    bad = [
        b"{", b"null", b"[]", b"5", b'"x"', b"{}", b"\x00\xff\xfe", b"[" * 5_000, b'{"data":' * 2_000,
        b'{"data":null}', b'{"data":[]}', b'{"data":{}}', b'{"data":{"id":5}}', b'{"data":{"id":"x","text":"y"}}',
        b'{"data":{"id":"5"}}', b'{"data":{"id":"5","text":""}}', b'{"data":{"id":"5","text":7}}',
        b'{"data":{"id":"99999999999999999999","text":"y"}}', b'{"data":{"id":"-1","text":"y"}}',
    ]  # fmt: skip
    network.answers = [play(*(one + b"\r\n" for one in bad), new(1))]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
        seen = source.status()
    assert (seen.bad, seen.posts, seen.state, len(network.asked)) == (len(bad), 1, "live", 1)


async def test_ornaments_that_cannot_be_cost_no_post(network):
    odd = [
        {"edit_history_tweet_ids": ["x", post_id(1)]}, {"edit_history_tweet_ids": 5}, {"entities": {"urls": [5, {}]}},
        {"entities": []}, {"referenced_tweets": [{"type": "retweeted"}]}, {"referenced_tweets": {}}, {"lang": 5},
        {"author_id": 5}, {"note_tweet": {"text": 5}}, {"created_at": "1970"}, {"note_tweet": []},
    ]  # fmt: skip
    lines = [new(number, **one) for number, one in enumerate(odd, 2)]
    includes = [5, [], {"users": 5, "tweets": [{}]}, {"users": [{"id": "2001", "public_metrics": 5}]}]
    lines += [line({"data": tweet(90 + number), "includes": one}) for number, one in enumerate(includes)]
    network.answers = [play(*lines)]
    source, edge = source_of(network, reposts=True), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == len(lines))
    assert source.status().bad == 0


async def test_lines_come_in_any_pieces(network):
    whole = new(1) + BEAT + new(2, "ü" * 50) + line(frame(3)).replace(b"\r\n", b"\n") + new(4)
    network.answers = [play(*(whole[at : at + 37] for at in range(0, len(whole), 37)))]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 4)
    assert source.status().bad == 0


async def test_a_giant_is_skipped_and_the_stream_goes_on(network):
    giant = line(frame(2, "x" * (1 << 20)))
    network.answers = [play(new(1), giant, new(3))]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)
    assert edge.texts == ["motrin 1", "motrin 3"]
    assert (source.status().bad, len(network.asked)) == (1, 1)


@pytest.mark.parametrize("last", [b"", b'{"data":{"id":"1'])
@pytest.mark.parametrize("then", ["end", "cut"])
async def test_every_end_of_a_stream_is_mended_at_once(network, then, last):
    network.answers = [play(new(1), last, then=then), play(new(2))]
    pauses = Pauses()
    source, edge = source_of(network, pause=pauses), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)
        assert source.status().state == "live"
    assert max(pauses.seconds) == 0.0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (DISCONNECT, "X has ended the stream for reasons of its own"),
        (
            {"errors": [{"title": "ConnectionException", "connection_issue": "TooManyConnections"}]},
            "somebody else uses",
        ),
        ({"title": "UsageCapExceeded", "period": "Monthly", "detail": "Usage cap exceeded"}, "in a month are used up"),
        ({"errors": [{"title": "client-disconnected", "type": "about:blank"}]}, "X has ended the stream for reasons"),
        ({"errors": [{"disconnect_type": "SlowReader", "title": "x"}]}, "because the desk read too slowly"),
        ({"errors": [{"disconnect_type": "ForceDisconnect", "type": f"{PROBLEMS}/operational-disconnect"}]}, "reasons"),
        (
            {"errors": [{"disconnect_type": "ClientApplicationStateDegraded", "title": "x"}]},
            "since it restricts the app",
        ),
        ({"errors": [{"title": "Something new", "detail": "Ask \x1b[2Jlater.", "type": "…/new"}]}, "Ask later; trying"),
    ],
)
async def test_an_end_with_a_reason_is_told_and_mended(network, said, told):
    network.answers = [play(new(1), line(said)), play(new(2))]
    seen: list[str] = []

    async def pause(_: float) -> None:
        seen.append(source.status().trouble)
        await asyncio.sleep(0.001)

    source, edge = source_of(network, pause=pause), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)
    (trouble,) = filter(None, seen)
    assert told in trouble
    assert trouble.endswith("; trying again")


async def test_what_x_says_beside_a_post_is_no_end(network):
    beside = {"errors": [{"title": "Not Found Error", "detail": "Could not find user", "resource_type": "user"}]}
    network.answers = [play(line(frame(1) | beside), new(2))]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)
    assert len(network.asked) == 1


async def test_a_slow_desk_loses_nothing(network):
    async def slow(_):
        await asyncio.sleep(0.002)

    source, edge = source_of(network), Taken(wait=slow)
    async with running(source, edge):
        await network.until_listened()
        await network.publish(*(frame(number, f"{number} " + "x" * 2_000) for number in range(200)))
        await edge.until(lambda: len(edge.posts) >= 200)
        await asyncio.sleep(0.02)
    assert [text.split()[0] for text in edge.texts] == [str(number) for number in range(200)]


async def test_times_that_cannot_be_do_no_harm(network):
    ids = ["5", post_id(4_000_000), str(2**63 - 1), post_id(-3_000_000)]
    claims = ["1970-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z", "yesterday", None, 5]
    lines = [line({"data": {"id": one, "text": "motrin"}}) for one in ids]
    lines += [line({"data": {"id": str(6 + n), "text": "motrin", "created_at": one}}) for n, one in enumerate(claims)]
    network.answers = [play(*lines, new(9))]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == len(lines) + 1)
        await asyncio.sleep(0)
    assert {post.time for post in edge.posts[:-1]} == {NOW}
    assert int(source.cursor or 0) <= int(post_id(2_000)), "a post of the future is no place to go on at"


@pytest.mark.parametrize("cursor", ["", "{", "null", "-5", "5", "1e9", "٣" * 19, "9" * 30, "9" * 19])
async def test_a_damaged_cursor_is_refused(network, cursor):
    source = source_of(network)
    with pytest.raises(ValueError):  # noqa: PT011
        source.resume(cursor)
    assert source.cursor is None


@pytest.mark.parametrize("steps", range(8))
async def test_it_ends_when_it_is_told_to_while_the_stream_breaks(network, steps):
    await ends_while_it_breaks(source_of(network), network.until_listened(), network.cut(), steps)
