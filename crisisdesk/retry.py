"""How long to wait before trying again: exponential with full jitter, so that a thousand desks do not knock at once."""

import random
from collections.abc import Iterator


def delays(first: float = 1.0, factor: float = 2.0, most: float = 60.0) -> Iterator[float]:
    """Endless waits in seconds: each drawn between half and all of a bound that grows from `first` to `most`."""
    bound = first
    while True:
        yield bound * random.uniform(0.5, 1.0)
        bound = min(bound * factor, most)
