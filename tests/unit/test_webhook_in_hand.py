"""Requests that are being taken, and those that are known again."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk.sources.webhook import in_hand
from crisisdesk.sources.webhook.in_hand import InHand

NOW = datetime(2026, 5, 25, 14, 2, tzinfo=UTC)


async def answer(text: str, until: asyncio.Event | None = None) -> str:
    if until:
        await until.wait()
    return text


async def fail() -> str:
    raise ZeroDivisionError


async def test_a_signed_request_is_known_while_its_signature_holds():
    hand: InHand[str] = InHand(timedelta(minutes=10))
    first = hand.begin(answer("yes"), 1, "signature", NOW)
    assert hand.known("signature") is first
    assert hand.known("another") is None
    assert hand.known(None) is None
    assert await first == "yes"
    assert hand.known("signature") is first
    await hand.begin(answer("later"), 1, "another", NOW + timedelta(minutes=11))
    assert hand.known("signature") is None


async def test_a_request_that_failed_is_not_known():
    hand: InHand[str] = InHand(timedelta(minutes=10))
    with pytest.raises(ZeroDivisionError):
        await hand.begin(fail(), 1, "signature", NOW)
    assert hand.known("signature") is None


async def test_no_more_signatures_are_remembered_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(in_hand, "REMEMBERED", 3)
    hand: InHand[str] = InHand(timedelta(minutes=10))
    for number in range(10):
        await hand.begin(answer("yes"), 1, str(number), NOW)
    assert [number for number in range(10) if hand.known(str(number))] == [7, 8, 9]


async def test_room_is_counted_in_requests_and_in_bytes():
    hand, until = InHand[str](timedelta(minutes=10)), asyncio.Event()
    assert hand.has_room(10**12), "one is taken whatever its size"
    hand.begin(answer("yes", until), in_hand.MOST_BYTES - 5, None, NOW)
    assert hand.has_room(5)
    assert not hand.has_room(6)
    for _ in range(in_hand.MOST - 1):
        hand.begin(answer("yes", until), 0, None, NOW)
    assert not hand.has_room(0)
    until.set()
    await hand.finish()
    assert hand.has_room(10**12)


async def test_the_end_gives_up_what_takes_too_long(monkeypatch):
    monkeypatch.setattr(in_hand, "FINISH_SECONDS", 0.01)
    hand: InHand[str] = InHand(timedelta(minutes=10))
    hung = hand.begin(answer("never", asyncio.Event()), 1, "signature", NOW)
    await hand.finish()
    with pytest.raises(asyncio.CancelledError):
        await hung
    assert hand.known("signature") is None
