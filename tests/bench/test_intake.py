"""What the intake costs: from a Jetstream frame to the match and the Post, against parsing the same bytes alone.

    .venv/bin/python -m pytest -m bench -s tests/bench/test_intake.py

All in one run, in turns, and the median of many: a machine's hiccups hit both sides alike. CPU time, not the clock's.
The posts are those of the Motrin case in the frames of the network, a third of them in other scripts and languages,
with line breaks and emoji. Asserts nothing about time.
"""

import asyncio
import random
import statistics
import string
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection

import orjson
import pytest
from edges import Taken
from jetstreams import FRAME, V1_PATH, V2_PATH, Jetstream, as_on_the_network, delete, identity, play, repost, v1, v2

from crisisdesk.cases import case
from crisisdesk.clock import WallClock
from crisisdesk.match import Matcher, WatchRule
from crisisdesk.records import Post
from crisisdesk.sources.bluesky.line import _unfolded, zstd
from crisisdesk.sources.bluesky.source import Bluesky
from crisisdesk.sources.file.reading import read_posts

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

FRAMES, TURNS = 4_000, 15
ARRIVAL = datetime(2026, 5, 25, 14, 30, tzinfo=UTC)
BRAND = "zyxwvut"
"""In a post that is to match."""
ELSEWHERE = {
    "ja": (
        "今日はとても楽しかったです。明日もがんばります！みんなありがとう 🎉",
        "おはようございます\n眠い…",
        "推しが尊い😭😭",
    ),
    "pt": (
        "Não acredito que isso aconteceu comigo hoje, que dia horrível meu Deus 😭",
        "bom dia só pra quem dormiu bem",
    ),
    "de": ("Schönes Wetter heute – und trotzdem sitze ich im Büro. Für Übermorgen ist Regen angesagt.",),
    "ko": ("오늘 날씨가 정말 좋네요! 산책하고 왔어요",),
    "en": (
        "I don’t think that’s what they meant — it’s “just an ad”… 😂",
        "❤️❤️ so proud of this one\n\nlink below 👇🏽",
    ),
}


class Edge(Taken):
    """Matches, and lets go."""

    def __init__(self, terms: int) -> None:
        super().__init__()
        chance = random.Random(terms)
        words = {"".join(chance.choices(string.ascii_lowercase, k=9)) for _ in range(terms - 1)}
        self._matcher = Matcher([WatchRule(term, (term,)) for term in (BRAND, *sorted(words))])
        self.sent = 0

    def concerns(self, text: str, author: str | None = None) -> tuple[str, ...]:  # noqa: ARG002
        return self._matcher.watches_in(text)

    async def send(self, post: Post, watches: tuple[str, ...] | None = None) -> None:  # noqa: ARG002
        self.sent += 1


def texts() -> list[tuple[str, str]]:
    """Languages and texts, two thirds English as people write it on a keyboard."""
    chance = random.Random(5)
    story = [post.text for post in islice(read_posts([case("motrin").path], on_bad=lambda _: None), FRAMES)]
    others = cycle([(lang, text) for lang, some in ELSEWHERE.items() for text in some])
    return [
        ("en", text + chance.choice(("", "", "", "\n\nread it"))) if n % 3 else next(others)
        for n, text in enumerate(story)
    ]


def frames(share: float, dialect: Callable[[dict[str, object]], str] = v1) -> list[bytes]:
    chance = random.Random(7)
    return [
        dialect(as_on_the_network(n, f"{text} {BRAND}" if chance.random() < share else text, chance, lang)).encode()
        for n, (lang, text) in enumerate(texts())
    ]


async def intake(source: Bluesky, edge: Edge, stream: Sequence[bytes]) -> float:
    server = source._servers[0]
    began = time.process_time()
    for frame in stream:
        if (doing := source._take(frame, ARRIVAL, server, edge)) is not None:
            await doing
    return time.process_time() - began


async def parsing(stream: Sequence[bytes]) -> float:
    loads = orjson.loads
    began = time.process_time()
    for frame in stream:
        loads(frame)
    return time.process_time() - began


def source_of(path: str = "/subscribe") -> Bluesky:
    return Bluesky([f"ws://127.0.0.1:1{path}"], WallClock())


async def in_turns(stream: Sequence[bytes], edges: Sequence[Edge], path: str = "/subscribe") -> list[float]:
    """Seconds of parsing alone, then of the intake with each edge: the medians of many turns."""
    source = source_of(path)
    times: list[list[float]] = [[] for _ in range(len(edges) + 1)]
    for _ in range(TURNS):
        times[0].append(await parsing(stream))
        for edge, taken in zip(edges, times[1:], strict=True):
            taken.append(await intake(source, edge, stream))
    return [statistics.median(some) for some in times]


def mixed(number: int) -> list[dict[str, object]]:
    """The network's posts, reposts, deletes and the rest, in about the shares in which they come to us."""
    chance = random.Random(3)
    stream, written = [], []
    for n, (lang, text) in enumerate(islice(cycle(texts()), number)):
        draw = chance.random()
        if draw < 0.55:
            written.append(as_on_the_network(n, f"{text} {BRAND}" if draw < 0.0055 else text, chance, lang))
            stream.append(written[-1])
        elif draw < 0.88:
            stream.append(repost(n, f"at://did:plc:{n:024}/app.bsky.feed.post/{n:013}"))
        elif draw < 0.97:
            stream.append(delete(n, chance.choice(written)))
        else:
            stream.append(identity(n))
    return stream


@pytest.mark.parametrize(
    ("dialect", "path"), [(v1, "/subscribe"), (v2, "/xrpc/network.bsky.jetstream.subscribeEvents")]
)
async def test_frame_to_post_against_parsing_alone(dialect, path, capsys):
    report = [""]
    for share, limit in ((0.01, 3), (1.0, 5)):
        stream = frames(share, dialect)
        edge = Edge(1_000)
        alone, whole = await in_turns(stream, [edge], path)
        assert edge.sent == pytest.approx(share * FRAMES * TURNS, rel=0.4)
        report.append(
            f"{path.rpartition('/')[2]}, {share:4.0%} match: {whole / FRAMES * 1e6:5.2f} µs a frame of "
            f"{sum(map(len, stream)) // FRAMES} bytes, {whole / alone:.2f} times orjson.loads "
            f"({alone / FRAMES * 1e6:.2f} µs); at most {limit} is wanted"
        )
    with capsys.disabled():
        sys.stdout.write("\n".join(report) + "\n")


async def test_many_terms_against_few(capsys):
    _, few, many = await in_turns(frames(0.01), [Edge(1_000), Edge(50_000)])
    with capsys.disabled():
        sys.stdout.write(f"\n50,000 terms: {many / few:.2f} times the cost of 1,000; at most 1.15 is wanted\n")


async def test_the_whole_stream(capsys):
    stream = [v1(event).encode() for event in mixed(FRAMES)]
    alone, whole = await in_turns(stream, [Edge(1_000)])
    with capsys.disabled():
        sys.stdout.write(
            f"\nmixed stream: {FRAMES / whole:,.0f} events a second of one core, {whole / alone:.2f} times "
            f"orjson.loads; 1,000 a second take {whole / FRAMES * 1000:.1%} of it, without the socket\n"
        )


def serve(path: str, to_us: Connection) -> None:
    """In a process of its own: a server that sends the mixed stream, compressed, as fast as it is taken."""

    async def main() -> None:
        events = [FRAME[path](event) for event in mixed(FRAMES)]
        server = Jetstream()
        if path == V1_PATH:
            frames = events
        else:
            dictionary = zstd.train_dict([event.encode() for event in events[::2]], 110_000)
            server.dictionary = dictionary.dict_content
            frames = [zstd.compress(event.encode(), zstd_dict=dictionary) for event in events]
        server.answers = [play(*frames)]
        await server.open()
        to_us.send(server.base)
        await asyncio.Event().wait()

    asyncio.run(main())


@pytest.mark.parametrize("path", [V1_PATH, V2_PATH])
async def test_the_whole_stream_from_the_socket(path, capsys):
    ours, theirs = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=serve, args=(path, theirs), daemon=True)
    server.start()
    spent = []
    try:
        base = await asyncio.to_thread(ours.recv)
        for _ in range(5):
            source, edge = Bluesky([base + path], WallClock()), Edge(1_000)
            running = asyncio.create_task(source.run(edge))
            while not source.status().events:  # noqa: ASYNC110  sources tell nobody
                await asyncio.sleep(0)
            first, began = source.status().events, time.process_time()
            while source.status().events < FRAMES:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            spent.append((time.process_time() - began) / (FRAMES - first))
            running.cancel()
            await asyncio.wait({running})
    finally:
        server.kill()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{path.rpartition('/')[2]}, socket and unpacking included: {statistics.median(spent) * 1e6:.0f} µs an "
            f"event; 1,000 a second take {statistics.median(spent) * 1000:.1%} of one core; at most 25 % is wanted\n"
        )


def test_what_compression_saves_and_costs(capsys):
    """Deflate as v1 speaks it, over a whole connection; zstd as v2 does, each frame by itself with one dictionary."""
    stream = frames(0.01)
    squeeze, stretch = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
    deflated = [squeeze.compress(frame) + squeeze.flush(zlib.Z_SYNC_FLUSH) for frame in stream]
    dictionary = zstd.train_dict(frames(0.01, v2)[::2], 110_000)
    others = frames(0.01, v2)[1::2]
    folded = [zstd.compress(frame, zstd_dict=dictionary) for frame in others]
    began = time.process_time()
    for frame in deflated:
        stretch.decompress(frame)
    deflating = (time.process_time() - began) / len(deflated)
    began = time.process_time()
    for frame in folded:
        _unfolded(frame, dictionary)
    folding = (time.process_time() - began) / len(folded)
    small, smaller = (
        sum(map(len, less)) / sum(map(len, more)) for less, more in ((deflated, stream), (folded, others))
    )
    with capsys.disabled():
        sys.stdout.write(
            f"\nv1, deflate: {small:.0%} of the bytes for {deflating * 1e6:.1f} µs a frame; "
            f"v2, zstd: {smaller:.0%} for {folding * 1e6:.1f} µs\n"
        )
