"""Simpler rules on the same posts: what they would have called for, and how late."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

import numpy as np

from crisisdesk.backtest.stories import Story
from crisisdesk.detect.simpler import BUCKET, HOUR, RULES, Rule
from crisisdesk.errors import UsageError
from crisisdesk.records import EPOCH


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule would have done: when it would have called, by watch."""

    name: str
    title: str
    threshold: float
    calls: dict[str, tuple[datetime, ...]]

    @property
    def total(self) -> int:
        """Calls for all watches."""
        return sum(map(len, self.calls.values()))

    def delay(self, story: Story) -> timedelta | None:
        """From an incident's first signal to the rule's next call within it; None where it called for nobody."""
        within = (
            call - story.first
            for call in self.calls.get(story.incident.watch, ())
            if story.first <= call and (story.end is None or call <= story.end)
        )
        return next(within, None)


class Comparison:
    """Collects the counts of all watches in buckets while they are observed, and lets the rules judge them after.

    Only afterwards is every bucket whole: late posts have come, and all watches are known.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._rules = {name: RULES[name] for name in names}
        self._buckets: defaultdict[int, defaultdict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))

    def of(self, watch: str) -> "_Counts":
        """What listens to the counts of one watch."""
        return _Counts(self._buckets, watch)

    def outcomes(self, progress: Callable[[float], None] = lambda _: None) -> list[Outcome]:
        """Let every rule judge all that was heard.

        Args:
            progress: told after each bucket how many of `length` are done.
        """
        watches = sorted({watch for bucket in self._buckets.values() for watch in bucket})
        rules = {name: make(brands=len(watches)) for name, make in self._rules.items()}
        calls = {name: [list[datetime]() for _ in watches] for name in rules}
        place = {watch: number for number, watch in enumerate(watches)}
        for done, bucket in enumerate(self._span()):
            counts = np.zeros((2, len(watches)))
            for watch, both in self._buckets.get(bucket, {}).items():
                counts[:, place[watch]] = both
            end = EPOCH + timedelta(minutes=(bucket + 1) * BUCKET)
            for name, rule in rules.items():
                for number in np.flatnonzero(rule.calls(rule.update(counts[1], counts[0]))):
                    calls[name][number].append(end)
            progress(done + 1.0)
        return [
            _outcome(name, rule, dict(zip(watches, map(tuple, calls[name]), strict=True)))
            for name, rule in rules.items()
        ]

    @property
    def length(self) -> int:
        """Buckets from the first to the last post."""
        return len(self._span())

    def _span(self) -> range:
        """From the hour of the first post on, as rules count hours from their first bucket."""
        if not self._buckets or not self._rules:
            return range(0)
        return range(min(self._buckets) // HOUR * HOUR, max(self._buckets) + 1)


def _outcome(name: str, rule: Rule, calls: dict[str, tuple[datetime, ...]]) -> Outcome:
    return Outcome(name, rule.title, rule.threshold, calls)


class _Counts:
    """Puts the counts of one watch into the buckets."""

    def __init__(self, buckets: "defaultdict[int, defaultdict[str, list[int]]]", watch: str) -> None:
        self._buckets = buckets
        self._watch = watch

    def count(self, moment: float, total: int, negative: int) -> None:
        both = self._buckets[int(moment) // BUCKET][self._watch]
        both[0] += total
        both[1] += negative

    def count_fresh(self, moment: float, total: int, negative: int) -> None:
        pass

    def judge(self, moment: float) -> None:
        pass


def parse_rules(text: str) -> list[str]:
    """Read the names of rules, with commas between.

    Raises:
        UsageError: there is no such rule; the message names the nearest one.
    """
    names = list(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in RULES:
            near = get_close_matches(name, RULES, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(RULES)}."
            raise UsageError(f"--compare {name!r} is no rule that is known here; {cure}")
    if not names:
        raise UsageError(f"--compare names no rule; there are {', '.join(RULES)}.")
    return names
