"""What connecting to X will change and cost, found out before the stream is opened."""

from datetime import timedelta
from http import HTTPStatus
from typing import Final

import aiohttp

from crisisdesk.errors import FatalSourceError
from crisisdesk.records import Foreseen
from crisisdesk.sources.x.api import Api
from crisisdesk.sources.x.cost import Estimate, Prices, usd
from crisisdesk.sources.x.rulebook import Change
from crisisdesk.sources.x.rules import Rule
from crisisdesk.sources.x.trouble import RefusalError, StrangeError
from crisisdesk.text import counted, how_long, shorten

CLOCK: Final = timedelta(seconds=30)
"""By which the clock of this machine may differ from X's before it is worth a word."""
NAMED: Final = 3
"""Rules that are shown where there are many."""

_NOT_FOR_US: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


class Forecast:
    """What the rules will cost: made once, since X bills counting, too.

    Args:
        api: X's.
        prices: of posts and authors.
        history: how far back new watches learn.
        most: USD a month that it may cost; None for no limit.
        reposts: whether they come, with the posts that they repeat.
    """

    def __init__(
        self, api: Api, prices: Prices, history: timedelta, most: float | None, *, reposts: bool = False
    ) -> None:
        self.told = ""
        """For people: what it will cost; empty before that is known."""
        self._api = api
        self._prices = prices
        self._history = history
        self._most = most
        self._reposts = reposts
        self._counts: dict[str, int] = {}
        self._estimate: Estimate | None = None
        self._is_made = False

    async def make(self, session: aiohttp.ClientSession, change: Change) -> None:
        """Count what the rules match. What was counted before a failure is not counted again.

        Raises:
            FatalSourceError: it would cost more than it may, or nobody can say.
            aiohttp.ClientError, OSError, SourceError: X does not say at the moment.
        """
        if self._is_made:
            return
        why = ""
        try:
            for rule in change.there:
                if rule.value not in self._counts:
                    self._counts[rule.value] = await self._api.count(session, rule.value)
        except (RefusalError, StrangeError) as error:
            if isinstance(error, RefusalError) and error.status not in _NOT_FOR_US:
                raise
            why = str(error)
        if not why:
            self._estimate = Estimate(sum(self._counts.values()), self._prices, self._history)
        self._judge(why)
        self.told = self._said(why, change)
        self._is_made = True

    def prospect(self, change: Change) -> Foreseen:
        """What connecting would change and cost."""
        said = [f"answers, and is not connected for this. {_told_rules(change)}", self.told]
        doubts = [change.trouble, self._clock_doubt()]
        if self._estimate is not None and not self._estimate.a_week:
            doubts.append("No post of the last 7 days matches the rules; check 'terms' of the watches.")
        return Foreseen(" ".join(said), " ".join(filter(None, doubts)))

    def _judge(self, why: str) -> None:
        if self._most is None:
            return
        limit = f"'most_a_month' of the source allows {usd(self._most)}"
        if self._estimate is None:
            raise FatalSourceError(f"What X would cost cannot be told ({why}), and {limit}; take that out to connect.")
        if self._estimate.a_month > self._most:
            raise FatalSourceError(
                f"X could cost {usd(self._estimate.a_month)} a month, but {limit}: raise it, or take the most common "
                f"terms out of the watches. {self._estimate.told()}"
            )

    def _said(self, why: str, change: Change) -> str:
        if self._estimate is None:
            said = f"What X will cost cannot be told ({why}); look at https://console.x.com now and then."
        else:
            also = ", and those that are repeated" * self._reposts
            said = f"{self._estimate.told()} Posts that only quote them are billed besides{also}."
        if change.others:
            others, bring = len(change.others), "brings" if len(change.others) == 1 else "bring"
            said += f" What {counted(others, 'rule')} of others in this app {bring} is read and billed besides."
        return said

    def _clock_doubt(self) -> str:
        """What X's time says of the clock of this machine; empty while they agree."""
        ahead = self._api.ahead or timedelta()
        if abs(ahead) < CLOCK:
            return ""
        direction = "behind" if ahead > timedelta() else "ahead"
        return f"This machine's clock is {how_long(abs(ahead))} {direction}; set it right."


def _told_rules(change: Change) -> str:
    """What would be done to the rules, with the rules themselves."""
    there = counted(len(change.there), "rule")
    if not change.add and not change.remove:
        return f"All that the desk needs is there, {there}: {_shown(change.there)}."
    done = []
    if change.add:
        done.append(f"add {counted(len(change.add), 'rule')} ({_shown(change.add)})")
    if change.remove:
        done.append(f"remove {counted(len(change.remove), 'rule')} ({_shown(change.remove)})")
    return f"Connecting would {' and '.join(done)}; then {there} would be there."


def _shown(rules: tuple[Rule, ...]) -> str:
    more = f" and {len(rules) - NAMED} more" if len(rules) > NAMED else ""
    return ", ".join(shorten(rule.value, 100) for rule in rules[:NAMED]) + more
