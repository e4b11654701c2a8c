"""How bad an incident is."""

from enum import IntEnum


class Severity(IntEnum):
    """How much an incident asks of people; ordered, so that `max` and `<` mean what they say."""

    NOTICE = 1
    """Shown in the feed, calls nobody."""
    AMBER = 2
    """Look within the hour."""
    RED = 3
    """Call someone now."""

    def __str__(self) -> str:
        return self.name.lower()
