"""What is usual for a watch: how many posts at which hour, how many of them negative, and how much both wander.

Learnt one hour at a time, each hour some hours after it has passed, so that the detector has had time to flag it:
what belongs to a spike is never learnt. All of it is a few hundred numbers, saved and restored as plain values.
"""

from dataclasses import dataclass, field
from typing import Final

from crisisdesk.detect.windows import WINDOWS, Counts

HOUR: Final = 60
"""Minutes."""

LEVEL_HALF_LIFE: Final = 48.0
"""Hours after which a past hour weighs half in the level."""
SHARE_HALF_LIFE: Final = 168.0
"""Hours after which a past hour weighs half in the usual share."""
PROFILE_KEPT: Final = 0.85
"""Weight that yesterday's hour keeps when today's same hour is learnt."""
PROFILE_PRIOR: Final = 2.0
"""Posts that stand for "like the average hour": a small watch must not learn a rhythm from single posts."""
SPREAD_DAYS: Final = 7.0
"""Memory of dispersion and correlation."""
SETTLED: Final = 168
"""Hours after which a watch knows what is usual; before, it says that it is learning."""
SHARE_PRIOR: Final = (2.0, 8.0)
"""Negative and all posts that a new watch is assumed to have seen: a share of a quarter, soon outweighed."""


@dataclass(slots=True)
class Baseline:
    """The usual, of one watch. Rates are posts an hour, shares lie between 0 and 1."""

    seen: float = 0.0
    """Posts of the past, older ones weighing less."""
    lasted: float = 0.0
    """Average hours in which they came, weighed alike: a night hour counts for less than one."""
    hours: int = 0
    """Hours learnt so far."""
    profile_seen: list[float] = field(default_factory=lambda: [0.0] * 24)
    profile_usual: list[float] = field(default_factory=lambda: [0.0] * 24)
    negative: float = SHARE_PRIOR[0]
    total: float = SHARE_PRIOR[1]
    dispersion: list[float] = field(default_factory=lambda: [0.25] * len(WINDOWS))
    correlation: list[float] = field(default_factory=lambda: [0.03] * len(WINDOWS))

    @property
    def level(self) -> float:
        """Usual posts an hour, over the whole day."""
        return max(self.seen / self.lasted, 0.01) if self.lasted else 0.0

    @property
    def share(self) -> float:
        """The usual share of negative posts."""
        return self.negative / self.total

    @property
    def learning(self) -> bool:
        """Whether too little is known for the ordinary thresholds."""
        return self.hours < SETTLED

    def rate(self, hour: int) -> float:
        """Usual posts an hour in the UTC hour of the day that `hour` (hours since 1970) is."""
        return self.level * self._shape(hour % 24)

    def expected(self, start: float, end: float) -> float:
        """Usual posts between two moments, in minutes since 1970."""
        posts, moment = 0.0, start
        while moment < end:
            hour = int(moment // HOUR)
            until = min(end, (hour + 1) * HOUR)
            posts += self.rate(hour) * (until - moment) / HOUR
            moment = until
        return posts

    def learn(self, hour: int, counts: Counts) -> None:
        """Take in one past hour (hours since 1970)."""
        total, negative = counts.between(hour * HOUR, (hour + 1) * HOUR - 1)
        if self.hours >= 2 * 24:
            self._learn_spread(hour, counts)
        usual = self.rate(hour)
        # One wild hour that was not flagged may move the level by so much and no more.
        bound = usual + 4 * (usual + self.dispersion[WINDOWS.index(HOUR)] * usual**2) ** 0.5 + 1
        counted = min(float(total), bound) if self.hours else float(total)
        kept = 0.5 ** (1 / LEVEL_HALF_LIFE)
        self.seen, self.lasted = self.seen * kept + counted, self.lasted * kept + self._shape(hour % 24)
        if self.hours >= 24:
            self._learn_profile(hour % 24, counted)
        remembered, heard = 0.5 ** (1 / SHARE_HALF_LIFE), counted / total if total else 0.0
        self.negative = SHARE_PRIOR[0] + (self.negative - SHARE_PRIOR[0]) * remembered + heard * negative
        self.total = SHARE_PRIOR[1] + (self.total - SHARE_PRIOR[1]) * remembered + heard * total
        self.hours += 1

    def _shape(self, of_day: int) -> float:
        """How busy an hour of the day is, 1 being the average."""
        return (self.profile_seen[of_day] + PROFILE_PRIOR) / (self.profile_usual[of_day] + PROFILE_PRIOR)

    def _learn_profile(self, of_day: int, counted: float) -> None:
        self.profile_seen[of_day] = self.profile_seen[of_day] * PROFILE_KEPT + counted
        self.profile_usual[of_day] = self.profile_usual[of_day] * PROFILE_KEPT + self.level

    def _learn_spread(self, hour: int, counts: Counts) -> None:
        """Moment estimates of how much more the windows vary than independent posts would (winsorised)."""
        for i, width in enumerate(WINDOWS):
            step = min(width, HOUR)
            if self.rate(hour) * width / HOUR * self.share < 0.05:
                continue  # so few posts say nothing about spread
            for end in range(hour * HOUR + step, (hour + 1) * HOUR + 1, step):
                total, negative = counts.between(end - width, end - 1)
                weight = step / (SPREAD_DAYS * 24 * HOUR)
                self._learn_dispersion(i, weight, negative, self.expected(end - width, end) * self.share)
                self._learn_correlation(i, weight, total, negative)

    def _learn_dispersion(self, window: int, weight: float, negative: int, usual: float) -> None:
        """Solve E[(k-q)^2] = q + dispersion q^2 step by step; k negative posts, q usual ones."""
        old, square = self.dispersion[window], usual * usual
        error = min((negative - usual) ** 2, 9 * (usual + old * square) + 2)
        drift = min(max(error - usual - old * square, -5 * square - 1), 50.0)
        self.dispersion[window] = min(max(old + weight * drift / max(square, 0.5), 0.02), 3.0)

    def _learn_correlation(self, window: int, weight: float, total: int, negative: int) -> None:
        """Solve Var[k] = n p (1-p) (1 + (n-1) correlation) step by step."""
        old, share = self.correlation[window], self.share
        single = total * share * (1 - share)
        pairs = single * max(total - 1, 0)
        if pairs <= 0.5:
            return
        error = min((negative - total * share) ** 2, 9 * single * (1 + max(total - 1, 0) * old) + 2)
        self.correlation[window] = min(max(old + weight * (error - single - old * pairs) / max(pairs, 2.0), 0.002), 0.3)
