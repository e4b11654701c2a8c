"""A desk elsewhere, as if it were here: its pictures as they change, and all that people do, over HTTP.

What it shows is always the last picture that came; as soon as that is not of now, it says so (`Picture.lost`). A lost
line is taken up again where it broke, without an end: at once, then less and less often. Who is not let in any more
keeps nothing of what they saw, nor does anybody who has not heard the desk for an hour.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast
from urllib.parse import quote

from crisisdesk import __version__, wire
from crisisdesk.clock import Clock
from crisisdesk.console.line import SILENT_SECONDS, DeniedError, Line, Me, NoAnswerError, read
from crisisdesk.desk import Lost, Picture
from crisisdesk.errors import CrisisdeskError, UsageError
from crisisdesk.playbooks.format import Playbook
from crisisdesk.privacy.erasure import Erased
from crisisdesk.records import EPOCH, Change, Incident, Inquiry, Role, Verdict
from crisisdesk.retry import delays
from crisisdesk.text import unforeseen

T = TypeVar("T")

STEADY_SECONDS: Final = 5.0
"""A line that has held for so long is taken up at once when it breaks, any other less and less often."""
LONGEST_WAIT: Final = 10.0
"""Seconds between two attempts, at most."""
SHOWN_SECONDS: Final = 3_600.0
"""How long what a desk has shown is kept when it is not heard: its posts may have been erased there meanwhile."""
PLAYBOOK_SECONDS: Final = 5.0
"""How long a playbook is taken for what it was."""
GUIDE_SECONDS: Final = 1.0
"""How long playbook and timeline are, however much an incident moves, as long as nobody does anything here."""
LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
"""No desk's clock is wrong by more."""
BROKEN: Final = "Nothing comes from it any more."


@dataclass(frozen=True, slots=True)
class _Kept:
    """Something that was read of an incident, and how that was then."""

    incident: str
    seen: Incident | None
    acts: int
    at: float
    value: object


class RemoteDesk:
    """A `Desk` at the other end of a line. Use it as a context: inside, the line is kept up.

    Args:
        line: to the desk.
        clock: tells how old a picture is.
    """

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._picture = Picture(now=EPOCH)
        self._last = ""
        self._heard = clock.now()
        self._lost: Lost | None = Lost(line.place.name, "")
        self._me: Me | None = None
        self._number = 0
        self._touched = asyncio.Event()
        self._silence: asyncio.TimerHandle | None = None
        self._kept: dict[str, _Kept] = {}
        self._acts = 0

    async def __aenter__(self) -> Self:
        self._keeping = asyncio.create_task(self._keep(), name="line")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._keeping.cancel()
        await asyncio.wait({self._keeping})
        self._listen(None)

    async def picture(self) -> Picture:
        if self._lost is None and self._age() > SILENT_SECONDS:  # this machine slept
            self._lose(BROKEN)
        if self._lost is not None and self._age() > SHOWN_SECONDS:
            self._let_go()
        picture = self._picture
        return replace(
            picture,
            now=picture.now + timedelta(seconds=self._age()) if picture.now > EPOCH else EPOCH,
            number=self._number,
            lost=self._lost,
            barred=self._barred(),
            troubles=(*self._behind(), *picture.troubles),
        )

    async def changed(self, since: Picture) -> None:
        if since.number == self._number:
            await self._touched.wait()

    async def timeline(self, incident: str) -> tuple[Change, ...]:
        return await self._guide("timeline", incident, tuple[Change, ...], float("inf"))

    async def playbook(self, incident: str) -> Playbook | None:
        return await self._guide("playbook", incident, cast("type[Playbook | None]", Playbook | None), PLAYBOOK_SECONDS)

    async def acknowledge(self, incident: str, person: str, *, instead_of: str = "") -> Incident:  # noqa: ARG002 - it knows
        return await self._act(incident, "acknowledge", {"instead_of": instead_of} if instead_of else {})

    async def assign(self, incident: str, person: str, to: str, note: str = "") -> Incident:  # noqa: ARG002
        return await self._act(incident, "assign", {"to": to} | ({"note": note} if note else {}))

    async def silence(self, incident: str, person: str, until: datetime, reason: str) -> Incident:  # noqa: ARG002
        return await self._act(incident, "silence", {"until": until.isoformat(), "reason": reason})

    async def lift(self, incident: str, person: str) -> Incident:  # noqa: ARG002
        return await self._act(incident, "lift")

    async def note(self, incident: str, person: str, text: str) -> Incident:  # noqa: ARG002
        return await self._act(incident, "notes", {"note": text})

    async def resolve(self, incident: str, person: str, verdict: Verdict) -> Incident:  # noqa: ARG002
        return await self._act(incident, "resolve", {"verdict": verdict.value})

    async def judge(self, incident: str, person: str, verdict: Verdict) -> Incident:  # noqa: ARG002
        return await self._act(incident, "judge", {"verdict": verdict.value})

    async def take(self, inquiry: str, person: str) -> Inquiry:  # noqa: ARG002
        return await self._answer(inquiry, "take")

    async def give_back(self, inquiry: str, person: str) -> Inquiry:  # noqa: ARG002
        return await self._answer(inquiry, "give_back")

    async def answer(self, inquiry: str, person: str) -> Inquiry:  # noqa: ARG002
        return await self._answer(inquiry, "answer")

    async def pass_over(self, inquiry: str, person: str, reason: str = "") -> Inquiry:  # noqa: ARG002
        return await self._answer(inquiry, "pass_over", {"reason": reason} if reason else {})

    async def forget(self, person: str, *, author: str = "", source: str = "", post: str = "") -> Erased:  # noqa: ARG002
        wanted = {"author": author, "source": source, "post": post}
        return await self._do("forget", {name: value for name, value in wanted.items() if value}, Erased)

    async def _act(self, incident: str, act: str, body: Mapping[str, object] | None = None) -> Incident:
        return await self._do(f"incidents/{quote(incident, safe='')}/{act}", body or {}, Incident)

    async def _answer(self, inquiry: str, act: str, body: Mapping[str, object] | None = None) -> Inquiry:
        return await self._do(f"inquiries/{quote(inquiry, safe='')}/{act}", body or {}, Inquiry)

    async def _do(self, path: str, body: Mapping[str, object], kind: type[T]) -> T:
        """Have something done, once.

        Raises:
            UsageError: it makes no sense, or may not be.
            CrisisdeskError: it was not done, or nobody knows whether it was.
        """
        if self._lost is not None:
            raise CrisisdeskError(f"{self._lost.where} cannot be reached now: this was not done.")
        if barred := self._barred():
            raise UsageError(barred)
        self._acts += 1
        try:
            return self._record(await self._line.ask("POST", path, body), kind)
        except NoAnswerError as error:
            if not error.sent:
                raise CrisisdeskError(f"{error} This was not done.") from None
            raise CrisisdeskError(
                f"{self._line.place.name} did not answer: this may or may not have been done; look before you do it "
                "again."
            ) from None
        finally:
            self._acts += 1

    async def _guide(self, what: str, incident: str, kind: type[T], good_for: float) -> T:
        """What helps with an incident; read again when that has moved, or what was read is old."""
        kept, now, seen = self._kept.get(what), asyncio.get_running_loop().time(), self._incident(incident)
        if kept and kept.incident == incident and self._is_good(kept, seen, now, good_for):
            return cast("T", kept.value)
        acts = self._acts
        answer = await self._line.ask("GET", f"incidents/{quote(incident, safe='')}/{what}")
        value = self._record(answer, kind)
        self._kept[what] = _Kept(incident, seen, acts, now, value)
        return value

    def _is_good(self, kept: _Kept, seen: Incident | None, now: float, good_for: float) -> bool:
        if self._lost is not None:
            return True
        age = now - kept.at
        return kept.acts == self._acts and (age < GUIDE_SECONDS or (kept.seen == seen and age < good_for))

    def _record(self, answer: Any, kind: type[T]) -> T:  # noqa: ANN401 - JSON
        try:
            return wire.decoded(answer["record"], kind)
        except (ValueError, KeyError, TypeError):
            raise CrisisdeskError(self._unreadable()) from None

    def _incident(self, incident: str) -> Incident | None:
        return next((one for one in self._picture.incidents if one.id == incident), None)

    def _barred(self) -> str:
        if self._me is None or self._me.role != str(Role.VIEWER):
            return ""
        return "You may look at this desk, but not act on it; whoever runs it can make you another token."

    def _behind(self) -> Iterator[str]:
        """Whether it is a younger desk than this console knows."""
        if self._me is not None and _parts(self._me.version) > _parts(__version__):
            yield (
                f"This console ({__version__}) is older than its desk ({self._me.version}): what is new there is not "
                "shown; upgrade crisisdesk here."
            )

    def _unreadable(self) -> str:
        version = self._me.version if self._me else "?"
        return f"This console ({__version__}) cannot read what the desk ({version}) says; upgrade the older of the two."

    async def _keep(self) -> None:
        """Keep the line up, until cancelled."""
        time = asyncio.get_running_loop().time
        waits, denied = _waits(), False
        while True:
            began = time()
            try:
                self._me = await self._line.me()
                denied = False
                async with aclosing(self._line.pictures(self._last)) as stream:
                    came = time()
                    async for told in stream:
                        if self._take(told.kind, told.id, told.data):
                            came = time()
                        elif time() - came > SILENT_SECONDS:  # whoever says something is not the desk
                            raise NoAnswerError(BROKEN, sent=True)  # noqa: TRY301 - as any other break
            except DeniedError as error:  # who may not look any more keeps nothing of what they saw
                self._lose(f"You are not let in any more. {error}" if self._last else str(error))
                self._let_go()
                waits = repeat(LONGEST_WAIT) if denied else _waits()
                denied = True
            except CrisisdeskError as error:
                self._lose(str(error))
            except ValueError:
                self._last = ""  # begin anew with a whole picture
                self._lose(self._unreadable())
            except Exception as error:  # noqa: BLE001 - whatever it is, people must go on seeing what is known
                self._last = ""
                self._lose(unforeseen(error))
            if time() - began > STEADY_SECONDS:
                waits = _waits()
            await asyncio.sleep(next(waits))

    def _take(self, kind: str, identity: str, data: bytes) -> bool:
        """Show what has come; whether it was to be shown.

        Raises:
            ValueError: it cannot be read.
        """
        if kind == "picture":
            picture = wire.decoded(read(data), Picture)
        elif kind == "delta":
            picture = wire.applied(self._picture, read(data))
        else:
            return False  # of a younger desk, or only a sign of life
        if picture.now.tzinfo is None or not EPOCH < picture.now < LATEST:
            raise ValueError("no moment to reckon from")
        before, self._picture, self._last = self._picture, picture, identity
        self._heard = self._clock.now()
        self._listen(SILENT_SECONDS)
        if self._lost is not None or picture != replace(before, now=picture.now):
            self._lost = None
            self._touch()
        return True

    def _lose(self, why: str) -> None:
        """What is shown is not of now, or still not, and why."""
        self._listen(None)
        since = self._picture.now if self._picture.now > EPOCH else None
        lost = Lost(self._line.place.name, why, since)
        if lost != self._lost:
            self._lost = lost
            self._touch()

    def _let_go(self) -> None:
        """Show and keep nothing of the desk until it is heard again."""
        if self._last:
            self._picture, self._last = Picture(now=EPOCH), ""
            self._kept.clear()
            self._touch()

    def _listen(self, seconds: float | None) -> None:
        """Something has to come within so many seconds, or the line is lost."""
        if self._silence is not None:
            self._silence.cancel()
        loop = asyncio.get_running_loop()
        self._silence = None if seconds is None else loop.call_later(seconds, self._lose, BROKEN)

    def _age(self) -> float:
        """Seconds since something came."""
        return max(0.0, (self._clock.now() - self._heard).total_seconds())

    def _touch(self) -> None:
        self._number += 1
        self._touched.set()
        self._touched = asyncio.Event()


def _waits() -> Iterator[float]:
    return chain([0.0], delays(first=0.5, most=LONGEST_WAIT))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
