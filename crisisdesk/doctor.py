"""What is wrong with a desk, in plain words, found before it is needed: each part is tried as the desk would use it.

Nothing is changed and nothing is taken: brokers are visited under another name, a sender to whom the desk's address
answers meanwhile is asked to come again, and a source that changes or costs something by connecting is not connected.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import CrisisdeskError, SourceError, StorageError
from crisisdesk.playbooks.check import check
from crisisdesk.playbooks.library import playbook_files
from crisisdesk.privacy.files import is_open_to_others, ours, readable_secrets
from crisisdesk.privacy.key import KeyFile
from crisisdesk.records import Correction, Foreseen, Post, SourceStatus
from crisisdesk.sentiment.base import Model, signature
from crisisdesk.server.certificate import Certificate
from crisisdesk.server.sharing import SOON, overheard, refuse_without_tokens, summed_up
from crisisdesk.server.tokens import Tokens
from crisisdesk.server.validity import validity
from crisisdesk.settings.model import WatchSettings
from crisisdesk.settings.server import ServerSettings
from crisisdesk.sources.base import Foreseeing, Source
from crisisdesk.storage.file import explained
from crisisdesk.text import clean, counted, how_long, unforeseen

SECONDS: Final = 15.0
"""How long a source has to be heard."""
LOOK: Final = 0.05
"""Seconds between two looks at how a source is doing."""
LOOK_WHETHER: Final = "look whether it should."
NAMED: Final = 3
"""Watches, or names in a certificate, that are named; of more it is told how many."""
CLOCK: Final = timedelta(seconds=30)
"""By which the clock of this machine may differ from the network's before it is worth a word."""


class Verdict(StrEnum):
    """How a part is."""

    OK = "ok"
    WARNING = "warning"
    """It may be as it should; look."""
    ERROR = "error"
    """It does not work as it is set up."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part, and what to do where that is not in order."""

    part: str
    verdict: Verdict
    said: str


def examined(part: str, check: Callable[[], tuple[Verdict, str]]) -> Finding:
    """What a check says of a part, or what is wrong if it cannot be made."""
    try:
        return Finding(part, *check())
    except CrisisdeskError as error:
        return Finding(part, Verdict.ERROR, str(error))


def database(path: Path) -> tuple[Verdict, str]:
    """Whether the desk will be able to write there; nothing is written.

    Raises:
        StorageError: it will not.
    """
    if not path.exists():
        if os.access(path.parent, os.W_OK | os.X_OK):
            return Verdict.OK, f"{path} will be made at the first start."
        raise StorageError(f"{path} cannot be made: create the folder {path.parent}, or make it writable.")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0.2)) as found:
            found.execute("BEGIN IMMEDIATE")
            found.execute("ROLLBACK")
            (incidents,) = found.execute("SELECT count(*) FROM incidents").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return Verdict.OK, f"{path} is in use: a desk is running with it."
        raise explained(path, error) from error
    return Verdict.OK, f"{path} can be written; it holds {counted(incidents, 'incident')}."


def files(database: Path, secrets: Iterable[Path]) -> tuple[Verdict, str]:
    """Whether others than their owner can read what the desk keeps, or its secrets.

    Raises:
        StorageError: they can read the key of the pseudonyms, with which the desk does not start.
    """
    KeyFile(database).known()
    names = [path for path in ours(database) if is_open_to_others(path)]
    open_files = [f"Others can read {path}; at its next start the desk closes it." for path in names]
    if told := [*open_files, *readable_secrets(secrets)]:
        return Verdict.WARNING, " ".join(told)
    return Verdict.OK, "only their owner can read the database, its key and the files with secrets."


def access(server: ServerSettings, tokens: Tokens, file: Path, now: datetime) -> tuple[Verdict, str]:
    """Whether those who should can reach the desk, and nobody else.

    Raises:
        ConfigurationError: others reach it, and nobody has a token.
        StorageError: the tokens cannot be read.
    """
    refuse_without_tokens(server, tokens, clean(str(file)))
    if tokens.trouble:
        raise StorageError(tokens.trouble)
    said, doubt = summed_up(tokens, now)
    doubts = " ".join(filter(None, (doubt, overheard(server))))
    return (Verdict.WARNING if doubts else Verdict.OK), f"{server.listen}: {said} {doubts}".strip()


def encryption(chain: Path, key: Path, now: datetime) -> tuple[Verdict, str]:
    """Whether the desk can encrypt with these, for which names, and until when.

    Raises:
        FatalSourceError: it cannot, or nobody would trust it.
    """
    found = validity(Certificate(chain, key).context(), chain)
    if not found.names:
        return (
            Verdict.ERROR,
            f"{chain} names nobody as subjectAltName, so that no console trusts it; have one made anew.",
        )
    said = f"{chain} is for {_some(found.names)}, from {found.start:%Y-%m-%d} to {found.end:%Y-%m-%d}"
    if now < found.start:
        return Verdict.ERROR, f"{said}: not yet; look at this machine's clock, or use the one of before."
    if now >= found.end:
        return Verdict.ERROR, f"{said}: it is over, and nobody trusts it any more; renew it."
    if found.end - now < SOON:
        return Verdict.WARNING, f"{said}: it is over in {how_long(found.end - now)}; renew it."
    return Verdict.OK, f"{said}."


def playbooks(place: Path, today: date) -> tuple[Verdict, str]:
    """Whether the playbooks can be followed."""
    problems = check([place], today)
    if not problems:
        return Verdict.OK, f"{counted(len(playbook_files(place)), 'playbook')} in {place}, all in order."
    errors = [problem for problem in problems if problem.severity == "error"]
    first = (errors or problems)[0]
    said = f"{first} (1 of {len(problems)}; all of them: crisisdesk playbook check {place})"
    return (Verdict.ERROR if errors else Verdict.WARNING), said


def model(load: Callable[[], Model]) -> tuple[Verdict, str]:
    """Whether the model judges.

    Raises:
        ModelError: it cannot be loaded.
    """
    loaded = load()
    loaded.score(["a post"])
    return Verdict.OK, f"{signature(loaded)} judges posts in {', '.join(loaded.languages) or 'whatever language'}."


def answer_queue(watches: Sequence[WatchSettings]) -> tuple[Verdict, str]:
    """Whether it can be told who speaks to a brand, and who only speaks of it."""
    queued = [watch for watch in watches if watch.answers]
    nameless = [watch.name for watch in queued if not watch.accounts and not any(one[:1] == "@" for one in watch.terms)]
    if nameless:
        return Verdict.OK, (
            f"takes in what is asked; who speaks to {_some(nameless)} is known only with 'accounts' or an @name among "
            "its terms."
        )
    return Verdict.OK, "takes in who speaks to a brand, or asks." if queued else "no watch has one."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(map(clean, names[:NAMED])) + more


async def heard(sources: Sequence[Source], clock: Clock, seconds: float = SECONDS) -> list[Finding]:
    """Whether each source can be heard; all of them are tried at the same time."""
    return list(await asyncio.gather(*(_heard(source, clock, seconds) for source in sources)))


async def reached(output: str, visit: Callable[[], Awaitable[Foreseen]]) -> Finding:
    """Whether an output lets the desk in."""
    part = f"output {output}"
    try:
        return Finding(part, *_expected(await visit()))
    except CrisisdeskError as error:
        return Finding(part, Verdict.ERROR, str(error))


class Passing:
    """An edge that takes nothing; see `crisisdesk.sources.base.Edge`."""

    def concerns(self, text: str, author: str | None = None) -> tuple[str, ...]:  # noqa: ARG002  as every edge
        return ()

    async def send(self, post: Post, watches: tuple[str, ...] | None = None) -> None: ...

    async def room(self) -> None: ...

    async def keep(self, posts: Sequence[Post]) -> None:
        raise StorageError(f"The desk is only being looked at; send the {len(posts)} posts again when it runs.")

    async def correct(self, correction: Correction) -> None: ...


async def _heard(source: Source, clock: Clock, seconds: float) -> Finding:
    part, began = f"source {source.name}", clock.now()
    if isinstance(source, Foreseeing):
        return Finding(part, *await _foreseen(source, seconds))
    running = asyncio.create_task(source.run(Passing()))
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not (running.done() or _is_heard(source.status())):  # noqa: ASYNC110  sources tell nobody
                    await asyncio.sleep(LOOK)
        if running.done() and (error := running.exception()) is not None:
            return Finding(part, Verdict.ERROR, unforeseen(error))
        return _judged(part, source, clock.now(), began)
    finally:
        running.cancel()
        await asyncio.wait({running})


async def _foreseen(source: Foreseeing, seconds: float) -> tuple[Verdict, str]:
    """What a source that changes or costs something says beforehand; it is not connected."""
    try:
        async with asyncio.timeout(seconds):
            prospect = await source.foresee()
    except TimeoutError:
        return Verdict.ERROR, f"did not answer within {seconds:g} s; check its address."
    except SourceError as error:
        return Verdict.ERROR, str(error)
    return _expected(prospect)


def _expected(prospect: Foreseen) -> tuple[Verdict, str]:
    """What a part says of itself without being used."""
    if prospect.doubt:
        return Verdict.WARNING, f"{prospect.said} But: {prospect.doubt}"
    return Verdict.OK, prospect.said


def _is_heard(status: SourceStatus) -> bool:
    """Whether something has come, and all that the source listens to was asked at least once."""
    return status.events > 0 and status.state != "connecting"


def _judged(part: str, source: Source, now: datetime, began: datetime) -> Finding:
    status, waited = source.status(), f"{(now - began).total_seconds():.1f} s"
    found = _of_what_came(status, now, waited) if status.events else _of_silence(status, waited, pushes=source.pushes)
    return Finding(part, *found)


def _of_what_came(status: SourceStatus, now: datetime, waited: str) -> tuple[Verdict, str]:
    if trouble := _clock_trouble(status, now):
        return Verdict.WARNING, trouble
    if status.bad and not status.posts:
        return Verdict.WARNING, f"what came cannot be read as a post. {status.trouble}".strip()
    if status.trouble:
        return Verdict.WARNING, f"is heard, but not all of it is well: {status.trouble} {status.note}".strip()
    if not status.posts:
        return Verdict.OK, f"answers; no post has come in {waited}, which may be as it should. {status.note}".strip()
    return Verdict.OK, f"is heard; the first came after {waited}. {status.note}".strip()


def _of_silence(status: SourceStatus, waited: str, *, pushes: bool) -> tuple[Verdict, str]:
    if status.state == "ended":
        return Verdict.WARNING, f"holds no post that can be read. {status.trouble}".strip()
    if status.state != "live":
        return Verdict.ERROR, status.trouble or f"did not answer within {waited}; check its address."
    if pushes or status.trouble:
        return Verdict.WARNING, f"is connected, but nothing has come in {waited}; {status.trouble or LOOK_WHETHER}"
    return Verdict.OK, f"is ready; nothing has come in {waited}, which may be as it should: send something to be sure."


def _clock_trouble(status: SourceStatus, now: datetime) -> str:
    """What the times of the network say of the clock of this machine; empty while they agree."""
    if status.latest is None or abs(now - status.latest) < CLOCK:
        return ""
    if now < status.latest:
        return f"is heard, but this machine's clock is {how_long(status.latest - now)} behind; set it right."
    old = how_long(now - status.latest)
    return f"is heard, but what comes is {old} old: this machine's clock is ahead, or the network is late; look which."
