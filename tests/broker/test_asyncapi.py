"""What the desk really sends is what docs/asyncapi.yaml says it sends."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import schemas
import yaml

from crisisdesk.incidents import acts
from crisisdesk.mqtt import Broker
from crisisdesk.mqtt.connection import SESSION_SECONDS
from crisisdesk.outputs.mqtt.output import EVENT_SECONDS, STATE_SECONDS
from crisisdesk.payloads.events import of_change
from crisisdesk.payloads.heartbeat import heartbeat_data
from crisisdesk.records import (
    Calling,
    Change,
    Event,
    Evidence,
    Incident,
    Kind,
    Notification,
    Numbers,
    OutputStatus,
    Phrase,
    PlaybookRef,
    Post,
    Quote,
    Severity,
    SourceStatus,
    Spike,
    State,
    Verdict,
)
from crisisdesk.settings.mqtt import COMMANDS
from crisisdesk.sources.bodies import posts_in

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text("utf-8"))
START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)


def problems(value: Any, schema: dict[str, Any]) -> list[str]:
    return schemas.problems(value, schema, DOCUMENT)


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    return schemas.resolved(schema, DOCUMENT)


def channel_of(topic: str) -> dict[str, Any]:
    (channel,) = [
        one
        for one in DOCUMENT["channels"].values()
        if one["address"] and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one["address"]), topic)
    ]
    return channel


def heartbeat() -> dict[str, Any]:
    live = SourceStatus("bluesky", "live", START - timedelta(seconds=0.4), events=9, posts=5, matched=1)
    sources = (live, SourceStatus("file"))
    outputs, other = (OutputStatus("mqtt", "live", 3, 1, "", 2),), {"A": {"fr": 2}}
    troubles = ["The database cannot be written."]
    return heartbeat_data(START, sources, outputs, {"scoring": 0}, "tiny", other_languages=other, troubles=troubles)


def test_a_heartbeat_says_how_old_the_last_event_is_what_was_given_up_and_what_is_wrong():
    assert [source["last_event_age_seconds"] for source in heartbeat()["sources"]] == [0.4, None]
    assert [output["failed"] for output in heartbeat()["outputs"]] == [2]
    assert heartbeat()["troubles"] == ["The database cannot be written."]


async def test_every_message_is_as_documented(amqtt_port, desk_at, subscriber):
    old = Quote("p1", "file", START, "mum_of_2", "never again", 1200, None, 0.97, 3)
    quote = replace(old, neutral=0.02, positive=0.01, model="minilm@6f62")
    evidence = Evidence((Phrase("moms", 9, 0.01),), (quote,), old, (("mum_of_2", 12),), (("en", 1),), (("file", 1),))
    evidence = replace(evidence, other_languages=(("fr", 2),))
    numbers = Numbers(60, 12, 20, 1.5, 11, 0.6, float("nan"), 1e-6)
    async with subscriber(amqtt_port, five=False) as inbox:
        async with desk_at(amqtt_port, timeout=0.3, heartbeat=heartbeat) as desk:
            await desk.output.ready()
            desk.register._choose = lambda _: PlaybookRef("ad", "Offensive ad", "Read")
            await desk.register.witness(Spike("a", Kind.SPIKE, START, Severity.AMBER, numbers, "why", evidence))
            await desk.register.witness(Spike("a", Kind.SPIKE, START, Severity.RED, numbers, "why"))
            desk.register._choose = lambda _: None
            await desk.register.witness(Spike("b", Kind.BRIGADING, START, Severity.NOTICE, numbers, "why"))
            for incident in desk.register.incidents():
                await desk.register.acknowledge(incident.id, "Ann", START)
                await desk.register.resolve(incident.id, "Ann", Verdict.REAL, START)
            await inbox.until(lambda: len(inbox.events()) == 7 and len(inbox.payloads("/heartbeat")) == 1)
        await inbox.until(lambda: len(inbox.payloads("/status")) == 2)
    for message in inbox.messages:
        (documented,) = [resolved(one) for one in channel_of(str(message.topic))["messages"].values()]
        if str(message.topic).endswith("/status"):
            assert message.payload.decode() in documented["payload"]["enum"]
        elif message.payload:
            assert problems(orjson.loads(message.payload), documented["payload"]) == []


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("kind", [one.value for one in Kind]),
        ("state", [one.value for one in State]),
        ("severity", [str(one) for one in Severity]),
    ],
)
def test_the_words_are_the_desks_words(key: str, values: list[str]):
    assert DOCUMENT["components"]["schemas"]["incident"]["properties"][key]["enum"] == values


def test_every_event_is_documented():
    documented = DOCUMENT["components"]["schemas"]["incidentEvent"]["properties"]["type"]["enum"]
    assert documented == [f"crisisdesk.incident.{one.value}" for one in Event]
    assert DOCUMENT["components"]["schemas"]["change"]["properties"]["event"]["enum"] == [one.value for one in Event]


async def test_a_call_and_what_people_do_are_as_documented(amqtt_port, desk_at, subscriber):
    schema = DOCUMENT["components"]["schemas"]["incidentEvent"]
    numbers, calling = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6), Calling("all", 1, 1, 1, START)
    ended = replace(calling, exhausted=True)
    async with subscriber(amqtt_port, five=False) as inbox, desk_at(amqtt_port) as desk:
        register = desk.register
        (opened,) = await register.witness(Spike("a", Kind.SPIKE, START, Severity.AMBER, numbers, "why"))
        name, until = opened.incident.id, START + timedelta(hours=1)
        await register.act(
            name, lambda one, last: acts.call(one, calling, START, last, to=("push",), reason="Ann: new")
        )
        await register.act(name, lambda one, last: acts.call(one, ended, START, last, to=("push",), reason="nobody"))
        await register.acknowledge(name, "Ann", START)
        await register.assign(name, "Ann", "Ben", START, "you know them")
        await register.act(name, lambda one, last: acts.lapse(one, "Ann has it, and did nothing", START, last))
        await register.silence(name, "Ben", START, until=until, reason="board meets")
        await register.note(name, "Ben", "called the agency", START)
        await inbox.until(lambda: len(inbox.events()) == 8)
    told = inbox.events()
    assert [line for one in told for line in problems(one, schema)] == []
    changes = [one["data"]["change"] for one in told]
    assert [one["sequence"] for one in changes] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [f"crisisdesk.incident.{one['event']}" for one in changes] == [one["type"] for one in told]
    assert [(one["person"], one["reason"]) for one in changes[3:5]] == [("Ann", ""), ("Ann", "to Ben: you know them")]
    assert (changes[7]["person"], changes[7]["reason"]) == ("Ben", "called the agency")
    called, last = told[1]["data"]["incident"], told[7]["data"]["incident"]
    assert (called["called_at"], called["unanswered"]) == ("2008-11-15T03:40:00Z", False)
    assert told[2]["data"]["incident"]["unanswered"] is True
    assert (last["silenced_by"], last["silenced_because"]) == ("Ben", "board meets")


def test_any_change_is_as_documented():
    numbers, mark = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6), "u3f9a1c"
    incident = Incident("a-1", "a", Kind.SPIKE, State.OPEN, Severity.AMBER, START, START, numbers, "why")
    for event in Event:
        change = Change("a-1", 4, event, START, Severity.AMBER, mark=mark)
        told = orjson.loads(of_change(Notification(change, incident), "acme").body())
        assert told["id"] == "a-1-4-u3f9a1c"
        assert problems(told, DOCUMENT["components"]["schemas"]["incidentEvent"]) == []


async def test_every_command_that_is_shown_is_obeyed_and_its_answer_is_as_documented(mosquitto, desk_at, asker):
    messages = DOCUMENT["components"]["messages"]
    answer = messages["answer"]["payload"]
    async with asker(mosquitto.port) as ann, desk_at(mosquitto.port, commands=COMMANDS) as desk:
        await desk.change()
        await desk.is_done()
        await desk.hears_commands(ann)
        (incident,) = desk.register.incidents()
        for command in ("acknowledge", "silence", "note", "resolve"):
            (example,) = [one["payload"] for one in messages[command]["examples"]]
            assert problems(example, messages[command]["payload"]) == []
            for said, ok in ((example | {"incident": incident.id}, True), ({"persn": "Ann"}, False)):
                told = await ann.ask(command, **said)
                assert told["ok"] is ok
                assert problems(told, answer) == []
    assert DOCUMENT["channels"]["command"]["parameters"]["command"]["enum"] == list(COMMANDS)


def test_what_the_broker_is_told_of_us_is_documented():
    server = DOCUMENT["servers"]["broker"]["bindings"]["mqtt"]
    assert server["keepAlive"] == Broker("").keepalive
    assert server["sessionExpiryInterval"] == SESSION_SECONDS
    said = {name: one["bindings"]["mqtt"].get("messageExpiryInterval") for name, one in DOCUMENT["operations"].items()}
    assert (said["showState"], said["tellChange"]) == (STATE_SECONDS, EVENT_SECONDS)


def test_the_post_that_is_shown_is_one_and_shows_every_field():
    message = DOCUMENT["components"]["messages"]["posts"]
    (example,) = [one["payload"] for one in message["examples"]]
    assert problems(example, message["payload"]) == []
    assert set(example) == set(DOCUMENT["components"]["schemas"]["post"]["properties"])
    (post,) = posts_in(orjson.dumps(example), "mqtt", START + timedelta(hours=1)).posts
    assert all(getattr(post, name) for name in Post._fields)
