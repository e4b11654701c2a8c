"""Killed at any moment, the desk counts each post exactly once (the full count is in tests/proof/test_kills.py)."""

import sys

import pytest
from kills import compared, expected, total

pytestmark = [pytest.mark.timeout(180), pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")]


async def test_a_desk_that_was_killed_has_counted_what_one_that_was_not_has(tmp_path):
    disturbed, alone = await compared(tmp_path, events=3_000, kills=2, lasting=4.0)
    assert total(alone) == expected(3_000)
    assert disturbed == alone
