"""What a webhook does not take: the answer for whoever sent it, and the sentence for the people at the desk."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

from crisisdesk.errors import SourceError

TOLD_FOR: Final = timedelta(hours=1)
"""How long after the last of its kind a refusal is spoken of."""


class Refused(SourceError):
    """A request is not taken; the message is the answer to its sender and says what to do.

    Args:
        status: of the answer.
        sentence: of the answer; it holds no secret and nothing of this machine.
        again: seconds after which the sender may try again; None where that will not help.
        what: what somebody does, such as "with a wrong signature"; empty where the desk's people need not know.
        cure: what the desk's people can do about it.
    """

    def __init__(
        self, status: HTTPStatus, sentence: str, *, again: int | None = None, what: str = "", cure: str = ""
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.again = again
        self.what = what
        self.cure = cure


@dataclass(slots=True)
class _Kind:
    """Refusals that are alike; the cure is the first one's, so that the sentence stays the same."""

    cure: str
    times: int
    first: datetime
    last: datetime


class Refusals:
    """What was refused of late.

    Args:
        address: where it was sent, such as `/ingest/brandwatch`.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._kinds: dict[str, _Kind] = {}

    def note(self, what: str, cure: str, now: datetime) -> None:
        """Remember one more."""
        known = self._kinds.pop(what, None)
        if known is None or now - known.last > TOLD_FOR:
            known = _Kind(cure, 0, now, now)
        known.times += 1
        known.last = now
        self._kinds[what] = known

    def told(self, now: datetime) -> str:
        """A sentence on the kind of the newest; empty when that is long past."""
        what, kind = next(reversed(self._kinds.items()), ("", None))
        if kind is None or now - kind.last > TOLD_FOR:
            return ""
        since = f"{_times(kind.times)} since {kind.first.astimezone(UTC):%H:%M} UTC"
        return f"somebody posts to {self._address} {what} ({since}); {kind.cure}"


def _times(number: int) -> str:
    """Roughly, so that a log which tells every change of the sentence does not tell every request."""
    if number < 3:
        return "once or twice"
    bound = 3
    while (higher := bound * 10 // 3 if str(bound)[0] == "3" else bound * 3) <= number:
        bound = higher
    return f"{bound:,} times or more"
