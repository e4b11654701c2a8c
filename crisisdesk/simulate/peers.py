"""Simpler rules on the same simulated brands, each with the threshold that spends exactly the same budget.

That is generous: a rule gets a threshold of its own for each size of brand, fitted to the very brands on which its
false alarms are counted, while the desk has one threshold for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from crisisdesk.detect.simpler import RULES, Rule
from crisisdesk.simulate.brands import draw
from crisisdesk.simulate.crises import LASTS, Crisis
from crisisdesk.simulate.listening import episodes
from crisisdesk.simulate.measure import DAYS_A_MONTH, WARM, Trial
from crisisdesk.simulate.posts import DAY, STEP, Floats, Posts, negative


@dataclass(frozen=True, slots=True)
class Contest:
    """The brands of one size that the desk listened to: quiet ones for the thresholds, others with crises."""

    quiet: Sequence[Trial]
    crises: Sequence[Trial]
    budget: float = 1.0
    """False alarms a month."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule did with its threshold."""

    threshold: float
    delays: dict[int, list[float]]
    """By size of crisis: minutes until it called; infinite if the crisis ended before that."""


def contend(contest: Contest) -> dict[str, Outcome]:
    """Give each rule its threshold and its crises; by the rules' names."""
    quiet, (struck, crises) = _drawn(contest.quiet)[0], _drawn(contest.crises)
    return {name: _outcome(rule, quiet, struck, crises, contest.budget) for name, rule in RULES.items()}


def spending(scores: Floats, budget: float) -> float:
    """The lowest threshold with at most so many calls a month, from scores of quiet brands (rows, brands)."""
    columns = [(np.flatnonzero(one), one[one != 0]) for one in scores.T]
    months = scores.size / DAY / DAYS_A_MONTH
    low, high = 0.0, float(scores.max()) + 1e-6
    for _ in range(30):
        middle = (low + high) / 2
        calls = sum(len(episodes(rows[values >= middle] * STEP)) for rows, values in columns)
        low, high = (middle, high) if calls / months > budget else (low, middle)
    return high


def _outcome(rule: type[Rule], quiet: Posts, struck: Posts, crises: Sequence[Crisis], budget: float) -> Outcome:
    threshold = spending(_scores(rule, quiet)[WARM * DAY :], budget)
    above = _scores(rule, struck) >= threshold
    delays: dict[int, list[float]] = {}
    for crisis in crises:
        rows = np.flatnonzero(above[crisis.row : crisis.row + LASTS, crisis.column])
        delays.setdefault(crisis.times, []).append(float(rows[0] + 1) * STEP if len(rows) else np.inf)
    return Outcome(threshold, delays)


def _drawn(trials: Sequence[Trial]) -> tuple[Posts, list[Crisis]]:
    """All brands of some trials side by side."""
    posts: list[Posts] = []
    crises: list[Crisis] = []
    for trial in trials:
        brands = draw(trial.kind, trial.brands, trial.seed)
        first = sum(part.shape[2] for part in posts)
        posts.append(brands.posts)
        crises += [replace(crisis, column=crisis.column + first) for crisis in brands.crises]
    return np.concatenate(posts, axis=2), crises


def _scores(rule: type[Rule], posts: Posts) -> Floats:
    """What a rule makes of each five minutes, shape (rows, brands)."""
    one = rule(posts.shape[2])
    sour, everything = negative(posts).astype(float), posts.sum(axis=0).astype(float)
    return np.stack([one.update(*row) for row in zip(sour, everything, strict=True)])
