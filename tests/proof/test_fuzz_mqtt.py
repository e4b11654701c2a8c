"""A hundred thousand broken messages; some hundreds go over a real broker in tests/broker/source/test_fuzz.py."""

import pytest
from fuzz_mqtt import fuzz


@pytest.mark.proof
def test_a_hundred_thousand_broken_messages():
    print(fuzz(100_000, seed=1))
