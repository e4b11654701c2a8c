"""What the desk could not hear: silence that means nothing, and that no watch may take for calm."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from crisisdesk.detect.windows import HOUR

KEPT: Final = 500
"""Gaps that are remembered, the oldest forgotten first."""


class Hearing:
    """The gaps in which no source could be heard; one for all watches of a desk. Moments are minutes since 1970."""

    def __init__(self) -> None:
        self._gaps: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self.missing: tuple[str, ...] = ()
        """Sources that cannot be heard at present while others can: what is counted now is too little."""

    def was_deaf(self, start: float, end: float) -> None:
        """Nothing could be heard between two moments. What has been said before counts once; later gaps come later."""
        if self._gaps and start <= self._gaps[-1][1]:
            start, before = self._gaps.pop()
            end = max(end, before)
        if start < end:
            self._gaps.append((start, end))

    def heard(self, hour: int) -> float:
        """The part of an hour (since 1970) in which posts could be heard, 0 to 1."""
        first, last, deaf = hour * HOUR, (hour + 1) * HOUR, 0.0
        for start, end in reversed(self._gaps):
            if end <= first:
                break
            deaf += max(0.0, min(end, last) - max(start, first))
        return 1.0 - deaf / HOUR

    def state(self) -> list[tuple[float, float]]:
        """The gaps, as plain values."""
        return list(self._gaps)

    def restore(self, state: Iterable[tuple[float, float]]) -> None:
        """Go on from what `state` gave."""
        self._gaps = deque(((float(start), float(end)) for start, end in state), maxlen=KEPT)
