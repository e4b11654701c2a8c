"""From the false-alarm budget to thresholds."""

import math
from dataclasses import dataclass
from typing import Final

from crisisdesk.records import Severity

ONE_A_MONTH: Final = 3.05
ALARMS_FALL: Final = 3.2


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Surprise from which on a spike has each severity, for a settled watch."""

    notice: float
    amber: float
    red: float

    @classmethod
    def for_budget(cls, per_month: float) -> "Thresholds":
        """Thresholds that call (amber or red) about `per_month` times a month for nothing."""

        def at(rate: float) -> float:
            return ONE_A_MONTH - math.log(rate) / ALARMS_FALL

        return cls(notice=at(per_month * 4), amber=at(per_month), red=at(per_month / 10))

    def of(self, severity: Severity) -> float:
        """The threshold of one severity."""
        return (self.notice, self.amber, self.red)[severity - 1]
