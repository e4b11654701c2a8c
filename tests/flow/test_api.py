"""What a running desk answers over HTTP: what is there, what can be done and in whose name, and how it refuses."""

from datetime import timedelta

import pytest
from desks import NOW, served

from crisisdesk import wire
from crisisdesk.records import Change, Incident, Severity
from crisisdesk.server.answers import RECORDS
from crisisdesk.settings import Address

LISTS = ("me", "incidents", "watches", "sources", "playbooks", "oncall", "inquiries", "openapi.json")


async def test_a_viewer_sees_all_that_there_is(tmp_path):
    async with served(tmp_path) as desk:
        incident = await desk.incident()
        for path in LISTS:
            assert (await desk.get(f"/api/v1/{path}", "Vera")).status == 200, path
        one = f"/api/v1/incidents/{incident.id}"
        shown = (await desk.get(one, "Vera")).content["incident"]
        assert (shown["watch"], shown["severity"], shown["state"]) == ("Acme", "amber", "open")
        assert shown["evidence"]["posts"][0]["text"] == "acme is awful, never again"
        (opened,) = (await desk.get(f"{one}/timeline", "Vera")).content["changes"]
        assert opened["event"] == "opened"
        book = (await desk.get(f"{one}/playbook", "Vera")).content["playbook"]
        assert book["phases"][0]["steps"]
        assert (await desk.get("/api/v1/watches/Acme", "Vera")).content["watch"]["chart"] is not None
        sources = (await desk.get("/api/v1/sources", "Vera")).content
        assert (sources["sources"][0]["name"], sources["model"]) == ("quiet", "words@0001")


async def test_who_asks_is_told_who_they_are(tmp_path):
    async with served(tmp_path) as desk:
        me = (await desk.get("/api/v1/me", "Anna Berg")).content
        assert (me["person"], me["role"], me["desk"]) == ("Anna Berg", "responder", "acme")


async def test_every_act_is_done_in_the_name_of_the_token(tmp_path):
    async with served(tmp_path) as desk:
        one = f"/api/v1/incidents/{(await desk.incident()).id}"
        got = await desk.post(f"{one}/acknowledge", {}, "Anna Berg")
        assert (got.status, got.content["incident"]["acknowledged_by"]) == (200, "Anna Berg")
        assigned = await desk.post(f"{one}/assign", {"to": "Ben Cole", "note": "I have to leave"}, "Anna Berg")
        assert assigned.content["incident"]["assigned_to"] == "Ben Cole"
        silenced = await desk.post(f"{one}/silence", {"minutes": 30, "reason": "statement at nine"}, "Ben Cole")
        assert silenced.content["incident"]["silenced_because"] == "statement at nine"
        assert (await desk.post(f"{one}/lift", {}, "Ben Cole")).content["incident"]["silenced_until"] is None
        assert (await desk.post(f"{one}/notes", {"note": "called the agency"}, "Ben Cole")).status == 200
        over = (await desk.post(f"{one}/resolve", {"verdict": "real"}, "Ben Cole")).content["incident"]
        assert (over["state"], over["verdict"], over["resolved_by"]) == ("resolved", "real", "Ben Cole")
        judged = await desk.post(f"{one}/judge", {"verdict": "false alarm"}, "Edda")
        assert judged.content["incident"]["verdict"] == "false alarm"
        done = [(one["event"], one["person"]) for one in (await desk.get(f"{one}/timeline", "Vera")).content["changes"]]
        assert done == [
            ("opened", None),
            ("acknowledged", "Anna Berg"),
            ("assigned", "Anna Berg"),
            ("silenced", "Ben Cole"),
            ("silenced", "Ben Cole"),
            ("noted", "Ben Cole"),
            ("resolved", "Ben Cole"),
            ("noted", "Edda"),
        ]


async def test_the_second_of_two_is_told_who_was_first(tmp_path):
    async with served(tmp_path) as desk:
        path = f"/api/v1/incidents/{(await desk.incident()).id}/acknowledge"
        assert (await desk.post(path, {}, "Anna Berg")).status == 200
        second = await desk.post(path, {}, "Ben Cole")
        assert (second.status, "acknowledged by Anna Berg" in second.error) == (409, True)


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("acknowledge", {"person": "Mallory"}, 400, "unknown key 'person'"),
        ("acknowledge", {"incident": "another"}, 400, "unknown key 'incident'"),
        ("assign", {}, 400, "'to' is missing"),
        ("assign", {"to": ["Ben"]}, 400, "must be a text of at most 100"),
        ("silence", {"reason": "x"}, 400, "one has to be there"),
        ("silence", {"reason": "x", "minutes": 1e9}, 400, "of at most 44,640"),
        ("silence", {"reason": "x", "until": "2008-11-15T08:00:00Z"}, 409, "ends later than now"),
        ("notes", {"nots": "x"}, 400, "did you mean 'note'?"),
        ("resolve", {"verdict": "reel"}, 400, "did you mean 'real'?"),
        ("judge", {"verdict": "real"}, 409, "is still open"),
        ("lift", {}, 409, "is not silent"),
        ("notes", b"{", 400, "no JSON"),
        ("notes", b"[]", 400, "has to be a JSON object"),
        ("notes", {"note": "\x1b[31m" * 100}, 400, "must be a text"),
    ],
)
async def test_what_makes_no_sense_is_answered_with_a_sentence(tmp_path, path, body, status, said):
    async with served(tmp_path) as desk:
        incident = await desk.incident()
        got = await desk.post(f"/api/v1/incidents/{incident.id}/{path}", body, "Anna Berg")
        assert (got.status, said in got.error) == (status, True), got
        assert desk.app.register.find(incident.id) == incident


async def test_what_is_not_there_is_named_with_the_nearest(tmp_path):
    async with served(tmp_path) as desk:
        incident = await desk.incident()
        got = await desk.post(f"/api/v1/incidents/{incident.id[:-1]}x/acknowledge", {}, "Anna Berg")
        assert (got.status, incident.id in got.error) == (404, True)
        assert "Did you mean Acme?" in (await desk.get("/api/v1/watches/Acne", "Vera")).error
        assert (await desk.get("/api/v1/incident", "Vera")).status == 404
        assert (await desk.post("/api/v1/incidents", {}, "Anna Berg")).headers["Allow"] == "GET"


async def test_incidents_can_be_asked_for_by_state_and_watch(tmp_path):
    async with served(tmp_path, watches=("Acme", "Zenith")) as desk:
        acme, zenith = await desk.incident("Acme"), await desk.incident("Zenith", Severity.RED)
        await desk.post(f"/api/v1/incidents/{acme.id}/acknowledge", {}, "Anna Berg")

        async def ids(query: str) -> list[str]:
            got = await desk.get(f"/api/v1/incidents{query}", "Vera")
            return [one["id"] for one in got.content["incidents"]]

        assert await ids("") == [zenith.id, acme.id]
        assert await ids("?state=open") == [zenith.id]
        assert await ids("?state=acknowledged&watch=Acme") == [acme.id]
        assert "none of open, acknowledged, resolved" in (await desk.get("/api/v1/incidents?state=x", "Vera")).error
        assert "did you mean 'state'?" in (await desk.get("/api/v1/incidents?stat=open", "Vera")).error


async def test_a_console_gets_all_that_is_known(tmp_path):
    async with served(tmp_path) as desk:
        incident = await desk.incident()
        one = f"/api/v1/incidents/{incident.id}"
        got = await desk.post(f"{one}/acknowledge", {}, "Anna Berg", Accept=RECORDS)
        assert wire.decoded(got.content["record"], Incident) == desk.app.register.find(incident.id)
        changes = (await desk.get(f"{one}/timeline", "Vera", Accept=RECORDS)).content["record"]
        assert wire.decoded(changes, tuple[Change, ...]) == await desk.app.register.timeline(incident.id)


async def test_probes_need_no_token_and_metrics_do(tmp_path):
    async with served(tmp_path) as desk:
        assert (await desk.get("/healthz")).content == {"status": "ok"}
        assert (await desk.get("/readyz")).status == 200
        async with desk.session.head(f"{desk.url}/readyz") as head:
            assert (head.status, await head.read()) == (200, b"")
        desk.source.state = "connecting"
        assert (await desk.get("/readyz")).status == 503
        assert (await desk.get("/metrics")).status == 401
        figures = await desk.get("/metrics", "Vera")
        assert b"crisisdesk_source_up" in figures.content


async def test_a_desk_without_tokens_lets_its_own_machine_act_by_name(tmp_path):
    async with served(tmp_path, {}) as desk:
        path = f"/api/v1/incidents/{(await desk.incident()).id}"
        got = await desk.post(f"{path}/acknowledge", {}, "Jörg Åberg")
        assert got.content["incident"]["acknowledged_by"] == "Jörg Åberg"
        assert (await desk.post(f"{path}/notes", {"note": "x"})).status == 200
        last = (await desk.get(f"{path}/timeline")).content["changes"][-1]
        assert last["person"] == "somebody"


async def test_where_nobody_has_named_a_port_another_one_will_do(tmp_path):
    async with served(tmp_path, {}) as desk:
        port = int(desk.url.rpartition(":")[2])
        (tmp_path / "other").mkdir()
        async with served(tmp_path / "other", {}, address=Address("127.0.0.1", port)) as other:
            assert other.url != desk.url
            assert (await other.get("/healthz")).status == 200


async def test_times_are_those_of_the_desk(tmp_path):
    async with served(tmp_path) as desk:
        desk.clock.ahead = timedelta(days=1)
        one = f"/api/v1/incidents/{(await desk.incident()).id}"
        got = (await desk.post(f"{one}/silence", {"minutes": 60, "reason": "x"}, "Anna Berg")).content["incident"]
        assert got["silenced_until"].startswith((NOW + timedelta(days=1, hours=1)).strftime("%Y-%m-%dT%H:%M"))


async def test_an_editor_has_erased_what_a_person_wants_erased_and_nobody_else_may(tmp_path):
    async with served(tmp_path) as desk:
        incident = await desk.incident()
        wanted = {"author": "karen_b"}
        for person in ("Vera", "Anna Berg"):
            refused = await desk.post("/api/v1/forget", wanted, person)
            assert (refused.status, "needs the role editor" in refused.error) == (403, True)
        got = (await desk.post("/api/v1/forget", wanted, "Edda")).content["erased"]
        assert (got["person"], got["kind"], "karen" in str(got)) == ("Edda", "author", False)
        shown = await desk.get(f"/api/v1/incidents/{incident.id}", "Vera")
        assert "karen_b" not in str(shown.content)
        assert "acme is awful" not in str(shown.content)
        for nothing in ({}, {"author": "a", "post": "b:c"}, {"post": "what?"}, {"source": "bluesky"}):
            assert (await desk.post("/api/v1/forget", nothing, "Edda")).status == 400, nothing


async def test_a_full_disk_is_told_without_its_path(tmp_path):
    async with served(tmp_path) as desk:
        await desk.incident()
        await desk.app.store.read(lambda database: database.execute("PRAGMA query_only = ON"))
        got = await desk.post("/api/v1/forget", {"author": "karen_b"}, "Edda")
        await desk.app.store.read(lambda database: database.execute("PRAGMA query_only = OFF"))
        assert (got.status, str(tmp_path) in got.error) == (503, False)
