"""A hundred thousand broken events and pages of a Mastodon server.

python -m pytest tests/proof/test_fuzz_mastodon.py -m proof -s
"""

import pytest
from fuzz_mastodon import fuzz


@pytest.mark.proof
@pytest.mark.timeout(900)
async def test_a_hundred_thousand_broken_events():
    print(await fuzz(100_000, seed=1))
