"""How long it takes from the post that tips the balance to the word at the broker; prints the figures.

    .venv/bin/python -m pytest -m proof -s tests/proof/test_latency.py

A desk as it is run, with the shipped model, hears 300 brands over a socket, in frames as Jetstream sends them, and
tells a mosquitto. Eight brands are in a storm all the time, while 220 others boil over one after the other. Time runs
from the writing of the frame to the packet at a subscriber, all on this machine, whose processors the sender, the
broker and the subscriber share with the desk.
"""

import os
import sys

import pytest
from latency import COPIES, MENTIONS, MOSQUITTO, WANTED, measured
from latency_crowd import Words, judged, told_of_a_brand

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix"),
]


@pytest.fixture(scope="module", autouse=True)
def _mosquitto_is_there() -> None:
    if MOSQUITTO is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto is missing: the continuous integration has to install it")
        pytest.skip("MOSQUITTO IS NOT INSTALLED: how soon the desk tells a broker was not measured")


@pytest.fixture(scope="module")
def words() -> Words:
    return judged(told_of_a_brand())


@pytest.mark.parametrize(
    ("rate", "copies"), [(None, 0.0), (MENTIONS, COPIES)], ids=["half of what the model can", "mostly copies"]
)
async def test_the_word_is_out_within_a_second_of_the_post_that_tips_the_balance(tmp_path, words, rate, copies):
    found = await measured(tmp_path, words, rate, copies)
    assert found.dropped == 0
    assert found.matched == found.posts
    assert found.copies == pytest.approx(copies, abs=0.03)
    assert len(found.latencies) >= 200
    assert found.at(0.99) < WANTED
