"""One loop per output: what is owed goes out in order, and is owed no longer once the outside has acknowledged it.

The outbox on disk is the queue, so a crash repeats at most the message in flight, under the same id, and loses none.
Each output has its own loop: one's trouble never delays another. What goes out how is up to a hand: machines get each
change by itself (`each`), people what there is to tell in one message (`together`).
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalOutputError, OutputError, StorageError
from crisisdesk.outputs.base import Hand, Output, PersonalOutput
from crisisdesk.outputs.each import EachChange
from crisisdesk.outputs.together import Together
from crisisdesk.records import Notification, OutputStatus
from crisisdesk.retry import delays
from crisisdesk.storage.store import Store
from crisisdesk.text import clean, counted

OWED_FOR: Final = timedelta(days=1)
"""After the end of an incident what is still owed of it is tried for so long."""

_HOPEFUL: Final = frozenset({"live", "connecting"})
"""States in which a stop waits for what is owed; with a broken connection it would only hold people up."""


class Delivery:
    """Delivers for one output; subscribe `wake` to the register, run `run`, end it with `stop`.

    Args:
        store: where the outbox is.
        output: where to.
        clock: tells when an incident's end is long ago.
        waits: seconds between attempts after a failure.
        flush_seconds: how long an orderly stop waits for what is still owed; the rest goes out after the next start.
        look_seconds: how long it stays asleep without being woken, then looks by itself: what a full disk did not take
            is owed later than its news.
    """

    def __init__(
        self,
        store: Store,
        output: Output | PersonalOutput,
        clock: Clock,
        *,
        waits: Callable[[], Iterator[float]] = delays,
        flush_seconds: float = 10.0,
        look_seconds: float = 15.0,
    ) -> None:
        self._store = store
        self._output = output
        self._clock = clock
        self._hand: Hand = (
            Together(store, output, clock) if isinstance(output, PersonalOutput) else EachChange(store, output, waits)
        )
        self._waits = waits
        self._flush_seconds = flush_seconds
        self._look_seconds = look_seconds
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self._trouble = ""
        self._unwritten = ""
        self._lost: Sequence[str] = ()
        self._waiting = 0
        self._broken = 0

    @property
    def name(self) -> str:
        """The output's name, under which its debts are kept."""
        return self._output.name

    def status(self) -> OutputStatus:
        """How the output is doing, with its counts of this run."""
        status = self._output.status()
        said = (status.trouble, self._trouble, self._hand.trouble, self._unwritten)
        if status.state == "live":  # then what is owed weighs more than a heartbeat that is refused
            said = (*said[1:], said[0])
        trouble = next(filter(None, said), "")
        state = "retrying" if status.state == "live" and trouble else status.state
        return replace(
            status,
            state=state,
            delivered=self._hand.delivered,
            waiting=self._waiting,
            failed=len(self._lost),
            attempts_failed=self._broken + self._hand.refused,
            trouble=" ".join(filter(None, (trouble, self._told_lost()))),
        )

    def wake(self, notification: Notification | None = None) -> None:
        """Something new may be owed."""
        if notification is None or self._hand.takes(notification):
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
        self._lost = await self._known_lost()
        waits, final = self._waits(), False
        while True:
            self._news.clear()
            last = self._stopping.is_set()  # what came during the pass before is owed like all else
            try:
                await self._look()
                if final or not await self._ready():
                    await self._sleep(None)
                    continue
                seconds = await self._hand.deliver_owed()
                self._trouble, waits = "", self._waits()
                await self._look()
                if last:
                    return
                await self._sleep(seconds)
            except FatalOutputError as error:
                self._trouble, final = str(error), True
                self._broken += 1
            except (OutputError, StorageError) as error:
                self._trouble = str(error)
                self._broken += isinstance(error, OutputError)
                await asyncio.sleep(next(waits))

    async def _ready(self) -> bool:
        """Whether there is a connection now; what is owed grows old while there is none."""
        patience = asyncio.timeout(self._look_seconds)
        try:
            async with patience:
                await self._output.ready()
        except TimeoutError:
            if not patience.expired():
                raise
            return False
        return True

    async def _look(self) -> None:
        """See how much is owed; what has been tried and is too old is given up.

        A disk that takes nothing keeps nothing from going out.
        """
        try:
            await self._store.settle(self.name)
            if self.status().trouble:
                self._lost = await self._store.give_up(self.name, self._clock.now(), OWED_FOR)
        except StorageError as error:
            self._unwritten = str(error)
        else:
            self._unwritten = ""
        with contextlib.suppress(StorageError):
            await self._count()

    async def _known_lost(self) -> Sequence[str]:
        """What an earlier run gave up."""
        try:
            return await self._store.given_up(self.name)
        except StorageError as error:
            self._trouble = str(error)
            return ()

    async def _sleep(self, seconds: float | None) -> None:
        # Not with `wait_for`: in Python 3.11 it takes a cancellation for an answer when both come at once.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._look_seconds if seconds is None else min(self._look_seconds, seconds)):
                await self._news.wait()

    async def _count(self) -> None:
        self._waiting = await self._store.waiting(self.name)

    async def _owes(self) -> bool:
        try:
            await self._count()
        except StorageError as error:
            self._trouble = str(error)
            return False
        return self._waiting > 0

    def _told_lost(self) -> str:
        if not self._lost:
            return ""
        named = list(dict.fromkeys(self._lost))
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        changes = counted(len(self._lost), "change", "changes")
        return (
            f"{changes} of {', '.join(named[:3])}{more} did not go out within a day of the end, and will not; "
            "tell those who should know."
        )


async def owed_by_others(store: Store, outputs: Collection[str], now: datetime) -> str:
    """What is owed to outputs that are not among these, such as one that was renamed; empty where all is well.

    It would never go out, and nobody would know.
    """
    try:
        owed = await store.owed_by_others(outputs, now, OWED_FOR)
    except StorageError:  # which is told by whoever has something to write
        return ""
    if not owed:
        return ""
    named = ", ".join(f"“{clean(name, 100)}” ({owes})" for name, owes in owed.items())
    return (
        f"Changes are still owed to {named}, which the configuration has no more. Put it back under this name, or tell "
        "those who should know."
    )
