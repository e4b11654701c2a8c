"""What X bills: what is to be expected, by the posts of the last days, and what was read so far."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from crisisdesk.settings import DAYS_PER_MONTH
from crisisdesk.text import counted, how_long

COUNTED: Final = timedelta(days=7)
"""X counts the posts of so long."""
TOLD_FROM: Final = 1.0
"""USD from which on it is worth a word what was read."""
REMEMBERED: Final = 100_000
"""Posts and authors of a day that are known to be paid; X bills each once between two midnights, UTC."""


@dataclass(frozen=True, slots=True)
class Prices:
    """USD for a post, and for its author beside it; 0 where authors do not come along."""

    post: float
    author: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the rules will cost.

    Attributes:
        a_week: posts of the last seven days that they match; what two of them match counts twice.
        prices: of each.
        history: how far back new watches learn.
    """

    a_week: int
    prices: Prices
    history: timedelta = timedelta()

    @property
    def posts_a_month(self) -> int:
        return round(self.a_week * DAYS_PER_MONTH / 7)

    @property
    def a_month(self) -> float:
        """USD, at most: people who write several posts a day are billed once."""
        return self.posts_a_month * (self.prices.post + self.prices.author)

    def told(self) -> str:
        """For people who decide whether it is worth it: a sentence."""
        month, prices = self.posts_a_month, self.prices
        said = f"About {counted(month, 'post')} a month match, by the last 7 days: {usd(month * prices.post)}"
        if prices.author:
            said += f" for the posts and up to {usd(month * prices.author)} for their authors"
        if self.history:
            once = self.a_week * (self.history / COUNTED) * (prices.post + prices.author)
            said += f"; for new watches once up to {usd(once)}, for the {how_long(self.history)} before"
        return f"{said}."


@dataclass(slots=True)
class Bill:
    """What was read since the desk was started."""

    prices: Prices
    posts: int = 0
    authors: int = 0
    _day: date = date.min
    _paid: OrderedDict[str, None] = field(default_factory=OrderedDict)

    @property
    def spent(self) -> float:
        """USD."""
        return self.posts * self.prices.post + self.authors * self.prices.author

    def read(self, posts: Iterable[str], authors: Iterable[str], day: date) -> None:
        """Count what came, by id, on a day."""
        if day != self._day:
            self._day = day
            self._paid.clear()
        self.posts += sum(self._is_new(f"p{one}") for one in posts)
        self.authors += sum(self._is_new(f"a{one}") for one in authors)

    def told(self) -> str:
        """Roughly, so that a log which tells every change of the sentence does not tell every post."""
        return f"More than {usd(_round(self.spent))} were read since the start." if self.spent > TOLD_FROM else ""

    def _is_new(self, one: str) -> bool:
        if one in self._paid:
            return False
        self._paid[one] = None
        if len(self._paid) > REMEMBERED:
            self._paid.popitem(last=False)
        return True


def usd(amount: float) -> str:
    """`0.35 USD`, `62 USD`, `1,240 USD`."""
    return f"{amount:,.2f} USD" if amount < 10 else f"{amount:,.0f} USD"


def _round(amount: float) -> float:
    """The largest of 1, 2, 5, 10, 20, … that is not more."""
    power = 1.0
    while power * 10 <= amount:
        power *= 10
    return power * next(step for step in (5, 2, 1) if step * power <= amount)
