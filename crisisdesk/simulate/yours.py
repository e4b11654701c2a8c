"""What one operator may expect: false alarms and crises found for brands as large and as often scolded as theirs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from crisisdesk.detect.budget import Thresholds
from crisisdesk.simulate.brands import Kind
from crisisdesk.simulate.crises import TIMES, Crises
from crisisdesk.simulate.measure import Found, Rate, crises_found, false_alarms, hear, side_by_side, trials
from crisisdesk.simulate.posts import DAY

LOUD: Final = 1000.0
"""Posts a day from which on a brand has something to judge in nearly every minute, so that each takes longer;"""
ENOUGH: Final = (40, 15)
"""brands that are simulated in about a minute below that, and above."""
EVERY_WEEK: Final = Crises(apart=(5, 9))
"""More often than in life, so that there are enough to count."""


@dataclass(frozen=True, slots=True)
class Question:
    """A brand like yours.

    Args:
        posts_per_day: above 0.
        share: usual share of negative posts, between 0 and 1, both excluded.
        budget: false alarms a month that crises are found at.
        brands: how many to simulate without crises, and as many with them.
        seed: the same one gives the same brands.
    """

    posts_per_day: float
    share: float
    budget: float = 1.0
    brands: int = ENOUGH[0]
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What was counted."""

    false_alarms: Mapping[float, Rate]
    """By budget, in false alarms a month."""
    crises: Mapping[int, Found]
    """By how many times the usual negative posts they had."""


def enough(posts_per_day: float) -> int:
    """Brands that two processors simulate in about a minute."""
    return ENOUGH[posts_per_day >= LOUD]


def ask(question: Question, budgets: tuple[float, ...], progress: Callable[[float], None] = lambda _: None) -> Answer:
    """Simulate brands, quiet ones and others with a crisis a week; `progress` hears which part is done."""
    thresholds = Thresholds.for_budget(question.budget)
    size, shares = question.posts_per_day / DAY, (question.share, question.share)
    quiet, struck = (
        trials(Kind(size, shares, crises=crises), question.brands, (question.seed, place), thresholds)
        for place, crises in enumerate((None, EVERY_WEEK))
    )
    heard = side_by_side(hear, [*quiet, *struck], lambda done: progress(done / (len(quiet) + len(struck))))
    calm = [one for some in heard[: len(quiet)] for one in some]
    angry = [one for some in heard[len(quiet) :] for one in some]
    return Answer(
        {budget: false_alarms(calm, Thresholds.for_budget(budget).amber) for budget in budgets},
        {times: crises_found(angry, thresholds.amber, times) for times in TIMES},
    )
