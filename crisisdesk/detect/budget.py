"""From the false-alarm budget to thresholds, by the table of false alarms that was measured with this detector.

`calibration.json` beside this file is written by `python -m crisisdesk.simulate.calibrate`, with the seed and the size
of the measurement and a digest of the code that was measured.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from crisisdesk.records import Severity

CALIBRATION: Final = Path(__file__).with_name("calibration.json")
LOWEST: Final = 0.5
"""Surprise below which no threshold lies, whatever the budget: calm must stay calm."""

Point = tuple[float, float]
"""Surprise, and how often a month it is reached in ordinary weeks."""


def _measured() -> tuple[Point, ...]:
    table = json.loads(CALIBRATION.read_text(encoding="utf-8"))["false_alarms"]
    return tuple((float(surprise), float(a_month)) for surprise, a_month in table)


MEASURED: Final = _measured()
"""By rising surprise; each is reached less often than the one before."""


def threshold(per_month: float, measured: Sequence[Point] = MEASURED) -> float:
    """The surprise that is reached so often a month in ordinary weeks.

    Between measured points, and beyond the outermost, the logarithm of the rate falls in a straight line; beyond them
    it falls as it does on average over the nearer half of the table, since single points are uncertain there.
    """
    rates = [rate for _, rate in measured]
    middle = len(measured) // 2
    if per_month > rates[0]:
        left, right = measured[0], measured[middle]
    elif per_month < rates[-1]:
        left, right = measured[-1], measured[middle]
    else:
        left, right = next(pair for pair in pairwise(measured) if pair[1][1] <= per_month)
    part = math.log(per_month / left[1]) / math.log(right[1] / left[1])
    return max(left[0] + part * (right[0] - left[0]), LOWEST)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Surprise from which on a spike has each severity, for a settled watch."""

    notice: float
    amber: float
    red: float

    @classmethod
    def for_budget(cls, per_month: float) -> "Thresholds":
        """Thresholds that call (amber or red) about `per_month` times a month for nothing."""
        return cls(threshold(per_month * 4), threshold(per_month), threshold(per_month / 10))

    def of(self, severity: Severity) -> float:
        """The threshold of one severity."""
        return (self.notice, self.amber, self.red)[severity - 1]
