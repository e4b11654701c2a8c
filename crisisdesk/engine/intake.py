"""Where the desk begins: what a source hands over is matched at once, and only mentions wait, are kept and go on.

    source ─Post→ edge ─Mention→ inbox ─→ mentions, with their languages

What comes again is recognised. What nobody would send again is in the mailbox of the database before it goes on.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from crisisdesk.channel import Channel, Closed
from crisisdesk.engine.progress import Progress
from crisisdesk.engine.spoken import Languages
from crisisdesk.errors import StorageError
from crisisdesk.match import Matcher
from crisisdesk.privacy.pseudonyms import Pseudonyms
from crisisdesk.records import Correction, Mention, Post, account, named_in
from crisisdesk.sources.base import Source
from crisisdesk.storage.store import Store
from crisisdesk.text import counted, digest
from crisisdesk.threads import to_its_end

T = TypeVar("T")

WAITING: Final = 5_000
"""Mentions of one source that wait; where more come, a source that pushes loses the oldest, all others wait."""
BATCH: Final = 256
"""Items a stage takes at once."""


@dataclass(slots=True)
class Tally:
    """What went through, for summaries and the status line."""

    posts: int = 0
    """Handed over by the sources; one that comes again is counted again."""
    repeated: int = 0
    """Deliveries of a mention that was known already."""
    latest: dict[str, datetime] = field(default_factory=dict)
    """The time of the post that came last, by source."""
    matched: Counter[str] = field(default_factory=Counter)
    """Mentions, by source."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Mentions that were dropped because more came than could be judged, by watch."""
    mentions: Counter[str] = field(default_factory=Counter)
    """Posts by watch, in the languages that count for it."""
    negative: Counter[str] = field(default_factory=Counter)
    """Negative posts by watch."""
    other_languages: dict[str, Counter[str]] = field(default_factory=dict)
    """Posts that count apart, by watch and language; `mentions` and `negative` are without them."""


@dataclass(frozen=True, slots=True)
class House:
    """What the edges of all sources share."""

    matcher: Matcher
    progress: Progress
    tally: Tally
    mentions: Channel[Mention]
    languages: Languages
    store: Store | None
    """Holds the mailbox; None for a recording, which can be played again."""
    correct: Callable[[Correction], Awaitable[None]]
    trouble: Callable[[str], None]
    """Told what is wrong with the mailbox, and what to do; an empty text says that it is well again."""
    sources: Sequence[str] = ()
    """Names of all sources; mail of others is taken in by each that asks first."""
    open_to_tags: bool = False
    """A tag of a post that no watch has makes a watch of its own."""
    own: Callable[[str], None] = lambda _: None
    """Told the name of a watch when one of the brand's own accounts posts."""
    pseudonyms: Pseudonyms | None = None
    """What stands for authors and posts from here on; None where they are known by name."""


class Intake:
    """The edge of one source; see `crisisdesk.sources.base.Edge`."""

    def __init__(self, source: Source, house: House) -> None:
        self._source = source
        self._house = house
        self._inbox: Channel[Mention] = Channel(WAITING, "drop_oldest" if source.pushes else "block", self._drop)
        self._keeps = house.store is not None and not source.resumes
        self._unwritten: dict[str, Mention] = {}
        self._writing = asyncio.Lock()
        self._owners: dict[str, list[str]] = {}
        for rule in house.matcher.rules:
            for name in rule.accounts:
                self._owners.setdefault(account(name), []).append(rule.name)

    def __len__(self) -> int:
        """How many mentions wait here."""
        return len(self._inbox)

    @property
    def dropped(self) -> int:
        """How many mentions were dropped here."""
        return self._inbox.dropped

    @property
    def lost(self) -> int:
        """How many of its mentions are under way and will not come again if the desk stops now."""
        if not self._keeps:
            return self._house.progress.homeless(self._source.name)
        return sum(map(self._house.progress.is_under_way, self._unwritten))

    def concerns(self, text: str, author: str | None = None) -> tuple[str, ...]:
        self._house.tally.posts += 1
        if self._owners and author is not None:
            self._hear_own(author)
        return self._house.matcher.watches_in(text)

    async def send(self, post: Post, watches: tuple[str, ...] | None = None) -> None:
        if (mention := self._new(post, watches)) is not None:
            if self._keeps:
                self._unwritten[mention.post.key] = mention
            await self._take_in(mention)

    async def room(self) -> None:
        await self._inbox.room(WAITING // 2)

    async def keep(self, posts: Sequence[Post]) -> None:
        """See `Edge`. It is done to its end also where the caller leaves, who then does not confirm."""
        await to_its_end(self._keep(posts))

    async def correct(self, correction: Correction) -> None:
        """See `Edge`. What is in the mailbox is corrected there, so that all of it has to be."""
        names = self._house.pseudonyms
        if self._house.progress.heard_of(correction if names is None else names.of_correction(correction)):
            await self.write_down()  # a network's deletes are many, and nearly all of what we never had
        await self._house.correct(correction)

    async def run(self, feed: Callable[["Intake"], Awaitable[None]]) -> None:
        """Let the source feed the edge, and send on what it hands over, until it has ended and nothing waits."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed(feed), name=f"source {self._source.name}")
            while batch := await received(self._inbox):
                await self.write_down()
                for mention in batch:
                    with contextlib.suppress(Closed):  # what nobody takes any more stays under way
                        await self._house.mentions.send(await self._house.languages.told(mention))
                del batch, mention  # what has gone on is not kept here until somebody speaks again

    async def write_down(self) -> None:
        """Put into the mailbox what waits and nobody would send again; where that fails, it goes on unwritten."""
        async with self._writing:
            progress, store = self._house.progress, self._house.store
            unwritten = {key: one for key, one in self._unwritten.items() if progress.is_under_way(key)}
            self._unwritten = {}
            if not unwritten or store is None:
                return
            try:
                await store.post(self._source.name, _by_digest(unwritten.values()))
            except StorageError as error:
                self._unwritten = {**unwritten, **self._unwritten}
                self._house.trouble(f"{error} What {self._source.name} sends now is lost if the desk stops.")
            else:
                self._house.trouble("")

    async def _feed(self, feed: Callable[["Intake"], Awaitable[None]]) -> None:
        try:
            await self._empty_mailbox()
            await feed(self)
        finally:
            await self._inbox.close()

    async def _empty_mailbox(self) -> None:
        """Take in what an earlier run has kept of this source, or of one that is gone, and has not counted."""
        row, damaged, store = 0, 0, self._house.store
        try:
            while store is not None and (mail := await store.mailbox(self._source.name, self._house.sources, row)):
                for row, post in mail:  # noqa: B007  the last one is where the next look begins
                    if post is None:
                        damaged += 1
                    elif (mention := self._new(post, None)) is not None:
                        await self._inbox.room()  # what was kept is not dropped, however much it is
                        await self._take_in(mention)
                    elif not self._house.progress.is_under_way(post.key):
                        self._house.progress.let_go(post.key)
        except StorageError as error:
            self._house.trouble(f"{error} What {self._source.name} had sent before the start is not counted yet.")
        if damaged:
            posts = counted(damaged, "post", "posts")
            self._house.trouble(f"{posts} of {self._source.name} that had been kept cannot be read any more.")

    async def _keep(self, posts: Sequence[Post]) -> None:
        new = {one.post.key: one for post in posts if (one := self._new(post, None)) is not None}
        if self._keeps and self._house.store is not None:
            # Another source may have brought one of them and not know where it was: then it is safe only here.
            known = [one for one in map(self._named, posts) if self._house.progress.is_under_way(one.key)]
            safe = _by_digest(new.values()) | {digest(post.key): post for post in known}
            if safe:
                await self._house.store.post(self._source.name, safe)
        for key, mention in new.items():
            if not self._house.progress.knows(key):  # another delivery may have been faster
                await self._take_in(mention)

    def _new(self, post: Post, watches: tuple[str, ...] | None) -> Mention | None:
        """The mention that a post is; None for one that concerns no watch or has come before."""
        house, named = self._house, self._named(post)
        house.tally.latest[self._source.name] = post.time
        if watches is None:
            house.tally.posts += 1
            if self._owners and post.author is not None and not house.progress.knows(named.key):
                self._hear_own(post.author)
            watches = house.matcher.match(post)
        if house.open_to_tags:
            watches = tuple(dict.fromkeys((*watches, *post.tags)))
        if not watches:
            return None
        if house.progress.knows(named.key):
            house.tally.repeated += 1
            return None
        return Mention(named, watches)

    def _named(self, post: Post) -> Post:
        """The post as the desk may know it; the brand's own accounts are no other people's, nor is what they said."""
        names = self._house.pseudonyms
        if names is None:
            return post
        named = names.of_post(post)
        if self._is_own(post.author):
            named = named._replace(author=post.author)
        return named._replace(reply_to=post.reply_to) if self._is_own(named_in(post.reply_to or "")) else named

    def _is_own(self, author: str | None) -> bool:
        return author is not None and account(author) in self._owners

    async def _take_in(self, mention: Mention) -> None:
        self._house.tally.matched[self._source.name] += 1
        post = mention.post
        self._house.progress.begin(self._source.name, post.key, self._source.cursor, post.marks)
        try:
            await self._inbox.send(mention)
        except asyncio.CancelledError:  # the desk stops while it waits for room
            if not self._keeps:  # so the source has not gone beyond it, and it comes again
                self._house.progress.forget(post.key)
            raise

    def _hear_own(self, author: str) -> None:
        for watch in self._owners.get(account(author), ()):
            self._house.own(watch)

    def _drop(self, mention: Mention) -> None:
        """More come than can be judged; what is dropped counts as gone through, and is told of every watch."""
        self._house.tally.dropped.update(mention.watches)
        self._unwritten.pop(mention.post.key, None)
        self._house.progress.end(mention.post.key)


async def received(channel: Channel[T]) -> list[T]:
    """What waits in a channel, at least one item; nothing once it is closed and empty."""
    try:
        return await channel.receive(BATCH)
    except Closed:
        return []


def _by_digest(mentions: Iterable[Mention]) -> dict[int, Post]:
    return {digest(mention.post.key): mention.post for mention in mentions}
