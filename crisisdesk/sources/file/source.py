"""Posts in a file, for a live desk: read once or followed as it grows, or piped in; fast or as slowly as they came."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError, UsageError
from crisisdesk.lines import BadLine, Progress, UnreadableError, check_files, reason, shown_name
from crisisdesk.records import Post, SourceStatus
from crisisdesk.sources.base import Edge
from crisisdesk.sources.file.followed import Reader
from crisisdesk.sources.file.pipe import Pipe, is_folder, is_piped, leave_terminal
from crisisdesk.sources.file.place import Place
from crisisdesk.sources.file.reading import Maker, posts_of
from crisisdesk.sources.file.table import NoColumnError
from crisisdesk.threads import in_daemon_thread

CHUNK: Final = 500
"""Posts read at once in a thread, so that neither the file nor the thread holds up the desk."""
LOOK_EVERY: Final = 0.5
"""Seconds between two looks at a file that has been read to its end. What systems tell of changes by themselves they do
not tell of network drives, and one look costs next to nothing."""
REMARKS: Final = 2
"""The last things that people should know of a file, and are told."""
LATE: Final = timedelta(days=2)
"""By which a post may be older than one before it and still counts."""
TOLD_FOR: Final = timedelta(hours=1)
"""How long a line that was skipped is spoken of; they are counted for good."""
_ZONE_CURE: Final = 'timezone = "Europe/Berlin" in its [[source]] names another'


class FileSource:
    """The posts of a file over all restarts of the desk, each once; the file waits for the desk.

    Args:
        name: what status lines call it, and the source of posts that name none.
        path: the file, which is waited for if it is followed; `-` is standard input.
        clock: tells when posts arrive.
        columns: our field name -> the file's column, or its name in JSON, where they differ.
        follow: go on reading what is appended, and the files that take its place; not with a speed.
        speed: seconds of the recording that pass in each second; None does not wait.
        zone: of times that name none; without it they are of UTC, and people are told.
        look_every: seconds between two looks at a file that has been read to its end.

    Raises:
        UsageError: there is no such file, or none that can be followed.
    """

    pushes: Final = False

    def __init__(
        self, name: str, path: Path, clock: Clock, columns: Mapping[str, str] | None = None, *,
        follow: bool = False, speed: float | None = None, zone: tzinfo | None = None, look_every: float = LOOK_EVERY,
    ) -> None:  # fmt: skip
        self.name = name
        self._path = path
        self._clock = clock
        self._follow = follow
        self._speed = speed
        self._look_every = look_every
        self._piped = is_piped(path)
        if self._piped and follow:
            raise UsageError(
                f"{shown_name(path)}: is a pipe and read as it comes; take 'follow' out of its [[source]]."
            )
        if not follow or is_folder(path):
            check_files([path])
        maker = Maker(
            path, name, self._skip, self._tell, present=clock.now, live=True, zone=zone or UTC, cure=_ZONE_CURE,
            by_byte=not self._piped,
        )  # fmt: skip
        self._posts: Reader | Pipe = (
            Pipe(posts_of(path, columns or {}, maker, Progress()))
            if self._piped
            else Reader(path, columns or {}, maker, self._tell, follow=follow)
        )
        self._place: Place | None = None
        self._began: tuple[datetime, datetime] | None = None
        self._state = "connecting"
        self._hindrance = ""
        self._told = deque[str](maxlen=REMARKS)
        self._newest: datetime | None = None
        self._skipped = (datetime.min.replace(tzinfo=UTC), "")
        self._missing = 0
        self._last_event: datetime | None = None
        self._sent = self._bad = self._passed = 0

    @property
    def resumes(self) -> bool:
        """Whether it is a file, and no pipe."""
        return not self._piped

    @property
    def cursor(self) -> str | None:
        """The place behind the last post that was sent."""
        return str(self._place) if self._place else None

    def resume(self, cursor: str) -> None:
        """Go on at a place, wherever the file with it lies by now.

        Raises:
            ValueError: the cursor is damaged.
        """
        if not self._piped:
            self._place = self._posts.place = Place.parse(cursor)

    def status(self) -> SourceStatus:
        """How it is doing; `bad` lines were skipped and are events, too."""
        return SourceStatus(
            name=self.name,
            state=self._state,
            last_event=self._last_event,
            events=self._sent + self._passed,
            posts=self._sent,
            bad=self._bad,
            trouble=self._hindrance or self._remarks(),
        )

    async def run(self, edge: Edge) -> None:
        """Send the posts that no earlier run has sent, until the file ends or, if it is followed, until cancelled.

        Raises:
            FatalSourceError: the file cannot be read as it is; the status says `failed`.
        """
        if self._piped:
            self._state = "live"  # nobody knows when the first line comes
        try:
            leave_terminal(self._path)
            while not self._posts.ended:
                posts = await self._read()
                await self._send(posts, edge)
                self._pass_bad()
                if not (posts or self._posts.ended):
                    await asyncio.sleep(self._look_every)
        except (UsageError, FatalSourceError) as error:
            fatal = _with_cure(error)
            self._state, self._hindrance = "failed", str(fatal)
            raise fatal from None
        finally:
            self._posts.leave()
        self._state = "ended"

    async def _read(self) -> Sequence[tuple[Post, Place | None]]:
        """The next posts; none if there are none at the moment."""
        # What is piped in live comes a line at a time; waiting for more would hold it back.
        read = partial(self._posts.read, 1 if self._piped else CHUNK)
        try:
            posts = await in_daemon_thread(read)
        except UnreadableError as error:
            self._is_hindered(None if error.missing else str(error))
            return []
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            self._is_hindered(None if missing else f"{shown_name(self._path)}: cannot be read ({reason(error)}); "
                              "check the disk and the permissions.")  # fmt: skip
            return []
        self._state, self._hindrance, self._missing = "live", "", 0
        self._place = (self._place or self._posts.began) if posts else self._posts.place
        return posts

    async def _send(self, posts: Sequence[tuple[Post, Place | None]], edge: Edge) -> None:
        for post, place in posts:
            await self._wait_for(post.time)
            await edge.send(post)
            self._look_at_order(post.time)
            self._place = place
            self._sent += 1
            self._last_event = self._clock.now()

    async def _wait_for(self, moment: datetime) -> None:
        """Return when a recording that is played at a speed has come to the moment."""
        if self._speed is None:
            return
        start, first = self._began = self._began or (self._clock.now(), moment)
        await self._clock.sleep_until(start + (moment - first) / self._speed)

    def _is_hindered(self, trouble: str | None) -> None:
        """It cannot be read at the moment; None where there is no file."""
        self._missing += trouble is None
        if trouble is None and self._missing == 1 and self._state == "live":
            return  # it is being rotated, most likely, and there at the next look
        self._state = "connecting"
        self._hindrance = trouble or (
            f"{shown_name(self._path)}: is not there; waiting for it. Check the path, and whether the programme that "
            "writes it runs."
        )

    def _look_at_order(self, time: datetime) -> None:
        """Exports often begin with the newest post, and then hardly any of the others would count."""
        if self._newest is None or time > self._newest:
            self._newest = time
        elif self._newest - time > LATE and not self._follow:
            self._tell(
                f"{shown_name(self._path)}: is not in the order of time; posts that come more than two days late do "
                "not count. Sort it by time, oldest first."
            )

    def _pass_bad(self) -> None:
        """Bad lines become events when the good ones beside them are sent: a first one says nothing of its file."""
        if self._bad > self._passed:
            self._passed, self._last_event = self._bad, self._clock.now()

    def _remarks(self) -> str:
        """What people should know of the file, and of the line that was skipped last, if that was of late."""
        when, skipped = self._skipped
        return " ".join((*self._told, *([skipped] if self._clock.now() - when <= TOLD_FOR else ())))

    def _skip(self, line: BadLine) -> None:
        self._bad += 1
        self._skipped = self._clock.now(), f"Skipped {line}"

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.append(what)


def _with_cure(error: UsageError | FatalSourceError) -> FatalSourceError:
    """The error, as it is mended in the configuration."""
    if isinstance(error, NoColumnError):
        return FatalSourceError(f'{error.what} Say which they are, in its [[source]]: columns = "{error.columns}"')
    return error if isinstance(error, FatalSourceError) else FatalSourceError(str(error))
