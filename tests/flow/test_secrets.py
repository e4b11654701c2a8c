"""Nothing by which the desk is known elsewhere, or people to the desk, shows: in no message, answer, log or file."""

import asyncio
import contextlib
import logging
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from calls import told
from desks import Words, spike
from receivers import free_port, serving
from webhooks import POST, SetClock, signature

from crisisdesk.app import App
from crisisdesk.cli.configured import desk_plan
from crisisdesk.cli.logs import log_desk
from crisisdesk.cli.outputs import outputs, visited
from crisisdesk.clock import WallClock
from crisisdesk.errors import CrisisdeskError
from crisisdesk.outputs.base import PersonalOutput
from crisisdesk.payloads.heartbeat import heartbeat_data
from crisisdesk.records import Role
from crisisdesk.server.presence import Presence, find
from crisisdesk.server.tokens import Tokens
from crisisdesk.settings import load
from crisisdesk.storage.audit import Audit

SECRETS = {
    "DESK_PASSWORD": "s3cr3t-of-the-broker",
    "HOOK_SECRET": "s3cr3t-that-signs-all-that-goes-out",
    "HOOK_TOKEN": "s3cr3t-token-of-the-receiver",
    "HOOK_URL": "http://127.0.0.1:{port}/s3cr3t-in-the-path?key=s3cr3t-in-the-query",
    "ANNA_PUSH": "json://desk:s3cr3t-password@127.0.0.1:{port}/s3cr3t-path?+X-Key=s3cr3t-header",
    "BEN_PUSH": "ntfy://s3cr3t-user:s3cr3t-key@127.0.0.1:{port}/s3cr3t-topic",
}
CONFIGURATION = """[desk]
name = "acme"
[[output]]
kind = "mqtt"
host = "127.0.0.1"
port = {nobody}
username = "desk"
password_env = "DESK_PASSWORD"
[[output]]
kind = "webhook"
name = "known"
url = "http://127.0.0.1:{port}/hook"
secret_env = "HOOK_SECRET"
token_env = "HOOK_TOKEN"
[[output]]
kind = "webhook"
name = "hidden"
url_env = "HOOK_URL"
[[output]]
kind = "notify"
name = "push"
url_env = {{ "Anna Berg" = "ANNA_PUSH", "Ben Cole" = "BEN_PUSH" }}
"""


def echoes(status: int) -> Any:
    """Says in its answer all that it was told, and where it was asked."""

    async def say(request: web.Request) -> web.Response:
        heard = f"{request.raw_path} {dict(request.headers)} {(await request.read()).decode()}"
        return web.json_response({"error": heard}, status=status, headers={"Location": request.path_qs})

    return say


async def everything_said(folder: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a desk with every kind of output says of them when all is told to whoever is at this port."""
    for variable, secret in SECRETS.items():
        monkeypatch.setenv(variable, secret.format(port=port))
    (folder / "crisisdesk.toml").write_text(CONFIGURATION.format(port=port, nobody=free_port()))
    configured = load(folder / "crisisdesk.toml")
    said: list[object] = [repr(configured)]
    statuses = []
    desk: Any = SimpleNamespace(register=SimpleNamespace(incidents=tuple))
    for output in outputs(configured, SetClock())(desk):
        said += [repr(output), repr(vars(output))]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3), output.session():
                try:
                    if isinstance(output, PersonalOutput):
                        await output.tell([told()])
                    else:
                        await output.ready()
                        await output.deliver(told())
                except CrisisdeskError as error:
                    said.append(error)
        statuses.append(output.status())
    for one in configured.outputs:
        try:
            said.append(await visited(one, configured))
        except CrisisdeskError as error:
            said.append(error)
    said.append(orjson.dumps(heartbeat_data(SetClock().now(), (), statuses, {}, "tiny")).decode())
    return "\n".join(map(str, said))


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 500])
async def test_whoever_repeats_all_that_they_were_told_spreads_no_secret(status, tmp_path, monkeypatch, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, "aiohttp.server")  # the test's own
    async with serving(echoes(status)) as server:
        said = await everything_said(tmp_path, server.port, monkeypatch)
    assert "push to Ben Cole" in said
    assert "s3cr3t" not in said + caplog.text + "".join(capfd.readouterr())


async def test_where_nobody_is_no_secret_is_told(tmp_path, monkeypatch, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    said = await everything_said(tmp_path, free_port(), monkeypatch)
    assert "s3cr3t" not in said + caplog.text + "".join(capfd.readouterr())


RUNNING = """
[calling]
group_wait = "0 seconds"
[server]
listen = "127.0.0.1:{free}"
[[watch]]
name = "Acme"
terms = ["acme"]
[[source]]
kind = "webhook"
name = "suite"
secret_env = "SUITE_SECRET"
token_env = "SUITE_TOKEN"
[[source]]
kind = "mqtt"
host = "127.0.0.1"
port = {nobody}
topic = "posts/#"
username = "desk"
password_env = "DESK_PASSWORD"
"""
KNOCKING = {"SUITE_SECRET": "s3cr3t-with-which-a-suite-signs", "SUITE_TOKEN": "s3cr3t-token-of-the-suite"}


async def test_a_running_desk_spreads_no_secret(tmp_path, monkeypatch, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, "aiohttp.server")  # the test's own
    tokens = Tokens(tmp_path / "acme.tokens", WallClock())
    shown = {role: tokens.create("Anna Berg", role)[1] for role in (Role.VIEWER, Role.RESPONDER, Role.EDITOR)}
    async with serving(echoes(500)) as receiver:
        for variable, secret in (SECRETS | KNOCKING).items():
            monkeypatch.setenv(variable, secret.format(port=receiver.port))
        config, nobody = tmp_path / "crisisdesk.toml", free_port()
        text = CONFIGURATION.replace("[[output]]", 'database = "acme.db"\n[[output]]', 1) + RUNNING
        config.write_text(text.format(port=receiver.port, nobody=nobody, free=free_port()))
        async with App(replace(desk_plan(config), load_model=Words)) as app, asyncio.timeout(20):
            log_desk(app)
            running = asyncio.create_task(app.run())
            while (desk := find(tmp_path / "acme.db")) is None or not app.scoring.model:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await app.register.witness(spike("Acme", app.plan.clock.now()))
            said = await all_answers(desk, shown)
            while not all(one.trouble for one in app.outputs()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            said += [*app.troubles(), *map(str, app.sources()), *map(str, app.outputs())]
            now, model = app.plan.clock.now(), app.scoring.model
            said.append(orjson.dumps(heartbeat_data(now, app.sources(), app.outputs(), {}, model)).decode())
            said += map(str, await Audit(app.store).since(now.replace(year=2020)))
            app.stop()
            await running
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path != config)
    everything = "\n".join(said) + kept.decode("latin-1") + caplog.text + "".join(capfd.readouterr())
    for known in ("push to Ben Cole", "event: ", "# TYPE crisisdesk_", "POST /api/v1/incidents/{incident}/acknowledge"):
        assert known in everything, "it was looked for where it could be"
    for secret in ("s3cr3t", *(text.split("_", 2)[2] for text in (*shown.values(), desk.token))):
        assert secret not in everything


async def all_answers(desk: Presence, shown: dict[Role, str]) -> list[str]:
    """What a desk answers to those who come with what is right, wrong, or in the wrong place."""
    said: list[str] = []

    async def ask(method: str, path: str, content: object = None, *, told: bool = True, **headers: str) -> Any:
        """What was asked is not a part of what is said."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        async with session.request(method, desk.url + path, json=content, headers=named) as answer:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    while line := await answer.content.readline():
                        said.append(line.decode() if told else "")
            said.append(f"{answer.status} {dict(answer.headers)}")
            return answer.status

    bearers = {role: f"Bearer {text}" for role, text in shown.items()} | {Role.OWNER: f"Bearer {desk.token}"}
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{desk.url}/api/v1/incidents", headers={"Authorization": bearers[Role.VIEWER]}) as got:
            incident = f"/api/v1/incidents/{(await got.json())['incidents'][0]['id']}"
        paths = ["/metrics", "/readyz", "/api/v1/stream", "/api/v1/picture", "/api/v1/stream?after=unknown", incident]
        paths += [f"/api/v1/{name}" for name in ("me", "sources", "watches", "oncall", "incidents", "openapi.json")]
        for path in paths:
            assert await ask("GET", path, Authorization=bearers[Role.OWNER]) == 200, path
        for wrong in [*bearers.values(), f"Basic {b64encode(desk.token.encode()).decode()}", f"Basic {desk.token}"]:
            assert await ask("GET", "/api/v1/me", Authorization=f"{wrong}x") == 401
        for right in bearers.values():
            await ask("POST", f"{incident}/acknowledge", {}, Authorization=right)
            await ask("POST", f"{incident}/notes", {right: right, "note": 7}, told=False, Authorization=right)
            await ask("GET", f"/api/v1/me?token={right[7:]}", told=False, Authorization=right)
            await ask("GET", f"/api/v1/incidents/{right[7:]}", told=False, Authorization=right)
            await ask("DELETE", f"/{right[7:]}", told=False, Cookie=right)
        suite = KNOCKING["SUITE_TOKEN"]
        signed = signature(orjson.dumps(POST), WallClock().now(), KNOCKING["SUITE_SECRET"])
        for head in (f"Bearer {suite}", f"Bearer {suite}x", f"Basic {suite}", suite):
            await ask("POST", "/ingest/suite", {"text": 7}, Authorization=head)
        await ask("POST", "/ingest/suite", {"text": suite}, X_Crisisdesk_Signature=signed)
    return said
