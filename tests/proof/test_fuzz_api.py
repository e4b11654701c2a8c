"""Every route under what schemathesis makes of the OpenAPI document: nothing fails, and all is as documented."""

import asyncio
import os
from pathlib import Path

import pytest
from desks import served

from crisisdesk.cli import serving
from crisisdesk.server import access

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("EXAMPLES", "200"))
"""Requests that are made up for each route."""
SEED = os.environ.get("SEED", "20081115")
"""The same for everybody; another one looks elsewhere."""
UNLIMITED = 10**9


@pytest.fixture
def schemathesis() -> Path:
    found = ROOT / ".venv" / "torch" / "bin" / "schemathesis"
    if not found.exists():
        assert not os.environ.get("CI"), "make proof installs schemathesis"
        pytest.skip("schemathesis is not installed; run make proof")
    return found


async def test_no_request_makes_the_desk_fail(tmp_path, schemathesis, monkeypatch, caplog):
    monkeypatch.setattr(access, "MOST_FAILURES", UNLIMITED)
    monkeypatch.setattr(serving, "Limits", lambda *_: access.Limits(per_minute=UNLIMITED))
    async with served(tmp_path, seconds=1200) as desk:
        await desk.incident()
        process = await asyncio.create_subprocess_exec(
            schemathesis, "--config-file", Path(__file__).with_name("schemathesis.toml"),
            "run", f"{desk.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {desk.secrets['Edda']}",
            "--exclude-path-regex", "stream|picture",
            "--max-examples", str(EXAMPLES), "--seed", SEED, "--no-color",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert (await desk.get("/healthz")).status == 200
    assert process.returncode == 0, said.decode()[-6000:]
    assert b"generated" in said
    assert not [one for one in caplog.records if one.levelname == "ERROR"]
