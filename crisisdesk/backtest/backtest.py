"""All that a replay finds out besides the incidents themselves."""

from collections.abc import Sequence
from copy import deepcopy

from crisisdesk.backtest.compare import Comparison
from crisisdesk.backtest.overheard import Listener, Overheard
from crisisdesk.backtest.recording import Recording
from crisisdesk.backtest.shadow import Shadow
from crisisdesk.backtest.stories import Stories
from crisisdesk.detect.spike import SpikeDetector
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.settings.budget import NAMED


class BackTest:
    """Follows the watches of one run; `rules` are the names of simpler rules to compare with."""

    def __init__(self, rules: Sequence[str] = ()) -> None:
        self.recording = Recording()
        self.stories = Stories()
        self.comparison = Comparison(rules) if rules else None
        self._shadows: dict[str, dict[str, Shadow]] = {}

    def follow(self, watch: WatchDetector) -> None:
        """Listen to a watch that has heard nothing yet."""
        others = {name: _at(watch.detector, budget) for name, budget in NAMED.items()}
        shadows = {
            name: Shadow(watch.name, other)
            for name, other in others.items()
            if other.thresholds != watch.detector.thresholds
        }
        listeners: list[Listener] = [*shadows.values(), self.stories.listen(watch)]
        if self.comparison is not None:
            listeners.append(self.comparison.of(watch.name))
        self._shadows[watch.name] = shadows
        watch.detector = Overheard(watch.detector, listeners)

    @property
    def watches(self) -> tuple[str, ...]:
        """All watches that were followed."""
        return tuple(self._shadows)

    def calls(self, watch: str) -> dict[str, int]:
        """How often this watch would have called at each named budget; at its own, how often it did."""
        own = sum(len(story.calls) for story in self.stories.called() if story.incident.watch == watch)
        shadows = self._shadows[watch]
        return {name: shadows[name].calls if name in shadows else own for name in NAMED}

    def all_calls(self) -> dict[str, int]:
        """The same for all watches together."""
        by_watch = [self.calls(watch) for watch in self._shadows]
        return {name: sum(calls[name] for calls in by_watch) for name in NAMED}

    def own_budgets(self) -> set[str]:
        """Names of the budgets that every watch has; empty where they differ or have no name."""
        return set.intersection(*({*NAMED} - {*shadows} for shadows in self._shadows.values()), {*NAMED})


def _at(detector: SpikeDetector, budget: float) -> SpikeDetector:
    """A detector that knows as much and has another budget."""
    other = deepcopy(detector)
    other.thresholds = other.thresholds.for_budget(budget)
    return other
