"""By what a watch is judged, besides the words that make it one."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from crisisdesk.detect.baseline import Clock, Expectation, local, utc
from crisisdesk.detect.severity import SeverityRules


@dataclass(frozen=True, slots=True)
class Standard:
    """The settings of one watch's detector."""

    false_alarms: float = 1.0
    """A month, of amber and red."""
    expectation: Expectation = field(default_factory=Expectation)
    """What it is taken for until it has been heard."""
    zone: ZoneInfo | None = None
    """Where its people live; None where nobody has said it."""
    severity: SeverityRules = field(default_factory=SeverityRules)

    @property
    def clock(self) -> Clock:
        """By which its people get up and go to bed."""
        return local(self.zone) if self.zone else utc
