"""The weekly report: what a desk knows of every watch that called nobody, as text and for machines."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

import orjson

from crisisdesk.cli.terminal import clocks, say
from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.restored import DAMAGED
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.unheard import gaps, unheard_hours
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.detect.weeks import Week
from crisisdesk.engine.listening import Listening
from crisisdesk.engine.overview import spending_of
from crisisdesk.incidents.spending import SPAN, Call, Spending, advice, spent
from crisisdesk.records import EPOCH, Incident, Kind
from crisisdesk.settings.budget import in_words
from crisisdesk.storage.snapshot import snapshot
from crisisdesk.storage.store import Store
from crisisdesk.text import counted

HOUR: Final = timedelta(hours=1)
LATELY: Final = timedelta(days=7)
KEPT: Final = "watch "
"""What the names begin with under which a desk keeps what its watches have learnt."""
HEARD: Final = "hearing"
"""The name under which it keeps until when it has listened."""
STILL: Final = timedelta(days=1)
"""After so long without a word the desk is off, or was never live."""
GAP_TOLD: Final = timedelta(hours=6)
"""A gap is told from so long on,"""
GAPS_TOLD: Final = 5
"""the longest so many of them."""
GONE: Final = timedelta(days=4)
"""After so long no source brings what was said meanwhile, and no missing one makes the others doubtful."""
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
    unheard: Sequence[datetime]
    """Hours since it began in which nobody listened, or nobody can tell; oldest first."""
    now: datetime
    """The moment of which it tells."""


async def weekly(path: Path, standards: Mapping[str, Standard], now: datetime) -> list[WatchReport]:
    """Of every watch; of those that the database knows where none is given.

    Of a desk that has not run for a day, and of a recording, it is told as it was when it last heard something.

    Raises:
        StorageError: the database cannot be read.
    """
    with snapshot(path) as copy:
        async with await Store.open(copy, durable=False) as store:
            until, hearing = _listened(await store.kept(HEARD))
            now = _present(path, until, standards, now)
            incidents = await store.incidents_since(now - SPAN)
            kept = [name.removeprefix(KEPT) for name in await store.names() if name.startswith(KEPT)]
            states = {name: await store.kept(KEPT + name) for name in standards or kept}
    told = [one for one in incidents if one.kind is not Kind.BLIND]  # of sources, and of who does not speak
    by_watch = {name: [one for one in told if one.watch == name] for name in states}
    return [
        _report(_restored(name, standards.get(name, Standard()), hearing, state), by_watch[name], now)
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


def _listened(kept: bytes | None) -> tuple[datetime | None, Hearing]:
    """Until when the desk has listened, None where that is not known, and what it has not heard."""
    listening = Listening(EPOCH)
    if kept is None:
        return None, listening.hearing
    try:
        listening.restore(orjson.loads(kept))
    except DAMAGED:
        return None, Hearing()
    return listening.until, listening.hearing


def _present(path: Path, until: datetime | None, standards: Mapping[str, Standard], now: datetime) -> datetime:
    """Now, or when the desk last heard something if that is long ago, which is then told."""
    if until is None:
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
    zone = detector.standard.zone or UTC
    weeks = detector.weeks()
    counted_any = any(week.total or week.left_out for week in weeks)
    yield from (_week(week, told) for week in weeks if counted_any)
    yield f"  {COUNTED if counted_any else _nothing_yet(told)}"
    yield from (f"  {line}" for line in _gaps(told.unheard, zone))
    if rise := detector.slow_rise():
        said = rise.told(detector.name)
        yield from (f"  {said.en}", f"  {said.de}")
    yield f"  Last 7 days: {_incidents(told)}{_deaf_lately(told)}"
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
                "hours_unheard": _unheard(week, told),
            }
            for week in told.detector.weeks()
        ],
        "rise": _rise(told.detector),
        "incidents": _worst(told),
        "verdicts": _verdicts(told),
        "budget": _budget(told.spent, told.detector.standard.zone or UTC),
    }


def _restored(name: str, standard: Standard, hearing: Hearing, state: bytes | None) -> WatchDetector:
    detector = WatchDetector(name, standard, hearing=hearing)
    if state is not None:
        try:
            damaged = detector.restore(orjson.loads(state))
        except DAMAGED:
            say(f"What {name} had learnt is damaged or was written by another version; its weeks cannot be told.")
            return WatchDetector(name, standard, hearing=hearing)
        if damaged:
            say(f"Of what {name} had learnt, this is damaged or was written by another version: {', '.join(damaged)}.")
    return detector


def _report(detector: WatchDetector, incidents: Sequence[Incident], now: datetime) -> WatchReport:
    detector.pass_time(now)
    calls = [call for one in incidents if (call := Call.of(one))]
    lately = tuple(one for one in incidents if one.opened >= now - LATELY)
    unheard = unheard_hours(detector.detector.hearing, detector.since, now)
    return WatchReport(detector, lately, spending_of(detector, calls, now), unheard, now)


def _week(week: Week, told: WatchReport) -> str:
    deaf, present = _unheard(week, told), week.start + LATELY > told.now
    if deaf and not (week.total or week.left_out) and deaf * HOUR >= _lasted(week, told):
        return f"  {week.name}          - nothing was heard"
    part = week.share
    share = f"  {f'{part:.0%}':>4} negative  {'#' * round(part * BAR)}".rstrip() if part is not None else ""
    left_out = f"without {counted(week.left_out, 'hour')} that stood out" if week.left_out else ""
    unheard = f"{counted(deaf, 'hour was', 'hours were')} not heard in full" if deaf else ""
    notes = ", ".join(filter(None, ["so far" if present else "", left_out, unheard]))
    return f"  {week.name}{week.total:>10,} posts{share}{f'  ({notes})' if notes else ''}"


def _unheard(week: Week, told: WatchReport) -> int:
    """Hours of a week in which nobody listened."""
    return sum(week.start <= hour < week.start + LATELY for hour in told.unheard)


def _lasted(week: Week, told: WatchReport) -> timedelta:
    """How much of a week the watch has been there, in full hours."""
    lasted = min(week.start + LATELY, told.now) - max(week.start, told.detector.since)
    return lasted - lasted % HOUR


def _nothing_yet(told: WatchReport) -> str:
    if told.incidents or told.detector.last_hour()[1]:
        return "No hour has been counted yet: each is when it is over."
    return "Nothing has been counted yet."


def _gaps(unheard: Sequence[datetime], zone: tzinfo) -> Iterator[str]:
    """The longest gaps, oldest first; of shorter ones the weeks tell the hours."""
    found = [(start, end) for start, end in gaps(unheard) if end - start >= GAP_TOLD]
    for start, end in sorted(sorted(found, key=lambda gap: gap[0] - gap[1])[:GAPS_TOLD]):
        what = "Nothing was heard" if end - start >= GONE else "Nothing, or not everything, was heard"
        first, last = (f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in (start, end))
        yield f"{what} from {first} to {last} {end.astimezone(zone):%Z}."


def _deaf_lately(told: WatchReport) -> str:
    deaf = sum(hour + HOUR > told.now - LATELY for hour in told.unheard)
    return f" Of their {LATELY // HOUR} hours {deaf} were not heard in full." if deaf else ""


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
