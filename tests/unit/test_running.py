"""How a desk is run from the command line: what signals do, at whatever moment they come."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from crisisdesk.app import Plan
from crisisdesk.cli.running import load_shipped_model, run_headless
from crisisdesk.cli.signals import noting, until_ctrl_c
from crisisdesk.clock import ReplayClock
from crisisdesk.records import EPOCH

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")


def press_ctrl_c_when_the_loop_closes() -> None:
    loop = asyncio.get_running_loop()
    close = loop.close

    def close_pressed() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        close()

    loop.close = close_pressed  # type: ignore[method-assign]


def test_ctrl_c_while_the_loop_closes_is_answered():
    async def work() -> None:
        press_ctrl_c_when_the_loop_closes()

    with pytest.raises(KeyboardInterrupt):
        until_ctrl_c(work)


def test_ctrl_c_while_a_recording_ends_is_answered(tmp_path: Path):
    plan = Plan({}, (), tmp_path / "desk.db", tmp_path, ReplayClock(EPOCH), load_shipped_model)
    with pytest.raises(KeyboardInterrupt):
        run_headless(plan, lambda _: press_ctrl_c_when_the_loop_closes())


def test_ctrl_c_before_anything_runs_and_after_it_is_answered_too():
    before = signal.getsignal(signal.SIGINT)

    async def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    with pytest.raises(KeyboardInterrupt):
        until_ctrl_c(work)
    assert signal.getsignal(signal.SIGINT) is before


async def test_a_signal_that_came_early_is_not_forgotten():
    done: list[str] = []
    with noting("SIGHUP", "SIGNOTHING") as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        signals.then(lambda: done.append("early"))
        assert done == ["early"]
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        assert done == ["early", "early"]
