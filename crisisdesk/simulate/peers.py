"""Simpler rules on the same simulated brands, each with the threshold that spends exactly the same budget.

That is generous: a rule gets a threshold of its own for each size of brand, fitted to the very brands on which its
false alarms are counted, while the desk has one threshold for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crisisdesk.detect.simpler import RULES, Rule
from crisisdesk.simulate.brands import Brands, draw
from crisisdesk.simulate.crises import LASTS
from crisisdesk.simulate.listening import episodes
from crisisdesk.simulate.measure import DAYS_A_MONTH, WARM, Trial
from crisisdesk.simulate.posts import DAY, STEP, Floats, negative


@dataclass(frozen=True, slots=True)
class Contest:
    """The same brands that the desk listened to, for one rule: quiet ones for its threshold, others with crises."""

    rule: str
    quiet: Sequence[Trial]
    crises: Sequence[Trial]
    budget: float = 1.0
    """False alarms a month."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule did with its threshold."""

    rule: str
    threshold: float
    delays: dict[int, list[float]]
    """By size of crisis: minutes until it called; infinite if the crisis ended before that."""


def contend(contest: Contest) -> Outcome:
    """Give a rule its threshold and its crises."""
    rule = RULES[contest.rule]
    quiet = np.concatenate([_scores(rule, _drawn(trial)) for trial in contest.quiet], axis=1)[WARM * DAY :]
    threshold = spending(quiet, contest.budget)
    delays: dict[int, list[float]] = {}
    for trial in contest.crises:
        brands = _drawn(trial)
        above = _scores(rule, brands) >= threshold
        for crisis in brands.crises:
            rows = np.flatnonzero(above[crisis.row : crisis.row + LASTS, crisis.column])
            delays.setdefault(crisis.times, []).append(float(rows[0] + 1) * STEP if len(rows) else np.inf)
    return Outcome(contest.rule, threshold, delays)


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


def _drawn(trial: Trial) -> Brands:
    return draw(trial.kind, trial.brands, trial.seed)


def _scores(rule: type[Rule], brands: Brands) -> Floats:
    """What a rule makes of each five minutes, shape (rows, brands)."""
    one = rule(brands.posts.shape[2])
    sour, all_posts = negative(brands.posts).astype(float), brands.posts.sum(axis=0).astype(float)
    return np.stack([one.update(*row) for row in zip(sour, all_posts, strict=True)])
