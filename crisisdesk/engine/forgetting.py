"""How a running desk forgets: what authors take back, what has been kept for long enough, what somebody wants erased.

All three go everywhere that the desk keeps a post: what is under way, the feed, the detectors, the answer queue,
incidents and what is owed of them, the mailbox, the sources' own memory, and the files of the database.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from crisisdesk.desk import LocalDesk
from crisisdesk.engine.observation import Observation
from crisisdesk.engine.progress import Progress
from crisisdesk.errors import StorageError
from crisisdesk.incidents.register import Register
from crisisdesk.inquiries.queue import Queue
from crisisdesk.plan import Plan
from crisisdesk.privacy import again
from crisisdesk.privacy.ageing import aged
from crisisdesk.privacy.erasure import Erased, Wanted, name_of, repeated
from crisisdesk.privacy.files import closed, readable_secrets
from crisisdesk.privacy.key import KeyFile
from crisisdesk.privacy.terms import KEEP_POSTS
from crisisdesk.records import EPOCH, TOLD_FOR, Correction, Post
from crisisdesk.sources.base import Remembering
from crisisdesk.storage import privacy
from crisisdesk.storage.snapshot import snapshot, sweep
from crisisdesk.storage.store import Store
from crisisdesk.text import clean
from crisisdesk.threads import to_its_end

LOOK_EVERY: Final = timedelta(minutes=1)
"""Between two looks at what has been kept for long enough."""
CUT_EVERY: Final = timedelta(hours=1)
"""Between two cuts of the database's log, which holds also what was deleted because it was counted or delivered."""
FEED, MEMORY, UNDER_WAY = "feed", "memory of the detectors", "under way"
"""The places of a running desk where posts lie, besides those of its database."""


class Forgetting:
    """Forgets.

    Args:
        plan: says for how long what is kept, and where.
        trouble: told what part is wrong, and a sentence with the cure; an empty one says that it is well again.

    Raises:
        StorageError: pseudonyms are asked for, and their key cannot be used.
    """

    def __init__(  # noqa: PLR0917  all that keeps posts
        self,
        plan: Plan,
        store: Store,
        register: Register,
        observation: Observation,
        desk: LocalDesk,
        queue: Queue,
        progress: Progress,
        trouble: Callable[[str, str], None],
    ) -> None:
        self._terms = plan.privacy
        self._clock = plan.clock
        self._database = plan.database
        self._key = KeyFile(plan.database)
        self.pseudonyms = self._key.needed() if plan.live and plan.privacy.pseudonyms else None
        """What stands for authors from the edge on; None where they are known by name."""
        self._store = store
        self._register = register
        self._observation = observation
        self._desk = desk
        self._queue = queue
        self._progress = progress
        self._sources = [one for one in plan.sources if isinstance(one, Remembering)]
        self._trouble = trouble
        self._secrets = plan.secrets
        self._opened = self._lost_key = EPOCH, ""
        self._watches = {rule.name for rule in plan.watches}
        self._has_tidied = False
        self._looked: datetime | None = None
        self._cut = EPOCH
        self._marked = ""
        self._turn = asyncio.Lock()

    async def correct(self, correction: Correction) -> None:
        """What an author has taken back or changed is so here, too, whether it is known by name or by pseudonym."""
        for one in self._forms(correction):
            heard = self._progress.heard_of(one)
            if heard or self._register.quotes(one) or self._queue.holds(one):
                await self._correct(one)

    async def look(self, now: datetime) -> None:
        """Forget what has been kept for long enough; trouble with the disk or the key is told, and tried again."""
        if self._looked is not None and abs(now - self._looked) < LOOK_EVERY:
            return
        self._looked = now
        self._look_at_files(now)
        try:
            await to_its_end(self._age(now))
        except StorageError as error:
            self._trouble("privacy", f"{error} Until then posts are kept for longer than they should be.")
        else:
            self._trouble("privacy", "")
        since, told = self._lost_key
        self._trouble("key", told if now - since < TOLD_FOR else "")

    async def forget(self, wanted: Wanted, person: str) -> Erased:
        """Erase what is wanted, everywhere, and keep a record of it that names nobody.

        Raises:
            StorageError: the database or the key cannot be used; what was erased is erased, ask again for the rest.
            UsageError: it can be no post.
        """
        return await to_its_end(self._forget(wanted, person))

    def _look_at_files(self, now: datetime) -> None:
        """Close what is ours to others, and tell of it for a while; tell of secrets as long as others can read them."""
        if opened := closed(self._database):
            self._opened = now, opened
        since, told = self._opened
        self._trouble("files", told if now - since < TOLD_FOR else "")
        self._trouble("secrets", " ".join(filter(None, (self._key.trouble, *readable_secrets(self._secrets)))))

    async def _age(self, now: datetime) -> None:
        terms = self._terms

        def before(watch: str) -> datetime:
            return now - terms.keeps(watch)

        self._desk.let_go(before)
        await self._observation.let_go(before)
        for source in self._sources:
            source.forget(lambda post: post.time < now - terms.shortest)
        for watch in await self._store.read(privacy.queued_watches):
            await self._queue.forget_before(watch, before(watch))
        if not self._has_tidied:
            await asyncio.to_thread(sweep)
            self._lost_key = now, await lost_key(self._store)
            gone = now - KEEP_POSTS
            await self._store.erase(lambda database: privacy.drop_unwatched(database, self._watches, gone))
            self._has_tidied = True
        old = await self._store.read(lambda database: privacy.due(database, terms, now))
        become = partial(aged, terms=terms, now=now, names=self._key.needed)
        await self._register.age(become)
        if old:
            await self._store.erase(lambda database: privacy.age(database, old, become))
            await self._register.recollect()
        if (used := self._key.used) is not None and used.mark != self._marked:
            await self._store.write(lambda database: privacy.keep_mark(database, used))
            self._marked = used.mark
        if abs(now - self._cut) >= CUT_EVERY:
            await self._store.cut_log()
            self._cut = now

    async def _forget(self, wanted: Wanted, person: str) -> Erased:
        async with self._turn:
            names = self._key.needed()
            meant = [one for each in await self._known_as(wanted) for one in self._forms(each)]
            places, numbers = await self._store.decode(
                lambda database: (privacy.found(database, meant), privacy.numbers_of(database, meant))
            )
            for one in meant:
                places += await self._correct(one)
            await self._store.erase(lambda database: privacy.erase(database, meant, numbers))
            self._progress.erased(numbers)
            erased = Erased(
                at=self._clock.now(),
                person=clean(person, 100),
                kind=wanted.kind,
                source=clean(wanted.source, 200),
                name=name_of(wanted, names),
                found=tuple(sorted((+places).items())),
            )
            await self._store.write(lambda database: privacy.record(database, erased))
            return erased

    async def _known_as(self, wanted: Wanted) -> list[Correction]:
        """What is wanted, with the posts that are known by its address."""
        asked = await self._store.decode(lambda database: _asked_for(database, wanted))
        if wanted.address:
            heard = {(post.source, post.id) for post in self._posts() if post.url == wanted.address}
            asked += [Correction(source, name, asked=True) for source, name in sorted(heard) if name]
        if wanted.author:
            (author,) = wanted.corrections()
            written = await self._store.decode(lambda database: privacy.written_by(database, author))
            asked += repeated(author, self._posts(), written)
        return list(dict.fromkeys(asked))

    def _posts(self) -> Iterable[Post]:
        yield from self._desk.posts()
        yield from self._observation.posts()

    def _forms(self, correction: Correction) -> tuple[Correction, ...]:
        try:
            return self._key.forms(correction)
        except StorageError as error:  # what is known by name is corrected all the same
            self._trouble("privacy", f"{error} What authors take back is not found by its pseudonym.")
            return (correction,)

    async def _correct(self, correction: Correction) -> Counter[str]:
        """Correct it in everything that runs, and in the database. Returns how much there was, by place."""
        found: Counter[str] = Counter()
        found[UNDER_WAY] = self._progress.correct(correction)
        if correction.text is None:
            for source in self._sources:
                source.forget(lambda post: post.is_meant(correction))
        found[MEMORY] = await self._observation.correct(correction)
        await self._queue.correct(correction)
        await self._register.correct(correction)
        found[FEED] = self._desk.correct(correction)
        return found


async def lost_key(store: Store) -> str:
    """That the key is not the one by which the pseudonyms so far are found; empty where all is well."""
    known, key = await store.read(privacy.mark_of_key), KeyFile(store.path)
    try:
        names = key.known()
    except StorageError:  # is told by whoever needs it
        return ""
    if not known or (names is not None and names.mark == known):
        return ""
    return (
        f"The key {key.path} is gone or is another one, so nobody knows any more whom the pseudonyms so far mean: what "
        "a network deletes or somebody wants erased is not found among them. If that was not wanted, stop the desk, "
        "put back a copy of the key, and start it."
    )


async def kept_of(path: Path, wanted: Wanted) -> list[dict[str, object]]:
    """What the database keeps of an author or a post, also while a desk runs with it.

    Raises:
        StorageError: the database or the key cannot be read.
        UsageError: it can be no post.
    """
    with snapshot(path) as copy:
        async with await Store.open(copy, durable=False) as store:
            asked = await store.decode(lambda database: _asked_for(database, wanted))
            meant = [form for one in asked for form in KeyFile(path).forms(one)]
            return await store.decode(lambda database: [*privacy.shown(database, meant)])


def _asked_for(database: sqlite3.Connection, wanted: Wanted) -> list[Correction]:
    """What is wanted, with the posts that the database knows by its address."""
    keys = sorted(privacy.keys_of(database, wanted.address)) if wanted.address else []
    asked = [*wanted.corrections(), *(Correction(source, name, asked=True) for source, name in keys if name)]
    if wanted.author:
        asked += repeated(asked[0], privacy.mailed(database), privacy.written_by(database, asked[0]))
    return asked


async def forget_at_rest(store: Store, wanted: Wanted, person: str, now: datetime) -> Erased:
    """Erase what is wanted in the database of a desk that does not run, and keep a record of it.

    Raises:
        StorageError: the database or the key cannot be used.
        UsageError: it can be no post.
    """
    key = KeyFile(store.path)
    names = key.needed()

    def forget(database: sqlite3.Connection) -> Erased:
        meant = [form for one in _asked_for(database, wanted) for form in key.forms(one)]
        found = privacy.found(database, meant)
        privacy.erase(database, meant, privacy.numbers_of(database, meant))
        places = tuple(sorted(found.items()))
        erased = Erased(now, clean(person, 100), wanted.kind, clean(wanted.source, 200), name_of(wanted, names), places)
        privacy.record(database, erased)
        privacy.keep_mark(database, names)
        return erased

    return await store.erase(forget)


async def forget_again(store: Store, records: Sequence[Erased], person: str, now: datetime) -> list[Erased]:
    """Erase in a database that was put back what had been erased since it was copied.

    Raises:
        StorageError: the database cannot be used, or the key of the pseudonyms is not there.
    """
    names = KeyFile(store.path).known()
    if names is None:
        raise StorageError(
            f"There is no key {KeyFile(store.path).path}, so that nobody knows whom the records mean; put back its "
            "copy, or ask for each by name: crisisdesk forget --author NAME"
        )

    def forget(database: sqlite3.Connection) -> list[Erased]:
        done, (authors, posts) = [], privacy.known(database)
        for one in records:
            meant = list(again.corrections(one, names, authors, posts))
            places = tuple(sorted(privacy.found(database, meant).items()))
            privacy.erase(database, meant, privacy.numbers_of(database, meant))
            done.append(replace(one, at=now, person=clean(person, 100), found=places))
            privacy.record(database, done[-1])
        return done

    return await store.erase(forget)
