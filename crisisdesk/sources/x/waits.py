"""How long to wait before X is asked again, as its documentation asks for each kind of failure."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

from crisisdesk.errors import SourceError
from crisisdesk.sources.x.trouble import MAX_ASKED_WAIT, MONEY, RATED, DroppedError, RefusalError

LONGEST: Final = 320.0
"""Seconds between attempts while X answers with errors, at most."""


class Waits:
    """How long to wait after each failure, as X's documentation asks for each kind; never shorter.

    Args:
        jitter: what each wait is multiplied by, at least 1, so that many desks do not knock at once.
    """

    def __init__(self, jitter: Callable[[], float] = lambda: random.uniform(1.0, 1.25)) -> None:
        self._jitter = jitter
        self._failures: Counter[str] = Counter()

    def begin_afresh(self) -> None:
        """All is well again."""
        self._failures.clear()

    def after(self, error: Exception) -> float:
        """Seconds until the next attempt."""
        kind = _kind(error)
        before, self._failures[kind] = self._failures[kind], self._failures[kind] + 1
        return max(_GROWTH[kind](min(before, 64)), getattr(error, "wait", 0.0)) * self._jitter()


_GROWTH: Final[Mapping[str, Callable[[int], float]]] = {
    "dropped": lambda before: min(5.0 * 2 ** (before - 1), LONGEST) if before else 0.0,  # at once, if it stood well
    "network": lambda before: min(0.25 * (before + 1), 16.0),
    "http": lambda before: min(5.0 * 2**before, LONGEST),
    "rated": lambda before: min(60.0 * 2**before, MAX_ASKED_WAIT),
    "money": lambda _: LONGEST,
}


def _kind(error: Exception) -> str:
    if isinstance(error, RefusalError | DroppedError):
        if error.problem.kind in MONEY or getattr(error, "status", 0) == HTTPStatus.PAYMENT_REQUIRED:
            return "money"
        if error.problem.kind in RATED or getattr(error, "status", 0) == HTTPStatus.TOO_MANY_REQUESTS:
            return "rated"
        return "dropped" if isinstance(error, DroppedError) else "http"
    return "http" if isinstance(error, SourceError) else "network"
