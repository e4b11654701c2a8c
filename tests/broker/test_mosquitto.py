"""Against a real mosquitto: what subscribers see when everything works, and when it does not."""

import asyncio
import random
import signal
import socket

import aiomqtt
import orjson
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from crisisdesk.errors import FatalOutputError
from crisisdesk.mqtt import Broker, visit
from crisisdesk.records import Verdict


async def test_a_late_subscriber_sees_the_open_incident(mosquitto, desk_at, subscriber):
    async with desk_at(mosquitto.port) as desk:
        await desk.change()
        last = await desk.change()
        await desk.is_done()
        async with subscriber(mosquitto.port) as inbox:
            await inbox.until(lambda: len(inbox.messages) == 2)
            assert inbox.payloads("/status") == [b"online"]
            (state,) = inbox.payloads("/state")
            assert orjson.loads(state)["id"] == last
            assert orjson.loads(state)["data"]["incident"]["state"] == "open"


async def test_messages_are_cloud_events_with_properties(mosquitto, desk_at, subscriber):
    async with subscriber(mosquitto.port) as inbox, desk_at(mosquitto.port) as desk:
        await desk.change()
        await inbox.until(lambda: len(inbox.events()) == 1)
        (message,) = [one for one in inbox.messages if str(one.topic) == "crisisdesk/acme/event"]
        event = orjson.loads(message.payload)
        attributes = {key: value for key, value in event.items() if key != "data"}
        assert attributes == {
            "specversion": "1.0",
            "id": "motrin-20081115t034100z-1",
            "source": "/crisisdesk/acme",
            "type": "crisisdesk.incident.opened",
            "subject": "motrin-20081115t034100z",
            "time": "2008-11-15T03:41:00Z",
            "datacontenttype": "application/json",
        }
        assert message.properties.ContentType == "application/cloudevents+json"
        assert message.properties.UserProperty == list(attributes.items())
        assert 86_390 <= message.properties.MessageExpiryInterval <= 86_400
        *_, state = [one for one in inbox.messages if str(one.topic).endswith("/state")]
        assert str(state.topic) == "crisisdesk/acme/alert/motrin-20081115t034100z/state"
        assert 604_790 <= state.properties.MessageExpiryInterval <= 604_800


async def test_a_resolved_incident_is_cleared(mosquitto, desk_at, subscriber):
    async with desk_at(mosquitto.port) as desk:
        await desk.change()
        (incident,) = desk.register.incidents()
        await desk.register.resolve(incident.id, "Ann", Verdict.REAL, incident.updated)
        await desk.is_done()
        async with subscriber(mosquitto.port) as inbox:
            await inbox.until(lambda: len(inbox.messages) == 1)
            await desk.change("Other")
            await inbox.until(lambda: len(inbox.events()) == 1)
            assert {event["subject"] for event in map(orjson.loads, inbox.payloads("/state"))} == {
                desk.register.incidents()[0].id
            }


async def test_events_come_in_order_and_once(mosquitto, desk_at, subscriber):
    async with subscriber(mosquitto.port) as inbox, desk_at(mosquitto.port) as desk:
        ids = [await desk.change() for _ in range(30)]
        await inbox.until(lambda: len(inbox.events()) >= 30)
        assert inbox.ids() == ids
        await desk.is_done()
        assert (desk.delivery.status().delivered, desk.delivery.status().state) == (30, "live")


async def test_an_orderly_stop_delivers_and_says_offline(mosquitto, desk_at, subscriber):
    async with subscriber(mosquitto.port) as inbox:
        async with desk_at(mosquitto.port) as desk:
            await desk.output.ready()
            await desk.change()
        await inbox.until(lambda: inbox.payloads("/status") == [b"online", b"offline"])
        assert len(inbox.events()) == 1
    async with subscriber(mosquitto.port) as late:
        await late.until(lambda: late.payloads("/status") == [b"offline"])


async def test_a_cut_connection_says_offline_by_its_will_and_online_again(mosquitto, gate, desk_at, subscriber):
    async with gate(mosquitto.port) as way, subscriber(mosquitto.port) as inbox, desk_at(way.port) as desk:
        await inbox.until(lambda: inbox.payloads("/status") == [b"online"])
        way.shut()
        await inbox.until(lambda: inbox.payloads("/status") == [b"online", b"offline"])
        await desk.shows(lambda status: status.state == "retrying")
        assert str(way.port) in desk.delivery.status().trouble
        way.is_open = True
        await inbox.until(lambda: inbox.payloads("/status") == [b"online", b"offline", b"online"])
        await desk.shows(lambda status: status.state == "live")
        assert desk.delivery.status().trouble == ""


async def test_a_desk_that_another_pushes_out_again_and_again_says_so(mosquitto, desk_at):
    async def intrude() -> None:
        while True:
            async with aiomqtt.Client("127.0.0.1", mosquitto.port, identifier="crisisdesk-acme"):
                await asyncio.sleep(0.02)

    async with desk_at(mosquitto.port) as desk:
        intruding = asyncio.create_task(intrude())
        often = "again and again: perhaps another client is there as crisisdesk-acme"
        await desk.shows(lambda status: often in status.trouble)
        intruding.cancel()
        await asyncio.wait({intruding})
        await desk.change()
        await desk.is_done()


async def test_a_short_break_stays_within_the_wills_delay(mosquitto, gate, desk_at, subscriber):
    async with (
        gate(mosquitto.port) as way,
        subscriber(mosquitto.port) as inbox,
        desk_at(way.port, will_delay=60) as desk,
    ):
        await inbox.until(lambda: inbox.payloads("/status") == [b"online"])
        way.cut()
        await inbox.until(lambda: inbox.payloads("/status") == [b"online", b"online"])
        await desk.change()
        await inbox.until(lambda: len(inbox.events()) == 1)
        assert b"offline" not in inbox.payloads("/status")


@pytest.mark.parametrize("keeps_memory", [True, False])
async def test_what_happens_while_the_broker_is_dead_arrives_afterwards(
    mosquitto_at, gate, desk_at, subscriber, keeps_memory
):
    memory = ("persistence true", "autosave_on_changes true", "autosave_interval 1") if keeps_memory else ()
    broker = mosquitto_at("allow_anonymous true", *memory)
    async with gate(broker.port) as way, desk_at(way.port) as desk:
        before = [await desk.change() for _ in range(3)]
        await desk.is_done()
        broker.kill()
        way.shut()
        during = [await desk.change(watch) for watch in ("Motrin", "Other") * 10]
        broker.start()
        async with subscriber(broker.port) as inbox:
            way.is_open = True
            await inbox.until(lambda: set(inbox.ids()) >= set(during))
            ids = [one for one in dict.fromkeys(inbox.ids()) if one not in before]
            assert ids == during
            states = {event["subject"] for event in map(orjson.loads, inbox.payloads("/state"))}
            assert states == {one.id for one in desk.register.incidents()}


async def test_a_broker_that_lost_its_memory_learns_the_open_incidents_again(mosquitto, gate, desk_at, subscriber):
    async with gate(mosquitto.port) as way, desk_at(way.port) as desk:
        await desk.change()
        await desk.is_done()
        mosquitto.kill()
        mosquitto.start()
        async with subscriber(mosquitto.port) as inbox:
            await inbox.until(lambda: len(inbox.payloads("/state")) == 1)
            assert inbox.events() == [], "an event is not told again, only the state"


async def test_desk_and_broker_both_restarted_and_the_open_incidents_are_there(mosquitto, desk_at, subscriber):
    async with desk_at(mosquitto.port) as desk:
        await desk.change()
        await desk.change("Other")
        (other, motrin) = desk.register.incidents()
        await desk.register.acknowledge(motrin.id, "Ann", motrin.updated)
        await desk.change("Gone")
        await desk.register.resolve(desk.register.incidents()[0].id, "Ann", Verdict.REAL, other.updated)
        await desk.is_done()
    mosquitto.kill()
    mosquitto.start()
    async with desk_at(mosquitto.port) as desk:
        await desk.output.ready()
        async with subscriber(mosquitto.port) as inbox:
            await inbox.until(lambda: len(inbox.payloads("/state")) == 2)
            states = {state["subject"]: state for state in map(orjson.loads, inbox.payloads("/state"))}
            assert {name: state["type"] for name, state in states.items()} == {
                motrin.id: "crisisdesk.incident.acknowledged",
                other.id: "crisisdesk.incident.opened",
            }
            assert states[other.id]["id"] == f"{other.id}-state-20081115t034200000000z"
            assert states[motrin.id]["data"]["incident"]["acknowledged_by"] == "Ann"
            await desk.register.resolve(other.id, "Ann", Verdict.REAL, other.updated)
            await inbox.until(lambda: inbox.payloads(f"{other.id}/state")[-1] == b"")
            assert [event["type"] for event in inbox.events()] in ([], ["crisisdesk.incident.resolved"])


async def test_a_frozen_broker_delays_and_loses_nothing(mosquitto, gate, desk_at, subscriber):
    async with gate(mosquitto.port) as way, desk_at(way.port, timeout=0.3) as desk:
        await desk.change()
        await desk.is_done()
        mosquitto.signal(signal.SIGSTOP)
        ids = [await desk.change() for _ in range(5)]
        await desk.shows(lambda status: status.state == "retrying")
        assert "no answer within 0.3 s" in desk.delivery.status().trouble
        assert desk.delivery.status().waiting == 5
        way.shut()
        mosquitto.signal(signal.SIGCONT)
        async with subscriber(mosquitto.port) as inbox:
            way.is_open = True
            await inbox.until(lambda: set(inbox.ids()) >= set(ids))
            assert list(dict.fromkeys(inbox.ids())) == ids
        assert desk.output._connection.version == "5"


async def test_a_broker_that_never_answers_does_not_hold_up_the_stop(desk_at):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        async with asyncio.timeout(8), desk_at(mute.getsockname()[1], timeout=0.3) as desk:
            await desk.shows(lambda status: status.state == "retrying")
            assert "start it, or mend host, port and tls" in desk.delivery.status().trouble


async def test_what_was_owed_at_a_crash_is_delivered_by_the_next_run(mosquitto, desk_at, subscriber):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = probe.getsockname()[1]
    async with desk_at(nobody) as desk:
        owed = await desk.change()
        desk.delivery._flush_seconds = 0
    async with subscriber(mosquitto.port) as inbox, desk_at(mosquitto.port) as desk:
        await inbox.until(lambda: inbox.ids() == [owed])
        await desk.is_done()


async def test_a_successor_is_not_declared_dead_by_its_predecessors_will(mosquitto, gate, desk_at, subscriber):
    """A desk is killed and started again at once: the broker must not say `offline` for the dead one afterwards."""
    async with gate(mosquitto.port) as way:
        async with desk_at(way.port, will_delay=1) as desk:
            await desk.output.ready()
            way.shut()
            desk.delivery._flush_seconds = 0
        async with desk_at(mosquitto.port, will_delay=1) as desk, subscriber(mosquitto.port) as inbox:
            await desk.output.ready()
            await asyncio.sleep(1.5)  # longer than the will's delay: nothing else shows that it does not come
            assert set(inbox.payloads("/status")) == {b"online"}


async def test_a_visit_says_what_a_desk_would_meet(mosquitto_at, tmp_path):
    (tmp_path / "passwords").write_text("")
    broker = mosquitto_at("allow_anonymous false", f"password_file {tmp_path}/passwords")
    with pytest.raises(FatalOutputError, match="username and password_env or password_file"):
        await visit(Broker("127.0.0.1", broker.port, "desk", "wrong"), "crisisdesk-acme-doctor")


async def test_a_visit_says_nothing_to_anybody(mosquitto, subscriber):
    async with subscriber(mosquitto.port) as inbox:
        await visit(Broker("127.0.0.1", mosquitto.port), "crisisdesk-acme-doctor")
        await asyncio.sleep(0.2)
        assert inbox.messages == []


async def test_a_wrong_password_is_final_and_names_the_setting(mosquitto_at, tmp_path, desk_at):
    (tmp_path / "passwords").write_text("")
    broker = mosquitto_at("allow_anonymous false", f"password_file {tmp_path}/passwords")
    async with desk_at(broker.port, username="desk", password="wrong") as desk:  # noqa: S106 - it is wrong
        await desk.change()
        await desk.shows(lambda status: status.state == "failed")
        trouble = desk.delivery.status().trouble
        assert "username and password_env or password_file" in trouble
        assert "wrong" not in trouble.replace("wrong password", "")
        assert await desk.store.waiting("mqtt") == 1, "it stays owed"


async def test_a_refused_message_is_not_taken_for_delivered(mosquitto_at, tmp_path, desk_at):
    (tmp_path / "rights").write_text("topic write crisisdesk/acme/status\ntopic write crisisdesk/acme/heartbeat\n")
    broker = mosquitto_at("allow_anonymous true", f"acl_file {tmp_path}/rights")
    async with desk_at(broker.port) as desk:
        desk.delivery._flush_seconds = 0
        await desk.change()
        await desk.shows(lambda status: "refuses messages on crisisdesk/acme/alert/" in status.trouble)
        assert desk.delivery.status().state == "retrying"
        assert await desk.store.waiting("mqtt") == 1


async def test_a_desk_beats(mosquitto, desk_at, subscriber):
    async with subscriber(mosquitto.port) as inbox, desk_at(mosquitto.port) as desk:
        await inbox.until(lambda: len(inbox.payloads("/heartbeat")) == 1)
        beat = orjson.loads(inbox.payloads("/heartbeat")[0])
        assert (beat["type"], beat["source"], beat["time"]) == (
            "crisisdesk.heartbeat",
            "/crisisdesk/acme",
            "2008-11-15T03:40:00Z",
        )
        assert beat["data"] == {"sources": [], "queues": {}, "outputs": [], "model": "none"}
        assert desk.delivery.status().delivered == 0


async def test_what_somebody_else_asked_for_under_its_name_does_not_pile_up(mosquitto, desk_at):
    session = Properties(PacketTypes.CONNECT)
    session.SessionExpiryInterval = 60
    other = aiomqtt.Client(
        "127.0.0.1",
        mosquitto.port,
        identifier="crisisdesk-acme",
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=session,
    )
    async with other:
        await other.subscribe("noise/#", qos=1)
    async with desk_at(mosquitto.port) as desk, aiomqtt.Client("127.0.0.1", mosquitto.port) as stranger:
        await desk.output.ready()
        for _ in range(50):
            await stranger.publish("noise/all", b"x" * 100, qos=1)
        await desk.change()
        await desk.is_done()
        assert len(desk.output._connection._client.messages) == 0


async def test_a_bug_in_the_heartbeat_is_not_hidden(mosquitto, desk_at):
    with pytest.raises(ExceptionGroup) as caught:
        async with desk_at(mosquitto.port, heartbeat=lambda: 1 / 0) as desk:
            await desk.output.ready()
            await asyncio.Event().wait()
    assert caught.group_contains(ZeroDivisionError)


async def test_a_connection_that_is_cut_again_and_again_loses_nothing(mosquitto, gate, desk_at, subscriber):
    """Cut at any point of a delivery: every change arrives, in order; what comes twice comes under the same id."""
    chance = random.Random(20081115)

    async def cut_now_and_then(way) -> None:
        while True:
            await asyncio.sleep(chance.uniform(0.001, 0.03))
            way.cut()

    async with gate(mosquitto.port) as way, subscriber(mosquitto.port) as inbox, desk_at(way.port) as desk:
        cutting = asyncio.create_task(cut_now_and_then(way))
        ids = [await desk.change(f"watch {chance.randrange(20)}") for _ in range(150)]
        await asyncio.sleep(0.5)
        cutting.cancel()
        await inbox.until(lambda: set(inbox.ids()) == set(ids))
        assert list(dict.fromkeys(inbox.ids())) == ids
        await desk.is_done()
    assert way.connects > 5
