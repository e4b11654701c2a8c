"""Services that keep an alarm until it is ended and wake people for each new one: an incident is one alarm there. Pure.

Left to itself, Apprise opens a new alarm in PagerDuty for each message, also for the one that says that it is over; and
Opsgenie, which it asks to close what it does not remember, hears nothing at all.
"""

from collections.abc import Mapping
from typing import Any, Final

from crisisdesk.outputs.people.texts import Tone

_ENDED: Final = {
    "firehydrant": "dedup",
    "goalert": "dedup",
    "goalerts": "dedup",
    "ilert": "dedup",
    "incidentio": "dedup",
    "pagerduty": "dedup",
    "pagertree": "thirdparty",
    "signl4": "external_id",
    "splunk": "entity_id",
    "squadcast": "dedup",
    "victorops": "entity_id",
}
"""Those that end an alarm when they are told that all is well, and what they know it by."""
_OPENED: Final = {"jira": "alias", "opsgenie": "alias"}
"""Those in which Apprise can only open alarms."""


def keeps_alarms(schema: str) -> bool:
    """Whether a service keeps alarms, so that each incident has to be told by itself."""
    return schema in _ENDED or schema in _OPENED


def ends_alarms(schema: str) -> bool:
    """Whether it ends an alarm when it is told that all is well."""
    return schema in _ENDED


def as_alarm(parts: Mapping[str, Any], about: str, tone: Tone) -> dict[str, Any]:
    """An address by which a message concerns the alarm of one incident; what the address itself says, counts.

    Args:
        parts: of the address, as Apprise reads it.
        about: the incident's id.
        tone: of the message; where alarms cannot be ended, what calls nobody has an alarm of its own.
    """
    schema = parts["schema"]
    if not (key := _ENDED.get(schema) or _OPENED.get(schema)) or not about:
        return dict(parts)
    if schema in _OPENED and tone in {Tone.NEWS, Tone.ALL_CLEAR}:
        about = f"{about}-news"
    action = "map" if schema in _ENDED else "new"
    return {**parts, key: parts.get(key) or about, "action": parts.get("action") or action}
