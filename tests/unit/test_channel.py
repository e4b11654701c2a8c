"""Where two stages meet."""

import asyncio
import random

import pytest

from crisisdesk.channel import Channel, Closed


async def filled(size: int, count: int, when_full="block") -> Channel[int]:
    channel: Channel[int] = Channel(size, when_full)
    for number in range(count):
        await channel.send(number)
    return channel


async def settled(task: asyncio.Task) -> bool:
    """Whether it has ended, after all that can run has run."""
    for _ in range(10):
        await asyncio.sleep(0)
    return task.done()


async def drained(channel: Channel[int], at_most: int = 1) -> list[int]:
    taken: list[int] = []
    try:
        while True:
            taken += await channel.receive(at_most)
    except Closed:
        return taken


def test_it_holds_at_least_one():
    with pytest.raises(ValueError, match="at least one"):
        Channel(0)


async def test_first_in_first_out_and_not_more_than_asked_for():
    channel = await filled(5, 5)
    assert len(channel) == 5
    assert await channel.receive() == [0]
    assert await channel.receive(3) == [1, 2, 3]
    assert await channel.receive(3) == [4]
    assert len(channel) == 0


async def test_a_full_one_makes_the_producer_wait():
    channel = await filled(2, 2)
    sending = asyncio.create_task(channel.send(2))
    assert not await settled(sending)
    assert await channel.receive() == [0]
    await sending
    assert await channel.receive(9) == [1, 2]
    assert channel.dropped == 0


async def test_or_drops_the_oldest_and_counts_it():
    channel = await filled(3, 10, "drop_oldest")
    assert (channel.dropped, len(channel)) == (7, 3)
    assert await channel.receive(9) == [7, 8, 9]


async def test_an_empty_one_makes_the_consumer_wait():
    channel: Channel[int] = Channel(1)
    receiving = asyncio.create_task(channel.receive(9))
    assert not await settled(receiving)
    await channel.send(1)
    assert await receiving == [1]


async def test_what_is_queued_at_the_end_is_still_received():
    channel = await filled(3, 3)
    await channel.close()
    await channel.close()
    assert await drained(channel, 2) == [0, 1, 2]
    with pytest.raises(Closed):
        await channel.receive()
    with pytest.raises(Closed):
        await channel.send(4)


async def test_the_end_releases_everybody_who_waits():
    empty: Channel[int] = Channel(1)
    full = await filled(1, 1)
    waiting = [asyncio.create_task(empty.receive()) for _ in range(3)]
    waiting += [asyncio.create_task(full.send(n)) for n in range(3)]
    assert not await settled(waiting[-1])
    await empty.close()
    await full.close()
    assert [type(one) for one in await asyncio.gather(*waiting, return_exceptions=True)] == [Closed] * 6
    assert await full.receive() == [0]


async def test_someone_who_gives_up_waiting_takes_nothing_along():
    channel = await filled(1, 1)
    sending = asyncio.create_task(channel.send(1))
    assert not await settled(sending)
    sending.cancel()
    assert await settled(sending)
    assert await channel.receive(9) == [0]
    receiving = asyncio.create_task(channel.receive())
    assert not await settled(receiving)
    receiving.cancel()
    assert await settled(receiving)
    await channel.send(2)
    assert await channel.receive() == [2]


@pytest.mark.parametrize("seed", range(5))
async def test_many_producers_and_consumers_lose_and_double_nothing(seed):
    chance = random.Random(seed)
    channel: Channel[int] = Channel(chance.randint(1, 5))

    async def produce(first: int) -> None:
        for number in range(first, first + 50):
            await channel.send(number)
            if chance.random() < 0.3:
                await asyncio.sleep(0)

    consumers = [asyncio.create_task(drained(channel, chance.randint(1, 4))) for _ in range(3)]
    await asyncio.gather(*(produce(first) for first in range(0, 200, 50)))
    await channel.close()
    taken = await asyncio.gather(*consumers)
    assert sorted(number for some in taken for number in some) == list(range(200))
    for some in taken:
        for first in range(0, 200, 50):
            own = [number for number in some if first <= number < first + 50]
            assert own == sorted(own)
