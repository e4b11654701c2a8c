"""All that waits about one incident: what it comes to, as a headline and as a piece of news. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from crisisdesk.names import same
from crisisdesk.outputs.people.texts.harmless import harmless, harmless_notification
from crisisdesk.outputs.people.texts.reader import Reader, Tone
from crisisdesk.records import Cause, Change, Event, Incident, Notification, Severity, State
from crisisdesk.text import shorten

NOTE_LENGTH: Final = 500
_TONES: Final = {Severity.RED: Tone.ALARM, Severity.AMBER: Tone.WARNING, Severity.NOTICE: Tone.NEWS}


@dataclass(frozen=True, slots=True)
class Matter:
    """What became of one incident. All its texts are harmless."""

    incident: Incident
    """As it was after the newest change."""
    change: Change
    """The newest."""
    zone_of: str
    """The name of the watch as it is set, by whose clocks times are told."""
    unheard: bool
    """Whether people were to be called for it and have not heard of that yet."""
    handed: Notification | None
    """The newest asking to take it."""

    @property
    def calls(self) -> bool:
        """Whether somebody is to do something; otherwise it is news."""
        if self.change.event.is_call:
            return self.incident.state is State.OPEN
        return self.incident.is_open and not self.change.event.is_all_clear

    @property
    def urgency(self) -> tuple[bool, bool, Severity, datetime]:
        """What is greater comes first."""
        return self.calls, self.change.event is Event.UNANSWERED, self.incident.severity, self.change.time

    @property
    def tone(self) -> Tone:
        """How urgent it is."""
        if not self.calls:
            return Tone.ALL_CLEAR if self.incident.state is State.RESOLVED else Tone.NEWS
        if self.change.event is Event.RAISED:  # to who has it
            return Tone.NEWS
        return Tone.ALARM if self.change.event is Event.UNANSWERED else _TONES[self.incident.severity]


def matters(notifications: Sequence[Notification]) -> list[Matter]:
    """What notifications come to, of one incident the oldest first; the most urgent matter first."""
    waiting: dict[str, list[Notification]] = {}
    for notification in notifications:
        waiting.setdefault(notification.incident.id, []).append(notification)
    return sorted(map(_matter, waiting.values()), key=lambda one: one.urgency, reverse=True)


def _matter(some: Sequence[Notification]) -> Matter:
    newest = harmless_notification(some[-1])
    asked = next((one for one in reversed(some) if one.change.event is Event.ASSIGNED), None)
    return Matter(
        newest.incident,
        newest.change,
        some[-1].incident.watch,
        unheard=any(one.change.event.is_call for one in some),
        handed=harmless_notification(asked) if asked else None,
    )


def headline(matter: Matter, reader: Reader) -> str:
    """Severity, brand, number and ratio; loud where nobody has answered, with a name where it is handed over."""
    words, said = reader.words, reader.words.headline(matter.incident)
    if matter.change.event is Event.UNANSWERED:
        return f"{words.unanswered(matter.incident)}: {said}"
    if matter.change.event is Event.ASSIGNED:
        return words.handed_headline(said, matter.change, to=_to(matter.incident, reader))
    return said


def reason(matter: Matter, reader: Reader) -> str:
    """Why it is told, in a sentence; empty where the headline says it, or there is nothing to say."""
    words, incident = reader.words, matter.incident
    if matter.change.event is Event.CALLED:
        return words.called(incident)
    if matter.change.event is Event.RAISED:
        return words.called(replace(incident, cause=Cause.WORSE))
    return _note(matter.handed) if matter.handed else ""


def handed_over(asked: Notification, reader: Reader) -> str:
    """Who asks whom to take it, and the note that goes with it."""
    return reader.words.handed_over(asked.change, to=_to(asked.incident, reader), note=_note(asked))


def news(matter: Matter, reader: Reader, *, brief: bool = False) -> str:
    """That somebody has it, wants quiet, or that it is over; with the figures for who has not heard of it before."""
    incident, change = matter.incident, matter.change
    moment = change.time
    if change.event is Event.SILENCED and incident.silenced_until:
        moment = incident.silenced_until
    elif incident.resolved_at and not incident.is_open:
        moment = incident.resolved_at
    elif incident.state is State.ACKNOWLEDGED and incident.acknowledged_at:
        moment = incident.acknowledged_at
    when = reader.when(moment, change.time, matter.zone_of)
    about = reader.words.headline(incident) if matter.unheard and not brief else shorten(incident.watch, 60)
    return reader.words.news(change, incident, about, when)


def lines(some: Sequence[Matter], reader: Reader) -> Iterator[str]:
    """A line for each."""
    for matter in some:
        said = headline(matter, reader) if matter.calls else news(matter, reader)
        yield f"– {shorten(said, 300)}"


def _note(asked: Notification) -> str:
    """In the timeline it stands behind the name."""
    note = asked.change.reason.removeprefix(f"to {asked.incident.assigned_to}").removeprefix(": ")
    return shorten(note, NOTE_LENGTH)


def _to(incident: Incident, reader: Reader) -> str | None:
    """Who is asked to take it; None for the reader."""
    asked, own = incident.assigned_to or "", harmless(reader.person or "", 100)
    return None if own and same(asked, own) else asked
