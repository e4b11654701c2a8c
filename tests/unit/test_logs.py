"""The log of a desk without a console."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import CapturingLogger

from crisisdesk.app import App
from crisisdesk.cli.logs import _look
from crisisdesk.clock import ReplayClock
from crisisdesk.plan import Agreed, Plan
from crisisdesk.resources import folder

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
