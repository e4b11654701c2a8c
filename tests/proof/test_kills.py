"""Fifty kills at random moments: afterwards every window's counts equal the undisturbed run's."""

import sys

import pytest
from kills import compared, expected, total

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix"),
]


async def test_fifty_kills_cost_no_post_and_count_none_twice(tmp_path):
    disturbed, alone = await compared(tmp_path, events=12_000, kills=50, lasting=60.0)
    assert total(alone) == expected(12_000)
    assert disturbed == alone
