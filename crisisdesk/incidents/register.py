"""The incidents of a running desk: each change is written down before anybody sees it.

An action is done to its end even if the caller leaves: a written change that memory does not know would be lost.

Where the database does not take it (a full disk), the desk goes on watching: people see the change, it goes out from
memory, `trouble` says that it is not saved, and it is saved in order as soon as the database takes it again. Its id has
a mark of this run then, since after a crash another change may get its number.
"""

import asyncio
import difflib
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Final

from crisisdesk.errors import StorageError, UsageError
from crisisdesk.incidents import acts, lifecycle
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.spending import Ledger
from crisisdesk.incidents.step import Step
from crisisdesk.records import (
    EPOCH,
    Change,
    Correction,
    Incident,
    Kind,
    Notification,
    PlaybookRef,
    Spike,
    Verdict,
)
from crisisdesk.storage.privacy import corrected
from crisisdesk.storage.store import Store
from crisisdesk.text import counted, digest
from crisisdesk.threads import to_its_end

Act = Callable[[Incident, int], Step | None]
"""What is done to an incident with so many changes; None where nothing is."""
Audience = Callable[[Change, Incident | None, Incident], Sequence[str]]
"""Which addresses of people hear of a change, of the incident before and after it."""
Listener = Callable[[Notification], None]

RESOLVED_KEPT: Final = 200
"""Resolved incidents in memory, besides the last one of every watch; older ones are in the database."""
FIGURES_EVERY: Final = timedelta(minutes=1)
"""Event time between two saves of figures that moved without a change, so that a flood does not write per post."""


class Register:
    """All open incidents and the newest resolved ones, in memory and in the store.

    Args:
        store: where they survive.
        rules: hold times.
        choose: the playbook that fits a spike.
        owed_to: names of the outputs that get every change.
        audience: which addresses get a change besides.
        listeners: called with every notification after it was written; they must not block or raise.
    """

    def __init__(
        self,
        store: Store,
        rules: Rules,
        choose: Callable[[Spike], PlaybookRef | None],
        owed_to: Sequence[str] = (),
        *,
        listeners: Iterable[Listener] = (),
        audience: Audience = lambda change, _, __: change.to,
    ) -> None:
        self._troubles: dict[str, str] = {}
        self.ledger = Ledger()
        """The calls of the last months, for what was spent of the budgets."""
        self._store = store
        self._rules = rules
        self._choose = choose
        self._owed_to = tuple(owed_to)
        self._listeners = list(listeners)
        self._audience = audience
        self._incidents: dict[str, Incident] = {}
        self._sequences: dict[str, int] = {}
        self._latest: dict[tuple[str, Kind], str] = {}
        self._saved: dict[str, datetime] = {}
        self._unsaved: deque[Notification] = deque()
        self._mark = f"u{token_hex(3)}"
        self._uncorrected: deque[Correction] = deque()
        self._quoted: set[int] = set()
        self._turn = asyncio.Lock()

    async def load(self, calls_since: datetime = EPOCH) -> None:
        """Read back what an earlier run knew; of the calls, those since that moment.

        Raises:
            StorageError: the database cannot be read.
        """
        self._quoted |= await self._store.quoted()
        for incident in await self._store.incidents_since(calls_since):
            self.ledger.take(incident)
        for incident, sequence in await self._store.load_incidents():
            self._show(incident)
            self._sequences[incident.id] = sequence
            self._saved[incident.id] = incident.evidence_until

    @property
    def trouble(self) -> str:
        """What is not being saved, why, and what to do; empty while all is."""
        return " ".join(self._troubles.values())

    def fare(self, part: str, trouble: str = "") -> None:
        """Saving a part went so: what is wrong, or nothing."""
        self._troubles.pop(part, None)
        if trouble:
            self._troubles[part] = trouble

    def subscribe(self, listener: Listener) -> None:
        """Call this with every notification from now on."""
        self._listeners.append(listener)

    def incidents(self) -> tuple[Incident, ...]:
        """All open and the newest resolved incidents, newest first."""
        return tuple(sorted(self._incidents.values(), key=lambda one: (one.opened, one.id), reverse=True))

    def find(self, incident: str) -> Incident:
        """The incident of this id.

        Raises:
            UsageError: there is none; the message names the nearest.
        """
        if found := self._incidents.get(incident):
            return found
        near = difflib.get_close_matches(incident, self._incidents, n=3)
        raise UsageError(f"There is no incident {incident}." + (f" Did you mean {' or '.join(near)}?" if near else ""))

    def open_for(self, watch: str, kind: Kind = Kind.SPIKE) -> Incident | None:
        """The open incident of a watch; None while all is calm."""
        latest = self._latest_of(watch, kind)
        return latest if latest is not None and latest.is_open else None

    async def timeline(self, incident: str) -> tuple[Change, ...]:
        """Everything that happened to an incident, oldest first, also what could not be saved yet."""
        self.find(incident)
        unsaved = tuple(one.change for one in self._unsaved if one.change.incident == incident)
        saved = await self._store.timeline(incident)
        return saved + tuple(change for change in unsaved if change not in saved)

    async def witness(self, spike: Spike) -> tuple[Notification, ...]:
        """Take in what the detector says about a watch; what changed by it is written down, shown, and returned."""
        return await to_its_end(self._witness(spike))

    async def acknowledge(self, incident: str, person: str, now: datetime, instead_of: str = "") -> Incident:
        """Say that this person has it. Raises `UsageError` when it is over or somebody was first."""
        return await self.act(
            incident, lambda one, last: acts.acknowledge(one, person, now, last, instead_of=instead_of)
        )

    async def assign(self, incident: str, person: str, to: str, now: datetime, note: str = "") -> Incident:
        """Ask somebody to take it. Raises `UsageError` when it is over or they have it."""
        return await self.act(incident, lambda one, last: acts.assign(one, person, to, now, last, note=note))

    async def silence(self, incident: str, person: str, now: datetime, *, until: datetime, reason: str) -> Incident:
        """Call nobody for it for a time. Raises `UsageError` when it is over, or without reason or end."""
        return await self.act(
            incident, lambda one, last: acts.silence(one, person, now, last, until=until, reason=reason)
        )

    async def lift(self, incident: str, person: str, now: datetime) -> Incident:
        """End its silence. Raises `UsageError` when it is not silent."""
        return await self.act(incident, lambda one, last: acts.lift(one, person, now, last))

    async def note(self, incident: str, person: str, text: str, now: datetime) -> Incident:
        """Write something into the timeline. Raises `UsageError` when there is nothing to write."""
        return await self.act(incident, lambda one, last: acts.note(one, person, text, now, last))

    async def resolve(self, incident: str, person: str, verdict: Verdict, now: datetime) -> Incident:
        """End an incident and say what it was. Raises `UsageError` when it is over already."""
        return await self.act(incident, lambda one, last: acts.resolve(one, person, verdict, now, last))

    async def judge(self, incident: str, person: str, verdict: Verdict, now: datetime) -> Incident:
        """Say afterwards what an incident was. Raises `UsageError` while it is open, or when that was said already."""
        return await self.act(incident, lambda one, last: acts.judge(one, person, verdict, now, last))

    async def act(self, incident: str, act: Act) -> Incident:
        """Do something to an incident as it is when its turn comes; returns it as it is then."""
        return await to_its_end(self._act(incident, act))

    async def retire(self, watches: Collection[str], now: datetime, listened: Collection[str] = ()) -> None:
        """End the open incidents of what is not there any more, for no evidence will.

        Args:
            watches: those that are still watched.
            now: the present.
            listened: what can still be blind, by the names of such incidents: sources and own channels.
        """
        await to_its_end(self._retire(watches, now, listened))

    async def unheard(self, start: datetime, end: datetime) -> None:
        """Nothing could be heard between two moments: what was calm before it was so for no longer."""
        await self._set_right(lambda incident: lifecycle.unheard(incident, start, end))

    async def turn_back(self, now: datetime) -> None:
        """The clock was ahead and has been set right."""
        await self._set_right(lambda incident: lifecycle.turned_back(incident, now))

    def quotes(self, correction: Correction) -> bool:
        """Whether an incident, be it years old, quotes what a correction may mean."""
        return digest(correction.mark) in self._quoted

    async def correct(self, correction: Correction) -> None:
        """A post that incidents or the mailbox may hold reads otherwise now, or is gone."""
        await to_its_end(self._correct(correction))

    async def age(self, become: Callable[[Incident], Incident]) -> None:
        """Keep of each incident what may still be kept; those who were told of an open one hear of it."""
        async with self._turn:
            self._mend_unsaved(become)
            for incident in tuple(self._incidents.values()):
                if (after := become(incident)) is not incident:
                    sequence = self._sequences[after.id]
                    await self._commit(lifecycle.veiled(after, sequence) if after.is_open else Step(after))

    async def recollect(self) -> None:
        """What incidents quote, those among them that only the database knows, is known by other marks now."""
        self._quoted |= await self._store.quoted()

    async def flush(self) -> None:
        """Save the figures that moved since the last save, and what could not be saved: before an orderly stop."""
        async with self._turn:
            await self._save_unsaved()
            await self._save_corrections()
            moved = [one for one in self._incidents.values() if self._saved.get(one.id) != one.evidence_until]
            await self._save_figures(*moved)

    async def _set_right(self, times: Callable[[Incident], Incident]) -> None:
        """Correct the times of all incidents; nothing has happened to them."""
        async with self._turn:
            for incident in self.incidents():
                after = self._incidents[incident.id] = times(incident)
                if after is not incident:
                    self._saved.pop(incident.id, None)  # the next flush writes it down

    async def _witness(self, spike: Spike) -> tuple[Notification, ...]:
        async with self._turn:
            before = self._latest_of(spike.watch, spike.kind)
            sequence = self._sequences[before.id] if before else 0
            step = lifecycle.witness(before, spike, self._rules, sequence, self._new_id)
            if step is None:
                return ()
            return await self._commit(lifecycle.with_playbook(step, before, lambda: self._choose(spike)))

    async def _act(self, incident: str, act: Act) -> Incident:
        async with self._turn:
            before = self.find(incident)
            step = act(before, self._sequences[before.id])
            if step is None:
                return before
            await self._commit(step)
            return step.incident

    async def _retire(self, watches: Collection[str], now: datetime, listened: Collection[str]) -> None:
        async with self._turn:
            for incident in self.incidents():
                known = listened if incident.kind is Kind.BLIND else watches
                if incident.is_open and incident.watch not in known:
                    await self._commit(lifecycle.retire(incident, self._rules, now, self._sequences[incident.id]))

    async def _correct(self, correction: Correction) -> None:
        async with self._turn:
            self._mend_unsaved(lambda incident: corrected(incident, correction))
            for incident in tuple(self._incidents.values()):
                if incident.evidence.corrected(correction) is not incident.evidence:
                    await self._commit(lifecycle.corrected(incident, correction, self._sequences[incident.id]))
            self._uncorrected.append(correction)
            await self._save_unsaved()
            await self._save_corrections()

    def _mend_unsaved(self, become: Callable[[Incident], Incident]) -> None:
        self._unsaved = deque([replace(one, incident=become(one.incident)) for one in self._unsaved])
        for one in self._unsaved:
            self._store.hold(one, self._owing(one))

    async def _save_corrections(self) -> None:
        try:
            while self._uncorrected:
                await self._store.correct(self._uncorrected[0])
                self._uncorrected.popleft()
        except StorageError as error:
            authors = counted(len(self._uncorrected), "author has", "authors have")
            self.fare("corrections", f"{error} What {authors} taken back is not erased from it yet.")
        else:
            self.fare("corrections")

    async def _commit(self, step: Step) -> tuple[Notification, ...]:
        """Write, then show: in this order, so that nobody acts on what a crash could take back."""
        before = self._incidents.get(step.incident.id)
        notifications = tuple(self._addressed(change, before, step.incident) for change in step.changes)
        if notifications:
            self._unsaved.extend(notifications)
            await self._save_unsaved()
            held = {(one.change.incident, one.change.sequence): one for one in self._unsaved}
            notifications = tuple(held.get((one.change.incident, one.change.sequence), one) for one in notifications)
        self._sequences[step.incident.id] = self._sequences.get(step.incident.id, 0) + len(notifications)
        self._show(step.incident)
        if not notifications and self._figures_are_due(step.incident):
            await self._save_figures(step.incident)
        for notification in notifications:
            for listener in self._listeners:
                listener(notification)
        return notifications

    def _addressed(self, change: Change, before: Incident | None, after: Incident) -> Notification:
        return Notification(replace(change, to=tuple(self._audience(change, before, after))), after)

    async def _save_unsaved(self) -> None:
        try:
            while self._unsaved:
                first = self._unsaved[0]
                await self._store.save(first.incident, (first.change,), self._owing(first))
                self._saved[first.incident.id] = first.incident.evidence_until
                self._unsaved.popleft()
        except StorageError as error:
            self._hold_unsaved()
            many = counted(len(self._unsaved), "change is", "changes are")
            self.fare("changes", f"{error} {many} not saved, but sent; the desk goes on watching and calling.")
        else:
            self.fare("changes")

    def _hold_unsaved(self) -> None:
        """They go out all the same, under ids that no other change can ever have."""
        for _ in range(len(self._unsaved)):
            one = self._unsaved.popleft()
            one = replace(one, change=replace(one.change, mark=self._mark))
            self._unsaved.append(one)
            self._store.hold(one, self._owing(one))

    def _owing(self, one: Notification) -> tuple[str, ...]:
        """The outputs that owe it."""
        return (*self._owed_to, *one.change.to)

    def _figures_are_due(self, incident: Incident) -> bool:
        saved = self._saved.get(incident.id)
        return saved is None or incident.evidence_until - saved >= FIGURES_EVERY

    async def _save_figures(self, *incidents: Incident) -> None:
        """Unsaved changes go first: the row of an incident must not be newer than its timeline."""
        await self._save_unsaved()
        if self._unsaved or not incidents:
            return
        try:
            await self._store.save_figures(incidents)
            self._saved.update({one.id: one.evidence_until for one in incidents})
        except StorageError as error:
            self.fare("figures", f"{error} Figures are not saved; the desk goes on watching.")
        else:
            self.fare("figures")

    def _latest_of(self, watch: str, kind: Kind) -> Incident | None:
        latest = self._latest.get((watch, kind))
        return self._incidents[latest] if latest else None

    def _new_id(self, spike: Spike) -> str:
        """Two watches that differ only in capitals, or a second opening within a second, get a number."""
        plain = name = lifecycle.incident_id(spike)
        number = 1
        while name in self._incidents:
            number += 1
            name = f"{plain}-{number}"
        return name

    def _show(self, incident: Incident) -> None:
        """Put it into memory, and forget the oldest resolved ones that nothing can re-open."""
        self.ledger.take(incident)
        self._quoted.update(map(digest, incident.evidence.marks))
        is_new = incident.id not in self._incidents
        self._incidents[incident.id] = incident
        if not is_new:
            return  # a word on an old incident does not make it the one that evidence goes to
        self._latest[incident.watch, incident.kind] = incident.id
        kept = set(self._latest.values())
        over = [one for one in self._incidents.values() if not one.is_open and one.id not in kept][:-RESOLVED_KEPT]
        for old in over:
            for known in (self._incidents, self._sequences, self._saved):
                known.pop(old.id, None)
