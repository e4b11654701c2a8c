"""What others ask of the desk in JSON, by message or over HTTP: what it means, whether it can be, what came of it.

    acknowledge   incident, person, and instead_of
    assign        incident, person, to, and note
    silence       incident, person, reason, and minutes or until
    lift          incident, person
    note          incident, person, note
    resolve       incident, person, verdict
    judge         incident, person, verdict

    take, give_back, answer   inquiry, person
    pass_over                 inquiry, person, and reason
    forget                    person, and author (with source) or post

A payload is an object of these keys. What cannot be done is answered with a sentence for a person.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

import orjson

from crisisdesk.clock import Clock
from crisisdesk.desk import Desk
from crisisdesk.errors import CrisisdeskError, UsageError
from crisisdesk.incidents.acts import LONGEST_SILENCE
from crisisdesk.payloads.incident import incident_data
from crisisdesk.privacy.erasure import Erased, Wanted
from crisisdesk.records import Incident, Inquiry, Verdict
from crisisdesk.settings.mqtt import COMMANDS
from crisisdesk.text import clean, unforeseen

T = TypeVar("T")

MOST_BYTES: Final = 8_192
"""Bytes of a payload."""
NAME_LENGTH: Final = 100
TEXT_LENGTH: Final = 2_000
LONGEST_MINUTES: Final = LONGEST_SILENCE // timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Key:
    """What stands under a name in a payload."""

    example: str
    schema: Mapping[str, Any]
    """Of its value, in JSON Schema."""

    @property
    def most(self) -> int:
        """Characters of a text."""
        return int(self.schema.get("maxLength", TEXT_LENGTH))


_NAME: Final = {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH}
_LONG_NAME: Final = {"type": "string", "minLength": 1, "maxLength": 500}
_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": TEXT_LENGTH}
KEYS: Final = {
    "incident": Key('"incident": "motrin-20081115t034000z"', _NAME),
    "inquiry": Key('"inquiry": "5f0a2c9e81d34b77"', _NAME),
    "person": Key('"person": "Anna Berg"', _NAME),
    "instead_of": Key('"instead_of": "Ben Cole"', _NAME),
    "to": Key('"to": "Ben Cole"', _NAME),
    "author": Key('"author": "did:plc:4ihvz5wgpcfuqhrkvqz5w6sm"', _LONG_NAME),
    "source": Key('"source": "bluesky"', _NAME),
    "post": Key('"post": "https://bsky.app/profile/did:plc:4ihvz5wgpcfuqhrkvqz5w6sm/post/3l7"', _LONG_NAME),
    "note": Key('"note": "called the agency"', _TEXT),
    "reason": Key('"reason": "statement goes out at nine"', _TEXT),
    "minutes": Key('"minutes": 60', {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_MINUTES}),
    "until": Key('"until": "2008-11-15T08:00:00Z"', {"type": "string", "format": "date-time"}),
    "verdict": Key('"verdict": "real"', {"type": "string", "enum": [one.value for one in Verdict]}),
}


class Order:
    """A payload, read.

    Raises:
        UsageError: it has a key that means nothing here, or, when it is asked for, a value that cannot be used.
    """

    def __init__(
        self,
        command: str,
        keys: Collection[str],
        values: Mapping[str, Any],
        now: datetime,
        given: Mapping[str, str] = MappingProxyType({}),
        *,
        either: Collection[str] = (),
    ) -> None:
        """Make one.

        Args:
            command: its name.
            keys: that the command has.
            values: by their keys.
            now: from then on `minutes` count.
            given: keys whose values are known otherwise, and must not be among these.
            either: keys of which exactly one has to be there.
        """
        self._command = command
        self._values = {**values, **given}
        self._now = now
        asked = [key for key in keys if key not in given]
        for key in values:
            if key not in asked:
                raise UsageError(f"{command}: unknown key '{clean(key, 40)}'; {_nearest(key, asked)}")
        if either and len(values.keys() & either) != 1:
            raise UsageError(f"{command}: one has to be there, {' or '.join(KEYS[key].example for key in either)}.")

    def text(self, key: str) -> str:
        """A text that says something."""
        value, most = self._values.get(key), KEYS[key].most
        if value is None:
            raise UsageError(f"{self._command}: '{key}' is missing; add {KEYS[key].example}.")
        if not isinstance(value, str) or len(value) > most or not (cleaned := clean(value, most)):
            raise self._wrong(key, f"must be a text of at most {most:,} characters")
        return cleaned

    def text_if_any(self, key: str) -> str:
        """The same, empty where it is not there."""
        return "" if self._values.get(key, "") == "" else self.text(key)

    def verdict(self) -> Verdict:
        """What it was."""
        value, verdicts = self.text("verdict"), [one.value for one in Verdict]
        if value not in verdicts:
            raise UsageError(f"{self._command}: '{clean(value, 40)}' is no verdict; {_nearest(value, verdicts)}")
        return Verdict(value)

    def until(self) -> datetime:
        """The end of a silence."""
        if "until" in self._values:
            return self._moment(self._values["until"])
        minutes = self._values.get("minutes")
        if not isinstance(minutes, int | float) or isinstance(minutes, bool) or not 0 < minutes <= LONGEST_MINUTES:
            raise self._wrong(
                "minutes", f"must be a number of at most {LONGEST_MINUTES:,}, which are {LONGEST_SILENCE.days} days"
            )
        return self._now + timedelta(minutes=minutes)

    def _moment(self, value: object) -> datetime:
        try:
            moment = datetime.fromisoformat(value if isinstance(value, str) else "")
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self._wrong("until", "must be a moment with its zone")

    def _wrong(self, key: str, what: str) -> UsageError:
        return UsageError(f"{self._command}: '{key}' {what}, such as {KEYS[key].example}.")


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
    """One thing that can be asked."""

    keys: tuple[str, ...]
    required: int
    """How many of the keys, from the first on, have to be there."""
    do: Callable[[Desk, Order], Awaitable[T]]
    """Raises `UsageError` at once where something is missing or wrong, and later where the desk refuses."""
    either: tuple[str, ...] = ()
    """Keys of which exactly one has to be there, besides."""


def _acknowledge(desk: Desk, order: Order) -> Awaitable[Incident]:
    holder = order.text_if_any("instead_of")
    return desk.acknowledge(order.text("incident"), order.text("person"), instead_of=holder)


def _assign(desk: Desk, order: Order) -> Awaitable[Incident]:
    to, note = order.text("to"), order.text_if_any("note")
    return desk.assign(order.text("incident"), order.text("person"), to, note)


def _silence(desk: Desk, order: Order) -> Awaitable[Incident]:
    until, reason = order.until(), order.text("reason")
    return desk.silence(order.text("incident"), order.text("person"), until, reason)


def _lift(desk: Desk, order: Order) -> Awaitable[Incident]:
    return desk.lift(order.text("incident"), order.text("person"))


def _note(desk: Desk, order: Order) -> Awaitable[Incident]:
    return desk.note(order.text("incident"), order.text("person"), order.text("note"))


def _resolve(desk: Desk, order: Order) -> Awaitable[Incident]:
    return desk.resolve(order.text("incident"), order.text("person"), order.verdict())


def _judge(desk: Desk, order: Order) -> Awaitable[Incident]:
    return desk.judge(order.text("incident"), order.text("person"), order.verdict())


def _take(desk: Desk, order: Order) -> Awaitable[Inquiry]:
    return desk.take(order.text("inquiry"), order.text("person"))


def _give_back(desk: Desk, order: Order) -> Awaitable[Inquiry]:
    return desk.give_back(order.text("inquiry"), order.text("person"))


def _answer(desk: Desk, order: Order) -> Awaitable[Inquiry]:
    return desk.answer(order.text("inquiry"), order.text("person"))


def _pass_over(desk: Desk, order: Order) -> Awaitable[Inquiry]:
    return desk.pass_over(order.text("inquiry"), order.text("person"), order.text_if_any("reason"))


def _forget(desk: Desk, order: Order) -> Awaitable[Erased]:
    wanted = Wanted(*map(order.text_if_any, ("author", "source", "post")))
    wanted.corrections()  # what can be no post is refused at once
    return desk.forget(order.text("person"), author=wanted.author, source=wanted.source, post=wanted.post)


ON_INCIDENTS: Final[Mapping[str, Command[Incident]]] = {
    "acknowledge": Command(("incident", "person", "instead_of"), 2, _acknowledge),
    "assign": Command(("incident", "person", "to", "note"), 3, _assign),
    "silence": Command(("incident", "person", "reason", "minutes", "until"), 3, _silence, either=("minutes", "until")),
    "lift": Command(("incident", "person"), 2, _lift),
    "note": Command(("incident", "person", "note"), 3, _note),
    "resolve": Command(("incident", "person", "verdict"), 3, _resolve),
    "judge": Command(("incident", "person", "verdict"), 3, _judge),
}
"""What can be asked about an incident."""
ON_INQUIRIES: Final[Mapping[str, Command[Inquiry]]] = {
    "take": Command(("inquiry", "person"), 2, _take),
    "give_back": Command(("inquiry", "person"), 2, _give_back),
    "answer": Command(("inquiry", "person"), 2, _answer),
    "pass_over": Command(("inquiry", "person", "reason"), 2, _pass_over),
}
"""What can be asked about a post that needs an answer."""
FORGET: Final[Command[Erased]] = Command(("person", "author", "source", "post"), 1, _forget, either=("author", "post"))
"""What can be asked about posts that somebody wants erased."""


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
    """Obeys those commands by message that are allowed.

    Args:
        desk: who does it, asked for at each command.
        allowed: of `COMMANDS`, those that are obeyed.
        clock: tells when `minutes` begin.
    """

    def __init__(self, desk: Callable[[], Desk], allowed: Collection[str], clock: Clock) -> None:
        self._desk = desk
        self._allowed = tuple(one for one in COMMANDS if one in allowed)
        self._clock = clock

    async def obey(self, command: str, payload: bytes) -> Answer:
        """Do it, or say why not; never raises what a stranger can cause."""
        try:
            self._refuse(command)
            asked = ON_INCIDENTS[command]
            order = Order(command, asked.keys, _values(payload), self._clock.now(), either=asked.either)
            return Answer(await asked.do(self._desk(), order))
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


def _values(payload: bytes) -> dict[str, Any]:
    if len(payload) > MOST_BYTES:
        raise UsageError(f"The command is too long; {MOST_BYTES:,} bytes are enough.")
    try:
        values = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise UsageError(f"The command is no JSON ({clean(str(error), 100)}); it has to be an object.") from None
    if not isinstance(values, dict):
        raise UsageError(f"The command has to be a JSON object, such as {{{KEYS['incident'].example}, …}}.")
    return values


def _nearest(wrong: str, right: Collection[str]) -> str:
    near = [one for one in right if one.startswith(wrong[:40])] or get_close_matches(wrong[:40], right, n=1)
    return f"did you mean '{near[0]}'?" if wrong and near else f"it can be: {', '.join(right)}."
