"""Whether a watch keeps to its budget of false alarms, by the verdicts that people gave. Pure; it changes nothing.

False alarms are taken to come by chance, so a watch overspends only where so many would hardly ever come while it keeps
to its budget. Then a stricter one is proposed: as many times stricter as the false alarms were too many (Gamma-Poisson
posterior mean, where the calibration weighs as much as one false alarm).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from crisisdesk.records import Incident, Kind, Severity, Verdict
from crisisdesk.settings.budget import DAYS_PER_MONTH, in_words, writable
from crisisdesk.text import counted

SPAN: Final = timedelta(days=90)
"""How far back false alarms count."""
MONTH: Final = timedelta(days=DAYS_PER_MONTH)
"""Counts as observed at least: two false alarms in the first week are not nine a month."""
CLEARLY: Final = 0.02
"""Chance of so many false alarms or more within the budget, from which down the watch overspends. It is asked again
after each verdict, so one in twenty would accuse too many watches that keep to their budget."""
ROUNDED: Final = 0.001
"""Surprises are kept in so many digits."""
NAMED: Final = 5
"""Calls that a sentence names by their time."""


@dataclass(frozen=True, slots=True)
class Call:
    """An incident that called somebody: a spike that was amber or red at its worst."""

    incident: str
    watch: str
    time: datetime
    surprise: float
    """The highest it reached; 0 where it was not kept."""
    verdict: Verdict | None

    @classmethod
    def of(cls, incident: Incident) -> "Call | None":
        """The call that an incident was; None for one that called nobody, and for other kinds than spikes."""
        if incident.kind is not Kind.SPIKE or incident.worst < Severity.AMBER:
            return None
        return cls(incident.id, incident.watch, incident.opened, incident.surprise, incident.verdict)


class Ledger:
    """The calls of every watch in the last `SPAN`."""

    def __init__(self) -> None:
        self._calls: defaultdict[str, dict[str, Call]] = defaultdict(dict)

    def take(self, incident: Incident) -> None:
        """Enter an incident, or what has become of it."""
        if call := Call.of(incident):
            calls = self._calls[call.watch]
            calls[call.incident] = call
            for old in [one.incident for one in calls.values() if one.time < incident.updated - SPAN]:
                del calls[old]

    def of(self, watch: str) -> tuple[Call, ...]:
        """The calls of a watch."""
        return tuple(self._calls.get(watch, {}).values())


@dataclass(frozen=True, slots=True)
class Proposal:
    """A stricter budget."""

    per_month: float
    old_threshold: float
    threshold: float
    """Of amber: surprise from which on somebody is called."""

    def spares(self, call: Call) -> bool:
        """Whether the call would not have come."""
        return _below(call, self.threshold)


@dataclass(frozen=True, slots=True)
class Spending:
    """What a watch has spent of its budget."""

    watch: str
    per_month: float
    since: datetime
    """From when on it counts; `SPAN` ago, or when the watch was first heard."""
    whole_span: bool
    allowed: float
    """False alarms that the budget allows in what was heard of this time, a month at least."""
    calls: tuple[Call, ...]
    """Those that come at its present threshold: what came before the budget was made stricter is settled."""
    settled: int
    """False alarms of this time that would not come any more."""
    overspent: bool
    proposal: Proposal | None
    """None while it keeps to its budget, or where there is none that is stricter."""

    @property
    def false_alarms(self) -> tuple[Call, ...]:
        """The calls that were not needed."""
        return tuple(call for call in self.calls if call.verdict is Verdict.FALSE_ALARM)


def spending(
    watch: str,
    per_month: float,
    calls: Iterable[Call],
    *,
    since: datetime,
    now: datetime,
    threshold: Callable[[float], float],
    unheard: Callable[[datetime, datetime], timedelta] = lambda *_: timedelta(0),
) -> Spending:
    """Judge a watch's calls.

    Args:
        watch: its name.
        per_month: its budget of false alarms.
        calls: of this watch; those before the span do not count.
        since: the first hour in which it was heard.
        now: the present.
        threshold: surprise from which a budget (false alarms a month) calls.
        unheard: how long between two moments nobody listened, which allows no false alarms.
    """
    ordered = sorted(calls, key=lambda call: call.time)
    since = min([since, *(call.time for call in ordered[:1])])  # it called, so it was heard, whatever was kept of it
    first = max(since, now - SPAN)
    bar = threshold(per_month) if ordered else 0.0
    lately = [call for call in ordered if call.time >= first]
    counting = tuple(call for call in lately if not _below(call, bar))
    settled = sum(call.verdict is Verdict.FALSE_ALARM and _below(call, bar) for call in lately)
    false = sum(call.verdict is Verdict.FALSE_ALARM for call in counting)
    allowed = per_month * max((now - first - unheard(first, now)) / MONTH, 1.0)
    overspent = chance_of(false, allowed) <= CLEARLY
    stricter = writable(per_month * (allowed + 1) / (false + 1)) if overspent else per_month
    proposal = Proposal(stricter, bar, threshold(stricter)) if stricter < per_month else None
    return Spending(watch, per_month, first, since <= now - SPAN, allowed, counting, settled, overspent, proposal)


def _below(call: Call, threshold: float) -> bool:
    return 0 < call.surprise < threshold - ROUNDED


def chance_of(number: int, expected: float) -> float:
    """Chance of so many or more where so many are expected (Poisson)."""
    fewer = sum(math.exp(k * math.log(expected) - expected - math.lgamma(k + 1)) for k in range(number))
    return max(0.0, 1.0 - fewer)


def spent(found: Spending, zone: tzinfo = UTC) -> str:
    """What was spent, in a sentence or two: "2 false alarms in 90 days; its budget of 1 per month allows 3"."""
    return f"{_balance(found, zone)}{_open_questions(found)}"


def advice(found: Spending, zone: tzinfo = UTC) -> str:
    """What to do about a watch that overspends, with times of that zone; empty for one that does not."""
    if not found.overspent:
        return ""
    false, proposal = found.false_alarms, found.proposal
    said, last = f"{found.watch} overspends: {_balance(found, zone)}", _open_questions(found)
    if proposal is None:
        return f"{said} There is no stricter budget; narrow its terms, or add 'not' terms.{last}"
    spared = sum(map(proposal.spares, false))
    keeps = len(false) - spared <= found.allowed
    said += (
        f' To {"keep to" if keeps else "come nearer to"} it, write false_alarms = "{in_words(proposal.per_month)}": '
    )
    said += f"its threshold would rise from {proposal.old_threshold:.2f} to {proposal.threshold:.2f}, "
    said += _spared(proposal, false, "false alarm", zone)
    if real := [call for call in found.calls if call.verdict is Verdict.REAL]:
        said += f"; {_spared(proposal, real, 'real call', zone)}"
    if not keeps:
        said += f". {len(false) - spared} would be left, so narrow its terms as well, or add 'not' terms"
    return f"{said}. Nothing changes by itself.{last}"


def _balance(found: Spending, zone: tzinfo) -> str:
    budget = f"its budget of {in_words(found.per_month)} allows {_some(found.allowed)}."
    before = f" ({found.settled} more came at the wider budget before)" if found.settled else ""
    return f"{counted(len(found.false_alarms), 'false alarm')} {_while(found, zone)}{before}; {budget}"


def _open_questions(found: Spending) -> str:
    number = sum(call.verdict is None for call in found.calls)
    return f" {counted(number, 'call has', 'calls have')} no verdict yet." if number else ""


def _spared(proposal: Proposal, calls: Sequence[Call], what: str, zone: tzinfo) -> str:
    """`2 of 7 false alarms would not have come (3 May 14:20, 9 May 08:05 UTC)`."""
    spared = [call for call in calls if proposal.spares(call)]
    if not spared:
        return f"{'the' if len(calls) == 1 else 'all'} {counted(len(calls), what)} would still have come"
    times = ", ".join(f"{_day(one.time, zone)} {one.time.astimezone(zone):%H:%M}" for one in spared[:NAMED])
    clock = f"{spared[min(NAMED, len(spared)) - 1].time.astimezone(zone):%Z}"
    more = f" and {len(spared) - NAMED} more" if len(spared) > NAMED else ""
    return f"{len(spared)} of {counted(len(calls), what)} would not have come ({times} {clock}{more})"


def _while(found: Spending, zone: tzinfo) -> str:
    return f"in {SPAN.days} days" if found.whole_span else f"since {_day(found.since, zone)}"


def _day(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%d %b}".lstrip("0")


def _some(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
