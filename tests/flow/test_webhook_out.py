"""What a receiver gets, and that nothing is lost on the way to it."""

import asyncio
import itertools
import ssl
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from receivers import INCIDENT, certificate, desk_to, hangs_up, output_to, says, serving, told
from webhooks import NOW, SECRET, SetClock, signature
from webhooks import serving as intake

from crisisdesk.clock import WallClock
from crisisdesk.errors import OutputError, RefusedError
from crisisdesk.net.signing import HEADER
from crisisdesk.outputs.webhook.line import Receiver
from crisisdesk.outputs.webhook.output import WebhookOutput
from crisisdesk.payloads.events import of_change
from crisisdesk.payloads.incident import incident_data
from crisisdesk.sources.webhook.signature import Head, Keys


async def test_a_change_is_posted_as_the_event_that_mqtt_carries():
    async with serving() as server:
        output = output_to(server.url)
        async with output.session():
            await output.ready()
            await output.deliver(told(3))
    (got,) = server.got
    assert (got.method, got.headers["Content-Type"]) == ("POST", "application/cloudevents+json")
    assert got.headers["X-Crisisdesk-Event-Id"] == got.event["id"] == "acme-1-3"
    assert got.event == orjson.loads(orjson.dumps({**of_change(told(3), "acme").attributes, "data": got.event["data"]}))
    assert got.event["data"]["incident"] == orjson.loads(orjson.dumps(incident_data(INCIDENT)))
    assert (got.event["data"]["change"]["sequence"], got.event["data"]["change"]["event"]) == (3, "opened")
    assert (got.event["source"], got.event["type"]) == ("/crisisdesk/acme", "crisisdesk.incident.opened")
    assert "Authorization" not in got.headers
    assert output.status().state == "live"


async def test_our_own_intake_takes_our_signature():
    async with serving() as server:
        output = output_to(server.url)
        async with output.session():
            await output.deliver(told())
    (got,) = server.got
    keys, head = Keys(SECRET), Head(signature=got.headers[HEADER])
    keys.admit(head, NOW)
    signed = keys.check(head, got.body)
    assert signed
    assert signed.moment == NOW


async def test_a_secret_of_any_bytes_signs():
    secret = b"caf\xe9 au lait, sans sucre".decode("utf-8", "surrogateescape")  # as the environment gives it
    async with serving() as server:
        output = output_to(server.url, secret=secret)
        async with output.session():
            await output.deliver(told())
    (got,) = server.got
    assert Keys(secret).check(Head(signature=got.headers[HEADER]), got.body)


async def test_one_desk_posts_to_the_door_of_another():
    """Signed rightly it is let in, and then told that a CloudEvent is no post; else it is not even read."""
    async with intake(Keys(SECRET)) as desk:
        for secret, kind, what in (
            (SECRET, RefusedError, "HTTP 400"),
            ("another secret than theirs", OutputError, "does not know us"),
        ):
            output = output_to(desk.url, secret=secret)
            async with output.session():
                with pytest.raises(kind, match=what):
                    await output.deliver(told())


async def test_a_repetition_has_the_same_bytes_and_a_fresh_signature():
    clock = SetClock()
    async with serving(says(500), says(200)) as server:
        output = WebhookOutput(Receiver(server.url, "x", secret=SECRET), desk="acme", clock=clock, name="suite")
        async with output.session():
            with pytest.raises(OutputError):
                await output.deliver(told())
            clock.passes(minutes=20)
            await output.deliver(told())
    first, second = server.got
    assert first.body == second.body
    assert first.headers["X-Crisisdesk-Event-Id"] == second.headers["X-Crisisdesk-Event-Id"]
    assert first.headers[HEADER] != second.headers[HEADER]
    keys, head = Keys(SECRET), Head(signature=second.headers[HEADER])
    keys.admit(head, NOW + timedelta(minutes=20))
    assert keys.check(head, second.body)


async def test_what_the_documents_tell_a_receiver_to_do_is_right():
    text = (Path(__file__).parents[2] / "docs" / "outputs.md").read_text("utf-8")
    example: dict[str, Any] = {}
    exec(text.partition("```python\n")[2].partition("```")[0], example)  # noqa: S102 - it is ours
    async with serving() as server:
        receiver = Receiver(server.url, "x", secret=SECRET)
        output = WebhookOutput(receiver, desk="acme", clock=WallClock())
        async with output.session():
            await output.deliver(told())
    (got,) = server.got
    assert example["is_ours"](SECRET, got.headers[HEADER], got.body)
    assert not example["is_ours"](SECRET, got.headers[HEADER], got.body + b" ")
    assert not example["is_ours"]("another", got.headers[HEADER], got.body)
    stale = signature(got.body, NOW, SECRET)
    assert not example["is_ours"](SECRET, stale, got.body)


async def test_a_token_is_shown_where_one_is_set():
    async with serving() as server:
        output = output_to(server.url, secret=None, token="a token of more")  # noqa: S106 - not one
        async with output.session():
            await output.deliver(told())
    assert server.got[0].headers["Authorization"] == "Bearer a token of more"
    assert HEADER not in server.got[0].headers


async def test_a_name_and_a_password_in_a_secret_address_are_shown_as_such():
    async with serving() as server:
        output = output_to(server.url.replace("//", "//desk:pass@"), secret=None, is_secret=True)
        async with output.session():
            await output.deliver(told())
    assert server.got[0].headers["Authorization"] == "Basic ZGVzazpwYXNz"


async def test_nothing_of_our_home_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A `.netrc` knows passwords for hosts; nobody has said that a receiver may have them."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login anna password private\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with serving() as server:
        output = output_to(server.url)
        async with output.session():
            await output.deliver(told())
    assert "Authorization" not in server.got[0].headers


async def test_after_a_fault_it_goes_out_and_the_status_says_how_it_is(tmp_path: Path):
    async with serving(says(500), hangs_up, says(200)) as server:
        async with desk_to(output_to(server.url), tmp_path) as desk:
            name = await desk.change("Acme")
            await desk.shows(lambda status: status.delivered == 1 and status.waiting == 0)
            assert (desk.delivery.status().state, desk.delivery.status().trouble) == ("live", "")
        assert [one.event["id"] for one in server.got] == [name] * 3


async def test_one_that_is_refused_holds_up_no_other(tmp_path: Path):
    async def picky(request: web.Request) -> web.Response:
        about = orjson.loads(await request.read())["subject"]
        return web.json_response({"error": "no such brand"}, status=422 if about.startswith("strange") else 200)

    async with serving(picky) as server, desk_to(output_to(server.url), tmp_path) as desk:
        await desk.change("Strange")
        await desk.change("Acme")
        await desk.shows(lambda status: status.delivered == 1 and status.waiting == 1)
        assert desk.delivery.status().trouble == (
            'hooks.example refuses an alert (HTTP 422); ask there why. It says: "no such brand". Others go out '
            "meanwhile. It is tried again."
        )
        server.doing = [says(200)]
        await desk.shows(lambda status: status.waiting == 0 and not status.trouble)


async def test_a_receiver_that_dies_again_and_again_loses_nothing(tmp_path: Path):
    """Down twice while twenty incidents change: all arrives, in order per incident, repeated only as it was."""

    async def flaky(request: web.Request) -> web.Response:
        number, body = next(counts), await request.read()
        if number % 7 == 0:
            raise web.HTTPServiceUnavailable
        taken.append(body)
        if number % 5 == 0 and request.transport:
            request.transport.abort()  # it has it, and nobody gets to know
        return web.Response()

    counts, taken = itertools.count(1), list[bytes]()
    watches = [f"Brand {number}" for number in range(20)]
    async with serving(flaky) as server, desk_to(output_to(server.url, seconds=0.5), tmp_path) as desk:
        owed = defaultdict(list)
        for turn in range(4):
            for watch in watches:
                owed[watch].append(await desk.change(watch))
            await (server.start() if turn % 2 else server.stop())
        await desk.shows(lambda status: status.waiting == 0, seconds=30)
    assert len(set(taken)) == sum(map(len, owed.values())) == 80
    assert len(taken) > 80, "some came twice"
    arrived: dict[str, list[str]] = defaultdict(list)
    for body in dict.fromkeys(taken):
        event = orjson.loads(body)
        arrived[event["data"]["incident"]["watch"]].append(event["id"])
    assert arrived == owed


async def test_what_was_owed_goes_out_after_a_restart_of_the_desk(tmp_path: Path):
    async with serving(says(503)) as server:
        async with desk_to(output_to(server.url), tmp_path) as desk:
            names = [await desk.change("Acme") for _ in range(3)]
            await desk.shows(lambda status: status.state == "retrying")
        server.doing, before = [says(200)], len(server.got)
        async with desk_to(output_to(server.url), tmp_path) as desk:
            await desk.shows(lambda status: status.delivered == 3)
    assert [got.event["id"] for got in server.got[before:]] == names


async def test_a_receiver_that_is_vouched_for_is_told(tmp_path: Path):
    chain, context = await asyncio.to_thread(certificate, tmp_path)
    async with serving(tls=context) as server:
        output = output_to(server.url, tls=ssl.create_default_context(cafile=chain))
        async with output.session():
            await output.deliver(told())
    assert len(server.got) == 1
