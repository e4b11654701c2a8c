"""Whom an incident has called, why, and who has asked for quiet."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crisisdesk.records.severity import Severity


class Cause(StrEnum):
    """Why people are called."""

    NEW = "new"
    """It has just opened."""
    WORSE = "worse"
    """Its severity has risen."""
    BACK = "back"
    """It was over and has come back."""
    UNANSWERED = "unanswered"
    """Those who were called before have not answered."""
    LAPSED = "lapsed"
    """Somebody had it, and nothing was done since."""
    SILENCE_OVER = "silence over"
    """The silence has ended, the incident has not."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is called for an incident, until a moment or until it gets worse than it was."""

    until: datetime
    person: str
    """Who asked for it."""
    reason: str
    severity: Severity
    """Up to which it holds."""


@dataclass(frozen=True, slots=True)
class Calling:
    """How far an escalation chain has come; all counts begin with 1."""

    chain: str
    step: int
    """Of the chain, the one that was called last."""
    time: int
    """How many times that step has been called in this round."""
    round: int
    at: datetime
    """When that was."""
    exhausted: bool = False
    """The chain has ended, and nobody has answered."""
