"""Live posts of Bluesky from Jetstream servers, over a websocket, without an account.

The connection is lost now and then; the source goes on, at the next server if there are several, and asks for what it
missed. What concerns a watch is looked for before anything else is made of a post. Of other people's reposts those of
such posts are sent, as reach; so is what they say when they quote one, whether it names the watch or not.

Authors may take back what they said: a post or repost that is deleted is corrected here, and so is one that is
changed. When an account is deleted, taken down, suspended or switched off by its owner, all that is kept of it is
erased: the network shows none of it any more and says nothing of its posts one by one. Should the account come back,
what it said before does not.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NoReturn

import aiohttp

from crisisdesk import __version__
from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError, InputError, SourceError
from crisisdesk.records import Correction, Post, SourceStatus
from crisisdesk.retry import delays
from crisisdesk.sources.base import Edge
from crisisdesk.sources.bluesky.frames import (
    POSTS,
    REPOSTS,
    Event,
    Json,
    claims_past,
    name_in,
    number_of,
    read,
    time_of,
)
from crisisdesk.sources.bluesky.line import GiantError, Line, RefusalError, Server, SilenceError, refuse
from crisisdesk.sources.bluesky.place import Place, microseconds
from crisisdesk.sources.bluesky.posts import (
    SOURCE,
    post_of,
    quote_of,
    quoted_in,
    repost_of,
    subject_of,
    uri_of,
    words_of,
)
from crisisdesk.sources.condition import Condition, Missing
from crisisdesk.sources.recalled import Recalled
from crisisdesk.text import how_long

REMEMBERED: Final = 20_000
"""Posts that concern a watch and are remembered, newest kept, to know their reposts and quotes."""
SILENCE_SECONDS: Final = 60.0
"""A public server has posts every second; one that says nothing for so long is dead, though the line may be open."""
LATE: Final = timedelta(minutes=1)
"""Age from which on a post is of the past, which can wait until the desk has time for it."""
NAMED: Final = 2
"""Hosts that are named where the same is wrong with many."""
HEALTHY_SECONDS: Final = 60.0
"""A connection that lasted so long starts the waiting afresh."""
REPAIRED: Final = 1_000
"""Accounts that are remembered, newest kept, whose posts a server has repeated."""
MISSED: Final = timedelta(minutes=10)
"""A server that begins so much later than it was asked to has no longer what is missing, though it may not say so."""

Passed = tuple[Json, datetime, str]
"""An event that has been sent, when it came, and from which host."""

Sent = tuple[Post, tuple[str, ...]]
"""A post, and the watches that it concerns."""

_GONE: Final = ("deleted", "takendown", "suspended", "deactivated")
"""What has become of accounts whose posts the network shows no more."""
_POST_MARK, _REPOST_MARK = f'"{POSTS}"'.encode(), f'"{REPOSTS}"'.encode()
_CREATION: Final = b'"create"'
_URIS: Final = re.compile(rb'"(at://[^"]+)"')


class Bluesky:
    """The posts of the whole network, in no language or topic chosen: choosing is the watches' work.

    Args:
        urls: Jetstream servers, in the order in which they are tried: `/subscribe` (v1) or `…subscribeEvents` (v2).
        clock: tells when frames arrive.
        name: what status lines call the source.
        compress: whether servers are asked to compress what they send.
        history: how far back new watches are to learn from what servers still have.
        reposts: whether servers are asked for reposts as well.
        waits: the seconds to wait when all servers have been tried, begun afresh after a healthy connection.
        silence: seconds without any frame after which a connection is taken for dead.
    """

    pushes: Final = True
    resumes: Final = True

    def __init__(
        self,
        urls: Sequence[str],
        clock: Clock,
        *,
        name: str = "bluesky",
        compress: bool = True,
        history: timedelta = timedelta(),
        reposts: bool = True,
        waits: Callable[[], Iterator[float]] = delays,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self.name = name
        self.history = history
        self._make_past = partial(
            Bluesky, urls, clock, name=name, compress=compress, reposts=False, waits=waits, silence=silence
        )
        self._servers = [Server(url, compress=compress, reposts=reposts) for url in urls]
        self._clock = clock
        self._place = Place()
        self._waits = waits
        self._silence = silence
        self._sent: OrderedDict[str, Sent] = OrderedDict()
        self._repaired: OrderedDict[str, int] = OrderedDict()
        """When a server found that it had not all of an account: at that very time it repeats all posts there are."""
        self._condition = Condition()
        self._before = 0
        """Where we were when we connected, until an event tells how much lies between."""
        self._passed: Passed | None = None
        self._began_us = self._latest_us = 0
        self._outdated = False
        self._missing = Missing(clock)
        self._last_event: datetime | None = None
        self._events = self._posts = self._bad = 0

    @property
    def cursor(self) -> str | None:
        """How far the stream has been sent: `Place` as text. Before the first event, when listening began."""
        place = self._come_to()
        return str(place) if place.time_us else str(self._began_us or "") or None

    def resume(self, cursor: str) -> None:
        """Ask for what came since; servers keep about a day and a half.

        Raises:
            ValueError: it is damaged.
        """
        self._place = Place.parse(cursor, microseconds(self._clock.now()))

    def forget(self, is_meant: Callable[[Post], bool]) -> None:
        """Posts that are meant do not come again with reposts and quotes of them."""
        for uri in [uri for uri, (post, _) in self._sent.items() if is_meant(post)]:
            del self._sent[uri]

    def recall(self, since: datetime, until: datetime) -> Recalled:
        """What was said between two moments; from servers that keep less, what they have."""
        past = self._make_past()
        past.resume(str(microseconds(since)))
        return Recalled(past, until, quiet=self._silence / 2)

    def status(self) -> SourceStatus:
        """How it is doing: every frame is an event, `bad` ones were skipped."""
        return SourceStatus(
            name=self.name,
            state=self._condition.state,
            last_event=self._last_event,
            events=self._events,
            posts=self._posts,
            latest=self._latest(),
            bad=self._bad,
            trouble=self._condition.trouble or self._missing.told,
        )

    async def run(self, edge: Edge) -> None:
        """Send posts until cancelled; every break is mended.

        Raises:
            FatalSourceError: every server refuses us as we are set up; the status says `failed`.
        """
        self._began_us = microseconds(self._clock.now())
        waits, asked, at, tried = self._waits(), 0.0, 0, 0
        timeout = aiohttp.ClientTimeout(total=None)
        headers = {"User-Agent": f"crisisdesk/{__version__}"}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers, raise_for_status=refuse) as session:
            while True:
                server, began = self._servers[at], self._clock.now()
                error = await self._until_broken(session, server, edge)
                server.trouble = server.diagnose(error)
                self._note()
                if (self._clock.now() - began).total_seconds() >= HEALTHY_SECONDS:
                    waits, tried = self._waits(), 0
                asked = max(asked, error.wait if isinstance(error, RefusalError) else 0.0)
                at, tried = (at + 1) % len(self._servers), tried + 1
                if tried >= len(self._servers):  # only when there is none that has not been tried
                    await asyncio.sleep(max(next(waits), asked))
                    asked, tried = 0.0, 0

    async def _until_broken(self, session: aiohttp.ClientSession, server: Server, edge: Edge) -> Exception:
        """Connect and send posts; returns what ended it."""
        try:
            async with await server.connect(session, self._come_to().asked_of(server.host)) as line:
                self._condition.connected()
                await self._listen(line, server, edge)
        except GiantError as error:
            self._come_to().skip(microseconds(self._clock.now()))
            return error
        except RefusalError as error:
            if error.name == "CursorTooOld":
                self._come_to().too_old(server.host, error.reason)
                self._outdated = True
            return error
        except (aiohttp.ClientError, OSError, SourceError) as error:
            return error

    async def _listen(self, line: Line, server: Server, edge: Edge) -> NoReturn:
        """Send what comes.

        Raises:
            SourceError: the connection ended or is mute.
        """
        self._before = self._come_to().time_us
        while True:
            message = await line.message(self._silence)
            arrival = self._last_event = self._clock.now()
            self._events += 1
            if self._condition.state != "live":
                self._is_live()
            try:
                if (doing := self._take(line.frame_in(message), arrival, server, edge)) is not None:
                    await doing
            except InputError:
                self._bad += 1

    def _take(self, frame: bytes, arrival: datetime, server: Server, edge: Edge) -> Coroutine[Any, Any, None] | None:
        """Judge a frame. A whole network goes through here, so what is frequent is judged first, and in few steps.

        Returns:
            What is left to be done; None for most, which say nothing of ours.

        Raises:
            InputError: it is not of the protocol.
            SourceError: the server ends the stream, or is not where we think it is.
        """
        if _POST_MARK not in frame and _REPOST_MARK in frame and not self._may_repeat_sent(frame):
            return None
        event = who, what = read(frame)
        passed = who, arrival, server.host
        if self._before:
            self._tell_missed(who, server.host)
        if what.get("operation") == "create" and what.get("collection") == POSTS:
            record: Any = what.get("record")
            text = words_of(record)
            if not isinstance(author := who.get("did"), str):
                raise InputError("a frame is not of the protocol (no did)")
            self._posts += 1
            if watches := edge.concerns(text, author):
                return self._send(post_of(event, text, arrival), watches, edge, passed)
            if self._sent and "embed" in record and (quoted := self._sent.get(quoted_in(record["embed"]))):
                return self._send(quote_of(event, text, quoted[0], arrival), quoted[1], edge, passed)
            self._passed = passed
        elif "operation" in what or "account" in what:
            return self._follow(event, passed, edge)
        elif who:
            self._heed(who, server)
        return None

    async def _send(self, post: Post, watches: tuple[str, ...], edge: Edge, passed: Passed) -> None:
        if not self._is_repeated(passed[0]):
            if passed[1] - post.time > LATE:  # after a break a server sends faster than people write
                await edge.room()
            await edge.send(post, watches)
            self._sent[post.id] = post, watches
            if len(self._sent) > REMEMBERED:
                self._sent.popitem(last=False)
        self._passed = passed

    def _is_repeated(self, event: Json) -> bool:
        """Whether it is an old post of an account all of whose posts are repeated; new ones may be missing ones."""
        return bool(self._repaired) and self._repaired.get(event["did"]) == time_of(event) and claims_past(event)

    def _may_repeat_sent(self, frame: bytes) -> bool:
        """A glance at a repost that spares reading those of all other posts, and they are many."""
        if _CREATION not in frame:
            return True
        return bool(self._sent) and any(uri.decode(errors="replace") in self._sent for uri in _URIS.findall(frame))

    async def _follow(self, event: Event, passed: Passed, edge: Edge) -> None:
        """What becomes of posts and accounts."""
        what, arrival = event[1], passed[1]
        if "account" in what:
            await self._follow_account(event, edge)
        elif what.get("collection") == POSTS and what["operation"] == "update":
            text, author = words_of(what.get("record")), name_in(event[0], "did")
            self._sent.pop(uri := uri_of(event), None)  # its old words must not come again with a repost
            await edge.correct(Correction(SOURCE, uri, text))
            if watches := edge.concerns(text, author):  # perhaps only now
                await self._send(post_of(event, text, arrival), watches, edge, passed)
        elif what.get("collection") in (POSTS, REPOSTS) and what["operation"] == "delete":
            self._sent.pop(uri := uri_of(event), None)
            await edge.correct(Correction(SOURCE, uri))
        elif what.get("collection") == REPOSTS and (known := self._sent.get(subject_of(what.get("record")))):
            original, watches = known
            self._posts += 1
            edge.concerns(original.text, name_in(event[0], "did"))
            await edge.send(repost_of(event, original, arrival), watches)
        self._passed = passed

    async def _follow_account(self, event: Event, edge: Edge) -> None:
        """With an account that is gone, its posts are, whenever they were said."""
        account = event[1]["account"]
        if isinstance(account, dict) and account.get("active") is False and account.get("status") in _GONE:
            author = name_in(event[0], "did")
            for uri in [uri for uri in self._sent if uri.startswith(f"at://{author}/")]:
                del self._sent[uri]
            await edge.correct(Correction(SOURCE, author=author))

    def _heed(self, notice: Json, server: Server) -> None:
        """What the server says of the stream.

        Raises:
            SourceError: it does not know the number from which we wanted to go on, so that it has to be asked by time.
        """
        if "sync" in notice:
            self._repaired[name_in(notice, "did")] = time_of(notice)
            if len(self._repaired) > REPAIRED:
                self._repaired.popitem(last=False)
        if notice.get("name") == "OutdatedCursor":
            self._outdated = True
        elif notice.get("name") == "FutureCursor":
            self._come_to().forget_number()
            raise SourceError(f"{server.host} does not know where we were")

    def _come_to(self) -> Place:
        """Where we are: worked out when it is asked for, not for each of a network's events."""
        if self._passed is not None:
            (event, arrival, host), self._passed = self._passed, None
            self._latest_us = time_of(event) or self._latest_us
            self._place.move(time_of(event), number_of(event), host, microseconds(arrival))
        return self._place

    def _latest(self) -> datetime | None:
        """The server's time of the newest event."""
        if self._passed is not None:
            self._latest_us = time_of(self._passed[0]) or self._latest_us
        return datetime.fromtimestamp(self._latest_us / 1_000_000, UTC) if self._latest_us else None

    def _tell_missed(self, event: Json, host: str) -> None:
        """After a break: say what the server does not have any more. It may pass over that without a word."""
        before, now = self._before, time_of(event)
        if not (before and now):
            return
        gap = timedelta(microseconds=now - before)
        if gap > (timedelta() if self._outdated else MISSED):
            since, until = (f"{datetime.fromtimestamp(us / 1_000_000, UTC):%d %B %H:%M}" for us in (before, now))
            self._missing.tell(
                f"What was said from {since} to {until} UTC ({how_long(gap)}) is missing: {host} no longer has it."
            )
        self._before, self._outdated = 0, False

    def _is_live(self) -> None:
        self._condition.heard()
        for server in self._servers:
            server.trouble = None

    def _note(self) -> None:
        """Show what went wrong at each server since one was live.

        Raises:
            FatalSourceError: none takes us as we are.
        """
        troubles = [server.trouble for server in self._servers if server.trouble]
        told = _together(self._servers)
        if all(isinstance(server.trouble, FatalSourceError) for server in self._servers):
            self._condition.broken(FatalSourceError(" ".join(told)), mute=False)
        self._condition.broken("; ".join(told), mute=any(isinstance(trouble, SilenceError) for trouble in troubles))


def _together(servers: Iterable[Server]) -> list[str]:
    """What went wrong at servers, in a sentence for all where it is the same."""
    hosts: dict[str, list[str]] = {}
    for server in servers:
        if server.trouble:
            hosts.setdefault(str(server.trouble).replace(server.host, "{}"), []).append(server.host)
    return [told.replace("{}", _some(names)) for told, names in hosts.items()]


def _some(hosts: Sequence[str]) -> str:
    """Hosts by name, as long as that does not hide what is said of them."""
    return ", ".join(hosts) if len(hosts) <= NAMED else f"{hosts[0]} and {len(hosts) - 1} other servers"
