"""What others ask of the desk by message: what it means, whether it is allowed, what came of it.

    acknowledge   incident, person
    note          incident, person, note
    silence       incident, person, reason, and minutes or until
    resolve       incident, person, verdict

A payload is a JSON object of these keys. What cannot be done is answered with a sentence for a person.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any, Final, Protocol

import orjson

from crisisdesk.clock import Clock
from crisisdesk.errors import CrisisdeskError, UsageError
from crisisdesk.incidents.acts import LONGEST_SILENCE
from crisisdesk.payloads.incident import incident_data
from crisisdesk.records import Incident, Verdict
from crisisdesk.settings.mqtt import COMMANDS
from crisisdesk.text import clean, unforeseen

MOST_BYTES: Final = 8_192
"""Bytes of a payload."""
NAME_LENGTH: Final = 100
TEXT_LENGTH: Final = 2_000
LONGEST_MINUTES: Final = LONGEST_SILENCE // timedelta(minutes=1)

_KEYS: Final = {
    "acknowledge": ("incident", "person"),
    "note": ("incident", "person", "note"),
    "silence": ("incident", "person", "reason", "minutes", "until"),
    "resolve": ("incident", "person", "verdict"),
}
_EXAMPLES: Final = {
    "incident": '"incident": "motrin-20081115t034000z"',
    "person": '"person": "Anna Berg"',
    "note": '"note": "called the agency"',
    "reason": '"reason": "statement goes out at nine"',
    "minutes": '"minutes": 60',
    "until": '"until": "2008-11-15T08:00:00Z"',
    "verdict": '"verdict": "real"',
}


class Actions(Protocol):
    """What can be asked of a desk; see `Desk` for what each does and raises."""

    async def acknowledge(self, incident: str, person: str) -> Incident: ...

    async def note(self, incident: str, person: str, text: str) -> Incident: ...

    async def silence(self, incident: str, person: str, until: datetime, reason: str) -> Incident: ...

    async def resolve(self, incident: str, person: str, verdict: Verdict) -> Incident: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a command."""

    incident: Incident | None = None
    """As it is after it; None where nothing was done."""
    error: str = ""
    """Why nothing was done, and what to do about it."""

    def body(self) -> bytes:
        """`{"ok": true, "incident": {…}}`, or `{"ok": false, "error": "…"}`."""
        if self.incident is not None:
            return orjson.dumps({"ok": True, "incident": incident_data(self.incident)})
        return orjson.dumps({"ok": False, "error": self.error})


class Commands:
    """Obeys those commands that are allowed.

    Args:
        desk: who does it, asked for at each command.
        allowed: of `COMMANDS`, those that are obeyed.
        clock: tells when `minutes` begin.
    """

    def __init__(self, desk: Callable[[], Actions], allowed: Collection[str], clock: Clock) -> None:
        self._desk = desk
        self._allowed = tuple(one for one in COMMANDS if one in allowed)
        self._clock = clock
        self._doing = {
            "acknowledge": self._acknowledge,
            "note": self._note,
            "silence": self._silence,
            "resolve": self._resolve,
        }

    async def obey(self, command: str, payload: bytes) -> Answer:
        """Do it, or say why not; never raises what a stranger can cause."""
        try:
            self._refuse(command)
            return Answer(await self._doing[command](_Order(command, payload)))
        except CrisisdeskError as error:
            return Answer(error=str(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours must not silence whoever asks next
            return Answer(error=unforeseen(error))

    def _refuse(self, command: str) -> None:
        if command not in COMMANDS:
            raise UsageError(f"There is no command '{clean(command, 40)}'; {_nearest(command, COMMANDS)}")
        if command not in self._allowed:
            raise UsageError(
                f"The command {command} is not allowed here; allowed are: {', '.join(self._allowed)}. Whoever runs the"
                " desk can add it to 'commands' of this output."
            )

    def _acknowledge(self, order: "_Order") -> Awaitable[Incident]:
        return self._desk().acknowledge(order.name("incident"), order.name("person"))

    def _note(self, order: "_Order") -> Awaitable[Incident]:
        return self._desk().note(order.name("incident"), order.name("person"), order.text("note"))

    def _silence(self, order: "_Order") -> Awaitable[Incident]:
        until = order.until(self._clock.now())
        return self._desk().silence(order.name("incident"), order.name("person"), until, order.text("reason"))

    def _resolve(self, order: "_Order") -> Awaitable[Incident]:
        return self._desk().resolve(order.name("incident"), order.name("person"), order.verdict())


class _Order:
    """A payload, read."""

    def __init__(self, command: str, payload: bytes) -> None:
        self._command = command
        self._values = _values(payload)
        for key in self._values:
            if key not in _KEYS[command]:
                raise UsageError(f"{command}: unknown key '{clean(key, 40)}'; {_nearest(key, _KEYS[command])}")

    def name(self, key: str) -> str:
        """A name of one line."""
        return self.text(key, NAME_LENGTH)

    def text(self, key: str, most: int = TEXT_LENGTH) -> str:
        """A text that says something."""
        value = self._values.get(key)
        if value is None:
            raise UsageError(f"{self._command}: '{key}' is missing; add {_EXAMPLES[key]}.")
        if not isinstance(value, str) or not (cleaned := clean(value, most + 1)) or len(cleaned) > most:
            raise self._wrong(key, f"must be a text of at most {most:,} characters")
        return cleaned

    def verdict(self) -> Verdict:
        """What it was."""
        value, verdicts = self.text("verdict"), [one.value for one in Verdict]
        if value not in verdicts:
            raise UsageError(f"{self._command}: '{clean(value, 40)}' is no verdict; {_nearest(value, verdicts)}")
        return Verdict(value)

    def until(self, now: datetime) -> datetime:
        """The end of a silence."""
        minutes, until = self._values.get("minutes"), self._values.get("until")
        if (minutes is None) == (until is None):
            either = f"either {_EXAMPLES['minutes']} or {_EXAMPLES['until']}"
            raise UsageError(f"{self._command}: when the silence ends has to be said once, {either}.")
        if until is not None:
            return self._moment(until)
        if not isinstance(minutes, int | float) or isinstance(minutes, bool) or not 0 < minutes <= LONGEST_MINUTES:
            raise self._wrong(
                "minutes", f"must be a number of at most {LONGEST_MINUTES:,}, which are {LONGEST_SILENCE.days} days"
            )
        return now + timedelta(minutes=minutes)

    def _moment(self, value: object) -> datetime:
        try:
            moment = datetime.fromisoformat(value if isinstance(value, str) else "")
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self._wrong("until", "must be a moment with its zone")

    def _wrong(self, key: str, what: str) -> UsageError:
        return UsageError(f"{self._command}: '{key}' {what}, such as {_EXAMPLES[key]}.")


def _values(payload: bytes) -> dict[str, Any]:
    if len(payload) > MOST_BYTES:
        raise UsageError(f"The command is too long; {MOST_BYTES:,} bytes are enough.")
    try:
        values = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"The command is no JSON ({clean(str(error), 100)}); it has to be an object.") from None
    if not isinstance(values, dict):
        raise UsageError(f"The command has to be a JSON object, such as {{{_EXAMPLES['incident']}, …}}.")
    return values


def _nearest(wrong: str, right: Collection[str]) -> str:
    near = [one for one in right if one.startswith(wrong[:40])] or get_close_matches(wrong[:40], right, n=1)
    return f"did you mean '{near[0]}'?" if wrong and near else f"it can be: {', '.join(right)}."
