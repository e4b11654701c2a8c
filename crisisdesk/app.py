"""The composition root: opens the parts, wires them, runs them in one task group, takes them down in reverse."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from crisisdesk.channel import Channel
from crisisdesk.clock import Clock
from crisisdesk.desk import Instruments, LocalDesk
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import CHART_HOURS, WatchDetector
from crisisdesk.errors import FatalSourceError, StorageError
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.incidents.spending import SPAN, advice
from crisisdesk.incidents.store import Store
from crisisdesk.language import Reader, marked
from crisisdesk.language import load as load_reader
from crisisdesk.listening import ASLEEP, Ear, Listening
from crisisdesk.match import Matcher, WatchRule
from crisisdesk.outputs.base import Output
from crisisdesk.outputs.deliver import Delivery
from crisisdesk.overview import Pictures, spending_of
from crisisdesk.pipeline import Intake, Observation, Tally
from crisisdesk.playbooks.library import Library
from crisisdesk.records import EPOCH, Mention, OutputStatus, Post, Scored, SourceStatus
from crisisdesk.restart import Restart
from crisisdesk.sentiment.base import Model
from crisisdesk.sentiment.batcher import Scoring
from crisisdesk.sources.base import Source
from crisisdesk.text import how_long
from crisisdesk.troubles import Troubles, stamp

LIVE_TICK: Final = 10.0
"""Seconds between two looks of a live desk at what no post has come for."""
CATCH_UP_LOOK: Final = 0.05
"""Seconds between two looks whether a recording's quiet days have gone through."""
SAVE_EVERY: Final = 30
"""Live ticks between two saves of what the watches have learnt."""
POSTS_WAITING, MENTIONS_WAITING, SCORED_WAITING = 5_000, 512, 256
"""Sizes of the channels: posts of each source, mentions before the model, scored mentions before the detectors."""


@dataclass(slots=True)
class Plan:
    """What a run consists of; the command line writes it."""

    watches: Mapping[WatchRule, Standard]
    """Each watch and by what it is judged."""
    sources: Sequence[Source]
    database: Path
    playbooks: Path
    clock: Clock
    load_model: Callable[[], Model]
    load_reader: Callable[[], Reader] = load_reader
    """Makes what tells the language of posts without a mark; like the model, in a thread, when the first one comes."""
    outputs: Callable[["App"], Sequence[Output]] = lambda _: ()
    live: bool = False
    """Posts come from the present: time passes also where nobody speaks, and what is learnt is kept."""
    open_to_tags: bool = False
    """A tag of a post that no watch has makes a watch of its own."""
    chart_hours: int | None = CHART_HOURS
    follow: Callable[[WatchDetector], None] = lambda _: None
    """Called with the detector of every watch before it hears its first post."""
    notice: str = ""
    zone: tzinfo | None = None
    """By whose clocks people read the console; None for the machine's own."""


class App:
    """One desk, running. Use it as a context: inside, `desk` and `register` are there, and `run` does the work."""

    desk: LocalDesk
    register: Register
    observation: Observation
    restart: Restart

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tally = Tally()
        self.scoring = Scoring(self._load_model, partial(self._complain, "judging"))
        self._languages = {rule.name: frozenset(marked(one) or one for one in rule.languages) for rule in plan.watches}
        self._model_languages: frozenset[str] = frozenset()
        self.deliveries: list[Delivery] = []
        self._mentions: Channel[Mention] = Channel(MENTIONS_WAITING)
        self._scored: Channel[Scored] = Channel(SCORED_WAITING)
        self._inboxes: dict[str, Channel[Post]] = {}
        self._fatal: dict[str, str] = {}
        self._troubles = Troubles()
        self.unloadable = False
        """Whether the model could not be loaded."""
        self._stopping = asyncio.Event()
        self._listening_since: datetime | None = None
        self.listening = Listening(plan.clock.now())

    async def __aenter__(self) -> Self:
        plan = self.plan
        self._listening_since = plan.clock.now() if plan.live else None
        self._store = await Store.open(plan.database, durable=plan.live)
        try:
            await self._wire()
        except BaseException:
            await self._store.close()
            raise
        self._reading = asyncio.create_task(self._keep_playbooks(), name="playbooks")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await asyncio.wait({self._reading})
        await self._store.close()

    async def run(self) -> None:
        """Work until the sources have ended and every post has gone through, or until `stop`.

        Raises:
            ExceptionGroup: the model cannot be loaded, a replayed file cannot be read.
        """
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(self._tick(), name="tick")] if self.plan.live else []
            for delivery in self.deliveries:
                group.create_task(delivery.run(), name=f"deliver to {delivery.name}")
            try:
                await self._stream()
            finally:
                await self._save()
                for delivery in self.deliveries:
                    delivery.stop()
                for task in others:
                    task.cancel()

    def stop(self) -> None:
        """Take no more posts, let what came before go through, deliver what is owed, then let `run` return.

        A model that is still being loaded is not waited for: what has come stays `left`.
        """
        self._stopping.set()

    @property
    def left(self) -> int:
        """Posts that have come in and not gone through; nobody may have looked yet whether they concern a watch."""
        return self.tally.under_way + self.waiting()["posts"]

    async def caught_up(self) -> None:
        """Return when every post that has come in has gone through."""
        while self._is_behind():  # noqa: ASYNC110 - four queues have no one event
            await asyncio.sleep(CATCH_UP_LOOK)

    def reached(self) -> datetime | None:
        """The time of the newest post that has gone through, while others are under way; None while none is."""
        return self.observation.now if self._is_behind() else None

    def sources(self) -> list[SourceStatus]:
        """How every source is doing, with what was counted behind it."""
        return [self._status(source) for source in self.plan.sources]

    def outputs(self) -> list[OutputStatus]:
        """How every output is doing."""
        return [delivery.status() for delivery in self.deliveries]

    def overspent(self) -> dict[str, str]:
        """Watches with more false alarms than their budget allows, each with what to do about it."""
        found = {
            name: advice(spending_of(detector, calls, self.observation.now), detector.standard.zone or UTC)
            for name, detector in self.observation.detectors.items()
            if (calls := self.register.ledger.of(name))
        }
        return {name: told for name, told in found.items() if told}

    def playbook_troubles(self) -> tuple[str, ...]:
        """What is wrong with the playbooks, a sentence for each file, with its line and its cure."""
        return self._library.troubles()

    def complaints(self) -> dict[str, str]:
        """What is wrong with parts that go on all the same, each with what to do."""
        return self._troubles.all() | ({"lateness": self.listening.trouble} if self.listening.trouble else {})

    def waiting(self) -> dict[str, int]:
        """How much waits between the stages."""
        posts = sum(len(inbox) for inbox in self._inboxes.values())
        return {"posts": posts, "mentions": len(self._mentions), "scored": len(self._scored)}

    def has_failed(self) -> str:
        """Why nothing can be heard any more; empty while at least one source may still deliver."""
        failed = len(self._fatal) == len(self.plan.sources)
        return " ".join(self._fatal.values()) if failed else ""

    def _load_model(self) -> Model:
        """In a worker thread, before the first score: what languages the model knows is a part of what it says."""
        try:
            model = self.plan.load_model()
        except BaseException:
            self.unloadable = True
            raise
        self._model_languages = frozenset(filter(None, map(marked, model.languages)))
        return model

    def _own_language(self, watch: str, language: str) -> bool:
        """Whether posts in a language count for a watch: by its settings, else by what the model knows, else all do."""
        own = self._languages.get(watch) or self._model_languages
        return not own or language in own

    def _not_known(self) -> Iterator[str]:
        """Watches that ask for a language in which the model's word is worth little."""
        for watch, languages in self._languages.items():
            if self._model_languages and (beyond := sorted(languages - self._model_languages)):
                yield (
                    f"{watch} counts posts in {', '.join(beyond)}, which the model does not know, so do not trust its "
                    "numbers. Take it out of 'languages' of the watch, or choose a model that knows it."
                )

    async def _wire(self) -> None:
        plan = self.plan
        self._library = Library(plan.playbooks)
        self.deliveries = [Delivery(self._store, output) for output in plan.outputs(self)]
        owed_to = [delivery.name for delivery in self.deliveries]
        self.register = Register(self._store, Rules(), self._library.choose, owed_to)
        await self.register.load(plan.clock.now() - SPAN)
        instruments = Instruments(
            watches=lambda: self._pictures.now(),  # noqa: PLW0108  they are of what is observed, which shows itself here
            sources=self.sources,
            outputs=self.outputs,
            waiting=lambda: sum(self.waiting().values()),
            model=lambda: self.scoring.model,
            troubles=lambda: filter(None, self._wrong()),
        )
        self.desk = LocalDesk(self.register, self._library, plan.clock, instruments, plan.notice)
        self.register.subscribe(lambda _: self.desk.touch())
        for delivery in self.deliveries:
            self.register.subscribe(delivery.wake)
        if plan.live:
            await self.register.retire([rule.name for rule in plan.watches], plan.clock.now())
        standards = {rule.name: standard for rule, standard in plan.watches.items()}
        self.observation = Observation(
            self.register,
            standards,
            self.tally,
            self.desk.show,
            own_language=self._own_language,
            terms={rule.name: rule.terms for rule in plan.watches},
            hearing=self.listening.hearing,
            chart_hours=plan.chart_hours,
            follow=plan.follow,
        )
        self._pictures = Pictures(self.observation, self.register, self.tally.other_languages, self._listening_since)
        self.restart = Restart(self._store, self.observation, self.listening, plan.sources, self._complain)
        if plan.live:
            now = plan.clock.now()
            await self.restart.remember()
            await self._believe(now)
            await self.register.unheard(self.listening.until, now)
            self.listening.begin(now, self._ears())

    async def _keep_playbooks(self) -> None:
        """Read what is edited as long as the desk is there: people look at a recording that has ended, too."""
        try:
            await self._library.watch(self.desk.touch)
        except Exception as error:  # noqa: BLE001 - incidents matter more than edits, which can wait for a restart
            self._complain("playbooks", f"Edits of playbooks are not seen any more ({error}); restart the desk.")

    async def _stream(self) -> None:
        """Sources to incidents; the end of one stage is the end of the next."""
        intake = Intake(
            Matcher(list(self.plan.watches)),
            self._mentions,
            self.tally,
            open_to_tags=self.plan.open_to_tags,
            load_reader=self.plan.load_reader,
            trouble=partial(self._complain, "languages"),
        )
        async with asyncio.TaskGroup() as group:
            scoring = group.create_task(self._score(), name="score")
            observing = group.create_task(self.observation.run(self._scored), name="observe")
            intakes = []
            for source in self.plan.sources:
                inbox: Channel[Post] = Channel(POSTS_WAITING, "drop_oldest" if source.pushes else "block")
                self._inboxes[source.name] = inbox
                group.create_task(self._feed(source, inbox), name=f"source {source.name}")
                intakes.append(group.create_task(intake.run(source.name, inbox), name=f"intake {source.name}"))
            await asyncio.gather(*intakes)
            await self._mentions.close()
            await scoring
            await observing

    async def _feed(self, source: Source, inbox: Channel[Post]) -> None:
        """Let one source deliver until it has ended, failed for good, or the desk stops."""
        try:
            await self._until_stop(source.run(inbox.send))
        except FatalSourceError as error:
            if not self.plan.live:
                raise
            self._fatal[source.name] = str(error)
            self.desk.touch()
        finally:
            await inbox.close()

    async def _score(self) -> None:
        """Judge what comes, to the end; without a model, only until the desk stops."""
        await self._until_stop(self.scoring.run(self._mentions, self._scored), lambda: bool(self.scoring.model))

    async def _until_stop(self, doing: Coroutine[Any, Any, None], finishes: Callable[[], bool] = lambda: False) -> None:
        """Do it to its end or, if it is not one that `finishes`, until the desk stops."""
        work, stopping = asyncio.create_task(doing), asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if work.done() or finishes():
                await work
        finally:
            for task in (work, stopping):
                task.cancel()
            await asyncio.wait({work, stopping})

    def _is_behind(self) -> bool:
        """Whether posts that have come in have not gone through."""
        return bool(self.tally.under_way) or any(self.waiting().values())

    def _complain(self, part: str, trouble: str) -> None:
        self._troubles.tell(part, trouble)
        self.desk.touch()

    def _wrong(self) -> Iterator[str]:
        """What is wrong with the desk itself, each with what to do."""
        yield self.register.trouble
        yield from self.complaints().values()
        yield from self._not_known()
        yield from self.overspent().values()

    async def _tick(self) -> None:
        """What a live desk does by the clock: listen whether it hears, let quiet time pass, keep what was learnt."""
        ticks = 0
        while True:
            await asyncio.sleep(LIVE_TICK)
            await self._look(self.plan.clock.now())
            ticks += 1
            if ticks % SAVE_EVERY == 0:
                await self._save()

    async def _look(self, now: datetime) -> None:
        """See whether the desk hears, and let time pass; what waits is older than now, and must not find it passed."""
        await self._believe(now)
        self._troubles.pass_time(now)
        since, present = self.listening.until, self.listening.look(now, self._ears())
        if now - since >= ASLEEP:
            self._troubles.tell(
                "sleep",
                f"The desk stood still for {how_long(now - since)} until {stamp(now, self.plan.zone)}: the computer "
                "slept, or its clock was set. What was said meanwhile counts if it still comes.",
                now,
            )
        if self.listening.deaf:
            await self.register.unheard(since, now)
        elif present and (until := self.reached() or now) > EPOCH:
            await self.observation.tick(until)
        self.desk.touch()

    async def _believe(self, now: datetime) -> None:
        """Where the clock was ahead and has been set back, go back with it."""
        if not self.listening.was_set_back(now):
            return
        ahead = how_long(self.listening.until - now)
        self.listening.turn_back(now)
        await self.observation.turn_back(now)
        self._troubles.forget("sleep")  # it was the clock
        self._troubles.tell(
            "clock",
            f"The clock of this machine was {ahead} ahead and was set back on {stamp(now, self.plan.zone)}. What is "
            "usual for the watches is kept; what was counted of the last day may be too little.",
            now,
        )

    def _ears(self) -> list[Ear]:
        return [
            Ear(self._status(source), source.pushes, source.cursor is not None, self.tally.latest.get(source.name))
            for source in self.plan.sources
        ]

    async def _save(self) -> None:
        """Write down what a restart must not forget; trouble with the disk is shown and does not stop the desk."""
        await self.register.flush()
        if self.plan.live:
            try:
                await self.restart.save(cursors=not self._is_behind())
            except StorageError as error:
                self.register.trouble = str(error)

    def _status(self, source: Source) -> SourceStatus:
        status, inbox = source.status(), self._inboxes.get(source.name)
        status = replace(
            status, matched=self.tally.matched[source.name], dropped=inbox.dropped if inbox is not None else 0
        )
        if trouble := self._fatal.get(source.name):
            status = replace(status, state="failed", trouble=trouble)
        return status
