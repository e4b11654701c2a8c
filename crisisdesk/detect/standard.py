"""By what a watch is judged, besides the words that make it one."""

from dataclasses import dataclass, field

from crisisdesk.detect.baseline import Clock, Expectation, utc
from crisisdesk.detect.severity import SeverityRules


@dataclass(frozen=True, slots=True)
class Standard:
    """The settings of one watch's detector."""

    false_alarms: float = 1.0
    """A month, of amber and red."""
    expectation: Expectation = field(default_factory=Expectation)
    """What it is taken for until it has been heard."""
    clock: Clock = utc
    """By which its people get up and go to bed."""
    severity: SeverityRules = field(default_factory=SeverityRules)
