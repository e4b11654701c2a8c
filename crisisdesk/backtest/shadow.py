"""How often a watch would have called at another budget."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from crisisdesk.detect.spike import SpikeDetector
from crisisdesk.engine.observation import TICK
from crisisdesk.incidents.lifecycle import Rules, witness
from crisisdesk.records import EPOCH, Incident, Kind, Numbers, Severity, Spike

UNTOLD: Final = Numbers(0, 0, 0, 0.0, 0, 0.0, 0.0, 1.0)
"""A shadow's incidents are counted and never shown."""
EVERY: Final = TICK / timedelta(minutes=1)
"""Minutes between two looks at an open incident for which nothing comes."""


class Shadow:
    """A watch at another budget: the same counts and the same life of incidents, without posts and evidence.

    How many people are behind the posts it does not know, so where fewer than a call needs write all of them, it
    calls a little too often.
    """

    def __init__(self, watch: str, detector: SpikeDetector) -> None:
        self.calls = 0
        """How often an incident became amber or red that was less before, or was none."""
        self._watch = watch
        self._detector = detector
        self._rules = Rules()
        self._incident: Incident | None = None
        self._changes = 0
        self._moment = 0.0
        self._angrier = False
        """Whether negative posts have come since the last judgement."""

    def count(self, moment: float, total: int, negative: int) -> None:
        """Count posts; an incident that was left alone may have calmed before them."""
        self._pass_time(moment)
        self._detector.count(moment, total, negative)
        self._angrier |= negative > 0

    def count_fresh(self, moment: float, total: int, negative: int) -> None:
        """Of the posts counted, these speak of something new."""
        self._detector.count_fresh(moment, total, negative)
        self._angrier |= negative > 0

    def judge(self, moment: float) -> None:
        """See whether there is something to call for; posts that are not negative give no reason to."""
        self._pass_time(moment)
        if self._angrier:
            self._angrier = False
            self._detector.advance(moment)
            self._witness(moment)

    @property
    def _severity(self) -> int:
        """Of the open incident; 0 without one."""
        return self._incident.severity if self._incident is not None and self._incident.is_open else 0

    def _pass_time(self, moment: float) -> None:
        for tick in self._ticks(moment) if self._severity else ():
            self._detector.advance(tick)
            self._witness(tick)
            if not self._severity:
                break
        self._moment = max(self._moment, moment)

    def _ticks(self, until: float) -> Iterator[float]:
        tick = (self._moment // EVERY + 1) * EVERY
        while tick <= until:
            yield tick
            tick += EVERY

    def _witness(self, moment: float) -> None:
        severity, before = self._detector.read().severity, self._severity
        if severity is None and not before:
            return
        spike = Spike(self._watch, Kind.SPIKE, EPOCH + timedelta(minutes=moment), severity, UNTOLD, "")
        step = witness(self._incident, spike, self._rules, self._changes)
        if step is not None:
            self._incident = step.incident
            self._changes += len(step.changes)
            self.calls += before < Severity.AMBER <= self._severity
