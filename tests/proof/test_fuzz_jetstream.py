"""A million spoilt frames of Jetstream, of both versions: no crash, no hang, no growth of memory.

python -m pytest tests/proof/test_fuzz_jetstream.py -m proof -s
"""

import resource
import time

import pytest
from mutations import judged

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

FRAMES = 1_000_000
MOST_GROWTH = 60
"""MB; twenty thousand remembered posts are a third of it."""


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def test_a_million_spoilt_frames(capsys):
    await judged(FRAMES // 100, seed=0)
    before, began = megabytes(), time.process_time()
    counts = await judged(FRAMES, seed=1)
    grown = megabytes() - before
    with capsys.disabled():
        print(
            f"\n{FRAMES:,} frames in {time.process_time() - began:.0f} s of CPU, {grown:.0f} MB more memory: "
            + ", ".join(f"{number:,} {what}" for what, number in sorted(counts.items()))
        )
    assert counts["bad"] > FRAMES // 10
    assert counts["posts"] > FRAMES // 10
    assert grown < MOST_GROWTH
