"""Killed at any moment, the desk loses no change, tells none under two ids, and finds its database whole."""

import sys

import pytest
from alert_kills import killed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


async def test_a_few_kills_cost_no_change(tmp_path, mosquitto):
    found = await killed(tmp_path, mosquitto.port, kills=5)
    assert found["called"]


@pytest.mark.proof
@pytest.mark.timeout(900)
async def test_a_hundred_kills_cost_no_change(tmp_path, mosquitto):
    found = await killed(tmp_path, mosquitto.port, kills=100)
    assert all(found[event] >= 40 for event in ("opened", "raised", "acknowledged", "silenced", "resolved", "reopened"))
    assert found["called"] >= 200
    assert found["begun"] < 100, "kills are to come before a desk has begun, too"
    assert found["stopping"] > found["stopped"], "and while one stops"
