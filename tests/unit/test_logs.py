"""The log of a desk without a console."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import CapturingLogger

from crisisdesk.app import App
from crisisdesk.cli.logs import _look, _parts
from crisisdesk.cli.serving import serving
from crisisdesk.clock import ReplayClock
from crisisdesk.plan import Agreed, Plan
from crisisdesk.resources import folder
from crisisdesk.server.http import Listener
from crisisdesk.server.presence import find
from crisisdesk.settings import Address, load

START = datetime(2024, 3, 4, tzinfo=UTC)


def no_model() -> None:
    pytest.fail("nothing is judged here")


async def test_a_broken_playbook_is_logged_once_with_its_line_and_its_cure(tmp_path: Path):
    own = tmp_path / "own"
    shutil.copytree(folder("playbooks"), own)
    outage, general = own / "outage.md", own / "general.md"
    whole = outage.read_text(encoding="utf-8")
    outage.write_text(whole.replace("reviewed:", "revewed:", 1), encoding="utf-8")
    plan = Plan({}, (), tmp_path / "desk.db", own, ReplayClock(START), no_model, live=True)
    log, before = CapturingLogger(), {}

    def told() -> list[tuple[str, str]]:
        for _ in range(3):
            _look(app, log, before)
        calls = [(call.method_name, call.kwargs["state"]) for call in log.calls if call.args == ("playbooks",)]
        log.calls.clear()
        return calls

    async with App(plan) as app:
        ((level, state),) = told()
        assert level == "warning"
        assert state.startswith("own/outage.md, line ")
        assert "did you mean reviewed? Until then it is not in use." in state
        general.write_text("nothing", encoding="utf-8")
        app._library.reload()
        ((level, state),) = told()  # of the other one nothing is new
        assert (level, state.partition(",")[0]) == ("warning", "own/general.md")
        outage.write_text(whole, encoding="utf-8")
        shutil.copy(folder("playbooks") / "general.md", general)
        app._library.reload()
        assert told() == [("info", "in use as they stand")]


async def test_an_edit_of_the_configuration_that_cannot_be_used_is_logged_once(tmp_path: Path):
    plan = Plan({}, (), tmp_path / "desk.db", folder("playbooks"), ReplayClock(START), no_model, live=True)
    log, before = CapturingLogger(), {}
    async with App(plan) as app:
        for trouble in ("", "desk.toml:3: mend it.", "desk.toml:3: mend it.", ""):
            plan.standing = Agreed(trouble=trouble)
            _look(app, log, before)
    told = [(call.method_name, call.kwargs["state"]) for call in log.calls if call.args == ("orders",)]
    assert told == [("info", "as agreed"), ("warning", "desk.toml:3: mend it."), ("info", "as agreed")]


async def test_the_server_is_reachable_only_while_its_address_is_open(tmp_path: Path):
    (tmp_path / "desk.toml").write_text(f'[desk]\nname = "acme"\ndatabase = "{tmp_path / "desk.db"}"\n')
    clock, listener = ReplayClock(START), Listener(Address("127.0.0.1", 0))
    service = serving(load(tmp_path / "desk.toml"), listener, clock)
    plan = Plan({}, (), tmp_path / "desk.db", folder("playbooks"), clock, no_model, service=service, live=True)
    async with App(plan) as app:
        assert app.service is not None

        def told() -> list[str]:
            return [state for part, state in _parts(app) if part == "server"]

        assert told() == ["closed"]
        running = asyncio.create_task(app.service.run())
        async with asyncio.timeout(5):
            while find(tmp_path / "desk.db") is None:  # noqa: ASYNC110  a file tells nobody
                await asyncio.sleep(0.01)
        assert told() == ["reachable"]
        running.cancel()
        await asyncio.wait({running})
        assert told() == ["closed"]


NOISE = """
import asyncio, gc, logging, sys, threading, warnings
from crisisdesk.cli.log_format import speak
from crisisdesk.cli.terminal import say

speak(as_json=True)
say("warning: Größe in\\nzwei \\x1b[31mZeilen", "warning")
warnings.warn("beware", stacklevel=1)
print("a bare\\nprint", end="", file=sys.stderr)
sys.stderr.flush()
logging.getLogger("aiohttp.server").error("failed %s", "here")
logging.getLogger("odd").warning("%d", "no number")

async def main():
    async def fails():
        raise KeyError("lost")
    task = asyncio.ensure_future(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()

asyncio.run(main())
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()

class Leaves:
    def __del__(self):
        raise ValueError("at the end")

Leaves()
raise RuntimeError("of two\\nlines")
"""


def test_in_json_whatever_anybody_writes_to_stderr_is_an_object():
    done = subprocess.run([sys.executable, "-c", NOISE], capture_output=True, check=False)
    assert done.stderr.isascii()
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(one["level"], one["event"].partition("\n")[0], one.get("logger", "")) for one in told] == [
        ("warning", "Größe in", ""),
        ("warning", "<string>:8: UserWarning: beware", "py.warnings"),
        ("warning", "a bare", ""),
        ("warning", "print", ""),
        ("error", "failed here", "aiohttp.server"),
        ("warning", "%d", "odd"),
        ("error", "Task exception was never retrieved", "asyncio"),
        ("error", "unexpected error", ""),
        ("error", "unexpected error", ""),
        ("error", "unexpected error", ""),
    ]
    errors = [one["error"] for one in told if "error" in one]
    assert errors == [
        "KeyError: 'lost'",
        "ZeroDivisionError: division by zero",
        "ValueError: at the end",
        "RuntimeError: of two\nlines",
    ]
    assert all(one["traceback"].startswith("Traceback") for one in told if "error" in one)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", one["time"]) for one in told)
    assert done.returncode == 1
