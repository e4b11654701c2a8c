"""Nothing by which the desk is known elsewhere shows: in no message, status, heartbeat, log or picture of an object."""

import asyncio
import contextlib
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiohttp import web
from calls import told
from receivers import free_port, serving
from webhooks import SetClock

from crisisdesk.cli.outputs import outputs, visited
from crisisdesk.errors import CrisisdeskError
from crisisdesk.outputs.base import PersonalOutput
from crisisdesk.payloads.heartbeat import heartbeat_data
from crisisdesk.settings import load

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
