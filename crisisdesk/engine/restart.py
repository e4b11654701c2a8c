"""What a restart must not forget: what the watches have counted and learnt, what was not heard, where sources go on.

Counts, cursors and the mentions that were counted are written down together, as they are at one moment. So whatever
moment a crash comes at, each mention is either counted in what is found again, or is delivered once more and not
recognised, or is still in the mailbox.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import orjson

from crisisdesk.detect.restored import DAMAGED
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.engine.listening import Listening
from crisisdesk.engine.observation import Observation
from crisisdesk.engine.progress import KNOWN, Progress
from crisisdesk.engine.silences import Silences
from crisisdesk.errors import StorageError
from crisisdesk.records import EPOCH
from crisisdesk.sources.base import Source
from crisisdesk.storage.store import Store

AT_ONCE: Final = 50
"""Watches whose state is written down in one go."""


class Restart:
    """Keeps it in the database and takes it up again."""

    def __init__(
        self,
        store: Store,
        observation: Observation,
        progress: Progress,
        listening: Listening,
        silences: Silences,
        *,
        sources: Sequence[Source],
        trouble: Callable[[str, str], None],
    ) -> None:
        self._store = store
        self._observation = observation
        self._progress = progress
        self._listening = listening
        self._silences = silences
        self._sources = sources
        self._trouble = trouble
        self._turn = asyncio.Lock()

    async def save(self) -> None:
        """Write down what has changed.

        Raises:
            StorageError: it cannot be written; the next call writes it all.
        """
        async with self._turn:
            await self._save()

    async def can_write(self, now: datetime) -> bool:
        """Whether the database takes anything; on a quiet desk nothing else would tell before the next save."""
        try:
            await self._store.keep("looked", now.isoformat().encode())
        except StorageError:
            return False
        return True

    async def remember(self) -> None:
        """Go on where the last run stopped; of what cannot be read, people are told what becomes of it."""
        unknown: list[str] = []
        for name, detector in self._observation.detectors.items():
            if state := await self._store.kept(f"watch {name}"):
                self._restore(detector, state)
            else:
                unknown.append(name)
        self._observation.without_past = set(unknown) | await self._unread()
        for name in unknown:  # by now the others say what to expect of a new one
            self._observation.renew(name)
        self._progress.restore(await self._store.gone_through())
        for source in self._sources:
            if cursor := await self._store.kept(f"cursor {source.name}"):
                self._resume(source, cursor)
        if heard := await self._store.kept("hearing"):
            self._listen(heard)
        if silences := await self._store.kept("silences"):
            self._expect(silences)

    async def _unread(self) -> set[str]:
        """Watches whose past was not read to its end."""
        names = await self._store.kept("past not read")
        try:
            return set(orjson.loads(names or b"[]")) & self._observation.detectors.keys()
        except DAMAGED:
            return set()

    async def _save(self) -> None:
        async with self._observation.standing_still() as snapshot:
            reached = self._progress.reached(self._sources)
            kept = {f"cursor {name}": cursor.encode() for name, cursor in reached.cursors.items()}
            kept["hearing"] = orjson.dumps(self._listening.state())
            kept["silences"] = orjson.dumps(self._silences.state())
            kept["past not read"] = orjson.dumps(sorted(self._observation.without_past))
        try:
            for number, name in enumerate(snapshot.watches, 1):
                snapshot.write(name)
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)  # ten thousand watches must not hold up the posts for seconds
            kept |= {f"watch {name}": state for name, state in snapshot.states.items()}
            await self._store.checkpoint(kept, reached.gone_through, KNOWN)
        except BaseException:  # also one that is cut off by the end of the desk: the last save has it all
            self._observation.changed.update(snapshot.watches)
            self._progress.give_back(reached)
            raise

    def _restore(self, detector: WatchDetector, state: bytes) -> None:
        try:
            damaged = detector.restore(orjson.loads(state))
        except DAMAGED:
            self._observation.renew(detector.name)
            self._trouble(
                f"watch {detector.name}",
                f"What {detector.name} had learnt is damaged or was written by another version; it learns afresh.",
            )
            return
        if damaged:
            self._trouble(
                f"watch {detector.name}",
                f"Of what {detector.name} had learnt, this is damaged or was written by another version, and it learns "
                f"it afresh: {', '.join(damaged)}.",
            )

    def _resume(self, source: Source, cursor: bytes) -> None:
        try:
            source.resume(cursor.decode())
        except DAMAGED:
            self._trouble(
                f"cursor {source.name}",
                f"Where {source.name} had come to cannot be read, so it does not send again what came while the desk "
                "was off.",
            )

    def _listen(self, heard: bytes) -> None:
        try:
            self._listening.restore(orjson.loads(heard))
        except DAMAGED:
            self._listening.until = EPOCH
            self._trouble(
                "hearing",
                "When nothing could be heard is not known any more, so nothing is learnt from the hours before now.",
            )

    def _expect(self, silences: bytes) -> None:
        try:
            self._silences.restore(orjson.loads(silences))
        except DAMAGED:
            self._trouble(
                "silences", "How often the sources usually deliver is not known any more; it is learnt afresh."
            )
