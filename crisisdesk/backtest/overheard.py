"""A detector that others listen to: they hear its counts, and judge when it does."""

from collections.abc import Sequence
from typing import Protocol

from crisisdesk.detect.judgement import Reading
from crisisdesk.detect.spike import SpikeDetector


class Listener(Protocol):
    """Who hears what a detector hears. Moments are minutes since 1970, counts are of people, as there."""

    def count(self, moment: float, total: int, negative: int) -> None:
        """Posts came, not too late to matter."""

    def count_fresh(self, moment: float, total: int, negative: int) -> None:
        """Some of them speak of something new."""

    def judge(self, moment: float) -> None:
        """The detector is asked how things stand."""


class Overheard(SpikeDetector):
    """Does what `detector`, which has counted nothing yet, would do."""

    def __init__(self, detector: SpikeDetector, listeners: Sequence[Listener]) -> None:
        super().__init__(detector.thresholds, detector.baseline, detector.hearing, detector.planned)
        self._listeners = listeners
        self._moment = 0.0

    def count(self, moment: float, total: int, negative: int) -> bool:
        """Count, and let the others hear it."""
        taken = super().count(moment, total, negative)
        if taken:
            for listener in self._listeners:
                listener.count(moment, total, negative)
        return taken

    def count_fresh(self, moment: float, total: int, negative: int) -> None:
        """Count what is new, and let the others hear it."""
        super().count_fresh(moment, total, negative)
        for listener in self._listeners:
            listener.count_fresh(moment, total, negative)

    def advance(self, moment: float) -> None:
        """Let time pass."""
        self._moment = max(self._moment, moment)
        super().advance(moment)

    def read(self) -> Reading:
        """Judge, after the others have."""
        for listener in self._listeners:
            listener.judge(self._moment)
        return super().read()
