"""What a watch costs while nothing happens: memory, time of a tick; tests/bench/test_detector_cost.py has the table."""

import copy
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import numpy as np

from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.spike import SpikeDetector
from crisisdesk.detect.standard import Standard
from crisisdesk.engine.intake import Tally
from crisisdesk.engine.observation import Observation
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.simulate.brands import Kind, draw
from crisisdesk.simulate.listening import listen
from crisisdesk.simulate.posts import stream
from crisisdesk.storage.store import Store

START = datetime(2026, 3, 2, tzinfo=UTC)
BALANCED = Thresholds.for_budget(1)


def test_the_state_of_a_detector_is_small_after_four_weeks():
    detector = SpikeDetector(BALANCED)
    listen(stream(np.random.default_rng(1), draw(Kind(1.0, days=28), 1, (13,)).posts, 0), BALANCED, detector)
    tracemalloc.start()
    kept = [copy.deepcopy(detector, {id(detector.hearing): detector.hearing}) for _ in range(20)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 1_000 < size / len(kept) < 8 * 1024


async def test_a_tick_over_two_thousand_quiet_watches_costs_next_to_nothing(tmp_path):
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        register = Register(store, Rules(), lambda _: None, ())
        await register.load()
        desk = Observation(register, {f"brand {n}": Standard() for n in range(2_000)}, Tally(), lambda _: None)
        await desk.tick(START)
        began = time.perf_counter()
        for n in range(1, 21):
            await desk.tick(START + timedelta(seconds=10 * n))
        assert (time.perf_counter() - began) / 20 < 0.005
