"""How tests sit in front of the console: they start it, wait for what they look for, and read the screen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.events import Key
from textual.pilot import Pilot

WIDE, SMALL = (120, 34), (80, 24)


@asynccontextmanager
async def running(console, size=SMALL) -> AsyncIterator[Pilot[None]]:
    async with console.run_test(size=size) as pilot:
        await until(pilot, lambda: console.screen.picture.watches or console.screen.picture.troubles)
        yield pilot


async def until(pilot, true, seconds=5.0):
    """Let the console work until something holds."""
    async with asyncio.timeout(seconds):
        while not true():
            await pilot.pause(0.01)


def text_of(screen) -> str:
    """Everything that is on the screen, as it would be drawn."""
    return "\n".join("".join(segment.text for segment in strip) for strip in screen._compositor.render_strips())


def key(name, seconds=0.0) -> Key:
    """A key as a terminal sends it, so many seconds from now."""
    pressed = Key({" ": "space", "\r": "enter"}.get(name, name), name if len(name) == 1 and name != "\r" else None)
    pressed.time += seconds
    return pressed
