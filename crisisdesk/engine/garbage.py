"""Python's search for garbage, arranged so that no post waits for it.

A full search goes through all that the desk remembers, and everything stands still meanwhile: the more posts, the
longer. So what has come to stay is set aside every few seconds, where no search looks; only once a day it does.
"""

import gc
from datetime import datetime, timedelta
from typing import Final

THOROUGH_EVERY: Final = timedelta(days=1)
"""Between two searches through everything: what was set aside may have become garbage."""


class Garbage:
    """Sweeps when it is told to. Made at a moment from which the first day counts."""

    def __init__(self, now: datetime) -> None:
        self._searched = now

    def sweep(self, now: datetime) -> None:
        """Throw away what is garbage of what has come since the last time, and set the rest aside."""
        if abs(now - self._searched) >= THOROUGH_EVERY:
            self._searched = now
            gc.unfreeze()
        gc.collect()
        gc.freeze()
