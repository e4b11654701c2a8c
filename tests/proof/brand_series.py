"""How good is `crisisdesk detect` on labelled series of brands, and how much of that is luck?

    .venv/bin/python tests/proof/brand_series.py FOLDER

FOLDER holds BRAND.csv (timestamp,value) and windows.json ({"BRAND.csv": [[start, end], ...]}), as in the directories
`data/realTweets` and `labels` of the Numenta Anomaly Benchmark (https://github.com/numenta/NAB), which is not part of
this project. Scores are the benchmark's standard ones: 0 for a detector that never alerts, 100 for a perfect one; the
first 15 % of a file, at most 750 rows, count for nothing.

Prints four tables: the default as it ships; the default with every constant moved by chance; the budget chosen on all
brands but one and scored on that one; and alerts a week when the same series come in longer rows, for three budgets.
"""

import json
import math
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean, stdev

from crisisdesk.detect import series_alerts, series_axes, series_rhythm
from crisisdesk.detect.series import Sample, detect_series
from crisisdesk.detect.series_file import read_series

FALSE_ROW = 0.11
"""What a false alert costs, against 1 for a window that is found or missed."""
TOGETHER = 3 * 3600.0
"""Seconds within which false alerts are one."""
WEEK = 7 * 86400.0
DRAWS = 20
MOVED = 0.3
"""Constants are moved by a factor of up to exp(0.3)."""


@dataclass(frozen=True, slots=True)
class Points:
    """What the alerts of one brand earn."""

    gained: float
    windows: int
    found: int
    false: int
    alerts: int
    weeks: float


class Brand:
    """A series with its labelled windows, as ranges of rows."""

    def __init__(self, path: Path, windows: list[list[str]]) -> None:
        self.name = path.stem
        self.samples = list(read_series(str(path), lambda line, reason: print(f"{path}:{line}: {reason}")))
        self.times = [sample.time or 0.0 for sample in self.samples]
        row = {datetime.fromisoformat(sample.timestamp): i for i, sample in reversed(list(enumerate(self.samples)))}
        self.windows = [(row[_moment(first)], row[_moment(last)]) for first, last in windows]
        self.start = min(math.floor(0.15 * len(self.samples)), 750)
        self.weeks = (self.times[-1] - self.times[self.start]) / WEEK

    def points(self, alerts: Sequence[bool]) -> Points:
        """Score the alerts of every row."""
        rows = [i for i, alert in enumerate(alerts) if alert and i >= self.start]
        counting = [(first, last) for first, last in self.windows if last >= self.start]
        gained, found = 0.0, 0
        for first, last in counting:
            hit = next((i for i in rows if first <= i <= last), None)
            found += hit is not None
            gained += -1.0 if hit is None else _sigmoid(-(last - hit + 1) / (last - first + 1)) / _sigmoid(-1.0)
        false = [i for i in rows if not any(first <= i <= last for first, last in self.windows)]
        gained += FALSE_ROW * sum(self._cost(i) for i in false)
        times = [self.times[i] for i in false]
        apart = sum(i == 0 or time - times[i - 1] > TOGETHER for i, time in enumerate(times))
        return Points(gained, len(counting), found, apart, len(rows), self.weeks)

    def _cost(self, row: int) -> float:
        """-1 far from any window, less shortly after one."""
        before = [(first, last) for first, last in self.windows if last < row]
        if not before:
            return -1.0
        first, last = before[-1]
        distance = (row - last) / (last - first)
        return -1.0 if distance > 3 else _sigmoid(distance)


def _sigmoid(x: float) -> float:
    """The benchmark's: nearly 1 at -1, 0 at 0, -1 far above."""
    return 2 / (1 + math.exp(5 * x)) - 1


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(microsecond=0)


def standard_score(points: Sequence[Points]) -> float:
    """0 for silence, 100 for perfection."""
    windows = sum(one.windows for one in points)
    return 50 * (sum(one.gained for one in points) + windows) / windows


def alerts_of(samples: Sequence[Sample], per_week: float) -> list[bool]:
    """Which rows alert."""
    return [bool(row.spike) for row in detect_series(samples, per_week)]


def brands_in(folder: Path) -> list[Brand]:
    """All labelled brands, or the end of the programme with the reason."""
    labels = folder / "windows.json"
    if not labels.is_file():
        sys.exit(f"NOTHING WAS MEASURED: {labels} is missing. Give the folder of labelled series; --help says more.")
    found = json.loads(labels.read_text(encoding="utf-8"))
    return [Brand(folder / name, found[name]) for name in sorted(found)]


def as_shipped(brands: list[Brand]) -> None:
    """The default, brand by brand."""
    points = [brand.points(alerts_of(brand.samples, 1.0)) for brand in brands]
    print("As shipped, 1 alert a week   score  windows  false/week  alerts/week")
    for brand, one in zip(brands, points, strict=True):
        print(f"  {brand.name:24} {_row([one])}")
    print(f"  {'all':24} {_row(points)}")


def _row(points: Sequence[Points]) -> str:
    weeks = sum(one.weeks for one in points)
    windows = f"{sum(one.found for one in points)}/{sum(one.windows for one in points)}"
    false, alerts = sum(one.false for one in points) / weeks, sum(one.alerts for one in points) / weeks
    return f"{standard_score(points):7.1f}  {windows:>7}  {false:10.2f}  {alerts:11.2f}"


@contextmanager
def moved_constants(rng: random.Random) -> Iterator[float]:
    """Every constant of the detector moved by chance while inside; gives a budget moved likewise."""
    kept: list[tuple[object, str, object]] = []

    def move(place: object, *names: str) -> None:
        for name in names:
            value = getattr(place, name)
            kept.append((place, name, value))
            factor = math.exp(rng.uniform(-MOVED, MOVED))
            moved = tuple(one * factor for one in value) if isinstance(value, tuple) else value * factor
            setattr(place, name, moved)

    move(series_axes, "BURST_WINDOW", "SWELL_WINDOW", "LEVEL_DAYS", "BURST_MEMORY_DAYS", "SWELL_MEMORY_DAYS")
    move(series_axes.SlowSwell, "DISPERSION", "FLOOR")
    move(series_axes._Window, "EXTRA_VARIANCE", "DEVIATIONS")
    move(series_rhythm._Profile, "LEARNING")
    move(series_alerts, "REFRACTORY", "GROWTH", "RISE")
    try:
        yield math.exp(rng.uniform(-0.15, 0.15))
    finally:
        for place, name, value in kept:
            setattr(place, name, value)


def with_moved_constants(brands: list[Brand]) -> None:
    """How far the score hangs on the exact constants."""
    rng, scores, worst = random.Random(1), [], []
    for _ in range(DRAWS):
        with moved_constants(rng) as per_week:
            points = [brand.points(alerts_of(brand.samples, per_week)) for brand in brands]
        scores.append(standard_score(points))
        worst.append(max(one.false / one.weeks for one in points))
    print(f"\nEvery constant moved by a factor of up to e^{MOVED}, {DRAWS} draws")
    print(f"  score {fmean(scores):.1f}, sd {stdev(scores):.1f}, from {min(scores):.1f} to {max(scores):.1f}")
    print(f"  false alerts a week of the worst brand: {fmean(worst):.2f}")


def leave_one_out(brands: list[Brand]) -> None:
    """The budget that is best for all brands but one, scored on that one."""
    budgets = [math.exp(step / 10) for step in range(-6, 7)]
    table = {b: [brand.points(alerts_of(brand.samples, b)) for brand in brands] for b in budgets}
    print("\nBudget chosen on the other brands (best mean of three neighbours), scored on the one left out")
    held = []
    for out, brand in enumerate(brands):
        scores = [standard_score([one for i, one in enumerate(table[b]) if i != out]) for b in budgets]
        best = max(range(1, len(budgets) - 1), key=lambda i, scores=scores: fmean(scores[i - 1 : i + 2]))
        held.append(table[budgets[best]][out])
        print(f"  {brand.name:24} {_row(held[-1:])}   at {budgets[best]:.2f} a week")
    each = [standard_score([one]) for one in held]
    print(f"  {'all':24} {_row(held)}   mean {fmean(each):.1f}, sd {stdev(each):.1f}")
    print("  score by budget: " + ", ".join(f"{b:.2f}: {standard_score(table[b]):.0f}" for b in budgets))


def in_longer_rows(brands: list[Brand]) -> None:
    """Alerts a week, mean and largest of the brands, by interval and budget."""
    budgets = {"1 per day": 7.0, "1 per week": 1.0, "1 per month": 7 / 30.44}
    print("\nAlerts a week (mean, largest)  " + "  ".join(f"{name:>14}" for name in budgets))
    for minutes in (5, 15, 60, 120, 360, 1440):
        cells = []
        for per_week in budgets.values():
            rates = [sum(alerts_of(_summed(brand, minutes), per_week)) / brand.weeks for brand in brands]
            cells.append(f"{fmean(rates):7.2f} {max(rates):6.2f}")
        print(f"  rows of {minutes:4} minutes          " + "  ".join(cells))


def _summed(brand: Brand, minutes: int) -> list[Sample]:
    counts: dict[int, float] = {}
    for sample, time in zip(brand.samples, brand.times, strict=True):
        place = int((time - brand.times[0]) // (60 * minutes))
        counts[place] = counts.get(place, 0.0) + (sample.count or 0.0)
    first = brand.times[0]
    moments = {place: first + timedelta(minutes=minutes * place).total_seconds() for place in counts}
    return [Sample(str(moments[place]), str(count), moments[place], count) for place, count in sorted(counts.items())]


def main() -> None:
    """Print the tables."""
    if len(sys.argv) != 2 or sys.argv[1] in {"-h", "--help"}:
        sys.exit(__doc__)
    brands = brands_in(Path(sys.argv[1]))
    as_shipped(brands)
    with_moved_constants(brands)
    leave_one_out(brands)
    in_longer_rows(brands)


if __name__ == "__main__":
    main()
