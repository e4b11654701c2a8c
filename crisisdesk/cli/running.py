"""Running a desk from the command line: with the console or without, to its end or until a signal."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from getpass import getuser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from crisisdesk.app import App
from crisisdesk.cli.signals import noting, until_ctrl_c
from crisisdesk.cli.terminal import say
from crisisdesk.errors import FatalSourceError, StorageError, UsageError
from crisisdesk.plan import Plan
from crisisdesk.sentiment.base import Model
from crisisdesk.text import clean, counted

T = TypeVar("T")

STOP_SECONDS: Final = 15.0
"""How long an orderly stop may take before the run is cut off."""


@contextmanager
def database(wanted: Path | None) -> Iterator[Path]:
    """An empty database: in a temporary folder that goes away again, or where the call wants to keep it."""
    if wanted is not None:
        if wanted.exists():
            raise UsageError(f"{wanted} exists already and was left as it is; name another file for --database.")
        try:
            yield wanted
        except BaseException:
            for ending in ("", "-wal", "-shm"):  # a run that failed can be called again as it was
                Path(f"{wanted}{ending}").unlink(missing_ok=True)
            raise
        return
    with TemporaryDirectory(prefix="crisisdesk-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "desk.db"


def load_shipped_model() -> Model:
    """The model that travels with the desk. Takes a second or two; imports its libraries only then."""
    from crisisdesk.sentiment.cached import Cached  # noqa: PLC0415 - slow import
    from crisisdesk.sentiment.transformer import load  # noqa: PLC0415 - slow import

    return Cached(load())


def person() -> str:
    """Who sits here, for the timeline."""
    with suppress(OSError, KeyError):  # no such user in this system's list, as in containers
        return clean(getuser()) or "somebody"
    return "somebody"


def run_headless(plan: Plan, prepare: Callable[[App], None]) -> App:
    """Run to the end, or until SIGTERM or ctrl+c; `prepare` may subscribe to the register before it starts."""

    async def work() -> App:
        async with App(plan) as app:
            prepare(app)
            running = asyncio.ensure_future(app.run())
            interrupted = asyncio.Event()
            stopped.then(interrupted.set)
            stopped.then(app.stop)
            try:
                await _until_done(app, running, interrupted)
            finally:
                running.cancel()
                await asyncio.wait({running})
                _tell_left(app)
            _refuse_if_unsaved(app)
            if plan.live and (trouble := app.reception.has_failed()):
                raise FatalSourceError(f"Nothing can be heard any more: {trouble}")
            return app

    with noting("SIGINT", "SIGTERM", "SIGHUP") as stopped:
        app = asyncio.run(work())
    if stopped.came and not plan.live:
        raise KeyboardInterrupt
    return app


def run_console(plan: Plan, prepare: Callable[[App], None] = lambda _: None) -> None:
    """Run with the console in front; the console's end is the end. `prepare` is called before anything starts.

    The model and what reads languages are loaded in threads once the first frame is shown: their libraries are a second
    of Python to import, and two threads of Python share one core.
    """
    from crisisdesk.console.app import Console  # noqa: PLC0415 - only a desk with a screen pays for it

    shown = threading.Event()

    def once_shown(load: Callable[[], T]) -> Callable[[], T]:
        def wait_and_load() -> T:
            shown.wait()
            return load()

        return wait_and_load

    held_back = replace(
        plan,
        load_model=once_shown(plan.load_model),
        load_reader=once_shown(plan.load_reader),
        stays=plan.live,
    )

    async def work() -> None:
        async with App(held_back) as app:
            try:
                await beside_console(app)
            finally:
                _tell_left(app)
            _refuse_if_unsaved(app)

    async def beside_console(app: App) -> None:
        async with asyncio.TaskGroup() as group:
            prepare(app)
            running = group.create_task(app.run(), name="desk")
            console = Console(app.desk, clean(plan.person) or person(), plan.zone, shown=shown.set)
            ended.then(console.exit)
            try:
                await console.run_async()
            finally:
                shown.set()  # nobody may wait for a frame that never comes
            if plan.live and not running.done():
                app.stop()
                await _finish(app, running)
            running.cancel()

    with noting("SIGTERM", "SIGHUP") as ended:  # a lost terminal, too
        until_ctrl_c(work)


async def _until_done(app: App, running: "asyncio.Future[None]", interrupted: asyncio.Event) -> None:
    """Wait for the end; after a signal only so long, and not at all for a recording, which can be played again."""
    waiting = asyncio.ensure_future(interrupted.wait())
    both: set[asyncio.Future[Any]] = {running, waiting}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not running.done() and app.plan.live:
        await _finish(app, running)
    if running.done():
        running.result()


async def _finish(app: App, running: "asyncio.Future[None]") -> None:
    """Let a stopped desk get through what has come in, but only for so long, and say what it takes its time for."""
    if app.left and app.scoring.model:
        say(
            f"Finishing: {counted(app.left, 'post')} still to go through. "
            f"This takes {STOP_SECONDS:.0f} seconds at most."
        )
    await asyncio.wait({running}, timeout=STOP_SECONDS)
    if not running.done():
        say(f"The desk did not stop within {STOP_SECONDS:.0f} seconds and was cut off.", "warning")


def _refuse_if_unsaved(app: App) -> None:
    """A desk that could not write everything down at its end must not say that it has.

    Raises:
        StorageError: what is lost, and what to do before the next start.
    """
    if app.plan.live and app.register.trouble:
        raise StorageError(f"Not everything was saved at the end: {app.register.trouble}")


def _tell_left(app: App) -> None:
    """Posts that came to a live desk and did not go through are never lost in silence, whatever ended it."""
    if app.left and app.plan.live:
        posts = counted(app.left, "post that had come", "posts that had come")
        say(f"{posts} did not go through: {_why_left(app)}. {_again(app)}", "warning")


def _why_left(app: App) -> str:
    if app.scoring.model:
        return "the desk was cut off"
    return f"the sentiment model {'could not be loaded' if app.unloadable else 'was not loaded yet'}"


def _again(app: App) -> str:
    if not app.lost:
        return "They come again after the next start."
    if app.lost == app.left:
        return "They do not come again."
    return f"{app.lost:,} of them do not come again, the others do after the next start."
