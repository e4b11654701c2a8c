"""Campaigns on simulated brands, announced and not: whom they call, and what they leave behind; prints tables.

    .venv/bin/python -m pytest -m proof -s tests/proof/test_planned.py

`BRANDS=6` before it takes twice the brands. Seeds are not those with which detector and calibration were made.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import pytest
from simulation import BALANCED, BRANDS, SIZES, shown, table

from crisisdesk.simulate.brands import Kind
from crisisdesk.simulate.campaigns import LASTS, LATER, Outcome, Stage, play
from crisisdesk.simulate.measure import DAYS_A_MONTH, found, side_by_side
from crisisdesk.simulate.posts import DAY

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1800)]

TIMES = (1.0, 3.0, 10.0, 30.0)
UP_TO_10 = SIZES[:4]
"""Larger brands take longest."""
SCOLDED = (0.60, 0.80)


def outcomes(shares: tuple[float, float], worse: float, seed: int) -> dict[tuple[float, bool], list[Outcome]]:
    """Of brands of all sizes together."""
    stages = [
        Stage(Kind(size, shares), 1, (seed, place, number), BALANCED, TIMES, worse)
        for place, size in reversed(list(enumerate(UP_TO_10)))
        for number in range(BRANDS)
    ]
    played = side_by_side(play, stages)
    return {key: list(chain.from_iterable(one[key] for one in played)) for key in played[0]}


def a_month(calls: Sequence[int], rows: int) -> tuple[float, float]:
    """Calls a month of so many brands, each for so many rows, and one standard error."""
    months = len(calls) * rows / DAY / DAYS_A_MONTH
    return sum(calls) / months, np.sqrt(sum(calls) + 1) / months


def told(name: str, some: dict[tuple[float, bool], list[Outcome]], worse: float) -> None:
    rows = [("posts", "announced", "calls a month", "on the day after", f"mood x{worse:g}", "a crisis a day later")]
    for (times, announced), one in some.items():
        during, after = a_month([o.calls for o in one], LASTS), a_month([o.after for o in one], LATER)
        rows.append((
            f"x{times:g}",
            "yes" if announced else "no",
            *(f"{rate:.1f}±{error:.1f}" for rate, error in (during, after)),
            *(shown(found([getattr(o, which) for o in one])) for which in ("turned", "later")),
        ))  # fmt: skip
    table(rows, f"{len(next(iter(some.values())))} brands, {name}; found within 6 hours, median delay")


def test_what_was_announced_calls_no_oftener_than_ordinary_days_and_a_worse_mood_does():
    some = outcomes((0.10, 0.35), 2.0, 5101)
    told("10 to 35 % usually negative", some, 2.0)
    ordinary, error = a_month([o.calls for o in some[1.0, False]], LASTS)
    later = found([o.later for o in some[1.0, False]])
    for times in TIMES[1:]:
        announced = some[times, True]
        calls, uncertain = a_month([o.calls for o in announced], LASTS)
        assert calls <= ordinary + 2 * (error + uncertain), times
        turned = found([o.turned for o in announced])
        assert turned.part + 2 * turned.error >= 0.85, times
        after = found([o.later for o in announced])
        assert after.part + 2 * (after.error + later.error) >= later.part, times
    unforeseen = found([o.later for o in some[30.0, False]])
    assert unforeseen.part < found([o.later for o in some[30.0, True]]).part


def test_a_brand_that_is_always_scolded_is_not_called_about_for_the_crowd_that_was_announced():
    some = outcomes(SCOLDED, 1.25, 5102)
    told("60 to 80 % usually negative", some, 1.25)
    crowd, error = a_month([o.calls for o in some[30.0, False]], LASTS)
    announced, uncertain = a_month([o.calls for o in some[30.0, True]], LASTS)
    assert announced + 2 * uncertain < crowd - 2 * error
