"""Draws `console.svg`, `incident.svg` and `answers.svg`: the demo, stopped on Saturday night. `make pictures`."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from textual.pilot import Pilot

from crisisdesk.app import App, Plan
from crisisdesk.cases import case
from crisisdesk.cli.running import load_shipped_model
from crisisdesk.cli.terminal import BadLines
from crisisdesk.clock import ReplayClock
from crisisdesk.console.app import Console
from crisisdesk.detect.standard import Standard
from crisisdesk.match import WatchRule
from crisisdesk.records import EPOCH, SourceStatus
from crisisdesk.resources import folder
from crisisdesk.sources.file.reading import read_posts
from crisisdesk.sources.file.replay import Pace, Replay

STOPPED: Final = datetime(2008, 11, 16, 1, 14, tzinfo=UTC)
SIZE: Final = (140, 45)
HERE: Final = Path(__file__).parent


class Stopped(Replay):
    """The recording in the midst of being played: it has not ended, it only says no more."""

    def status(self) -> SourceStatus:
        return replace(super().status(), state="live")


def plan(database: Path) -> Plan:
    """The demo without pace, up to the moment of the pictures."""
    story, clock = case("motrin"), ReplayClock(EPOCH)
    posts = takewhile(lambda post: post.time < STOPPED, read_posts([story.path], on_bad=BadLines()))
    return Plan(
        watches={WatchRule(story.watch, story.terms): Standard()},
        sources=[Stopped(story.name, posts, clock, Pace(clock))],
        database=database,
        playbooks=folder("playbooks"),
        clock=clock,
        load_model=load_shipped_model,
        answers=[story.watch],
        notice=story.notice,
    )


async def draw(database: Path) -> None:
    """Play, then take a picture of each screen."""
    async with App(plan(database)) as app:
        await app.run()
        console = Console(app.desk, "anna", case("motrin").zone)
        async with console.run_test(size=SIZE) as pilot:
            await picture(pilot, "Decisive posts", "console.svg")
            await pilot.press("enter")
            await picture(pilot, "First 15 minutes", "incident.svg")
            await pilot.press("escape", "w")
            await picture(pilot, "Waits since", "answers.svg")


async def picture(pilot: Pilot[None], shows: str, name: str) -> None:
    """Write what is on the screen once it shows these words and nothing changes any more; it may take a minute."""
    before = ""
    async with asyncio.timeout(60):
        while shows not in (svg := pilot.app.export_screenshot()).replace("&#160;", " ") or svg != before:
            before = svg
            await pilot.pause(0.5)
    (HERE / name).write_text(svg + "\n", encoding="utf-8")


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        asyncio.run(draw(Path(temporary) / "desk.db"))
