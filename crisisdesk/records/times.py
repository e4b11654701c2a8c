"""Moments: what all records count from, and how the outside reads them."""

from datetime import UTC, datetime
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(time: datetime) -> str:
    """A time as every outside promise writes it: UTC, whole seconds, `YYYY-MM-DDTHH:MM:SSZ`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
