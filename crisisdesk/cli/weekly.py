"""The weekly report: what a desk knows of every watch that called nobody, as text and for machines."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

import orjson

from crisisdesk.cli.terminal import clocks, say
from crisisdesk.detect.restored import DAMAGED
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.detect.weeks import Week
from crisisdesk.incidents.snapshot import snapshot
from crisisdesk.incidents.spending import SPAN, Call, Spending, advice, spent
from crisisdesk.incidents.store import Store
from crisisdesk.overview import spending_of
from crisisdesk.records import Incident
from crisisdesk.settings.budget import in_words
from crisisdesk.text import counted

LATELY: Final = timedelta(days=7)
KEPT: Final = "watch "
"""What the names begin with under which a desk keeps what its watches have learnt."""
HEARD: Final = "hearing"
"""The name under which it keeps until when it has listened."""
STILL: Final = timedelta(days=1)
"""After so long without a word the desk is off, or was never live."""
BAR: Final = 24
"""Signs of the bar of a week in which every post is negative."""
COUNTED: Final = (
    "Counted are people's posts: no copies, none beyond two an hour of one author, and no hour that stood out as a "
    "crisis does, which is told as an incident."
)


@dataclass(frozen=True, slots=True)
class WatchReport:
    """What there is to say of one watch."""

    detector: WatchDetector
    incidents: tuple[Incident, ...]
    """Of the last seven days."""
    spent: Spending


async def weekly(path: Path, standards: Mapping[str, Standard], now: datetime) -> list[WatchReport]:
    """Of every watch; of those that the database knows where none is given.

    Of a desk that has not run for a day, and of a recording, it is told as it was when it last heard something.

    Raises:
        StorageError: the database cannot be read.
    """
    with snapshot(path) as copy:
        async with await Store.open(copy, durable=False) as store:
            now = _present(path, await store.kept(HEARD), standards, now)
            incidents = await store.incidents_since(now - SPAN)
            kept = [name.removeprefix(KEPT) for name in await store.names() if name.startswith(KEPT)]
            states = {name: await store.kept(KEPT + name) for name in standards or kept}
    by_watch = {name: [one for one in incidents if one.watch == name] for name in states}
    return [
        _report(_restored(name, standards.get(name, Standard()), state), by_watch[name], now)
        for name, state in states.items()
    ]


async def keep_learnt(path: Path, detectors: Iterable[WatchDetector], until: datetime) -> None:
    """Write what the watches of a recording have learnt into its database, as a desk that ran until then would have.

    Raises:
        StorageError: it cannot be written.
    """
    async with await Store.open(path, durable=False) as store:
        for detector in detectors:
            await store.keep(KEPT + detector.name, orjson.dumps(detector.state()))
        await store.keep(HEARD, orjson.dumps({"until": until.timestamp(), "gaps": [], "live": {}}))


def _present(path: Path, heard: bytes | None, standards: Mapping[str, Standard], now: datetime) -> datetime:
    """Now, or when the desk last heard something if that is long ago, which is then told."""
    if heard is None:
        return now
    try:
        state = orjson.loads(heard)
        until = datetime.fromtimestamp(state["until"] if isinstance(state, dict) else state[0], UTC)
    except (ArithmeticError, LookupError, OSError, TypeError, ValueError):
        return now
    if now - until < STILL:
        return now
    times = clocks(next((standard.zone for standard in standards.values() if standard.zone), None))
    moment = f"{times.local(until):%Y-%m-%d %H:%M} {times.name(until)}"
    say(f"{path} has heard nothing after {moment}; this is how things stood then.")
    return until


def as_text(told: WatchReport) -> Iterator[str]:
    """The lines of one watch."""
    detector = told.detector
    yield detector.name
    weeks = detector.weeks()
    heard = any(week.total for week in weeks)
    yield from (_week(week, present=week is weeks[-1]) for week in weeks if heard)
    yield f"  {COUNTED}" if heard else "  Nothing has been counted yet."
    if rise := detector.slow_rise():
        said = rise.told(detector.name)
        yield from (f"  {said.en}", f"  {said.de}")
    yield f"  Last 7 days: {_incidents(told)}"
    zone = detector.standard.zone or UTC
    yield f"  {advice(told.spent, zone) or spent(told.spent, zone)}"


def as_object(told: WatchReport) -> dict[str, object]:
    """The same for machines."""
    return {
        "report": "weekly",
        "watch": told.detector.name,
        "weeks": [
            {
                "week": week.name,
                "posts": week.total,
                "negative": week.negative,
                "share": _rounded(week.share),
                "hours_left_out": week.left_out,
            }
            for week in told.detector.weeks()
        ],
        "rise": _rise(told.detector),
        "incidents": _worst(told),
        "verdicts": _verdicts(told),
        "budget": _budget(told.spent, told.detector.standard.zone or UTC),
    }


def _restored(name: str, standard: Standard, state: bytes | None) -> WatchDetector:
    detector = WatchDetector(name, standard)
    if state is not None:
        try:
            damaged = detector.restore(orjson.loads(state))
        except DAMAGED:
            say(f"What {name} had learnt is damaged or was written by another version; its weeks cannot be told.")
            return WatchDetector(name, standard)
        if damaged:
            say(f"Of what {name} had learnt, this is damaged or was written by another version: {', '.join(damaged)}.")
    return detector


def _report(detector: WatchDetector, incidents: Sequence[Incident], now: datetime) -> WatchReport:
    detector.pass_time(now)
    calls = [call for one in incidents if (call := Call.of(one))]
    lately = tuple(one for one in incidents if one.opened >= now - LATELY)
    return WatchReport(detector, lately, spending_of(detector, calls, now))


def _week(week: Week, *, present: bool) -> str:
    part = week.share
    told = f"  {f'{part:.0%}':>4} negative  {'#' * round(part * BAR)}".rstrip() if part is not None else ""
    left_out = f"without {counted(week.left_out, 'hour')} that stood out" if week.left_out else ""
    notes = ", ".join(filter(None, ["so far" if present else "", left_out]))
    return f"  {week.name}{week.total:>10,} posts{told}{f'  ({notes})' if notes else ''}"


def _incidents(told: WatchReport) -> str:
    if not told.incidents:
        return "no incident."
    worst = ", ".join(f"{number} {severity}" for severity, number in _worst(told).items() if number)
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in _verdicts(told).items() if number)
    return f"{worst}; {verdicts}."


def _worst(told: WatchReport) -> dict[str, int]:
    """Incidents by how bad they were at their worst."""
    found = Counter(str(one.worst) for one in told.incidents)
    return {severity: found[severity] for severity in ("red", "amber", "notice")}


def _verdicts(told: WatchReport) -> dict[str, int]:
    found = Counter(one.verdict.value if one.verdict else "without a verdict" for one in told.incidents)
    return {verdict: found[verdict] for verdict in ("real", "false alarm", "planned", "without a verdict")}


def _rise(detector: WatchDetector) -> dict[str, object] | None:
    if (rise := detector.slow_rise()) is None:
        return None
    said = rise.told(detector.name)
    return {
        "from": _rounded(rise.before),
        "to": _rounded(rise.share),
        "weeks": rise.weeks,
        "en": said.en,
        "de": said.de,
    }


def _budget(found: Spending, zone: tzinfo) -> dict[str, object]:
    proposal = found.proposal
    return {
        "false_alarms": in_words(found.per_month),
        "allowed": round(found.allowed, 2),
        "spent": len(found.false_alarms),
        "overspent": found.overspent,
        "proposal": in_words(proposal.per_month) if proposal else None,
        "would_not_have_come": [call.incident for call in found.calls if proposal and proposal.spares(call)],
        "text": advice(found, zone) or spent(found, zone),
    }


def _rounded(part: float | None) -> float | None:
    return None if part is None else round(part, 4)
