"""Where an incident stands with people: who was called and who is next, who is asked to take it, who wants quiet."""

from collections.abc import Iterator
from datetime import datetime

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import plain
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.page import Line
from crisisdesk.oncall.decide import Do
from crisisdesk.oncall.prospect import Prospect
from crisisdesk.records import Incident, State

MOST = 3
"""Lines that each of these takes at most; the timeline has the rest."""


def held(incident: Incident, told: str, cells: int) -> Content:
    """`told`, which says who has it, as loud as it has to be."""
    if words.is_unanswered(incident):
        return plain(told, "bold $error", cells=cells)
    free = "bold $warning" if incident.state is State.OPEN else "$success"
    return plain(told, free if incident.is_open else "$faint", cells=cells)


def standing_lines(incident: Incident, prospect: Prospect, now: datetime, times: Times) -> Iterator[Line]:
    """A line each for the calling, the hand-over and the silence, as far as there is anything to say."""
    if told := _calling(incident, prospect, now, times):
        loud = words.is_unanswered(incident)
        sign = Content.styled("NOBODY HAS ANSWERED  ", "bold $error") if loud else Content()
        yield Line(plain(told, "bold $error" if loud else "$warning"), sign=sign, most=MOST)
    if incident.is_open and incident.assigned_to:
        asked = f"Handed over to {incident.assigned_to}, who has not taken it yet."
        yield Line(plain(asked, "$accent"), most=MOST)
    if incident.silence and incident.is_silent(now):
        until, by = times.when(incident.silence.until), incident.silence.person
        quiet = f"Silent until {until}, or until it gets worse, by {by}: “{incident.silence.reason}”. s lifts it."
        yield Line(plain(quiet, "$accent"), most=MOST)


def _calling(incident: Incident, prospect: Prospect, now: datetime, times: Times) -> str:
    """Who was called and what the desk does next by itself."""
    if not incident.is_open:
        return ""
    if incident.state is State.ACKNOWLEDGED:
        return _lapse(incident, prospect, now, times)
    calling, called = incident.calling, prospect.called
    if calling is None:
        return "" if incident.is_silent(now) else _first(prospect, now, times)
    last = times.said(calling.at, now)
    if calling.exhausted:
        all_called = f"All were called as often as agreed{f' ({called})' if called else ''}, until {last}."
        return f"{all_called if incident.told else 'Nobody could be reached.'} Press a if you have it."
    so_far = f"Called {called}, at {last}" if called else f"Called at {last}"
    return " ".join(filter(None, [f"{so_far}; no answer yet.", _next(prospect, now, times)]))


def _first(prospect: Prospect, now: datetime, times: Times) -> str:
    """Of an incident that has called nobody yet, or nobody since it was free again."""
    if prospect.do is not Do.CALL or prospect.at is None:
        return ""
    if prospect.at <= now:
        return f"Calls {prospect.to} now."
    return f"Calls {prospect.to} at {times.said(prospect.at, now)} ({prospect.why})."


def _next(prospect: Prospect, now: datetime, times: Times) -> str:
    if prospect.at is None:
        return ""
    at = times.said(prospect.at, now)
    if prospect.do is Do.GIVE_UP:
        return f"There is nobody left to call: at {at} all are told that nobody has answered."
    return f"Next at {at}: {prospect.to}."


def _lapse(incident: Incident, prospect: Prospect, now: datetime, times: Times) -> str:
    """Until when who has it has it, if they do nothing."""
    if prospect.do is not Do.LAPSE or prospect.at is None:
        return ""
    at = times.said(prospect.at, now)
    return f"{incident.acknowledged_by} has it until {at} if nothing is done; then it calls again. A note is enough."
