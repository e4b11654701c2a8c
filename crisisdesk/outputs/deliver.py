"""One loop per output: what is owed goes out in order, and is owed no longer once the outside has acknowledged it.

The outbox on disk is the queue, so a crash repeats at most the message in flight, under the same id, and loses none.
Each output has its own loop: one's trouble never delays another.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from crisisdesk.errors import FatalOutputError, OutputError, StorageError
from crisisdesk.incidents.store import Store
from crisisdesk.outputs.base import Output
from crisisdesk.records import Notification, OutputStatus
from crisisdesk.retry import delays

_HOPEFUL: Final = frozenset({"live", "connecting"})
"""States in which a stop waits for what is owed; with a broken connection it would only hold people up."""


class Delivery:
    """Delivers for one output; subscribe `wake` to the register, run `run`, end it with `stop`.

    Args:
        store: where the outbox is.
        output: where to.
        waits: seconds between attempts after a failure.
        flush_seconds: how long an orderly stop waits for what is still owed; the rest goes out after the next start.
        look_seconds: how long it stays asleep without being woken, then looks by itself: what a full disk did not take
            is owed later than its news.
    """

    def __init__(
        self,
        store: Store,
        output: Output,
        *,
        waits: Callable[[], Iterator[float]] = delays,
        flush_seconds: float = 10.0,
        look_seconds: float = 15.0,
    ) -> None:
        self._store = store
        self._output = output
        self._waits = waits
        self._flush_seconds = flush_seconds
        self._look_seconds = look_seconds
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self._trouble = ""
        self._delivered = 0
        self._waiting = 0

    @property
    def name(self) -> str:
        """The output's name, under which its debts are kept."""
        return self._output.name

    def status(self) -> OutputStatus:
        """How the output is doing, with its counts of this run."""
        status = self._output.status()
        trouble = status.trouble or self._trouble
        state = "retrying" if status.state == "live" and self._trouble else status.state
        return replace(status, state=state, delivered=self._delivered, waiting=self._waiting, trouble=trouble)

    def wake(self, _: Notification | None = None) -> None:
        """Something new is owed."""
        self._waiting += 1
        self._news.set()

    def stop(self) -> None:
        """Deliver what is owed, within the time limit, then let `run` return."""
        self._stopping.set()
        self._news.set()

    async def run(self) -> None:
        """Deliver until `stop`; cancelled, it still takes leave of the outside in order."""
        async with self._output.session():
            worker = asyncio.create_task(self._work(), name=f"deliver {self.name}")
            stopping = asyncio.create_task(self._stopping.wait())
            try:
                await asyncio.wait({worker, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not worker.done() and self._output.status().state in _HOPEFUL and await self._owes():
                    await asyncio.wait({worker}, timeout=self._flush_seconds)
            finally:
                for task in (worker, stopping):
                    task.cancel()
                await asyncio.wait({worker, stopping})
            if not worker.cancelled():
                worker.result()

    async def _work(self) -> None:
        waits = self._waits()
        while True:
            self._news.clear()
            try:
                await self._count()
                await self._output.ready()
                await self._deliver_owed()
                self._trouble, waits = "", self._waits()
                if self._stopping.is_set():
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), self._look_seconds)
            except FatalOutputError:
                await self._stopping.wait()
                return
            except (OutputError, StorageError) as error:
                self._trouble = str(error)
                await asyncio.sleep(next(waits))

    async def _deliver_owed(self) -> None:
        while owed := await self._store.owed(self.name):
            for row, notification in owed:
                try:
                    await self._output.deliver(notification)
                except OutputError as error:
                    await self._store.failed(self.name, row, str(error))
                    raise
                await self._store.delivered(self.name, row)
                self._delivered += 1
                self._trouble = ""  # at once, so that nobody sees an old trouble beside an empty outbox
            await self._count()

    async def _count(self) -> None:
        self._waiting = await self._store.waiting(self.name)

    async def _owes(self) -> bool:
        try:
            await self._count()
        except StorageError as error:
            self._trouble = str(error)
            return False
        return self._waiting > 0
