"""What is asked of the desk by message: what is understood, and what is answered to what is not."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from crisisdesk.commands import KEYS, MOST_BYTES, Commands, Order
from crisisdesk.errors import UsageError
from crisisdesk.records import Incident, Kind, Numbers, Severity, State, Verdict
from crisisdesk.settings import MqttOutput
from crisisdesk.settings.mqtt import COMMANDS

START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)
ONE = Incident(
    "motrin-1",
    "Motrin",
    Kind.SPIKE,
    State.OPEN,
    Severity.RED,
    START,
    START,
    Numbers(60, 9, 9, 1, 9, 0.5, 0.1, 1e-6),
    "why",
)
WHO = {"incident": "motrin-1", "person": "Ann"}


class Clock:
    def now(self) -> datetime:
        return START

    async def sleep_until(self, moment: datetime) -> None:
        raise AssertionError(moment)


@dataclass
class Actor:
    """Writes down what it is told to do."""

    done: list[tuple[Any, ...]] = field(default_factory=list)

    async def acknowledge(self, *told: Any, instead_of: str) -> Incident:
        return self._do("acknowledge", *told, *filter(None, [instead_of]))

    async def note(self, *told: Any) -> Incident:
        return self._do("note", *told)

    async def silence(self, *told: Any) -> Incident:
        return self._do("silence", *told)

    async def resolve(self, *told: Any) -> Incident:
        return self._do("resolve", *told)

    def _do(self, *told: Any) -> Incident:
        self.done.append(told)
        return ONE


async def asked(command: str, payload: object) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    actor = Actor()
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    answer = await Commands(lambda: actor, COMMANDS, Clock()).obey(command, body)
    return orjson.loads(answer.body()), actor.done


@pytest.mark.parametrize(
    ("command", "more", "done"),
    [
        ("acknowledge", {"instead_of": "Ben"}, ("Ben",)),
        ("acknowledge", {}, ()),
        ("note", {"note": "called\n the agency"}, ("called the agency",)),
        ("silence", {"minutes": 20, "reason": "lunch"}, (datetime(2008, 11, 15, 4, 0, tzinfo=UTC), "lunch")),
        (
            "silence",
            {"until": "2008-11-15T06:00:00+01:00", "reason": "r"},
            (datetime(2008, 11, 15, 5, 0, tzinfo=UTC), "r"),
        ),
        ("resolve", {"verdict": "false alarm"}, (Verdict.FALSE_ALARM,)),
    ],
)
async def test_what_is_understood_is_done(command, more, done):
    answer, acted = await asked(command, WHO | more)
    assert answer["ok"]
    assert answer["incident"]["id"] == "motrin-1"
    assert acted == [(command, "motrin-1", "Ann", *done)]


@pytest.mark.parametrize(
    ("command", "payload", "error"),
    [
        ("ack", WHO, "There is no command 'ack'; did you mean 'acknowledge'?"),
        ("explode", WHO, "There is no command 'explode'; it can be: acknowledge, silence, resolve, note."),
        ("note", WHO, 'note: \'note\' is missing; add "note": "called the agency".'),
        ("acknowledge", {"incident": "x"}, 'acknowledge: \'person\' is missing; add "person": "Anna Berg".'),
        ("acknowledge", WHO | {"persn": "A"}, "acknowledge: unknown key 'persn'; did you mean 'person'?"),
        ("acknowledge", WHO | {"note": "x"}, "acknowledge: unknown key 'note'; it can be: incident, person."),
        (
            "acknowledge",
            WHO | {"person": "\u202e \x1b[31m"},
            'acknowledge: \'person\' must be a text of at most 100 characters, such as "person": "Anna Berg".',
        ),
        (
            "acknowledge",
            WHO | {"person": 7},
            'acknowledge: \'person\' must be a text of at most 100 characters, such as "person": "Anna Berg".',
        ),
        ("resolve", WHO | {"verdict": "reel"}, "resolve: 'reel' is no verdict; did you mean 'real'?"),
        ("resolve", WHO | {"verdict": "dull"}, "resolve: 'dull' is no verdict; it can be: real, false alarm, planned."),
        (
            "silence",
            WHO | {"reason": "x"},
            'silence: one has to be there, "minutes": 60 or "until": "2008-',
        ),
        (
            "silence",
            WHO | {"reason": "x", "minutes": 20, "until": None},
            'silence: one has to be there, "minutes": 60 or "until": "2008-',
        ),
        (
            "silence",
            WHO | {"reason": "x", "minutes": 0},
            "silence: 'minutes' must be a number of at most 44,640, which are 31 days, such as \"minutes\": 60.",
        ),
        (
            "silence",
            WHO | {"reason": "x", "until": "2008-11-15T06:00:00"},
            'silence: \'until\' must be a moment with its zone, such as "until": "2008-11-15T08:00:00Z".',
        ),
        ("note", [], 'The command has to be a JSON object, such as {"incident": "motrin-20081115t034000z", …}.'),
        ("note", b"\xff", "The command is no JSON ("),
        ("note", b"[" * 5_000, "The command is no JSON ("),
        ("note", b" " * (MOST_BYTES + 1), "The command is too long; 8,192 bytes are enough."),
    ],
    ids=lambda value: ascii(value)[:40],
)
async def test_what_is_not_understood_is_said_with_what_is_right(command, payload, error):
    answer, acted = await asked(command, payload)
    assert answer["ok"] is False
    assert answer["error"].startswith(error.removesuffix("."))
    assert acted == []


@pytest.mark.parametrize("minutes", [1e300, -1, True, "60", 44_641])
async def test_no_silence_without_a_sensible_end(minutes):
    answer, acted = await asked("silence", WHO | {"reason": "x", "minutes": minutes})
    assert "'minutes' must be a number" in answer["error"]
    assert acted == []


async def test_who_acts_is_cleaned():
    _, acted = await asked("acknowledge", WHO | {"person": "  Ann\u202e \x1b[31mBerg\n"})
    assert acted == [("acknowledge", "motrin-1", "Ann Berg")]


async def test_a_fault_of_ours_is_an_answer_too():
    answer = await Commands(lambda: 1 / 0, COMMANDS, Clock()).obey("acknowledge", orjson.dumps(WHO))  # type: ignore[arg-type, return-value]
    assert "please report it" in answer.error


def test_the_configuration_names_what_is_allowed():
    there = {"kind": "mqtt", "host": "broker"}
    assert MqttOutput.model_validate(there).commands == ()
    assert MqttOutput.model_validate(there | {"commands": ["note"]}).commands == ("note",)
    with pytest.raises(ValidationError, match="'acknowlege' is no command; did you mean 'acknowledge'"):
        MqttOutput.model_validate(there | {"commands": ["acknowlege"]})
    with pytest.raises(ValidationError, match="must be a list of commands in brackets"):
        MqttOutput.model_validate(there | {"commands": "note"})


@pytest.mark.parametrize("key", [key for key, one in KEYS.items() if "maxLength" in one.schema])
def test_a_text_is_as_long_as_its_schema_says(key):
    most = KEYS[key].schema["maxLength"]
    assert Order("note", [key], {key: "ä" * most}, START).text_if_any(key) == "ä" * most
    with pytest.raises(UsageError, match=f"'{key}' must be a text of at most {most:,} characters"):
        Order("note", [key], {key: "ä" * (most + 1)}, START).text_if_any(key)
