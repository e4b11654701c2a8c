"""A hundred thousand broken lines, pages and answers of X.

python -m pytest tests/proof/test_fuzz_x.py -m proof -s
"""

import pytest
from fuzz_x import fuzz


@pytest.mark.proof
@pytest.mark.timeout(900)
async def test_a_hundred_thousand_broken_lines():
    print(await fuzz(100_000, seed=1))
