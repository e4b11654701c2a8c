"""Writes `openapi.json`: what a running desk says of its own routes. `make openapi`."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import aiohttp
import orjson

from crisisdesk.app import App
from crisisdesk.cli.running import load_shipped_model
from crisisdesk.cli.serving import listening, serving
from crisisdesk.clock import WallClock
from crisisdesk.plan import Plan
from crisisdesk.resources import folder
from crisisdesk.server.presence import find
from crisisdesk.server.routes import API
from crisisdesk.settings.load import load

HERE: Final = Path(__file__).parent
CONFIGURATION: Final = '[desk]\nname = "acme"\ndatabase = "acme.db"\n'


async def fetched(base: Path) -> bytes:
    """The document of a desk that hears nothing."""
    (base / "crisisdesk.toml").write_text(CONFIGURATION, encoding="utf-8")
    configured, clock = load(base / "crisisdesk.toml"), WallClock()
    database, listener = configured.desk.database, listening(configured)
    plan = Plan(
        watches={},
        sources=[],
        database=database,
        playbooks=folder("playbooks"),
        clock=clock,
        load_model=load_shipped_model,
        service=serving(configured, listener, clock),
        live=True,
        stays=True,
    )
    async with App(plan) as app, aiohttp.ClientSession() as session:
        running = asyncio.create_task(app.run())
        while (desk := find(database)) is None:  # noqa: ASYNC110 - it is a file
            await asyncio.sleep(0.01)
        async with session.get(f"{desk.url}{API}/openapi.json") as answer:
            found = orjson.loads(await answer.read())
        app.stop()
        await running
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


if __name__ == "__main__":
    with TemporaryDirectory() as base:
        (HERE / "openapi.json").write_bytes(asyncio.run(fetched(Path(base))))
