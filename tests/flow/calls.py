"""The night of the Motrin case as people are told of it, and somebody to tell."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from webhooks import SetClock

from crisisdesk.outputs.people.limit import Limit
from crisisdesk.outputs.people.output import NotifyOutput
from crisisdesk.outputs.people.service import Address
from crisisdesk.outputs.people.texts import Reader
from crisisdesk.records import (
    Calling,
    Cause,
    Change,
    Chosen,
    Event,
    Evidence,
    Incident,
    Kind,
    Notification,
    Numbers,
    Phrase,
    PlaybookRef,
    Quote,
    Severity,
    State,
)

NIGHT = datetime(2008, 11, 15, 13, 10, tzinfo=UTC)
LINK = "https://desk.example/incidents/{incident}"


def quote(number: int, text: str, role: Chosen | None = None, **more: Any) -> Quote:
    url = f"https://bsky.app/profile/mom{number}/post/{number}"
    fields: dict[str, Any] = {"author": f"mom{number}.bsky.social", "reach": 1_200 * number, "url": url, **more}
    return Quote(id=str(number), source="bluesky", time=NIGHT, text=text, negative=0.9, role=role, **fields)


EVIDENCE = Evidence(
    phrases=(Phrase("wearing your baby", 41, 0.0), Phrase("#motrinmoms", 33, 0.0)),
    posts=(
        quote(1, "I carry my baby because I love her, not as a fashion statement.", Chosen.TYPICAL),
        quote(2, "Never again.", Chosen.TYPICAL),
        quote(9, "This ad is offensive to every mother out there.", Chosen.WIDEST),
        quote(3, "Just saw the ad. Wow.", Chosen.NEWEST, copies=12),
    ),
)
MOTRIN = Incident(
    "motrin-1",
    "Motrin",
    Kind.SPIKE,
    State.OPEN,
    Severity.RED,
    NIGHT - timedelta(minutes=5),
    NIGHT,
    Numbers(60, 84, 131, 6.2, 71, 0.64, 0.3, 1e-9),
    "84 negative posts by 71 people within one hour, where 6 are usual.",
    EVIDENCE,
    PlaybookRef("ad", "Offensive advertisement", "Take the advertisement down everywhere."),
    why_de="84 negative Beiträge von 71 Menschen innerhalb einer Stunde, üblich sind 6.",
    cause=Cause.NEW,
    calling=Calling("red", 1, 1, 1, NIGHT),
)
ENGLISH = Reader("en", "Anna Berg", {"Motrin": ZoneInfo("America/New_York")}, link=LINK)
GERMAN = Reader("de", "Anna Berg", {}, ZoneInfo("Europe/Berlin"), LINK)


def told(event: Event = Event.CALLED, incident: Incident = MOTRIN, sequence: int = 1, **more: Any) -> Notification:
    """A change of an incident, as an address is owed it."""
    change = Change(incident.id, sequence, event, more.pop("time", NIGHT), incident.severity, **more)
    return Notification(change, incident)


def another(number: int, severity: Severity = Severity.AMBER, **more: Any) -> Incident:
    """One of many other brands."""
    return replace(MOTRIN, id=f"brand-{number}", watch=f"Brand {number}", severity=severity, **more)


def anna(url: str, patience: float = 30.0, reader: Reader = ENGLISH) -> NotifyOutput:
    """Somebody with this address."""
    address = Address(url, "ANNA_PUSH")
    return NotifyOutput("push to Anna Berg", address, reader=reader, clock=SetClock(), limit=Limit(), patience=patience)
