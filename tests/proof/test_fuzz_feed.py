"""A hundred thousand broken feeds: no crash, no hang, no growth of memory.

python -m pytest tests/proof/test_fuzz_feed.py -m proof -s
"""

import pytest
from fuzz_feed import fuzz, fuzz_answers

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1_800)]


def test_a_hundred_thousand_broken_feeds():
    print(fuzz(100_000, seed=1))


async def test_ten_thousand_broken_answers():
    print(await fuzz_answers(10_000, seed=2))
