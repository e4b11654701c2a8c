"""The real detector listens to simulated posts, as they come in."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.spike import SpikeDetector
from crisisdesk.simulate.posts import Ints, Stream

WORTH_KEEPING: Final = 1.0
"""Surprise below which nothing is kept: no budget has such a threshold."""
SAME_EPISODE, SPACING = 2 * 60, 12 * 60
"""Minutes: what surprises within two hours of the last is one episode, and twelve pass before the next call."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What surprised in one brand's posts: minutes since its beginning, ascending, and how much it did."""

    minutes: Ints
    surprises: npt.NDArray[np.float32]

    def since(self, minute: int, until: float = np.inf) -> "Heard":
        """The part from a minute on, and before another."""
        wanted = (self.minutes >= minute) & (self.minutes < until)
        return Heard(self.minutes[wanted], self.surprises[wanted])

    def calls(self, threshold: float) -> list[int]:
        """Minutes of the calls: reached, once an episode."""
        return episodes(self.minutes[self.surprises >= threshold])

    def reached(self, threshold: float) -> float:
        """The first minute that reached it; infinite where none did."""
        above = np.flatnonzero(self.surprises >= threshold)
        return float(self.minutes[above[0]]) if len(above) else np.inf


def episodes(minutes: Ints) -> list[int]:
    """The first minute of each episode, of minutes in which something was above a threshold."""
    calls: list[int] = []
    last = -np.inf
    for minute in minutes.tolist():
        if minute - last > SPACING:
            calls.append(minute)
            last = minute
        elif minute - last <= SAME_EPISODE:
            last = minute
    return calls


def listen(posts: Stream, thresholds: Thresholds, detector: SpikeDetector | None = None) -> Heard:
    """Judge a brand's posts, as far as a minute is the moment: at the end of each that brings a negative post."""
    detector = detector or SpikeDetector(thresholds)
    minutes: list[int] = []
    surprises: list[float] = []
    for arrival, minute, (new_sour, new_other, sour, other) in zip(
        posts.arrival.tolist(), posts.minute.tolist(), posts.posts.tolist(), strict=True
    ):
        detector.advance(arrival + 0.99)
        detector.count(minute + 0.99, new_sour + new_other + sour + other, new_sour + sour)
        if new_sour or new_other:
            detector.count_fresh(minute + 0.99, new_sour + new_other, new_sour)
        if new_sour or sour:
            surprise = detector.read().surprise
            if surprise >= WORTH_KEEPING:
                minutes.append(arrival)
                surprises.append(surprise)
    return Heard(np.array(minutes, np.int64), np.array(surprises, np.float32))
