"""Webhooks over real sockets whose other end is broken, hostile, slow, or a thousand."""

import asyncio
import gzip
import tracemalloc
import zlib
from contextlib import suppress

import aiohttp
import orjson
import pytest
from edges import Taken
from webhooks import NOW, POST, SECRET, Served, request, serving, signature

from crisisdesk.net.signing import HEADER
from crisisdesk.records import Post
from crisisdesk.server import connection, door, intake
from crisisdesk.server.http import Listener
from crisisdesk.settings import Address
from crisisdesk.sources.webhook.signature import Keys

BODY = orjson.dumps(POST)


@pytest.fixture(autouse=True)
def no_lingering(monkeypatch):
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.1)


def hasty() -> Listener:
    return Listener(Address("127.0.0.1", 0), head_seconds=0.2, body_seconds=0.2)


async def well(desk: Served) -> None:
    """A good request still comes through."""
    assert (await desk.send(POST)).content == {"taken": 1, "bad": []}


async def test_half_a_request_is_nothing():
    async with serving() as desk:
        _, writer = await asyncio.open_connection(*desk.listener.address)
        writer.write(request(BODY)[:-20])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        await well(desk)
        assert len(desk.edge.posts) == 1


async def test_a_body_that_stalls_is_told_so():
    async with serving(listener=hasty()) as desk:
        got = await desk.raw(request(BODY, size=len(BODY) + 1))
        assert b"408 Request Timeout" in got
        assert b"did not come within 0.2 s; send it again" in got
        await well(desk)


@pytest.mark.parametrize("start", [b"", b"POST /ingest/su", b"POST /ingest/suite HTTP/1.1\r\nHost: desk\r\nX-Slow: "])
async def test_headers_that_stall_lose_the_connection(start):
    async with serving(listener=hasty()) as desk:
        got = await desk.raw(*([start] if start else []))
        assert got == b""
        await well(desk)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nothing",
        b"\x00\xff\xfe\x80",
        b'"a text"',
        b"null",
        b"NaN",
        b"[" * 200_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"time": "2026-05-25T13:40:00Z", "text": {"a": 1}}',
        b'{"time": ' + b"9" * 100_000 + b', "text": "x"}',
        b'{"time": "2026-05-25T13:40:00Z", "text": "\\ud800"',
        gzip.compress(BODY, mtime=0),
    ],
    ids=lambda content: repr(content[:12]),
)
async def test_what_is_no_post_is_refused_in_a_sentence(content):
    async with serving() as desk:
        got = await desk.send(content)
        assert got.status == 400
        assert got.error.startswith("No post could be read: ")
        assert "Traceback" not in got.error
        await well(desk)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x" * 5_000])
async def test_other_packing_than_gzip_is_refused(encoding):
    async with serving() as desk:
        got = await desk.send(BODY, Content_Encoding=encoding)
        assert got.status == 415
        assert got.error.endswith("is not read here; send it as gzip, or unpacked.")


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "text/csv", "application/xml", "\x1b]52;c;aGk=\x07"]
)
async def test_other_content_than_json_and_forms_is_refused(kind):
    async with serving() as desk:
        head = request(BODY, headers=f"Connection: close\r\nContent-Type: {kind}\r\n")
        got = await desk.raw(head)
        assert b" 415 " in got or (b"\x1b" in head and b" 400 " in got)
        assert b"\x1b" not in got


async def test_a_giant_is_refused_before_it_is_read():
    async with serving(most_bytes=1_000) as desk:
        got = await desk.raw(request(b"{", size=10**12))
        assert b"413 Request Entity Too Large" in got
        assert b"It has more than 1,000 bytes; send fewer posts at once." in got
        assert "raise 'most_bytes'" in desk.webhook.status().trouble
        await well(desk)


async def test_a_giant_that_does_not_say_so_is_cut_off():
    async def endless():
        for _ in range(1_000):
            yield b"[" * 1_000

    async with serving(most_bytes=5_000) as desk:
        with suppress(aiohttp.ClientError):  # it may be cut off before it has read the answer
            async with desk.session.post(desk.url, data=endless()) as answer:
                assert answer.status == 413
        assert "raise 'most_bytes'" in desk.webhook.status().trouble
        await well(desk)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_a_bomb_is_unpacked_no_further_than_a_body_may_be_large(pack):
    bomb = pack(b"[" + b"0," * 50_000_000)
    async with serving(most_bytes=1_000_000) as desk:
        tracemalloc.start()
        got = await desk.send(bomb, Content_Encoding="gzip")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (got.status, got.error) == (
            413,
            "It has more than 1,000,000 bytes unpacked; send fewer posts at once.",
        )
        assert peak < 10_000_000
        await well(desk)


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(BODY, mtime=0)[:-1],
        gzip.compress(BODY, mtime=0)[:20],
        gzip.compress(BODY, mtime=0) + b"rubbish",
        gzip.compress(b"", mtime=0) * 10_000,
    ],
    ids=["none", "cut", "half", "rubbish behind", "ten thousand pieces"],
)
async def test_what_cannot_be_unpacked_is_refused(content):
    async with serving() as desk:
        got = await desk.send(content, Content_Encoding="gzip")
        assert (got.status, got.error) == (
            400,
            "It says that it is packed with gzip, and is not, or not wholly; send it again.",
        )


async def test_only_post_and_only_this_name():
    async with serving() as desk:
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            got = await desk.send(BODY, method=method)
            assert (got.status, got.headers["Allow"]) == (405, "POST")
            assert got.error.endswith("see which methods are allowed.")
        for url in (desk.url + "2", desk.url + "/", desk.url + "%00", desk.url.replace("suite", ".."), desk.url[:-12]):
            got = await desk.send(BODY, url=url)
            assert got.status == 404
            assert "suite" not in got.error, "names are not told to strangers"


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # somebody takes it for https
        b"garbage\r\n\r\n",
        b"POST /ingest/suite HTTP/9.9\r\n\r\n",
        b"POST /ingest/suite HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /ingest/suite HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /ingest/suite HTTP/1.1\r\n\xff\xfe: \x00\r\n\r\n",
        b"POST /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /ingest/suite HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"POST /ingest/suite HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"POST /ingest/suite HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=lambda garbage: repr(garbage[:40]),
)
async def test_what_is_no_http_gets_an_answer_in_json_and_the_door(garbage, capfd, caplog):
    async with serving() as desk:
        head, _, content = (await desk.raw(garbage)).partition(b"\r\n\r\n")
        assert head.split(b" ")[1] == b"400"
        assert list(orjson.loads(content)) == ["error"]
        await well(desk)
    assert capfd.readouterr().err == ""
    assert caplog.text == ""


async def test_requests_in_one_go_are_answered_each_up_to_the_garbage():
    async with serving() as desk:
        got = await desk.raw(request(BODY) * 3, b"garbage garbage\r\n\r\n" + request(BODY))
        assert got.count(b"HTTP/1.1 202 Accepted") == 3
        assert got.count(b" 400 Bad Request") == 1
        assert len(desk.edge.posts) == 3


@pytest.mark.parametrize("count", [200, pytest.param(1_000, marks=pytest.mark.proof)])
async def test_many_at_once_are_taken_or_told_to_come_again(count):
    async with serving(Keys(SECRET), per_minute=10_000) as desk:
        answers = {202: 0, 503: 0}

        async def send(number: int) -> None:
            body = orjson.dumps(POST | {"id": str(number)})
            while True:
                try:
                    got = await desk.send(body, **{HEADER: signature(body, NOW, SECRET)})
                except aiohttp.ClientError:
                    continue
                answers[got.status] += 1
                if got.status == 202:
                    return
                assert got.headers["Retry-After"]
                await asyncio.sleep(0.1)

        async with asyncio.timeout(30):
            await asyncio.gather(*map(send, range(count)))
        assert answers[202] == count
        assert sorted(int(post.id) for post in desk.edge.posts) == list(range(count))


@pytest.mark.parametrize(
    "sent", [b"", request(BODY)[:30], request(BODY)[:-5]], ids=["nothing", "half a head", "half a body"]
)
async def test_who_has_not_brought_a_whole_request_makes_room(monkeypatch, sent):
    monkeypatch.setattr(door, "MOST_CONNECTIONS", 3)
    async with serving() as desk:
        held = [await asyncio.open_connection(*desk.listener.address) for _ in range(3)]
        for _, writer in held:
            writer.write(sent)
        await asyncio.sleep(0.05)
        for _ in range(4):
            assert (await desk.raw(request(BODY, headers="Connection: close\r\n"))).startswith(b"HTTP/1.1 202")
        with suppress(ConnectionResetError):
            assert await held[0][0].read() == b""
        assert len(desk.listener._runner.server.connections) <= 3
        for _, writer in held:
            writer.close()


async def test_where_all_are_at_work_others_wait_outside(monkeypatch):
    monkeypatch.setattr(door, "MOST_CONNECTIONS", 2)
    going = asyncio.Event()

    async def wait(_: Post) -> None:
        await going.wait()

    async with serving(edge=Taken(wait=wait)) as desk:
        last = request(BODY, headers="Connection: close\r\n")
        working = [asyncio.create_task(desk.raw(last)) for _ in range(2)]
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(desk.raw(last))
        await asyncio.sleep(0.2)
        assert len(desk.listener._runner.server.connections) == 2
        going.set()
        for answer in await asyncio.gather(*working, waiting):
            assert answer.startswith(b"HTTP/1.1 202 Accepted")


async def test_who_never_reads_an_answer_loses_the_connection(monkeypatch):
    monkeypatch.setattr(door, "MOST_CONNECTIONS", 1)
    async with serving(listener=Listener(Address("127.0.0.1", 0), head_seconds=0.3)) as desk:
        reader, writer = await asyncio.open_connection(*desk.listener.address, limit=1)
        reader._transport.pause_reading()
        with suppress(ConnectionError):
            async with asyncio.timeout(10):
                while True:
                    writer.write(request(b"{}", "nobody") * 500)
                    await writer.drain()
        writer.close()
        await well(desk)


async def test_more_bytes_on_their_way_than_there_is_room_for_are_told_to_come_again_unless_they_are_few(monkeypatch):
    monkeypatch.setattr(intake, "MOST_READING", 100_000)
    async with serving() as desk:
        reader, writer = await asyncio.open_connection(*desk.listener.address)
        writer.write(request(b" " * 95_000, size=99_000))
        await writer.drain()
        await asyncio.sleep(0.05)
        got = await desk.send(b" " * 80_000)
        assert (got.status, got.headers["Retry-After"]) == (503, "10")
        assert (await desk.send(orjson.dumps(POST) + b" " * 50_000)).status == 202
        writer.close()
        await writer.wait_closed()
        assert await reader.read() == b""
        await asyncio.sleep(0.05)
        assert (await desk.send(orjson.dumps(POST) + b" " * 80_000)).status == 202


async def test_a_disk_that_hangs_does_not_fill_the_memory():
    hangs = asyncio.Event()

    async def wait(_: Post) -> None:
        await hangs.wait()

    async with serving(edge=Taken(wait=wait), keep_seconds=0.001) as desk:
        large = [POST | {"text": "x" * 9_000}] * 110
        answers = [await desk.send(large) for _ in range(40)]
        assert {got.status for got in answers} == {503}
        assert sum(desk.webhook._in_hand._sizes.values()) < 32_000_000
        assert answers[-1].error == "The desk has too much in hand at the moment; send it again."
        hangs.set()


async def test_nothing_of_it_is_printed_or_logged(capfd, caplog):
    async with serving(Keys(SECRET)) as desk:
        for content in (b"{", b"\x00", BODY, BODY * 3):
            await desk.send(content)
            await desk.signed(content)
            await desk.signed(content, secret="another of sixteen")  # noqa: S106
    out, err = capfd.readouterr()
    assert out == err == caplog.text == ""


async def test_a_mistake_of_ours_is_no_traceback_for_the_sender(caplog):
    class Broken(Taken):
        async def keep(self, posts):  # noqa: ARG002 - as the edge has it
            raise ZeroDivisionError("inside")

    async with serving(edge=Broken()) as desk:
        got = await desk.send(POST)
        assert (got.status, got.error) == (
            500,
            "Something has gone wrong here that is not your fault; send it again later.",
        )
    assert "POST /ingest/suite failed" in caplog.text
