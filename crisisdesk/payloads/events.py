"""What machines are told, as CloudEvents 1.0 in structured JSON: the same over MQTT and over HTTP.

A repetition has the same `id` and, of a change, the same bytes, so that consumers can drop it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import orjson

from crisisdesk.payloads.incident import change_data, incident_data
from crisisdesk.records import Event, Incident, Notification, stamp

CONTENT_TYPE: Final = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """One event: what a router needs of it, and what it says."""

    attributes: Mapping[str, str]
    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Letters, digits and hyphens."""
        return self.attributes["id"]

    def body(self) -> bytes:
        """All of it as JSON."""
        return orjson.dumps({**self.attributes, "data": self.data})


def of_change(told: Notification, desk: str) -> CloudEvent:
    """What has happened to an incident, and the incident as it was right after that."""
    change = told.change
    return _of_incident(change.id, change.event, change.time, told.incident, desk, change=change_data(change))


def of_state(incident: Incident, desk: str) -> CloudEvent:
    """A state without its change: the id is the same until the incident moves, so a repetition can be dropped."""
    event = Event.ACKNOWLEDGED if incident.acknowledged_by else Event.OPENED
    name = f"{incident.id}-state-{incident.updated.astimezone(UTC):%Y%m%dt%H%M%S%fz}"
    return _of_incident(name, event, incident.updated, incident, desk)


def of_heartbeat(now: datetime, data: Mapping[str, object], desk: str) -> CloudEvent:
    """How the desk itself is doing."""
    attributes = _attributes(f"heartbeat-{now:%Y%m%dt%H%M%S%f}z", "crisisdesk.heartbeat", desk, now, desk)
    return CloudEvent(attributes, dict(data))


def _of_incident(
    name: str, event: Event, time: datetime, incident: Incident, desk: str, **besides: Mapping[str, object]
) -> CloudEvent:
    attributes = _attributes(name, f"crisisdesk.incident.{event.value}", incident.id, time, desk)
    return CloudEvent(attributes, {"incident": incident_data(incident), **besides})


def _attributes(name: str, kind: str, subject: str, time: datetime, desk: str) -> dict[str, str]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": f"/crisisdesk/{quote(desk, safe='')}",
        "type": kind,
        "subject": subject,
        "time": stamp(time),
        "datacontenttype": "application/json",
    }
