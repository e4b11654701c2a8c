"""People are told over real sockets: by chat, push and mail, all that waits at once, and nothing secret in words."""

import asyncio
import logging
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import Any

import orjson
import pytest
from calls import GERMAN, MOTRIN, anna, another, quote, told
from mails import mail, silence
from receivers import certificate, free_port, hangs_up, raw, says, serving
from webhooks import SetClock

from crisisdesk.cli.people import addressed, visited
from crisisdesk.errors import FatalOutputError, OutputError, RefusedError
from crisisdesk.outputs.base import PersonalOutput
from crisisdesk.outputs.people.pagers import keeps_alarms
from crisisdesk.outputs.people.service import Address, Service
from crisisdesk.outputs.people.texts import Tone
from crisisdesk.records import Cause, Event, Notification, Severity, State, Verdict
from crisisdesk.settings import load

SECRET = "s3cr3t-t0ken"  # noqa: S105  of nobody
PAGERS = [
    "firehydrant://token-of-nobody",
    "goalert://127.0.0.1/12345678-1234-1234-1234-123456789abc",
    "ilert://il1api1234567890",
    "incidentio://source/token",
    "jira://12345678-1234-1234-1234-123456789abc",
    "opsgenie://12345678-1234-1234-1234-123456789abc",
    "pagerduty://A1234567890123456789012345678901@apikey",
    "pagertree://int_1234567890",
    "signl4://secret1234",
    "splunk://route@12345678-1234-1234-1234-123456789abc",
    "squadcast://key1234567890",
    "victorops://route@12345678-1234-1234-1234-123456789abc",
]
LETTER = "?from=desk@example.org&to=anna@example.org&mode=insecure"
ALARM = "RED Motrin: 84 negative posts by 71 people in 60 min, usual 6"


async def refused(url: str, patience: float = 30.0) -> OutputError:
    """Why a call does not come through; never with the address in it."""
    output = anna(url, patience)
    with pytest.raises(OutputError) as caught:
        await output.tell([told()])
    said = str(caught.value)
    assert said.startswith("push to Anna Berg: ")
    assert SECRET not in said
    assert "127.0.0.1" not in said
    assert output.status().trouble == said
    return caught.value


async def test_a_call_goes_out_once_with_title_and_text():
    async with serving(says(200)) as server:
        output = anna(f"json://127.0.0.1:{server.port}/")
        assert isinstance(output, PersonalOutput)
        assert output.status().state == "connecting"
        async with output.session():
            await output.ready()
            assert (output.status().state, server.got) == ("live", [])
            await output.tell([told()])
    (got,) = server.got
    assert got.event["title"] == ALARM
    assert got.event["message"].startswith("This is new, and nobody has it yet. Open since 08:05 EST.\n\n84 negative")
    assert got.event["type"] == "failure"
    assert got.headers["User-Agent"] == "crisisdesk"
    assert output.status().state == "live"


@pytest.mark.parametrize(
    ("event", "incident", "kind", "priority"),
    [
        (Event.CALLED, MOTRIN, "failure", "max"),
        (Event.CALLED, another(1), "warning", "high"),
        (Event.UNANSWERED, another(1), "failure", "max"),
        (Event.ACKNOWLEDGED, replace(MOTRIN, state=State.ACKNOWLEDGED), "info", None),
        (Event.RESOLVED, replace(MOTRIN, state=State.RESOLVED, verdict=Verdict.REAL), "success", None),
    ],
)
async def test_how_urgent_it_is_services_are_told_in_their_way(event, incident, kind, priority):
    async with serving(says(200)) as server:
        notification = told(event, incident, person="Ben Cole")
        await anna(f"json://127.0.0.1:{server.port}/").tell([notification])
        await anna(f"ntfy://127.0.0.1:{server.port}/desk").tell([notification])
        await anna(f"ntfy://127.0.0.1:{server.port}/desk?priority=min").tell([notification])
    assert server.got[0].event["type"] == kind
    assert [got.headers.get("X-Priority") for got in server.got[1:]] == [priority, "min"]
    assert "X-Icon" not in server.got[1].headers


async def test_all_that_waits_is_one_message():
    async with serving(says(200)) as server:
        waiting = [told(incident=another(number, Severity.AMBER)) for number in range(12)]
        await anna(f"form://127.0.0.1:{server.port}/", reader=GERMAN).tell([*waiting, told()])
    (got,) = server.got
    assert b"%28und+12+weitere%29" in got.body


async def test_what_somebody_did_themselves_they_are_told_only_where_it_ends_an_alarm():
    held = replace(MOTRIN, state=State.ACKNOWLEDGED, acknowledged_by="anna berg")
    own, others = told(Event.ACKNOWLEDGED, held, 2, person="anna berg"), told(incident=another(1))
    async with serving(says(200)) as server:
        output = anna(f"json://127.0.0.1:{server.port}/")
        await output.tell([told(incident=held), own])
        assert server.got == []
        await output.tell([own, others])
        assert [got.event["title"].split(":")[0] for got in server.got] == ["AMBER Brand 1"]
        await anna(f"goalert://127.0.0.1:{server.port}/12345678-1234-1234-1234-123456789abc").tell([own])
        assert len(server.got) == 2
    opened = anna("opsgenie://12345678-1234-1234-1234-123456789abc")
    await opened.tell([own])  # nothing goes out, else it would fail


async def test_what_ntfy_gets_stays_below_what_it_makes_a_file_of():
    quoted = [replace(one, text="Wörter 👶 " * 60) for one in MOTRIN.evidence.posts]
    incident = replace(MOTRIN, why="ä" * 3_000, evidence=replace(MOTRIN.evidence, posts=tuple(quoted)))
    async with serving(says(200)) as server:
        await anna(f"ntfy://127.0.0.1:{server.port}/desk").tell([told(incident=incident)])
    (got,) = server.got
    assert got.headers["Content-Type"] == "application/json"
    assert 1_000 < len(got.event["message"].encode()) <= 3_900


async def test_a_mail_has_the_title_as_its_subject():
    async with mail() as server:
        await anna(f"mailto://desk:right@127.0.0.1:{server.port}{LETTER}").tell([told()])
    (got,) = server.taken
    assert (got["Subject"], got["To"], got.get_content_type()) == (ALARM, "anna@example.org", "text/plain")
    assert got.get_content().replace("\r", "").startswith("This is new, and nobody has it yet.")


async def test_a_room_is_told_nothing_that_calls_or_draws():
    evil = replace(MOTRIN, watch="Motrin <!channel>\r\nBcc: x@example.org", why="@everyone ```[x](https://evil)")
    async with serving(says(200)) as server, mail() as post:
        await anna(f"json://127.0.0.1:{server.port}/").tell([told(incident=evil)])
        await anna(f"mailto://desk:right@127.0.0.1:{post.port}{LETTER}").tell([told(incident=evil)])
    for text in (server.got[0].event["title"], server.got[0].event["message"], str(post.taken[0]["Subject"])):
        assert not set("@<>`[]") & set(text.replace("https://desk.example", ""))
    assert post.taken[0]["Bcc"] is None


async def test_a_service_of_markdown_gets_a_text_without_backslashes_and_with_its_line_breaks():
    async with serving(says(204)) as server:
        await anna(f"goalert://127.0.0.1:{server.port}/12345678-1234-1234-1234-123456789abc").tell([told()])
    (got,) = server.got
    assert "too.\n\nhttps://desk.example/incidents/motrin-1" in got.event["details"]


PAGER = "12345678-1234-1234-1234-123456789abc"
HELD = replace(MOTRIN, state=State.ACKNOWLEDGED, acknowledged_by="Ben Cole")


async def paged(*waiting: Notification) -> list[dict[str, Any]]:
    """What a service that keeps alarms gets to hear."""
    async with serving(says(204)) as server:
        await anna(f"goalert://127.0.0.1:{server.port}/{PAGER}").tell(waiting)
    return [got.event for got in server.got]


async def test_a_service_that_keeps_alarms_has_one_for_an_incident_however_often_it_calls():
    first, again = [*await paged(told()), *await paged(told(Event.UNANSWERED, replace(MOTRIN, cause=Cause.UNANSWERED)))]
    assert first["dedup"] == again["dedup"] == "motrin-1"
    assert "action" not in first
    assert again["summary"].startswith("NOBODY HAS ANSWERED: ")


@pytest.mark.parametrize(
    ("event", "incident"), [(Event.ACKNOWLEDGED, HELD), (Event.RESOLVED, replace(MOTRIN, state=State.RESOLVED))]
)
async def test_an_alarm_is_ended_when_somebody_has_it_or_it_is_over(event, incident):
    (ended,) = await paged(told(event, incident, person="Ben Cole"))
    assert (ended["action"], ended["dedup"]) == ("close", "motrin-1")


async def test_a_service_that_keeps_alarms_is_told_of_each_incident_by_itself():
    over = another(1, state=State.RESOLVED)
    called, ended = await paged(told(Event.RESOLVED, over), told(), told(Event.CALLED, MOTRIN, 2))
    assert (ended["action"], ended["dedup"]) == ("close", "brand-1")
    assert (called.get("action"), called["dedup"]) == (None, "motrin-1")


async def test_an_incident_that_is_refused_keeps_no_other_from_its_alarm():
    async with serving(says(400), says(400), says(204)) as server:
        output = anna(f"goalert://127.0.0.1:{server.port}/{PAGER}")
        with pytest.raises(RefusedError):
            await output.tell([told(), told(incident=another(1))])
    assert [got.event["dedup"] for got in server.got] == ["motrin-1", "motrin-1", "brand-1"]


async def test_a_test_opens_an_alarm_of_its_own():
    async with serving(says(204)) as server:
        await anna(f"goalert://127.0.0.1:{server.port}/{PAGER}").tell_test()
    (got,) = server.got
    assert (got.event.get("action"), got.event["dedup"]) == (None, "crisisdesk-test")


@pytest.mark.parametrize("url", PAGERS)
def test_every_service_that_keeps_alarms_is_known_to_apprise_by_what_we_set(url):
    found = Service("push", Address(url, "PAGER"), Tone.ALARM, "motrin-1")
    assert found.keeps_alarms
    plugin = found._plugin
    keys = ("dedup", "external_id", "thirdparty", "entity_id", "alias")
    assert "motrin-1" in [getattr(plugin, key, None) for key in keys]
    assert plugin.action == ("new" if url.startswith(("jira", "opsgenie")) else "map")


def test_an_alarm_by_which_the_address_says_is_that():
    found = Service(
        "push", Address(f"goalert://127.0.0.1/{PAGER}?dedup=ours&action=trigger", "PAGER"), about="motrin-1"
    )
    assert (found._plugin.dedup, found._plugin.action) == ("ours", "trigger")


def test_every_service_of_apprise_that_keeps_alarms_is_on_our_list():
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415  slow to load

    known = NotificationManager()
    keep = {schema for schema in known.schemas() if {"alias", "dedup", "entity_id"} & {*known[schema].template_args}}
    assert [schema for schema in sorted(keep) if not keeps_alarms(schema)] == []


async def test_a_test_message_asks_nothing():
    async with serving(says(200)) as server:
        await anna(f"json://127.0.0.1:{server.port}/").tell_test()
    assert server.got[0].event["title"] == "Test of crisisdesk: all is well"
    assert server.got[0].event["type"] == "info"


# What goes wrong.


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (500, "the service has trouble of its own (500); it is told again."),
        (401, "the service does not let us in (401); look at the password, key or token in ANNA_PUSH."),
        (403, "the service does not let us in (403); look at the password, key or token in ANNA_PUSH."),
        (404, "the service knows no such room, device or topic (404); look at ANNA_PUSH."),
        (429, "the service asks us to wait (429); it is told again later."),
    ],
)
async def test_why_a_service_does_not_take_it_is_told_with_the_cure(status, what):
    async with serving(says(status, f"you with your {SECRET}")) as server:
        error = await refused(f"json://desk:{SECRET}@127.0.0.1:{server.port}/{SECRET}")
        assert str(error) == f"push to Anna Berg: {what}"
        assert len(server.got) == 1  # trying again is the delivery's work
    assert not isinstance(error, FatalOutputError | RefusedError)


async def test_an_answer_that_points_elsewhere_is_not_followed_since_that_loses_the_message():
    async with serving(says(302, Location="/there")) as server:
        assert "has moved (302)" in str(await refused(f"json://127.0.0.1:{server.port}/"))
    assert len(server.got) == 1


async def test_what_is_refused_in_full_is_told_in_short():
    async with serving(says(413), says(200)) as server:
        await anna(f"ntfy://127.0.0.1:{server.port}/desk").tell([told()])
    full, short = (got.event for got in server.got)
    assert len(full["message"]) > 500 > len(short["message"])
    assert "title" not in short
    assert short["message"] == f"{ALARM}. This is new, and nobody has it yet. https://desk.example/incidents/motrin-1"


async def test_what_is_refused_in_short_as_well_is_a_refusal():
    async with serving(says(400)) as server:
        assert isinstance(await refused(f"json://127.0.0.1:{server.port}/"), RefusedError)


async def test_nobody_there_nobody_who_answers_and_somebody_who_hangs_up_are_told_apart():
    assert "the connection is refused" in str(await refused(f"json://127.0.0.1:{free_port()}/"))
    assert "host name is not known" in str(await refused("json://nobody.invalid/"))
    async with silence() as port:
        assert "did not answer in time" in str(await refused(f"json://127.0.0.1:{port}/?rto=0.2"))
    async with serving(hangs_up) as server:
        assert "hung up" in str(await refused(f"json://127.0.0.1:{server.port}/"))


async def test_encryption_that_does_not_fit_is_told(tmp_path):
    async with serving(says(200)) as server:
        assert "does not agree with us on encryption" in str(await refused(f"jsons://127.0.0.1:{server.port}/"))
    _, tls = certificate(tmp_path)
    async with serving(says(200), tls=tls) as server:
        assert "a certificate that this machine does not trust" in str(
            await refused(f"jsons://127.0.0.1:{server.port}/")
        )
        await anna(f"jsons://127.0.0.1:{server.port}/?verify=no").tell([told()])
    assert len(server.got) == 1


async def test_a_mail_server_says_what_is_wrong():
    async with mail() as server:
        error = await refused(f"mailto://desk:{SECRET}@127.0.0.1:{server.port}{LETTER}")
        assert "does not let us in (535); look at name and password in ANNA_PUSH" in str(error)
    async with mail(at_end="550 no such user") as server:
        error = await refused(f"mailto://desk:right@127.0.0.1:{server.port}{LETTER}")
        assert isinstance(error, RefusedError)
        assert "refuses the message (550)" in str(error)
    async with mail(at_end="451 later") as server:
        assert "come again (451)" in str(await refused(f"mailto://desk:right@127.0.0.1:{server.port}{LETTER}"))


async def test_a_service_that_hangs_holds_up_nobody_and_is_not_asked_without_end():
    async with silence() as port:
        output = anna(f"json://127.0.0.1:{port}/?rto=6", patience=0.1)
        before = threading.active_count()
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(OutputError, match=r"did not answer within 0\.1 s"):
                await output.tell([told()])
            assert time.monotonic() - began < 1.2  # less than the service takes to fail by itself
        with pytest.raises(OutputError, match="earlier attempts still wait"):
            await output.tell([told()])
        assert threading.active_count() <= before + 3


async def test_a_desk_whose_service_hangs_ends_at_once():
    code = (
        "import asyncio, sys; sys.path.insert(0, 'tests/flow')\n"
        "from calls import anna, told\n"
        "from crisisdesk.errors import OutputError\n"
        "from crisisdesk.threads import end\n"
        "async def main():\n"
        "    try: await anna(sys.argv[1], 0.1).tell([told()])\n"
        "    except OutputError as error: print(error)\n"
        "asyncio.run(main()); end(0)\n"
    )
    async with silence() as port:
        command = [sys.executable, "-c", code, f"json://127.0.0.1:{port}/?rto=60"]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=40, check=True)
    assert b"did not answer within 0.1 s" in done.stdout
    assert done.stderr == b""


# Addresses.


@pytest.mark.parametrize(
    ("url", "what"),
    [
        (f"slak://{SECRET}", "the address in ANNA_PUSH is of no known service; did you mean slack://?"),
        (f"https://example.org/{SECRET}", "is of no known service; for a plain web hook write jsons:// in place of https://"),
        ("file:///etc/passwd", "is of no known service; write it like ntfy://… or mailto://…; https://appriseit.com"),
        (SECRET, "is of no known service; write it like ntfy://… or mailto://…; https://appriseit.com"),
        ("slack://", "of Slack in ANNA_PUSH is not complete; write it like slack://{token_a}/{token_b}/{token_c},"),
        (f"pover://{SECRET}", "of Pushover in ANNA_PUSH is not complete; write it like pover://{user_key}@{token},"),
        (f"growl://{SECRET}", "which ANNA_PUSH names, needs gntp, which is not installed: pip install it"),
    ],
)  # fmt: skip
async def test_an_address_that_cannot_be_is_told_without_the_address(url, what):
    output = anna(url)
    for _ in range(2):
        with pytest.raises(FatalOutputError) as caught:
            await output.ready()
        assert what in str(caught.value)
        assert SECRET not in str(caught.value)
    assert (output.status().state, output.status().trouble) == ("failed", str(caught.value))


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "https://discord.com/api/webhooks/000000000000000000/" + "a" * 68,
        f"https://prod-00.westeurope.logic.azure.com:443/workflows/{'a' * 32}/triggers/manual/paths/invoke?sig=s",
    ],
)  # fmt: skip
async def test_what_services_give_people_to_copy_is_an_address_too(url):
    await anna(url).ready()


async def test_a_visit_tells_nobody_anything():
    async with serving(says(200)) as server:
        await anna(f"json://127.0.0.1:{server.port}/").visit()
        assert server.got == []
    for url in (f"json://127.0.0.1:{server.port}/{SECRET}", f"mailto://x:{SECRET}@127.0.0.1:{server.port}{LETTER}"):
        with pytest.raises(OutputError) as caught:
            await anna(url).visit()
        assert str(caught.value) == (
            "push to Anna Berg: the server that ANNA_PUSH names cannot be reached; is it running?"
        )
    await anna("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ").visit()
    with pytest.raises(FatalOutputError):
        await anna("slack://").visit()


async def test_nothing_of_it_is_logged_or_written_to_the_terminal(capfd, caplog):
    caplog.set_level(logging.DEBUG)
    async with serving(says(500)) as server:
        await refused(f"json://desk:{SECRET}@127.0.0.1:{server.port}/{SECRET}")
    with pytest.raises(FatalOutputError):
        await anna(f"pover://{SECRET}").ready()
    assert capfd.readouterr() == ("", "")
    assert SECRET not in caplog.text


async def test_a_broken_answer_brings_no_address_into_the_log(capfd, caplog):
    caplog.set_level(logging.DEBUG)
    async with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header at all\r\n\r\nok") as port:
        await anna(f"json://desk:{SECRET}@127.0.0.1:{port}/{SECRET}").tell([told()])
    assert capfd.readouterr() == ("", "")
    assert SECRET not in caplog.text


async def test_what_a_stranger_wrote_is_not_taken_for_the_reason():
    evil = replace(MOTRIN, evidence=replace(MOTRIN.evidence, posts=(quote(1, "status: 401, error=404, timed out"),)))
    output = anna(f"json://127.0.0.1:{free_port()}/")
    with pytest.raises(OutputError, match="the connection is refused"):
        await output.tell([told(incident=evil)])


async def test_doctor_looks_at_every_address_of_a_way(tmp_path, monkeypatch):
    people = 'url_env = { "Anna Berg" = "ANNA_PUSH", "Ben Cole" = "BEN_PUSH" }'
    (tmp_path / "c.toml").write_text(f'[desk]\nname = "acme"\n[[output]]\nkind = "notify"\nname = "push"\n{people}\n')
    configured = load(tmp_path / "c.toml")
    (way,) = configured.outputs
    async with serving(says(200)) as server:
        monkeypatch.setenv("ANNA_PUSH", f"json://127.0.0.1:{server.port}/")
        monkeypatch.setenv("BEN_PUSH", f"slak://{SECRET}")
        with pytest.raises(OutputError) as caught:
            await visited(way, configured)
        monkeypatch.setenv("ANNA_PUSH", "nonsense")
        with pytest.raises(OutputError, match=r"lists all\. push to Ben Cole: the address in BEN_PUSH"):
            await visited(way, configured)
        monkeypatch.setenv("ANNA_PUSH", f"json://127.0.0.1:{server.port}/")
        monkeypatch.setenv("BEN_PUSH", "ntfy://ben")
        found = await visited(way, configured)
        assert server.got == []
    assert str(caught.value) == (
        "push to Ben Cole: the address in BEN_PUSH is of no known service; did you mean slack://?"
    )
    assert found.said.startswith("knows how to reach Anna Berg, Ben Cole; a test message shows whether it does")
    assert [one.name for one in addressed(configured, SetClock())] == ["push to Anna Berg", "push to Ben Cole"]


def test_an_address_is_not_shown_by_accident():
    assert SECRET not in repr(anna(SECRET)._address)


def test_apprise_is_loaded_only_when_somebody_is_told():
    code = "import sys, crisisdesk.cli.people; print([one for one in ('apprise', 'requests') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert orjson.loads(done.stdout.replace(b"'", b'"')) == []
