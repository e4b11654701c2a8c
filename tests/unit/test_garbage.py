"""What has come to stay is not searched again and again, and garbage is thrown away all the same."""

import gc
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk.engine.garbage import Garbage

START = datetime(2008, 11, 15, tzinfo=UTC)


class Knot:
    """Holds on to itself, so that only a search frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _nothing_stays_set_aside() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_stays_is_not_searched_again():
    garbage, kept = Garbage(START), [Knot() for _ in range(1000)]
    garbage.sweep(START)
    assert not any(one is kept[0] for one in gc.get_objects())
    assert len(gc.get_objects()) < gc.get_freeze_count()


def test_garbage_that_has_come_since_is_thrown_away():
    garbage, knot = Garbage(START), Knot()
    gone = weakref.ref(knot)
    del knot
    garbage.sweep(START)
    assert gone() is None


@pytest.mark.parametrize("days", [1, -1])
def test_what_was_set_aside_and_became_garbage_is_thrown_away_within_a_day(days):
    garbage, knot = Garbage(START), Knot()
    gone = weakref.ref(knot)
    garbage.sweep(START)
    del knot
    garbage.sweep(START + timedelta(hours=23))
    assert gone() is not None, "searched too often, so that posts wait"
    garbage.sweep(START + timedelta(days=days))
    assert gone() is None
