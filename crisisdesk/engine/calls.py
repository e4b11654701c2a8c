"""Calls people for as long as an incident wants somebody: what `oncall.decide` says is done at its time.

Everything is written into the incident before anybody is called, so a desk that is killed goes on where it was. A
decision is made once more when its turn comes: nobody is called for what somebody has taken meanwhile.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import UsageError
from crisisdesk.incidents import acts
from crisisdesk.incidents.register import Register
from crisisdesk.incidents.step import Step
from crisisdesk.oncall.chain import Orders
from crisisdesk.oncall.decide import Decision, Do, decide
from crisisdesk.oncall.prospect import Prospect, foresee
from crisisdesk.records import Incident, Kind, Notification, Severity, State

LOOK_EVERY: Final = timedelta(seconds=10)
"""Between two looks at most: the clock may have been set, the orders may have been edited."""
AT_ONCE: Final = 10
"""Decisions about one incident in one look; a chain that has more to say goes on in the next."""

_ACTS: Final = frozenset({Do.CALL, Do.GIVE_UP, Do.LAPSE})


class Calls:
    """Subscribe `wake` to the register, and run `run`.

    Args:
        register: the incidents, read back.
        orders: what is agreed about calling, as it stands now.
        clock: tells when somebody is due.
        look_every: time between two looks at most.
    """

    def __init__(
        self, register: Register, orders: Callable[[], Orders], clock: Clock, look_every: timedelta = LOOK_EVERY
    ) -> None:
        self._look_every = look_every
        self._register = register
        self._orders = orders
        self._clock = clock
        # What an earlier run knew is not grouped afresh: a desk that falls over again and again would call nobody.
        self._seen = {one.id: one.updated for one in register.incidents() if _wants_somebody(one)}
        self._news = asyncio.Event()

    def wake(self, _: Notification | None = None) -> None:
        """Something has happened that may call somebody, or spare them a call."""
        self._news.set()

    async def run(self) -> None:
        """Call until cancelled."""
        while True:
            self._news.clear()
            now = self._clock.now()
            seconds = ((await self.look(now)) - now).total_seconds()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()

    async def look(self, now: datetime) -> datetime:
        """Do what is due now.

        Returns:
            When to look again.
        """
        again, wanting = now + self._look_every, set[str]()
        for incident in sorted(self._register.incidents(), key=_urgency):
            if incident.is_open:
                until = await self._attend(incident, now)
                again = min(again, until or again)
            if _wants_somebody(incident):
                wanting.add(incident.id)
        self._seen = {name: self._seen.get(name, now) for name in wanting}
        return again

    def troubles(self) -> Iterator[str]:
        """What nobody has answered, or nobody is called for though somebody should be; for all to see."""
        orders = self._orders()
        for incident in self._register.incidents():
            asked = incident.assigned_to
            if asked and incident.is_open and orders.addresses and not orders.of_person(asked):
                yield f"{asked} is asked to take {incident.watch} ({incident.id}) but has no address; tell them."
            if not _wants_somebody(incident):
                continue
            what = f"{str(incident.severity).upper()} {incident.watch} ({incident.id})"
            if incident.calling and incident.calling.exhausted:
                yield f"NOBODY HAS ANSWERED {what}: all were called as often as agreed. Acknowledge it."
            elif orders.addresses and orders.chain_for(incident) is None:
                yield f"Nobody is called for {what}: no [[chain]] of the configuration is for it; add one."

    def prospects(self) -> Iterator[Prospect]:
        """What comes next for every open incident if no person does anything; for all to see."""
        now, orders = self._clock.now(), self._orders()
        for incident in self._register.incidents():
            if incident.is_open:
                seen = min(self._seen.get(incident.id, now), now)
                yield foresee(incident, orders, now, seen, self._beside(incident))

    @property
    def go_on(self) -> bool:
        """Whether somebody is still to be called, if nobody answers."""
        return any(one.do in {Do.CALL, Do.GIVE_UP} for one in self.prospects())

    async def _attend(self, incident: Incident, now: datetime) -> datetime | None:
        """Do what is due for one incident; when to ask again, None where only news can change anything."""
        for _ in range(AT_ONCE):
            decision = self._decide(incident, now)
            if decision.do not in _ACTS:
                return decision.until
            with contextlib.suppress(UsageError):  # gone meanwhile
                incident = await self._register.act(incident.id, partial(self._act, now))
        return now

    def _act(self, now: datetime, incident: Incident, sequence: int) -> Step | None:
        decision = self._decide(incident, now)
        if decision.do is Do.LAPSE:
            return acts.lapse(incident, decision.reason, now, sequence)
        if decision.do in _ACTS and decision.calling:
            return acts.call(incident, decision.calling, now, sequence, to=decision.to, reason=decision.reason)
        return None

    def _decide(self, incident: Incident, now: datetime) -> Decision:
        seen = now
        if _wants_somebody(incident):
            seen = self._seen[incident.id] = min(self._seen.get(incident.id, now), now)  # the clock may be set back
        return decide(incident, self._orders(), now, seen, self._beside(incident))

    def _beside(self, incident: Incident) -> Incident | None:
        return self._register.open_for(incident.watch) if incident.kind is Kind.BRIGADING else None


def _wants_somebody(incident: Incident) -> bool:
    return incident.state is State.OPEN and incident.severity >= Severity.AMBER


def _urgency(incident: Incident) -> tuple[int, bool]:
    """Sort key: the worst calls first, people before their copies."""
    return -incident.severity, incident.kind is Kind.BRIGADING
