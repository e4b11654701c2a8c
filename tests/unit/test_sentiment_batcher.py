"""The stage between mentions and detection."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from crisisdesk.channel import Channel, Closed
from crisisdesk.errors import ModelError
from crisisdesk.records import Mention, Post, Scored
from crisisdesk.sentiment.base import NEUTRAL, Scores
from crisisdesk.sentiment.batcher import Scoring


class Judge:
    """Scores by the text itself: "-0.7" is 0.7 negative. Breaks on any batch that holds "poison"."""

    name, digest = "judge", "abc"

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.threads: set[int] = set()

    def score(self, texts: Sequence[str]) -> list[Scores]:
        self.calls.append(list(texts))
        self.threads.add(threading.get_ident())
        if "poison" in texts:
            raise ValueError("cannot read this")
        return [(float(text), 1 - float(text), 0.0) for text in texts]


def mention(number: int, text: str) -> Mention:
    return Mention(Post(str(number), "test", datetime(2008, 11, 15, tzinfo=UTC), text), ("Motrin",))


async def fill(texts: Sequence[str]) -> Channel[Mention]:
    channel: Channel[Mention] = Channel(len(texts) + 1)
    for number, text in enumerate(texts):
        await channel.send(mention(number, text))
    await channel.close()
    return channel


async def drain(channel: Channel[Scored]) -> list[Scored]:
    items: list[Scored] = []
    while True:
        try:
            items += await channel.receive(7)
        except Closed:
            return items


async def scored(texts: Sequence[str], stage: Scoring, at_most: int = 256, room: int = 1000) -> list[Scored]:
    source, target = await fill(texts), Channel[Scored](room)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stage.run(source, target, at_most))
        reader = tasks.create_task(drain(target))
    return reader.result()


@pytest.mark.parametrize(("at_most", "room"), [(1, 1), (3, 2), (256, 1000)])
async def test_every_mention_comes_out_scored_once_and_in_order(at_most: int, room: int) -> None:
    texts = [str(number / 100) for number in range(100)]
    stage = Scoring(Judge)
    out = await scored(texts, stage, at_most, room)
    assert [item.post.id for item in out] == [str(number) for number in range(100)]
    assert [item.negative for item in out] == [number / 100 for number in range(100)]
    assert {item.model for item in out} == {"judge@abc"}
    assert (stage.scored, stage.failed) == (100, 0)


async def test_the_model_is_loaded_and_asked_outside_the_event_loop() -> None:
    judge = Judge()
    loaded_in: list[int] = []

    def load() -> Judge:
        loaded_in.append(threading.get_ident())
        return judge

    await scored(["0.5"], Scoring(load))
    assert threading.get_ident() not in {*loaded_in, *judge.threads}


async def test_a_post_that_breaks_the_model_is_neutral_and_the_others_keep_their_scores() -> None:
    troubles: list[str] = []
    stage = Scoring(Judge, troubles.append)
    out = await scored(["0.9", "poison", "0.2", "0.4"], stage)
    assert [item.negative for item in out] == [0.9, 0.0, 0.2, 0.4]
    assert (out[1].negative, out[1].neutral, out[1].positive) == NEUTRAL
    assert [item.judged for item in out] == [True, False, True, True]
    assert {item.model for item in out} == {"judge@abc"}
    assert (stage.scored, stage.failed) == (4, 1)
    assert len(troubles) == 1
    assert "1 of 4 posts (ValueError: cannot read this)" in troubles[0]


async def test_what_waits_while_the_model_works_becomes_the_next_batch() -> None:
    judge = Judge()
    await scored([str(n / 10) for n in range(10)], Scoring(lambda: judge), at_most=4)
    assert [len(call) for call in judge.calls] == [4, 4, 2]


async def test_a_model_that_cannot_be_loaded_ends_the_stage_and_releases_both_sides() -> None:
    def load() -> Judge:
        raise ModelError("no such model")

    source, target = Channel[Mention](1), Channel[Scored](1)
    with pytest.raises(ModelError, match="no such model"):
        await Scoring(load).run(source, target)
    with pytest.raises(Closed):
        await source.send(mention(1, "0.1"))
    with pytest.raises(Closed):
        await target.receive()


async def test_without_a_reader_the_stage_ends_and_releases_the_writer() -> None:
    source, target = Channel[Mention](1), Channel[Scored](1)
    await target.close()
    await source.send(mention(1, "0.1"))
    await asyncio.wait_for(Scoring(Judge).run(source, target), 10)
    with pytest.raises(Closed):
        await source.send(mention(2, "0.1"))


QUIT_WHILE_LOADING = """
import asyncio, threading
from crisisdesk.channel import Channel
from crisisdesk.sentiment.batcher import Scoring

async def main():
    loading = asyncio.Event()
    tell = asyncio.get_running_loop().call_soon_threadsafe

    def load():
        tell(loading.set)
        threading.Event().wait()

    stage = asyncio.create_task(Scoring(load).run(Channel(1), Channel(1)))
    await loading.wait()
    stage.cancel()
    await asyncio.wait({stage})

asyncio.run(main())
print("ended")
"""


def test_the_end_of_the_program_does_not_wait_for_a_model_that_is_being_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", QUIT_WHILE_LOADING], check=True, capture_output=True, text=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("ended\n", "")
