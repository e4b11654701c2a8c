"""A hundred thousand broken feeds: no crash, no hang, no growth of memory.

python -m pytest tests/proof/test_fuzz_feed.py -m proof -s
"""

import pytest
from fuzz_feed import fuzz

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1_800)]


def test_a_hundred_thousand_broken_feeds():
    print(fuzz(100_000, seed=1))
