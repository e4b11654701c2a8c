"""Speaking to people: messages and progress on stderr, results on stdout."""

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, tzinfo
from typing import Final, Literal, Self

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from crisisdesk.console.times import Times
from crisisdesk.records import Event, Incident, Kind, Notification, stamp
from crisisdesk.text import clean

GREENWICH: Final = Times(UTC)
_CLOCK: Final = re.compile(r"\b([01]\d|2[0-3]):([0-5]\d) UTC\b")
TOLD_FULLY: Final = 10
"""Bad lines that are told one by one; the rest are counted."""


class _Stderr(Console):
    def on_broken_pipe(self) -> None:
        """Be silent; the desk and its results go on."""
        self.quiet = True


_stderr = _Stderr(stderr=True, markup=False, highlight=False, soft_wrap=True, emoji=False)


def _print(message: str, level: str) -> None:
    del level  # the words say how bad it is
    _stderr.print(message)


_speaking: list[Callable[[str, str], None]] = [_print]


def speak_by(tell: Callable[[str, str], None]) -> None:
    """Let all that is said to a person be told by this, which gets a message and its level."""
    _speaking[:] = [tell]


def say(message: str, level: Literal["info", "warning", "error"] = "info") -> None:
    """Tell the person something, on stderr; what nobody can hear any more, as on a lost terminal, stops nothing."""
    with suppress(OSError):
        _speaking[0](message, level)


def put(text: str) -> None:
    """A result, on stdout, at once: whoever reads it may be waiting for this line."""
    print(text, flush=True)


def put_lines(records: Iterable[object]) -> None:
    """Results as JSON lines, at once and together."""
    put("\n".join(orjson.dumps(record).decode() for record in records))


def put_json(record: object) -> None:
    """A result as one JSON line."""
    put(orjson.dumps(record).decode())


def let_go_of_stdout() -> None:
    """Nobody reads it any more; Python must not complain about that when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_terminal() -> bool:
    """Whether a person looks at stdout."""
    return sys.stdout.isatty() and sys.stdin.isatty()


def _is_pipe() -> bool:
    """Whether another program reads stdout."""
    return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)


class BadLines:
    """Counts what could not be read while inside; tells the first ones with place and reason, at the end how many."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Say how many there were, if there were more than were told; also when the work broke off."""
        if self.count > TOLD_FULLY:
            say(f"{self.count:,} lines could not be read and were skipped.")

    def __call__(self, bad: object) -> None:
        """Report one."""
        self.count += 1
        if self.count <= TOLD_FULLY:
            say(f"skipped: {bad}")
        elif self.count == TOLD_FULLY + 1:
            say("skipped: more lines like these; their number comes at the end")


class Advance:
    """How far some work is; moves the bar."""

    def __init__(self, move: Callable[[float], None]) -> None:
        self.done = 0.0
        self._move = move

    def to(self, done: float) -> None:
        """So much is done."""
        self.done = done
        self._move(done)

    def more(self, done: float) -> None:
        """So much more is done."""
        self.to(self.done + done)


@contextmanager
def progress(what: str, total: float | None, *, streaming: bool = False) -> Iterator[Advance]:
    """A progress bar on stderr while inside; without a terminal there nothing is drawn.

    `total` None draws a bar without an end and counts. `streaming` says that results come out meanwhile: with them in a
    pipe nothing is drawn either, as its reader may print on the line where the bar stands, and when, nobody knows.
    """
    counted = TextColumn("{task.completed:,.0f}") if total is None else TaskProgressColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), counted, TimeRemainingColumn(compact=True))
    hidden = not _stderr.is_terminal or (streaming and _is_pipe())
    # Left alone, the bar takes stdout over and sends the results to the terminal instead of into the file. Where they
    # go to the terminal anyway, it has to, so that they stand above it and not in its midst.
    beside = sys.stdout.isatty()
    with Progress(
        *columns, console=_stderr, transient=True, disable=hidden, redirect_stdout=beside, redirect_stderr=False
    ) as bar:
        task = bar.add_task(what, total=total)
        yield Advance(lambda done: bar.update(task, completed=done))


def clocks(zone: tzinfo | None) -> Times:
    """By which a person reads: those of a zone, or of Greenwich where nobody has said one."""
    return GREENWICH if zone is None or str(zone) == "UTC" else Times(zone)


def event_line(notification: Notification, times: Times = GREENWICH) -> str:
    """A change as a person reads it, on one line."""
    change, incident = notification.change, notification.incident
    parts = [
        _minute(change.time, times),
        f"{change.event.value.upper():12}",
        f"{str(change.severity).upper():6}",
        incident.watch,
    ]
    if incident.kind is not Kind.SPIKE:
        parts.append(incident.kind.upper())
    if change.person is not None and change.event is not Event.LAPSED:  # of which the reason names who had it
        parts.append(f"by {change.person}")
    reason = change.reason or incident.why
    parts.append(reason if change.person else _local(reason, change.time, times))
    if change.event.value in {"opened", "raised"} and incident.playbook is not None:
        parts.append(f"→ {incident.playbook.title}")
    return clean("  ".join(parts))


def open_line(incident: Incident, times: Times = GREENWICH) -> str:
    """An incident that was open before, as a person reads it, on one line."""
    parts = [_minute(incident.opened, times), f"{'OPEN':12}", f"{str(incident.severity).upper():6}", incident.watch]
    if incident.kind is not Kind.SPIKE:
        parts.append(incident.kind.upper())
    held = f"({incident.acknowledged_by} has it)" if incident.acknowledged_by else "(nobody has it)"
    return clean("  ".join([*parts, _local(incident.why, incident.updated, times), held]))


def open_json(incident: Incident) -> dict[str, object]:
    """The same for a machine, with keys of the lines that changes have."""
    return {
        "event": "open",
        "incident": incident.id,
        "watch": incident.watch,
        "kind": incident.kind.value,
        "time": stamp(incident.opened),
        "severity": str(incident.severity),
        "state": incident.state.value,
        "why": incident.why,
        "why_de": incident.why_de,
    }


def _minute(moment: datetime, times: Times) -> str:
    """Date, time and zone: `2008-11-15 04:51Z`, `2008-11-15 05:51 CET`."""
    if times == GREENWICH:
        return stamp(moment)[:16].replace("T", " ") + "Z"
    return f"{times.local(moment):%Y-%m-%d %H:%M} {times.name(moment)}"


def _local(reason: str, now: datetime, times: Times) -> str:
    """The desk's own words with their time of day, which was lately, by the clock on the wall."""

    def clock(found: re.Match[str]) -> str:
        moment = now.astimezone(UTC).replace(hour=int(found[1]), minute=int(found[2]), second=0)
        return f"{times.clock(moment)} {times.name(moment)}"

    return reason if times == GREENWICH else _CLOCK.sub(clock, reason)
