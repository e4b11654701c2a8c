"""The detector on simulated brands: false alarms within the budget, crises found; prints the tables.

The constants of `crisisdesk.detect.spike` (thresholds, corrections for size and share) were fitted with this
simulation: seeds 31 to 33, sixteen brands of each size, usual shares of 10-35, 35-50 and 50-65 %. The seeds here are
others. No constant was fitted to a recorded case.
"""

import numpy as np
import pytest
from simulation import CRISES, DAY, SIZES, episodes, simulate, surprises

from crisisdesk.detect.budget import Thresholds

WARM, DAYS, MONTH = 21, 63, 30.4
BALANCED = Thresholds.for_budget(1)

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("shares", [(0.10, 0.35), (0.35, 0.65)])
def test_false_alarms_keep_to_the_budget_at_every_size(shares: tuple[float, float]):
    brands = simulate(19, 12, DAYS, shares=shares)
    series = [surprises(brands, column, BALANCED)[WARM * DAY :] for column in range(len(brands.size))]
    months = (DAYS - WARM) / MONTH
    print(f"\nusual share {shares}; false alarms a month", *(f"{size:>6g}" for size in SIZES), "  all (posts in 5 min)")
    for budget in (4.0, 1.0, 0.25):
        threshold = Thresholds.for_budget(budget).amber
        found = np.array([len(episodes(one, threshold)) / months for one in series])
        by_size = [found[brands.size == size].mean() for size in SIZES]
        print(
            f"budget {budget:<4g} a month at {threshold:.2f} ",
            *(f"{rate:6.2f}" for rate in by_size),
            f"{found.mean():6.2f}",
        )
        assert found.mean() <= budget * 1.5
        assert max(by_size) <= budget * 3 + 0.1
        assert found.mean() >= budget / 4, "a threshold that is too strict misses crises"


def test_a_new_brand_keeps_to_the_budget_in_its_first_week():
    brands = simulate(23, 16, 7)
    found = [len(episodes(surprises(brands, column, BALANCED), BALANCED.amber)) for column in range(len(brands.size))]
    assert np.mean(found) * MONTH / 7 <= 1.0


def test_crises_are_found():
    brands = simulate(11, 16, DAYS, crises_from_day=WARM)
    series = [surprises(brands, column, BALANCED) for column in range(len(brands.size))]
    minutes: dict[int, list[float]] = {size: [] for size in CRISES}
    for column, row, size in brands.crises:
        hits = np.flatnonzero(series[column][row : row + 72] >= BALANCED.amber)
        minutes[size].append(5.0 * (hits[0] + 1) if len(hits) else np.inf)
    found = {size: float(np.mean(np.isfinite(delays))) for size, delays in minutes.items()}
    print("\nnegatives times  found within 6 h  median minutes")
    for size in CRISES:
        print(f"{size:>15}  {found[size]:>16.0%}  {np.median(minutes[size]):>14.0f}")
    assert found[10] >= 0.95
    assert found[5] >= 0.88
    assert found[3] >= 0.6
    assert np.median(minutes[5]) <= 60
