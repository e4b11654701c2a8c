"""What an author takes back leaves the broker, too: what is retained there says no more of it than the desk does."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson

from crisisdesk.records import TAKEN_BACK, Correction, Evidence, Kind, Numbers, Quote, Severity, Spike

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
SAID = Quote("1", "bsky", NOW, "madeleine", "it hurt my twins", 900, "https://x.example/1", 0.9)
OTHER = replace(SAID, id="2", author="ben", text="never again", url=None)
EVIDENCE = Evidence(posts=(SAID, OTHER), first=SAID, signals=(SAID,), voices=(("madeleine", 900), ("ben", 900)))
WAVE = Spike(
    "Acme", Kind.SPIKE, NOW, Severity.RED, Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6), "12 negative", EVIDENCE
)


async def test_the_retained_state_of_an_open_incident_forgets_what_was_taken_back(mosquitto, desk_at, subscriber):
    async with desk_at(mosquitto.port) as desk:
        (told,) = await desk.register.witness(WAVE)
        async with subscriber(mosquitto.port) as inbox:
            await inbox.until(lambda: inbox.payloads("/state") != [])
            assert b"twins" in inbox.payloads("/state")[0]
            await desk.register.correct(Correction("bsky", "1"))
            await inbox.until(lambda: f"{told.incident.id}-2" in inbox.ids())
        async with subscriber(mosquitto.port) as later:
            await later.until(lambda: later.payloads("/state") != [])
            (state,) = later.payloads("/state")
            for gone in (b"twins", b"madeleine", b"x.example"):
                assert gone not in state
            shown = orjson.loads(state)["data"]["incident"]["evidence"]
            assert [post["text"] for post in shown["posts"]] == [TAKEN_BACK, "never again"]
            assert shown["voices"] == [{"author": "ben", "reach": 900}]


async def test_what_could_not_go_out_yet_goes_out_without_it(mosquitto, desk_at, subscriber):
    async with desk_at(1) as desk:  # nobody is there
        await desk.register.witness(WAVE)
        await desk.register.correct(Correction("", author="@Madeleine", asked=True))
    async with subscriber(mosquitto.port) as inbox, desk_at(mosquitto.port) as desk:
        await inbox.until(lambda: len(inbox.events()) == 2)
        sent = b"".join(bytes(message.payload) for message in inbox.messages)
        assert b"never again" in sent
        assert b"twins" not in sent
        assert b"madeleine" not in sent
