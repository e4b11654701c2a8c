"""`crisisdesk run --headless --log-format json` where much goes wrong: every line is an object, none has a secret."""

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from receivers import free_port

from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.records import Kind, Numbers, Severity, Spike
from crisisdesk.storage.store import Store

pytestmark = [pytest.mark.timeout(120), pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")]

SECRETS = {
    "SUITE_SECRET": "s3cr3t-that-posts-are-signed-with",
    "HOOK_URL": "http://127.0.0.1:{port}/s3cr3t-in-the-path?key=s3cr3t-in-the-query",
    "HOOK_TOKEN": "s3cr3t-token-of-the-receiver",
    "ANNA_PUSH": "json://desk:s3cr3t-password@127.0.0.1:{port}/s3cr3t-path",
}
CONFIGURATION = """[desk]
name = "acme"
database = "acme.db"
[server]
listen = "127.0.0.1:{listen}"
[[watch]]
name = "Acme"
terms = ["acme"]
[[source]]
kind = "bluesky"
url = "ws://127.0.0.1:{port}/subscribe"
[[source]]
kind = "file"
path = "posts.jsonl"
follow = true
[[source]]
kind = "webhook"
name = "suite"
secret_env = "SUITE_SECRET"
[[output]]
kind = "webhook"
name = "hook"
url_env = "HOOK_URL"
token_env = "HOOK_TOKEN"
[[output]]
kind = "notify"
name = "push"
url_env = {{ "Anna Berg" = "ANNA_PUSH" }}
[calling]
group_wait = "1 second"
"""


async def open_an_incident(database: Path, now: datetime) -> str:
    async with await Store.open(database) as store:
        register = Register(store, Rules(), lambda _: None, ["hook"])
        await register.load()
        numbers = Numbers(60, 9, 10, 1.0, 9, 0.9, 0.1, 1e-9)
        spike = Spike("Acme", Kind.SPIKE, now - timedelta(minutes=5), Severity.RED, numbers, "\x1b[31mmany say so")
        (opened,) = await register.witness(spike)
        return opened.incident.id


def objects(path: Path) -> list[dict[str, Any]]:
    """What is there, without a line that is being written."""
    lines = path.read_bytes().split(b"\n")[:-1]
    assert all(line.isascii() for line in lines) or path.name == "stdout"
    return [json.loads(line) for line in lines]


async def desk(folder: Path, environ: dict[str, str]) -> asyncio.subprocess.Process:
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        command = ("-m", "crisisdesk", "run", "--headless", "--log-format", "json", "-c", "desk.toml")
        return await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=folder, env=environ, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=err
        )


async def test_every_line_of_a_desk_in_trouble_is_an_object_without_a_secret(tmp_path, monkeypatch):
    port = free_port()
    for variable, secret in SECRETS.items():
        monkeypatch.setenv(variable, secret.format(port=port))
    (tmp_path / "desk.toml").write_text(CONFIGURATION.format(port=port, listen=free_port()))
    (tmp_path / "posts.jsonl").write_text('no post\n{"time": "2024-03-04T12:00:00Z", "text": "acme"}\n')
    incident = await open_an_incident(tmp_path / "acme.db", datetime.now(UTC))
    process = await desk(tmp_path, dict(os.environ))

    def has_happened() -> bool:
        told = {(one["event"], str(one.get("state", "")).split(" ")[0]) for one in objects(tmp_path / "stderr")}
        called = any(one["event"] == "called" for one in objects(tmp_path / "stdout"))
        return called and {("output push to Anna Berg", "retrying"), ("output hook", "retrying")} <= told

    try:
        async with asyncio.timeout(60):
            while not has_happened():  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    told, printed = objects(tmp_path / "stderr"), objects(tmp_path / "stdout")
    assert {one["level"] for one in told} == {"info", "warning"}
    assert all(datetime.fromisoformat(one["time"]).utcoffset() == timedelta(0) for one in told)
    for said in ("Watching Acme", "Stopped."):
        assert any(one["event"].startswith(said) for one in told)
    assert ("called", incident) in {(one["event"], one.get("incident")) for one in told}
    assert [one["event"] for one in printed][:2] == ["open", "called"]
    assert {(one["incident"], one["watch"], one["severity"]) for one in printed} == {(incident, "Acme", "red")}
    assert b"s3cr3t" not in (tmp_path / "stderr").read_bytes() + (tmp_path / "stdout").read_bytes()


async def test_a_configuration_that_cannot_be_used_is_told_in_one_object(tmp_path):
    (tmp_path / "desk.toml").write_text('[desk]\nnam = "acme"\n[[watch]]\nname = "x"\ntrems = ["y"]\n')
    process = await desk(tmp_path, dict(os.environ))
    assert await process.wait() == 2
    (told,) = objects(tmp_path / "stderr")
    assert told["level"] == "error"
    assert "desk.toml:2" in told["event"]
    assert "desk.toml:5" in told["event"]
