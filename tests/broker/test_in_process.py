"""Against the broker in this process, which is there when mosquitto is not, and which speaks 3.1.1 only."""

import orjson

from crisisdesk.records import Verdict


async def test_the_main_path_on_a_broker_that_knows_no_5(amqtt_port, desk_at, subscriber):
    async with subscriber(amqtt_port, five=False) as inbox:
        async with desk_at(amqtt_port, timeout=0.3) as desk:
            await desk.output.ready()
            assert desk.output._connection.version == "3.1.1"
            ids = [await desk.change() for _ in range(3)]
            (incident,) = desk.register.incidents()
            await desk.register.resolve(incident.id, "Ann", Verdict.REAL, incident.updated)
            await inbox.until(lambda: len(inbox.events()) == 4)
            assert inbox.ids() == [*ids, f"{incident.id}-4"]
            assert orjson.loads(inbox.payloads("/state")[0])["data"]["incident"]["id"] == incident.id
            assert inbox.payloads("/state")[-1] == b""
            assert len(inbox.payloads("/heartbeat")) == 1
        await inbox.until(lambda: inbox.payloads("/status") == [b"online", b"offline"])
