"""What others ask of the desk over a real mosquitto, and what strangers try."""

import asyncio
import contextlib
from datetime import timedelta

import orjson
import pytest

from crisisdesk.outputs.mqtt.inbound import MOST_A_MINUTE, REFUSED_A_MINUTE
from crisisdesk.records import Event
from crisisdesk.settings.mqtt import COMMANDS


@contextlib.asynccontextmanager
async def asked(desk_at, asker, port, commands=COMMANDS):
    """A desk with one open incident that hears commands, and somebody who asks."""
    async with asker(port) as ann, desk_at(port, commands=commands) as desk:
        await desk.change()
        await desk.is_done()
        await desk.hears_commands(ann)
        yield desk, ann, desk.register.incidents()[0].id


async def heard_again(desk, ann, incident) -> None:
    """Minutes later, when what the broker still had of a flood has gone through."""
    while True:
        desk.clock.moment += timedelta(minutes=1)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                if (await ann.ask("note", incident=incident, person="Ann", note="heard again"))["ok"]:
                    return


async def test_every_command_is_obeyed_and_answered(mosquitto, desk_at, asker):
    async with asked(desk_at, asker, mosquitto.port) as (desk, ann, incident):
        answer = await ann.ask("acknowledge", incident=incident, person="Anna Berg")
        assert answer["ok"]
        assert answer["incident"]["acknowledged_by"] == "Anna Berg"
        answer = await ann.ask("silence", incident=incident, person="Ben", reason="on it", minutes=90)
        assert answer["incident"]["silenced_until"] == "2008-11-15T05:10:00Z"
        assert (await ann.ask("note", incident=incident, person="Ben", note="called the agency"))["ok"]
        answer = await ann.ask("resolve", incident=incident, person="Ben", verdict="false alarm")
        assert (answer["incident"]["state"], answer["incident"]["verdict"]) == ("resolved", "false alarm")
        events = [(one.event, one.person) for one in await desk.register.timeline(incident)]
        assert events[1:] == [
            (Event.ACKNOWLEDGED, "Anna Berg"),
            (Event.SILENCED, "Ben"),
            (Event.NOTED, "Ben"),
            (Event.RESOLVED, "Ben"),
        ]


async def test_without_an_answer_wanted_the_effect_is_seen(mosquitto, desk_at, asker, subscriber):
    async with (
        asked(desk_at, asker, mosquitto.port) as (_, ann, incident),
        subscriber(mosquitto.port, five=False) as inbox,
    ):
        await ann.say("acknowledge", orjson.dumps({"incident": incident, "person": "Ann"}))
        await inbox.until(lambda: len(inbox.events()) == 1)
        assert inbox.events()[0]["type"] == "crisisdesk.incident.acknowledged"


async def test_what_is_not_allowed_is_refused(mosquitto, desk_at, asker):
    async with asked(desk_at, asker, mosquitto.port, ["note", "acknowledge"]) as (desk, ann, incident):
        answer = await ann.ask("resolve", incident=incident, person="Ann", verdict="real")
        assert answer == {
            "ok": False,
            "error": "The command resolve is not allowed here; allowed are: acknowledge, note. Whoever runs the desk"
            " can add it to 'commands' of this output.",
        }
        assert desk.register.incidents()[0].is_open


async def test_a_desk_without_commands_does_not_listen(mosquitto, desk_at, asker):
    async with asker(mosquitto.port) as ann, desk_at(mosquitto.port) as desk:
        await desk.change()
        await desk.is_done()
        incident = desk.register.incidents()[0].id
        await ann.say("acknowledge", orjson.dumps({"incident": incident, "person": "Ann"}), ann.mine, b"1")
        await desk.change()
        await desk.is_done()
        assert desk.register.incidents()[0].acknowledged_by is None


async def test_what_cannot_be_done_is_said(mosquitto, desk_at, asker):
    async with asked(desk_at, asker, mosquitto.port) as (_, ann, incident):
        assert (await ann.ask("acknowledge", incident=incident, person="Ann"))["ok"]
        answer = await ann.ask("acknowledge", incident=incident, person="Ben")
        assert "is already acknowledged by Ann" in answer["error"]
        answer = await ann.ask("note", incident=incident[:-1], person="Ben", note="x")
        assert answer["error"].endswith(f"Did you mean {incident}?")


async def test_the_same_command_is_done_once_and_answered_each_time(mosquitto, desk_at, asker):
    async with asked(desk_at, asker, mosquitto.port) as (desk, ann, incident):
        said = {"incident": incident, "person": "Ann", "note": "called the agency"}
        answers = [await ann.ask("note", mark=b"7", **said) for _ in range(3)]
        assert answers[0] == answers[1] == answers[2]
        assert (await ann.ask("note", mark=b"8", **said))["ok"], "another question"
        desk.clock.moment += timedelta(minutes=6)
        assert (await ann.ask("note", mark=b"7", **said))["ok"], "so late it is another one, too"
        notes = [one for one in await desk.register.timeline(incident) if one.event is Event.NOTED]
        assert len(notes) == 3


async def test_a_command_that_comes_again_after_a_break_is_not_done_twice(mosquitto, gate, desk_at, asker):
    """The desk has obeyed and was cut off before the broker knew: the broker sends it again."""
    async with gate(mosquitto.port) as way, asker(mosquitto.port) as ann, desk_at(way.port, commands=["note"]) as desk:
        await desk.change()
        await desk.hears_commands(ann)
        incident = desk.register.incidents()[0].id
        note = desk.register.note

        async def cut_after(*told):
            after = await note(*told)
            way.cut()
            return after

        desk.register.note = cut_after
        await ann.say("note", orjson.dumps({"incident": incident, "person": "Ann", "note": "once"}))
        await desk.shows(lambda _: way.connects == 4)
        desk.register.note = note
        assert (await ann.ask("note", incident=incident, person="Ann", note="twice"))["ok"]
        assert [one.reason for one in await desk.register.timeline(incident)][1:] == ["once", "twice"]


async def test_a_command_waits_for_a_desk_that_is_away_for_a_moment(mosquitto, gate, desk_at, asker):
    async with gate(mosquitto.port) as way, asker(mosquitto.port) as ann, desk_at(way.port, commands=["note"]) as desk:
        await desk.change()
        await desk.hears_commands(ann)
        way.shut()
        incident = desk.register.incidents()[0].id
        asking = asyncio.create_task(ann.ask("note", incident=incident, person="Ann", note="hello"))
        await asyncio.sleep(0.05)
        way.is_open = True
        assert (await asking)["ok"]


async def test_a_retained_command_is_refused_and_not_repeated(mosquitto, desk_at, asker):
    said = {"person": "Ann", "note": "again and again"}
    async with asked(desk_at, asker, mosquitto.port) as (_, ann, incident):
        answer = await ann.ask("note", incident=incident, retain=True, **said)
        assert answer["error"].startswith("A command must not be retained")
    async with asked(desk_at, asker, mosquitto.port) as (desk, ann, incident):
        events = [one.event for one in await desk.register.timeline(incident)]
        assert events == [Event.OPENED, Event.NOTED], "the note is what the desk has written itself"


@pytest.mark.parametrize(
    "topic",
    [
        "crisisdesk/acme/status",
        "crisisdesk/acme/event",
        "crisisdesk/acme/cmd/note",
        "crisisdesk/acme/alert/x/state",
        "crisisdesk/other/status",
        "crisisdesk",
        "$SYS/broker/load",
        "a" * 201,
        "a/b/c/d/e/f/g/h/i",
        "in\u200bvisible",
    ],
    ids=lambda topic: ascii(topic[:20]),
)
async def test_nobody_is_answered_where_others_would_be_deceived(mosquitto, desk_at, asker, caplog, topic):
    async with asked(desk_at, asker, mosquitto.port) as (desk, ann, incident):
        said = orjson.dumps({"incident": incident, "person": "Ann"})
        for _ in range(2):
            await ann.say("acknowledge", said, topic, b"1")
        assert (await ann.ask("note", incident=incident, person="Ann", note="heard"))["ok"]
        assert desk.register.incidents()[0].acknowledged_by is None
        assert len([one for one in caplog.messages if "wants its answer on" in one]) == 1, "said once"


async def test_a_flood_of_commands_is_bounded_and_alerts_pass(mosquitto, desk_at, asker, subscriber, caplog):
    async with asked(desk_at, asker, mosquitto.port) as (desk, ann, incident):
        said = orjson.dumps({"incident": incident, "person": "Mallory", "note": "x"})
        ann.client.pending_calls_threshold = 10_000
        flood = [asyncio.create_task(ann.say("note", said)) for _ in range(500)]
        await asyncio.sleep(0.1)
        async with subscriber(mosquitto.port) as inbox:
            told = await desk.change("Other")
            await inbox.until(lambda: told in inbox.ids())
        await asyncio.gather(*flood)
        noted: list[str] = []
        async with asyncio.timeout(20):  # a slow disk takes its time for each
            while noted.count("Mallory") <= MOST_A_MINUTE // 2:
                await asyncio.sleep(0.05)
                noted = [one.person for one in await desk.register.timeline(incident) if one.event is Event.NOTED]
        assert noted.count("Mallory") <= MOST_A_MINUTE
        await heard_again(desk, ann, incident)
        assert f"{MOST_A_MINUTE + REFUSED_A_MINUTE + 1} commands came within a minute" in caplog.text


async def test_commands_that_the_broker_forbids_hold_up_no_alert(strict_mosquitto, desk_at):
    async with desk_at(strict_mosquitto.port, commands=["note"]) as desk:
        await desk.change()
        await desk.shows(lambda status: "does not let us read crisisdesk/acme/cmd/+" in status.trouble)
        trouble = desk.delivery.status().trouble
        assert trouble.startswith("Commands are not heard. ")
        assert "mend what username may read of this output" in trouble
        await desk.is_done()
