"""Posts that others publish: what comes through, what is acknowledged when, and what a broker's faults cost."""

import asyncio
import gc
import signal
import socket
from datetime import timedelta

import aiomqtt
import orjson
import pytest
from edges import Taken

from crisisdesk.clock import WallClock
from crisisdesk.doctor import Verdict, heard
from crisisdesk.mqtt import Broker, subscription
from crisisdesk.mqtt.subscription import LARGEST
from crisisdesk.records import Correction
from crisisdesk.sources.mqtt import AT_ONCE, MqttSource

REMEMBERS = ("allow_anonymous true", "persistence true", "autosave_on_changes true", "autosave_interval 1")


def post(number: int, **more: object) -> bytes:
    return orjson.dumps({"id": f"{number}", "time": "2008-11-15T03:40:00Z", "text": f"never again {number}", **more})


def ids(numbers) -> list[str]:
    return [str(number) for number in numbers]


async def test_posts_come_one_by_one_in_arrays_and_in_lines(mosquitto, listener, publish):
    async with listener(mosquitto.port) as there:
        await there.is_live()
        await publish(mosquitto.port, "posts/forum", [post(1, source="forum")])
        await publish(mosquitto.port, "posts", [b"[" + post(2) + b"," + post(3) + b"]", post(4) + b"\n" + post(5)])
        await there.has(*ids(range(1, 6)))
        status = await there.shows(lambda status: status.posts == 5)
        assert [post.key for post in there.edge.posts[:2]] == ["forum:1", "mqtt:2"]
        assert (status.events, status.bad, status.trouble, status.last_event) == (3, 0, "", there.clock.moment)


async def test_what_a_publisher_takes_back_is_taken_back_here(mosquitto, listener, publish):
    async with listener(mosquitto.port) as there:
        await there.is_live()
        gone = orjson.dumps({"id": "1", "source": "forum", "deleted": True})
        await publish(mosquitto.port, "posts", [post(1, source="forum"), gone, post(2)])
        await there.has("1", "2")
        assert there.edge.corrections == [Correction("forum", "1")]


async def test_a_topic_may_be_shared_or_one_of_several(mosquitto, listener, publish):
    async with listener(mosquitto.port, "a/+/c", "$share/desks/b/#") as there:
        await there.is_live()
        for number, topic in enumerate(["a/b/c", "b/x/y", "a/c", "c"]):
            await publish(mosquitto.port, topic, [post(number)])
        await there.has("0", "1")


async def test_what_is_published_without_confirmation_or_retained_is_taken_too(mosquitto, listener, publish):
    await publish(mosquitto.port, "posts/retained", [post(1)], retain=True)
    async with listener(mosquitto.port) as there:
        await there.has("1")
        await publish(mosquitto.port, "posts", [post(2)], qos=0)
        await there.has("1", "2")
    async with listener(mosquitto.port) as there:
        await there.is_live()
        await publish(mosquitto.port, "posts", [post(3)])
        await there.has("3")


async def test_what_comes_while_the_desk_is_away_waits_at_the_broker(mosquitto, listener, publish):
    async with listener(mosquitto.port) as there:
        await there.is_live()
    await publish(mosquitto.port, "posts", [post(number) for number in range(50)])
    async with listener(mosquitto.port) as there:
        await there.has(*ids(range(50)))
        assert [post.id for post in there.edge.posts] == ids(range(50))
        assert there.source.status().trouble == ""


async def test_a_message_without_posts_is_told_once_and_does_not_stop_the_others(mosquitto, listener, publish):
    async with listener(mosquitto.port) as there:
        await there.is_live()
        bad = [b"", b"\x00\xff", b"[1," + post(1) + b"]", b'{"text": "when?"}', b"x" * 1_100_000, b"[" * 9_999]
        await publish(mosquitto.port, "posts/bad", [*bad, post(2)])
        await there.has("1", "2")
        status = await there.shows(lambda status: status.posts == 2)
        assert (status.events, status.bad) == (7, 6)
        assert status.trouble.startswith("A message on posts/bad is empty; send a post, such as {")
        assert status.trouble.endswith("It is skipped, and so is all that is like it.")
        there.clock.moment += timedelta(hours=13)
        assert there.source.status().trouble == ""
    async with listener(mosquitto.port) as there:
        await publish(mosquitto.port, "posts", [post(3)])
        await there.has("3")


async def test_a_giant_is_told_and_not_kept_in_memory(mosquitto, listener, publish):
    stuck = Taken()
    stuck.full = True
    async with listener(mosquitto.port, edge=stuck) as there:
        await there.is_live()
        await publish(mosquitto.port, "posts", [post(0), *[b"x" * 3_000_000] * 20])
        await publish(mosquitto.port, "posts", [b"x" * (LARGEST + 1), post(1)])
        stuck.full = False
        await there.has("0", "1")
        status = await there.shows(lambda status: status.posts == 2)
        assert (status.events, status.bad) == (22, 20), "of what is larger still the broker says nothing"
        assert "A message on posts is larger than 1,048,576 bytes; send fewer posts at once" in status.trouble


async def test_outside_text_in_a_topic_is_cleaned(mosquitto, listener, publish):
    async with listener(mosquitto.port) as there:
        await there.is_live()
        await publish(mosquitto.port, "posts/\u202edecreted", [b"?"])
        status = await there.shows(lambda status: status.bad == 1)
        assert status.trouble.isprintable()
        assert "posts/decreted" in status.trouble


async def test_nothing_is_acknowledged_before_it_is_safe(mosquitto, listener, publish):
    """A desk that falls between receiving and writing gets all of it again."""
    never = asyncio.Event()

    async def forever(_) -> None:
        await never.wait()

    stuck = Taken(wait=forever)
    async with listener(mosquitto.port, edge=stuck) as there:
        await there.is_live()
        await publish(mosquitto.port, "posts", map(post, range(20)))
        await there.shows(lambda status: status.events > 0)
        assert stuck.posts == []
    async with listener(mosquitto.port) as there:
        await there.has(*ids(range(20)))
        await there.shows(lambda status: status.posts >= 20)  # and the broker knows it
    async with listener(mosquitto.port) as there:
        await publish(mosquitto.port, "posts", [post(99)])
        await there.has("99")


async def test_a_full_disk_loses_nothing_and_keeps_the_connection(mosquitto, gate, listener, publish):
    full = Taken()
    full.full = True
    async with gate(mosquitto.port) as way, listener(way.port, edge=full) as there:
        await there.is_live()
        await publish(mosquitto.port, "posts", map(post, range(300)))
        status = await there.shows(lambda status: bool(status.trouble))
        assert (status.state, status.posts) == ("live", 0)
        assert status.trouble.startswith("The disk is full; make room. Until then the MQTT broker 127.0.0.1:")
        full.full = False
        await there.has(*ids(range(300)))
        status = await there.shows(lambda status: status.posts == 300)
        assert (status.state, status.trouble, way.connects) == ("live", "", 1)


async def test_messages_that_wait_are_written_down_together(mosquitto, listener, publish):
    batches = []

    class Counting(Taken):
        async def keep(self, posts) -> None:
            batches.append(len(posts))
            await asyncio.sleep(0.02)
            await super().keep(posts)

    async with listener(mosquitto.port):
        pass
    async with listener(mosquitto.port, edge=Counting()) as there:
        await there.is_live()
    await publish(mosquitto.port, "posts", map(post, range(500)))
    async with listener(mosquitto.port, edge=Counting()) as there:
        await there.has(*ids(range(500)))
    assert max(batches) > 50
    assert len(batches) < 40


async def test_a_cut_connection_is_mended_and_says_nothing_is_missing(mosquitto, gate, listener, publish):
    async with gate(mosquitto.port) as way, listener(way.port) as there:
        await there.is_live()
        way.shut()
        status = await there.shows(lambda status: status.state == "connecting")
        assert str(way.port) in status.trouble
        await publish(mosquitto.port, "posts", map(post, range(5)))
        way.is_open = True
        await there.has(*ids(range(5)))
        await there.shows(lambda status: (status.state, status.trouble) == ("live", ""))


@pytest.mark.parametrize("remembers", [True, False])
async def test_a_killed_broker_is_told_to_have_forgotten_us_if_it_has(mosquitto_at, listener, publish, remembers):
    broker = mosquitto_at(*(REMEMBERS if remembers else ("allow_anonymous true",)))
    async with listener(broker.port) as there:
        await there.is_live()
        await publish(broker.port, "posts", map(post, range(5)))
        await there.has(*ids(range(5)))
        broker.kill()
        await there.shows(lambda status: status.state == "connecting")
        there.clock.moment = there.clock.moment.replace(minute=50)
        broker.start()
        await there.is_live()
        await publish(broker.port, "posts", map(post, range(5, 10)))
        await there.has(*ids(range(10)))
        trouble = there.source.status().trouble
        if remembers:
            assert trouble == ""
        else:
            assert "has forgotten our session: posts since 15 Nov 12:40 UTC may be missing" in trouble
            assert trouble.endswith("Switch its persistence on, or set a longer session_seconds.")


@pytest.mark.parametrize("remembers", [True, False])
async def test_a_desk_that_was_off_is_told_that_the_broker_has_forgotten_it(mosquitto, listener, remembers):
    async with listener(mosquitto.port) as there:
        assert there.source.cursor is None
        await there.is_live()
        there.clock.moment += timedelta(minutes=2)
    there.clock.moment += timedelta(hours=3)
    cursor = there.source.cursor
    assert cursor == f'["2008-11-15T12:42:00Z","crisisdesk-acme-mqtt at 127.0.0.1:{mosquitto.port}",["posts/#"]]'
    if not remembers:
        mosquitto.kill()
        mosquitto.start()
    async with listener(mosquitto.port, cursor=cursor) as there:
        assert there.source.cursor == cursor
        await there.is_live()
        trouble = there.source.status().trouble
        assert ("posts since 15 Nov 12:42 UTC may be missing" in trouble) is not remembers


async def test_under_another_name_nothing_was_to_be_kept(mosquitto, listener):
    async with listener(mosquitto.port) as there:
        await there.is_live()
    async with listener(mosquitto.port, client_id="another", cursor=there.source.cursor) as there:
        await there.is_live()
        assert there.source.status().trouble == ""


async def test_a_broker_that_keeps_nothing_is_told_as_long_as_it_does(mosquitto_at, listener, publish):
    broker = mosquitto_at("allow_anonymous true", "max_qos 0")
    async with listener(broker.port) as there:
        await there.is_live()
        await publish(broker.port, "posts", [post(1)], qos=0)
        await there.has("1")
        there.clock.moment += timedelta(days=1)
        status = there.source.status()
        assert status.state == "live"
        assert "keeps nothing for us (it grants QoS 0 only)" in status.trouble
        assert status.trouble.endswith("Allow QoS 1 there.")


async def test_who_publishes_without_confirmation_is_told_once(mosquitto, listener, publish):
    async with listener(mosquitto.port) as there:
        await there.is_live()
        await publish(mosquitto.port, "posts/forum", [post(1)], qos=0)
        status = await there.shows(lambda status: status.posts == 1)
        assert status.trouble.startswith("Messages on posts/forum come with QoS 0: ")
        there.clock.moment += timedelta(days=1)
        await publish(mosquitto.port, "posts/forum", [post(2)], qos=0)
        status = await there.shows(lambda status: status.posts == 2)
        assert status.trouble == "", "who cannot do otherwise is not told for ever"


async def test_two_desks_of_one_name_are_told_also_while_they_are_connected(mosquitto, listener):
    async with listener(mosquitto.port) as there, listener(mosquitto.port):
        status = await there.shows(lambda status: status.state == "live" and bool(status.trouble))
        assert "This happens again and again. If another desk or source is there as crisis" in status.trouble


async def test_a_visitor_hears_and_owes_nothing(mosquitto, publish):
    """As `crisisdesk doctor` looks whether there is something to hear, and takes nothing."""
    source = MqttSource(
        Broker("127.0.0.1", mosquitto.port), ["posts/#"], WallClock(), client_id="doctor", session_seconds=0
    )
    async with asyncio.TaskGroup() as group:
        look = group.create_task(heard([source], WallClock(), 2))
        await asyncio.sleep(0.5)
        await publish(mosquitto.port, "posts", [post(1)])
    (finding,) = look.result()
    assert (finding.verdict, finding.said[:8]) == (Verdict.OK, "is heard")


async def test_a_frozen_broker_is_noticed_and_what_it_held_comes_afterwards(mosquitto, listener, publish):
    async with listener(mosquitto.port, keepalive=1) as there:
        await there.is_live()
        mosquitto.signal(signal.SIGSTOP)
        status = await there.shows(lambda status: status.state == "blind")
        assert "went away (it says nothing any more)" in status.trouble
        mosquitto.signal(signal.SIGCONT)
        await there.is_live()
        await publish(mosquitto.port, "posts", [post(1)])
        await there.has("1")


async def test_a_wrong_password_is_final_and_names_the_settings(mosquitto_at, tmp_path, listener):
    (tmp_path / "passwords").write_text("")
    broker = mosquitto_at("allow_anonymous false", f"password_file {tmp_path}/passwords")
    async with listener(broker.port, username="desk", password="wrong") as there:  # noqa: S106 - it is wrong
        status = await there.shows(lambda status: status.state == "failed")
        assert "mend username and password_env or password_file of this source, then start again." in status.trouble


@pytest.mark.parametrize("five", [True, False])
async def test_a_topic_that_we_may_not_read_is_final_and_named(strict_mosquitto, gate, listener, five):
    async with gate(strict_mosquitto.port, knows_5=five) as way, listener(way.port, "posts/ours", "posts/x") as there:
        status = await there.shows(lambda status: status.state == "failed")
        assert "does not let us read posts/x (" in status.trouble
        assert status.trouble.endswith("mend topic, or what username may read of this source, then start again.")


async def test_a_broker_that_knows_only_the_old_protocol(amqtt_port, listener):
    async with listener(amqtt_port) as there:
        await there.is_live()
        assert there.source._subscription.version == "3.1.1"
        async with aiomqtt.Client("127.0.0.1", amqtt_port) as client:
            await client.publish("posts", post(1), qos=1)
        await there.has("1")


async def test_the_old_protocol_keeps_the_session_too(mosquitto, gate, listener, publish):
    async with gate(mosquitto.port, knows_5=False) as way:
        async with listener(way.port) as there:
            await there.is_live()
            assert there.source._subscription.version == "3.1.1"
        await publish(mosquitto.port, "posts", map(post, range(50)))
        async with listener(way.port) as there:
            await there.has(*ids(range(50)))


async def test_a_topic_of_earlier_settings_is_left_out_and_told(mosquitto, listener, publish):
    async with listener(mosquitto.port, "old/#") as there:
        await there.is_live()
    async with listener(mosquitto.port, "new/#") as there:
        await there.is_live()
        await publish(mosquitto.port, "old/x", [post(1)])
        await publish(mosquitto.port, "new/x", [post(2)])
        await there.has("2")
        assert there.source.status().trouble.startswith("The broker still sends old/x, which an earlier setting asked")


async def test_topics_of_an_earlier_run_are_called_off(mosquitto, listener, publish):
    async with listener(mosquitto.port, "posts/#", "other") as there:
        await there.is_live()
    async with listener(mosquitto.port, "posts/ours", "other", cursor=there.source.cursor) as there:
        await there.is_live()
        for number, topic in enumerate(["posts/theirs", "posts/ours", "other"]):
            await publish(mosquitto.port, topic, [post(number)])
        await there.has("1", "2")
        assert (there.source.status().events, there.source.status().trouble) == (2, "")


async def test_an_end_that_nobody_asks_about_writes_nothing_on_the_terminal(mosquitto, caplog):
    there = subscription.Subscription(
        Broker("127.0.0.1", mosquitto.port), client_id="desk", topics=["posts"], seconds=0, largest=1
    )
    async with there.open() as inbox:
        mosquitto.kill()
        while not inbox.is_over:  # noqa: ASYNC110 - nobody asks why, so nobody can wait for it
            await asyncio.sleep(0.01)
    del inbox
    gc.collect()
    assert not caplog.records


async def test_a_broker_that_never_answers_is_tried_again_and_does_not_hold_up_the_stop(listener):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        async with asyncio.timeout(8), listener(mute.getsockname()[1], timeout=0.2) as there:
            status = await there.shows(lambda status: bool(status.trouble))
            assert "start it, or mend host, port and tls of this source" in status.trouble
            assert status.state == "connecting"


async def test_a_flood_waits_at_the_broker(mosquitto_at, listener, publish):
    """The edge is slow: what is here is little, and nothing is lost."""
    broker = mosquitto_at("allow_anonymous true", "max_queued_messages 0")
    kept: list[int] = []

    class Slow(Taken):
        async def keep(self, posts) -> None:
            kept.append(len(posts))
            await asyncio.sleep(0.005)
            await super().keep(posts)

    async with listener(broker.port, edge=Slow()) as there:
        await there.is_live()
        await publish(broker.port, "posts", map(post, range(10_000)))
        await there.has(*ids(range(10_000)))
        assert there.source.status().trouble == ""
    assert max(kept) <= AT_ONCE


@pytest.mark.parametrize("five", [True, False])
async def test_a_broker_that_sends_without_measure_is_asked_again(
    mosquitto_at, gate, listener, publish, monkeypatch, *, five
):
    """As mosquitto does in 3.1.1 when told so, and now and then in 5: what does not fit here is not lost."""
    monkeypatch.setattr(subscription, "WAITING", 50)
    broker = mosquitto_at("allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 0")

    class Slow(Taken):
        async def keep(self, posts) -> None:
            assert len(posts) <= 50
            await asyncio.sleep(0.01)
            await super().keep(posts)

    async with gate(broker.port, knows_5=five) as way, listener(way.port, edge=Slow()) as there:
        await there.is_live()
        await publish(broker.port, "posts", map(post, range(1_000)))
        await there.has(*ids(range(1_000)))
        assert there.source.status().trouble == ""
        assert (way.connects > 2) or five


def counted_arrivals(monkeypatch) -> list[int]:
    """Grows by the number of each message that the broker sends, whether there is room for it or not."""
    arrived: list[int] = []
    take = subscription.Inbox._on_message

    def on_message(self, client, userdata, message) -> None:
        arrived.append(message.mid)
        take(self, client, userdata, message)

    monkeypatch.setattr(subscription.Inbox, "_on_message", on_message)
    return arrived


async def test_what_nobody_confirms_is_dropped_and_told(mosquitto, listener, publish, monkeypatch):
    monkeypatch.setattr(subscription, "WAITING", 50)
    arrived = counted_arrivals(monkeypatch)
    full = Taken()
    full.full = True
    async with listener(mosquitto.port, edge=full) as there:
        await there.is_live()
        await publish(mosquitto.port, "posts", map(post, range(500)), qos=0)
        await publish(mosquitto.port, "posts", [post(999)])
        await there.shows(lambda status: bool(status.trouble) and len(arrived) >= 501)
        full.full = False
        status = await there.shows(lambda status: "publish with QoS 1" in status.trouble)
        await full.until(lambda: "999" in {post.id for post in full.posts})
        lost = 501 - len({post.id for post in full.posts})
        assert 0 < lost < 500
        assert f"{lost} messages or more without confirmation (QoS 0) came too fast and went lost" in status.trouble


async def test_a_broker_that_has_let_us_in_before_may_be_in_trouble_itself(mosquitto, tmp_path, listener, publish):
    """Such as one that cannot ask its own list of passwords for a while: the desk must hear again without a person."""
    open_to_all = mosquitto._config.read_text()
    async with listener(mosquitto.port) as there:
        await there.is_live()
        mosquitto.kill()
        (tmp_path / "passwords").write_text("")
        closed = open_to_all.replace("allow_anonymous true", f"password_file {tmp_path}/passwords")
        mosquitto._config.write_text(closed)
        mosquitto.start()
        status = await there.shows(lambda status: "does not let us in" in status.trouble)
        assert status.state == "connecting"
        assert status.trouble.endswith("of this source, then start again; until then it is tried as it is.")
        mosquitto.kill()
        mosquitto._config.write_text(open_to_all)
        mosquitto.start()
        await there.is_live()
        await publish(mosquitto.port, "posts", [post(1)])
        await there.has("1")
