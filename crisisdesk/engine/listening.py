"""How well a live desk hears the present: lost sources, dropped posts and its own sleep are told to its watches."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import sub
from typing import Any, Final

from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.watch import minutes
from crisisdesk.records import SourceStatus
from crisisdesk.text import how_long

ASLEEP: Final = timedelta(minutes=1)
"""Between two looks, from which on the desk itself stood still, as under a closed lid; they come every few seconds."""
SET_BACK: Final = timedelta(minutes=15)
"""By which a clock is set back before the watches begin to count anew; what is less passes sooner than it matters."""
LATE: Final = timedelta(minutes=15)
"""Age from which on the posts that come are of an earlier time, which is then the time of the desk."""
BACK_AGAIN: Final = timedelta(minutes=2)
"""After a gap: how long sources that can go back have until their first post of it."""
MISSED_FOR: Final = timedelta(days=3)
"""After so long without a source, what is heard without it is what is usual."""
DROPS_TOLD: Final = timedelta(hours=1)
"""How long posts that were dropped are spoken of."""
NOTHING: Final[Mapping[str, int]] = {}


@dataclass(frozen=True, slots=True)
class Ear:
    """A source as the desk hears it."""

    status: SourceStatus
    pushes: bool = True
    goes_back: bool = False
    """After a gap it sends what was said meanwhile."""
    latest: datetime | None = None
    """The time of the post that came last."""


class Listening:
    """What the desk hears and what it misses; look at it every few seconds."""

    def __init__(self, now: datetime) -> None:
        self.hearing = Hearing()
        self.until = now
        """When it was looked at last."""
        self.deaf = True
        """Whether nothing was heard between the last two looks."""
        self.trouble = ""
        """Why posts of an earlier time come; empty while they are of the present."""
        self._back = now + BACK_AGAIN
        self._latest: dict[str, datetime | None] = {}
        self._live: dict[str, datetime] = {}
        self._counted: dict[str, tuple[int, int]] = {}
        self._drops: deque[tuple[datetime, Counter[str]]] = deque()
        self._dropped: Counter[str] = Counter()

    def look(self, now: datetime, ears: Sequence[Ear], dropped: Mapping[str, int] = NOTHING) -> bool:
        """Tell the watches how the time since the last look was heard.

        Args:
            now: the moment.
            ears: the sources.
            dropped: posts that were dropped so far, by watch.

        Returns:
            Whether time may pass: what nobody has said until now, nobody will have said. It may not while nothing is
            heard, and not while posts come that are of an earlier time, or may come after a gap.
        """
        began, self.until = self.until, now
        listening = [ear for ear in ears if ear.status.state != "ended"]
        lost = [ear for ear in listening if ear.status.state != "live"]
        asleep = now - began >= ASLEEP
        self.deaf = deaf = asleep or 0 < len(lost) == len(listening)
        self.hearing.missing = () if deaf else tuple(ear.status.name for ear in lost)
        self._tell_drops(now, dropped)
        part = self._dropped_part(ears)
        if deaf and not any(ear.goes_back for ear in listening):
            self.hearing.was_deaf(minutes(began), minutes(now))
        elif deaf or any(self._is_missed(ear, now) for ear in lost):
            self.hearing.was_doubtful(minutes(began), minutes(now))
        elif part:
            self.hearing.was_deaf(minutes(began), minutes(began + part * (now - began)))
        self._live |= {ear.status.name: now for ear in listening if ear not in lost}
        return self._is_present(now, ears, deaf=deaf)

    def begin(self, now: datetime, ears: Sequence[Ear]) -> None:
        """A desk starts: since the last look nothing was heard."""
        gap = self.hearing.was_doubtful if any(ear.goes_back for ear in ears) else self.hearing.was_deaf
        gap(minutes(self.until), minutes(now))
        self.until, self._back = now, now + BACK_AGAIN

    def was_set_back(self, now: datetime) -> bool:
        """Whether the clock was set back since the last look."""
        return self.until - now >= SET_BACK

    def turn_back(self, now: datetime) -> None:
        """Believe the clock, now that it was set back."""
        self.hearing.turn_back(minutes(now))
        self.until = self._back = now
        self._live = {name: min(moment, now) for name, moment in self._live.items()}
        self._drops.clear()

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        live = {name: moment.timestamp() for name, moment in self._live.items()}
        return {"until": self.until.timestamp(), "gaps": self.hearing.state(), "live": live}

    def restore(self, state: object) -> None:
        """Go on from what `state` gave, or from the moment and the gaps that older versions kept.

        Raises:
            ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError: it is of another shape.
        """
        if isinstance(state, dict):
            until, gaps, live = state["until"], state["gaps"], state["live"]
        elif isinstance(state, list):
            (until, gaps), live = state, {}
        else:
            raise TypeError(f"{type(state).__name__} is not how it was ever kept")
        until = datetime.fromtimestamp(until, UTC)
        live = {str(name): datetime.fromtimestamp(moment, UTC) for name, moment in live.items()}
        self.hearing.restore(gaps)
        self.until, self._live = until, live

    def _is_missed(self, ear: Ear, now: datetime) -> bool:
        """Whether what is usual was learnt with a source that is lost."""
        live = self._live.get(ear.status.name)
        return live is not None and now - live < MISSED_FOR

    def _tell_drops(self, now: datetime, dropped: Mapping[str, int]) -> None:
        """Each watch is told how many of its posts were dropped within the hour."""
        before, self._dropped = self._dropped, Counter(dropped)
        if grown := self._dropped - before:
            self._drops.append((now, grown))
        while self._drops and now - self._drops[0][0] > DROPS_TOLD:
            self._drops.popleft()
        self.hearing.dropped = sum((number for _, number in self._drops), Counter[str]())

    def _dropped_part(self, ears: Sequence[Ear]) -> float:
        """The part of the mentions since the last look that was dropped."""
        before = self._counted
        self._counted = {ear.status.name: (ear.status.matched, ear.status.dropped) for ear in ears}
        grown = [map(sub, counted, before.get(name, (0, 0))) for name, counted in self._counted.items()]
        matched, dropped = (sum(numbers) for numbers in zip(*grown, strict=True)) if grown else (0, 0)
        return dropped / max(matched, dropped, 1)

    def _is_present(self, now: datetime, ears: Sequence[Ear], *, deaf: bool) -> bool:
        """Whether the posts that come are of the present, and none of an earlier time is to be expected."""
        before, self._latest = self._latest, {ear.status.name: ear.latest for ear in ears}
        came = {ear: now - ear.latest for ear in ears if ear.latest and ear.latest != before.get(ear.status.name)}
        late = max(came, key=lambda ear: came[ear], default=None)
        pushed = max((ear for ear in came if ear.pushes), key=lambda ear: came[ear], default=None)  # a file may be old
        self.trouble = _why_late(pushed, came[pushed]) if pushed and came[pushed] >= LATE else ""
        if deaf:
            self._back = now + BACK_AGAIN
        elif late:  # what comes is of an earlier time until a post of the present has come, however haltingly
            self._back = now + BACK_AGAIN if came[late] >= LATE else now
        return not deaf and now >= self._back and (late is None or came[late] < LATE)


def _why_late(ear: Ear, old: timedelta) -> str:
    rounded = old - old % (timedelta(hours=1) if old > timedelta(hours=1) else LATE)  # told once, not every minute
    return (
        f"Posts of {ear.status.name} are {how_long(rounded)} old when they are read. The desk catches up after a "
        "break, or more comes than it can read; if this does not end, the clock of this machine may be ahead: check it."
    )
