"""What brokers refuse: some topics, what is too large for them, certificates. Alerts that can leave, leave."""

from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk.records import Evidence, Kind, Numbers, Quote, Severity, Spike, Verdict
from crisisdesk.settings import MqttOutput

START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)


def wordy(watch: str, minutes: float = 1) -> Spike:
    """A spike whose evidence are nine posts of 5,000 characters."""
    now = START + timedelta(minutes=minutes)
    posts = tuple(Quote(f"p{n}", "file", now, "mum", f"{n} " + "never again " * 415, 1, None, 0.9, 1) for n in range(9))
    numbers = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6)
    return Spike(watch, Kind.SPIKE, now, Severity.AMBER, numbers, "12 negative", Evidence((), posts, posts[0], (), ()))


async def test_where_states_are_refused_events_go_out_once(mosquitto_at, tmp_path, desk_at, subscriber):
    allowed = ("write crisisdesk/acme/status", "write crisisdesk/acme/event", "read crisisdesk/#")
    (tmp_path / "rights").write_text("".join(f"topic {one}\n" for one in allowed))
    broker = mosquitto_at("allow_anonymous true", f"acl_file {tmp_path}/rights")
    async with subscriber(broker.port) as inbox, desk_at(broker.port) as desk:
        desk.delivery._flush_seconds = 0
        await desk.shows(lambda status: "refuses messages on crisisdesk/acme/heartbeat" in status.trouble)
        told = [await desk.change(watch) for watch in ("Motrin", "Other", "Third")]
        await desk.shows(lambda status: "refuses messages on crisisdesk/acme/alert/" in status.trouble)
        await inbox.until(lambda: len(inbox.events()) == 3)
        assert inbox.ids() == told
        assert await desk.store.waiting("mqtt") == 3, "the states stay owed"


async def test_one_incident_that_is_refused_holds_up_no_other(mosquitto_at, tmp_path, desk_at, subscriber):
    (tmp_path / "rights").write_text(
        "topic readwrite crisisdesk/#\ntopic deny crisisdesk/acme/alert/bad-20081115t034100z/state\n"
    )
    broker = mosquitto_at("allow_anonymous true", f"acl_file {tmp_path}/rights")
    async with subscriber(broker.port) as inbox, desk_at(broker.port) as desk:
        desk.delivery._flush_seconds = 0
        await desk.change("Bad")
        await desk.change("Good")
        await inbox.until(lambda: len(inbox.payloads("good-20081115t034200z/state")) == 1)
        await desk.shows(lambda status: status.waiting == 1 and "bad-20081115t034100z" in status.trouble)


async def test_a_status_that_is_refused_holds_up_no_alert(mosquitto_at, tmp_path, desk_at, subscriber):
    allowed = ("write crisisdesk/acme/event", "write crisisdesk/acme/alert/#", "read crisisdesk/#")
    (tmp_path / "rights").write_text("".join(f"topic {one}\n" for one in allowed))
    broker = mosquitto_at("allow_anonymous true", f"acl_file {tmp_path}/rights")
    async with subscriber(broker.port) as inbox, desk_at(broker.port) as desk:
        await desk.change()
        await inbox.until(lambda: len(inbox.events()) == 1)
        await desk.is_done()
        assert "refuses messages on crisisdesk/acme/status" in desk.delivery.status().trouble


# In 3.1.1 mosquitto acknowledges what is over its message_size_limit, and throws it away: nobody can know.
TOO_LARGE = [("message_size_limit 20000", True), ("max_packet_size 20000", True), ("max_packet_size 20000", False)]


@pytest.mark.parametrize("told", TOO_LARGE, ids=["refused, 5", "announced, 5", "hangs up, 3.1.1"])
async def test_what_is_too_large_goes_out_shortened(mosquitto_at, gate, desk_at, subscriber, told):
    limit, five = told
    broker = mosquitto_at("allow_anonymous true", limit)
    async with gate(broker.port, knows_5=five) as way, subscriber(broker.port) as inbox, desk_at(way.port) as desk:
        await desk.register.witness(wordy("Wordy"))
        told = await desk.change("Short")
        await inbox.until(lambda: told in inbox.ids())
        await desk.is_done()
        assert desk.output._connection.version == ("5" if five else "3.1.1")
        (event,) = [one for one in inbox.events() if one["data"]["incident"]["watch"] == "Wordy"]
        evidence = event["data"]["incident"]["evidence"]
        assert evidence["shortened"]
        assert [len(post["text"]) <= 280 for post in evidence["posts"]] == [True] * 9
        assert all(post["text"].endswith("…") for post in (*evidence["posts"], evidence["first"]))
        (short,) = [one for one in inbox.events() if one["id"] == told]
        assert "shortened" not in short["data"]["incident"]["evidence"]
        connects = way.connects
        await desk.register.witness(wordy("Wordy too"))
        await desk.is_done()
        assert way.connects == connects, "it is known now"


async def test_a_broker_that_takes_hardly_anything_gets_no_posts(mosquitto_at, desk_at, subscriber):
    broker = mosquitto_at("allow_anonymous true", "max_packet_size 4000")
    async with subscriber(broker.port) as inbox, desk_at(broker.port) as desk:
        await desk.register.witness(wordy("Wordy"))
        await inbox.until(lambda: len(inbox.events()) == 1)
        evidence = inbox.events()[0]["data"]["incident"]["evidence"]
        assert (evidence["posts"], evidence["signals"], evidence["first"]) == ([], [], None)


async def test_what_never_fits_is_owed_and_the_connection_stays(mosquitto_at, desk_at):
    broker = mosquitto_at("allow_anonymous true", "max_packet_size 1000")
    async with desk_at(broker.port) as desk:
        desk.delivery._flush_seconds = 0
        await desk.change()
        await desk.shows(lambda status: "takes no message of more than" in status.trouble)
        assert desk.output.status().state == "live"


async def test_a_state_that_has_long_not_changed_is_said_again(mosquitto, desk_at, subscriber):
    async with subscriber(mosquitto.port) as inbox, desk_at(mosquitto.port, heartbeat_seconds=0.02) as desk:
        await desk.output.ready()
        await desk.change()
        await desk.is_done()
        desk.clock.moment += timedelta(hours=25)
        await inbox.until(lambda: len(inbox.payloads("/state")) == 2)
        first, second = inbox.payloads("/state")
        assert first == second
        await inbox.until(lambda: len(inbox.payloads("/heartbeat")) > 8)
        assert len(inbox.payloads("/state")) == 2, "once a day"


async def test_what_ended_while_nobody_could_be_told_does_not_stand_as_open(mosquitto, gate, desk_at, subscriber):
    """The end was given up, a day after it, before the broker came back with what it had kept."""
    async with gate(mosquitto.port) as way:
        async with desk_at(way.port) as desk:
            await desk.change()
            await desk.is_done()
            way.shut()
            (incident,) = desk.register.incidents()
            await desk.register.resolve(incident.id, "Ann", Verdict.REAL, incident.updated)
            for _, told in await desk.store.owed("mqtt"):
                assert told.incident.id == incident.id
                await desk.store.delivered("mqtt", [told.change.id])
            assert await desk.store.waiting("mqtt") == 0
        way.is_open = True
        async with subscriber(mosquitto.port) as inbox:
            await inbox.until(lambda: len(inbox.payloads("/state")) == 1)
            async with desk_at(way.port):
                await inbox.until(lambda: inbox.payloads("/state")[-1] == b"")


def broker_tls(certificates, shows: str = "broker") -> tuple[str, ...]:
    own = (f"certfile {certificates}/{shows}.pem", f"keyfile {certificates}/broker.key")
    return (f"cafile {certificates}/ca.pem", *own, "require_certificate true", "allow_anonymous true")


def tls(certificates, **files: str):
    """An output's encryption; where nothing else is said, as it should be."""
    right = {"ca_file": "ca.pem", "certificate_file": "desk.pem", "key_file": "desk.key"} | files
    places = {key: str(certificates / name) for key, name in right.items() if name}
    return MqttOutput.model_validate({"kind": "mqtt", "host": "127.0.0.1", "tls": True, **places}).encryption()


WRONG = {
    "the broker's has expired": (
        "old-broker",
        {},
        "(certificate has expired): renew it there, or mend host and ca_file",
    ),
    "nobody vouches for it": ("broker", {"ca_file": ""}, "does not show a certificate that we can trust"),
    "ours is missing": (
        "broker",
        {"certificate_file": "", "key_file": ""},
        "mend host, port, tls and certificate_file",
    ),
    "ours has expired": ("broker", {"certificate_file": "old-desk.pem"}, "mend host, port, tls and certificate_file"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_a_certificate_that_is_not_right_is_said_with_its_cure(mosquitto_at, certificates, desk_at, wrong):
    shows, ours, cure = wrong
    broker = mosquitto_at(*broker_tls(certificates, shows))
    async with desk_at(broker.port, tls=tls(certificates, **ours)) as desk:
        await desk.change()
        await desk.shows(lambda status: cure in status.trouble)
        assert desk.delivery.status().state in {"retrying", "failed"}
        assert await desk.store.waiting("mqtt") == 1, "it stays owed"


async def test_with_the_right_certificates_it_goes_out(mosquitto_at, certificates, desk_at):
    broker = mosquitto_at(*broker_tls(certificates))
    async with desk_at(broker.port, tls=tls(certificates), commands=["note"]) as desk:
        await desk.change()
        await desk.is_done()
        await desk.shows(lambda status: status.state == "live" and not status.trouble)
