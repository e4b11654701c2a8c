"""Broken messages over a real broker, and a broker that is broken itself: a good post still comes through."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from fuzz_webhook import JSON, mutated

CONNACK = b"\x20\x03\x00\x00\x00"
PONG = b"\xd0\x00"
GOOD = b'{"id": "good", "time": "2008-11-15T03:40:00Z", "text": "never again"}'


async def test_broken_messages_are_counted_and_the_good_one_comes(mosquitto, listener, publish):
    chance = random.Random(1)
    broken = [mutated(chance, chance.choice(JSON)) for _ in range(500)]
    async with listener(mosquitto.port) as there:
        await there.is_live()
        await publish(mosquitto.port, "posts", [*broken, GOOD])
        await there.edge.until(lambda: "good" in {post.id for post in there.edge.posts})
        status = await there.shows(lambda status: status.events == 501)
        assert status.bad > 100
        assert status.trouble.endswith("It is skipped, and so is all that is like it.")


def packet(kind: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while True:
        size, rest = divmod(size, 128)
        length.append(rest | (128 if size else 0))
        if not size:
            return bytes([kind, *length]) + body


def published(topic: bytes, payload: bytes) -> bytes:
    return packet(0x32, len(topic).to_bytes(2, "big") + topic + b"\x00\x01\x00" + payload)


@contextlib.asynccontextmanager
async def actor(
    says: Callable[[], bytes], granted: bytes = b"\x01", connack: bytes = CONNACK, after: float = 0
) -> AsyncIterator[int]:
    """A broker of MQTT 5 that lets everybody in, then says what it is told to, after so many seconds."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, TimeoutError):
            await reader.read(65_536)
            writer.write(connack)
            asked = await reader.read(65_536)
            writer.write(packet(0x90, asked[2:4] + b"\x00" + granted))
            await asyncio.sleep(after)
            writer.write(says())
            await asyncio.wait_for(reader.read(65_536), 0.05)  # to have it answered, if it can be

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("count", [20, pytest.param(2_000, marks=(pytest.mark.proof, pytest.mark.timeout(600)))])
async def test_a_broker_that_talks_nonsense_is_left_and_tried_again(listener, count):
    chance = random.Random(2)

    def nonsense() -> Iterator[bytes]:
        for _ in range(count):
            topic = mutated(chance, b"posts/forum")[:200]
            yield mutated(chance, published(topic, chance.choice(JSON))) + PONG
        while True:
            yield published(b"posts", GOOD)

    says = nonsense()
    async with actor(lambda: next(says)) as port, listener(port, timeout=0.2) as there:
        await there.edge.until(lambda: "good" in {post.id for post in there.edge.posts}, 300)


async def test_another_client_with_our_name_is_named(listener):
    async with actor(lambda: packet(0xE0, b"\x8e\x00"), after=0.1) as port, listener(port) as there:
        status = await there.shows(lambda status: bool(status.trouble))
        assert "another client came as crisisdesk-acme-mqtt; give each desk and each source a name" in status.trouble
        status = await there.shows(lambda status: status.state == "live" and bool(status.trouble))
        assert "Meanwhile either hears only a part." in status.trouble


@pytest.mark.parametrize("says_why", [True, False])
async def test_a_broker_that_hangs_up_is_quoted(listener, says_why):
    why = b"\x1f\x00\x0dback \x1b[31m5pm" if says_why else b""
    async with actor(lambda: packet(0xE0, b"\x8b" + bytes([len(why)]) + why)) as port, listener(port) as there:
        status = await there.shows(lambda status: bool(status.trouble))
        said = "it said Server shutting down. back 5pm" if says_why else "it said Server shutting down"
        assert status.trouble == f"The MQTT broker 127.0.0.1:{port} went away ({said}); it is tried again."


async def test_a_broker_that_misses_our_sign_of_life_is_not_taken_for_mute(listener):
    async with actor(lambda: packet(0xE0, b"\x8d\x00")) as port, listener(port) as there:
        status = await there.shows(lambda status: bool(status.trouble))
        assert "(it said Keep alive timeout)" in status.trouble
        assert status.state == "connecting"


async def test_a_broker_that_is_busy_is_not_said_to_be_off(listener):
    async with actor(lambda: b"", connack=packet(0x20, b"\x00\x89\x00")) as port, listener(port) as there:
        status = await there.shows(lambda status: bool(status.trouble))
        assert status.state == "connecting"
        assert "answers and does not let us in ([code:137] Server busy): its own log says more" in status.trouble


@pytest.mark.parametrize(("seconds", "told"), [(7_200, "keeps posts for 2 h only"), (86_400, ""), (172_800, "")])
async def test_a_broker_that_remembers_for_less_than_it_is_asked_is_told(listener, seconds, told):
    connack = packet(0x20, b"\x00\x00\x05\x11" + seconds.to_bytes(4, "big"))
    async with actor(lambda: published(b"posts", GOOD), connack=connack) as port, listener(port) as there:
        await there.edge.until(lambda: bool(there.edge.posts))
        await there.is_live()
        trouble = there.source.status().trouble
        assert told in trouble
        assert bool(told) or not trouble


@pytest.mark.parametrize(
    ("code", "state"), [(0x87, "failed"), (0x8F, "failed"), (0x9E, "failed"), (0x97, "connecting")]
)
async def test_a_refused_topic_is_final_unless_the_broker_is_only_busy(listener, code, state):
    async with actor(lambda: b"", bytes([code])) as port, listener(port) as there:
        status = await there.shows(lambda status: bool(status.trouble))
        assert "does not let us read posts/#" in status.trouble
        assert status.state == state


@pytest.mark.parametrize("granted", [b"", b"\x01", b"\x01\x01\x01"])
async def test_a_broker_that_answers_for_other_topics_than_were_asked_is_heard(listener, granted):
    async with actor(lambda: published(b"posts", GOOD), granted) as port, listener(port, "posts", "more") as there:
        await there.edge.until(lambda: bool(there.edge.posts))


async def test_a_topic_that_is_no_text_is_taken_as_any_other(listener):
    async with actor(lambda: published(b"posts/\xff", GOOD)) as port, listener(port) as there:
        await there.shows(lambda status: status.events > 0)
