"""What strangers may publish: real messages, broken in every cheap way, and what must hold whatever they are."""

import random
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from fuzz_webhook import GROWTH, JSON, NOW, SLOWEST, holds, memory, mutated

from crisisdesk.mqtt import Broker, Received
from crisisdesk.sources.bodies import Body
from crisisdesk.sources.mqtt import MqttSource

TOPICS: Final = [
    "posts",
    "posts/forum/brand",
    "posts/ä/\u202e/😡",
    "$SYS/x",
    "other",
    "posts/#/+",
    "/",
    "",
    "posts/\x1b[31m",
]


class StoppedClock:
    """It always shows the same moment."""

    def now(self) -> datetime:
        return NOW

    async def sleep_until(self, moment: datetime) -> None:
        raise AssertionError(f"nobody waits until {moment}")


def fuzz(count: int, seed: int, progress: Callable[[int], None] = lambda _: None) -> dict[str, float]:
    """Read so many broken messages; how they came out, and the seconds of the slowest.

    Raises:
        AssertionError: something does not hold; the message is in its own.
    """
    chance = random.Random(seed)
    source = MqttSource(Broker("127.0.0.1"), ["posts/#", "$share/desks/+/#"], StoppedClock(), client_id="fuzz")
    found = {"messages": count, "with posts": 0, "without": 0, "slowest": 0.0}
    before = 0
    for number in range(count):
        message = Received(chance.choice(TOPICS), mutated(chance, chance.choice(JSON)), 1, number)
        began = time.perf_counter()
        try:
            posts = source._posts_of(message, [])
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} of {message}") from error
        found["slowest"] = max(found["slowest"], time.perf_counter() - began)
        assert holds(Body(tuple(posts))), f"{message} became {posts}"
        assert source.status().trouble.isprintable(), f"{message} is told as {source.status().trouble!r}"
        found["with posts" if posts else "without"] += 1
        if number == count // 4:
            before = memory()
        if number % 10_000 == 0:
            progress(number)
    assert found["slowest"] < SLOWEST
    assert before == 0 or memory() - before < GROWTH
    assert source._posts_of(Received("posts", JSON[0], 1, 1), []), "a good one still comes through"
    return found
