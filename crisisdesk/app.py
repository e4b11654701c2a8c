"""The composition root: opens the parts, wires them, runs them in one task group, takes them down in reverse."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from crisisdesk.channel import Channel
from crisisdesk.desk import Instruments, LocalDesk
from crisisdesk.engine.answers import answer_queue
from crisisdesk.engine.calls import Calls
from crisisdesk.engine.forgetting import Forgetting
from crisisdesk.engine.intake import House, Tally
from crisisdesk.engine.listening import Listening
from crisisdesk.engine.observation import Observation
from crisisdesk.engine.overview import Pictures, spending_of
from crisisdesk.engine.pipeline import Pipeline
from crisisdesk.engine.progress import Progress
from crisisdesk.engine.reception import Reception
from crisisdesk.engine.restart import Restart
from crisisdesk.engine.rounds import Rounds
from crisisdesk.engine.silences import Silences
from crisisdesk.engine.spoken import Languages, OwnLanguages
from crisisdesk.engine.troubles import Troubles
from crisisdesk.engine.warmup import WarmUp
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.incidents.spending import SPAN, advice
from crisisdesk.match import Matcher
from crisisdesk.oncall.audience import audience
from crisisdesk.oncall.prospect import known_people, on_call
from crisisdesk.outputs.base import PersonalOutput
from crisisdesk.outputs.deliver import Delivery, owed_by_others
from crisisdesk.plan import Plan, Service
from crisisdesk.playbooks.format import Playbook
from crisisdesk.playbooks.library import Library
from crisisdesk.records import OutputStatus, SourceStatus
from crisisdesk.sentiment.base import Model
from crisisdesk.sentiment.batcher import Scoring
from crisisdesk.sources.base import Recalling
from crisisdesk.storage.store import Store

LINGER_LOOK: Final = 1.0
"""Seconds between two looks whether somebody is still to be called, when nothing more is heard."""
CATCH_UP_LOOK: Final = 0.05
"""Seconds between two looks whether a recording's quiet days have gone through."""
MENTIONS_WAITING: Final = 512
"""Mentions that wait before the model."""


class App:
    """One desk, running. Use it as a context: inside, `desk` and `register` are there, and `run` does the work."""

    desk: LocalDesk
    register: Register
    observation: Observation
    restart: Restart
    rounds: Rounds
    forgetting: Forgetting
    pipeline: Pipeline
    calls: Calls
    store: Store
    service: Service | None = None

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tally = Tally()
        self.scoring = Scoring(self._load_model, partial(self.complain, "judging"))
        self._languages = Languages(plan.load_reader, partial(self.complain, "languages"))
        self._own_languages = OwnLanguages(plan.watches)
        self.deliveries: list[Delivery] = []
        self.progress = Progress(keeps=plan.live)
        self._troubles = Troubles()
        self.unloadable = False
        """Whether the model could not be loaded."""
        self._stopping = asyncio.Event()
        self._listening_since: datetime | None = None
        self.listening = Listening(plan.clock.now())
        names = [source.name for source in plan.sources], [rule.name for rule in plan.watches]
        own = [rule.name for rule in plan.watches if rule.accounts]
        self.silences = Silences(*names, own, now=plan.clock.now(), zone=plan.zone)
        self.reception = Reception(plan.sources, self.tally, self.silences)

    async def __aenter__(self) -> Self:
        plan = self.plan
        self._listening_since = plan.clock.now() if plan.live else None
        self.store = await Store.open(plan.database, durable=plan.live)
        try:
            await self._wire()
        except BaseException:
            await self.store.close()
            raise
        self._reading = asyncio.create_task(self._keep_playbooks(), name="playbooks")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await asyncio.wait({self._reading})
        await self.store.close()

    async def run(self) -> None:
        """Work until the sources have ended, every post has gone through and nobody is to be called, or until `stop`.

        Raises:
            ExceptionGroup: the model cannot be loaded, a replayed file cannot be read.
        """
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(one) for one in self._beside()]
            for delivery in self.deliveries:
                group.create_task(delivery.run(), name=f"deliver to {delivery.name}")
            try:
                await self.pipeline.run()
                if self.plan.live:
                    await self._linger()
            finally:
                await self._save()
                for delivery in self.deliveries:
                    delivery.stop()
                for task in others:
                    task.cancel()

    def _beside(self) -> Iterable[Coroutine[Any, Any, None]]:
        """What a live desk does besides hearing posts."""
        if not self.plan.live:
            return ()
        found = self.rounds.run(), self._warm_up(), self.calls.run(), self._keep_orders()
        return (*found, self.service.run()) if self.service else found

    def stop(self) -> None:
        """Take no more posts, let what came before go through, deliver what is owed, then let `run` return.

        A model that is still being loaded is not waited for: what has come stays `left`.
        """
        self._stopping.set()
        self.pipeline.stop()

    @property
    def left(self) -> int:
        """Mentions that have come in and not gone through."""
        return len(self.progress)

    @property
    def lost(self) -> int:
        """Those of them that do not come again after the next start."""
        return self.reception.lost

    async def caught_up(self) -> None:
        """Return when every post that has come in has gone through."""
        while self.progress:  # noqa: ASYNC110 - four queues have no one event
            await asyncio.sleep(CATCH_UP_LOOK)

    def reached(self) -> datetime | None:
        """The time of the newest post that has gone through, while others are under way; None while none is."""
        return self.rounds.reached()

    def sources(self) -> list[SourceStatus]:
        """How every source is doing, with what was counted behind it."""
        return self.reception.statuses()

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

    def playbooks(self) -> tuple[Playbook, ...]:
        """All that can be used, as they stand in their files now."""
        return self._library.all()

    def playbook_troubles(self) -> tuple[str, ...]:
        """What is wrong with the playbooks, a sentence for each file, with its line and its cure."""
        return self._library.troubles()

    def complaints(self) -> dict[str, str]:
        """What is wrong with parts that go on all the same, each with what to do."""
        return self._troubles.all() | ({"lateness": self.listening.trouble} if self.listening.trouble else {})

    def troubles(self) -> Iterator[str]:
        """What is wrong with the desk itself, for people, each with what to do."""
        told = (self.register.trouble, self.queue.trouble, *self.calls.troubles(), self.plan.standing.trouble)
        yield from filter(None, (*told, *self.complaints().values(), self.service.trouble if self.service else ""))
        yield from self._own_languages.beyond_the_model()
        yield from self.overspent().values()

    def waiting(self) -> Mapping[str, int]:
        """How much waits between the stages."""
        return self.pipeline.waiting()

    def _load_model(self) -> Model:
        """In a worker thread, before the first score: what languages the model knows is a part of what it says."""
        try:
            model = self.plan.load_model()
        except BaseException:
            self.unloadable = True
            raise
        self._own_languages.known_to_model(model.languages)
        return model

    async def _wire(self) -> None:
        plan = self.plan
        await self._wire_incidents()
        self._wire_desk()
        if plan.live:
            await self.register.retire([rule.name for rule in plan.watches], plan.clock.now(), self.silences.names)
        self._wire_observation()
        self._wire_memory()
        self._wire_pipeline()
        self.service = plan.service(self) if plan.service else None
        if plan.live:
            await self.rounds.begin()
            names = [delivery.name for delivery in self.deliveries]
            self.complain("debts", await owed_by_others(self.store, names, plan.clock.now()))

    async def _wire_incidents(self) -> None:
        """What people work on, and the outputs that hear of it."""
        plan = self.plan
        self._library = Library(plan.playbooks)
        outputs = plan.outputs(self)
        self.deliveries = [Delivery(self.store, output, plan.clock) for output in outputs]
        self.register = Register(
            self.store,
            Rules(),
            self._library.choose,
            [output.name for output in outputs if not isinstance(output, PersonalOutput)],
            audience=lambda change, before, after: audience(change, before, after, plan.standing.current),
        )
        await self.register.load(plan.clock.now() - SPAN)
        self.queue = await answer_queue(self.store, plan.watches, plan.answers, plan.zone, recorded=not plan.live)

    def _wire_desk(self) -> None:
        """What people see and act through, and who hears of each change."""
        plan = self.plan
        instruments = Instruments(
            watches=lambda: self._pictures.now(),  # noqa: PLW0108  they are of what is observed, which shows itself here
            sources=self.sources,
            outputs=self.outputs,
            waiting=lambda: sum(self.waiting().values()),
            model=lambda: self.scoring.model,
            troubles=self.troubles,
            prospects=lambda: self.calls.prospects() if plan.live else (),
            on_call=lambda: on_call(plan.standing.current, plan.clock.now()),
            people=lambda: known_people(plan.standing.current, plan.clock.now()),
            forget=lambda wanted, person: self.forgetting.forget(wanted, person),  # noqa: PLW0108  made further below
        )
        self.desk = LocalDesk(
            self.register, self._library, plan.clock, instruments, notice=plan.notice, queue=self.queue
        )
        self.register.subscribe(lambda _: self.desk.touch())
        for delivery in self.deliveries:
            self.register.subscribe(delivery.wake)
        self.calls = Calls(self.register, lambda: plan.standing.current, plan.clock)
        self.register.subscribe(self.calls.wake)

    def _wire_observation(self) -> None:
        """The windows of all watches."""
        plan = self.plan
        self.observation = Observation(
            self.register,
            {rule.name: standard for rule, standard in plan.watches.items()},
            self.tally,
            self.desk.show,
            own_language=self._own_languages.count,
            terms={rule.name: rule.terms for rule in plan.watches},
            hearing=self.listening.hearing,
            chart_hours=plan.chart_hours,
            follow=plan.follow,
            gone_through=self.progress.end,
            correction_of=self.progress.correction_of,
            planned=lambda: plan.standing.planned,
        )
        self._pictures = Pictures(self.observation, self.register, self.tally.other_languages, self._listening_since)

    def _wire_memory(self) -> None:
        """What is kept, what is forgotten, and what is done by the clock."""
        plan = self.plan
        self.restart = Restart(
            self.store,
            self.observation,
            self.progress,
            self.listening,
            self.silences,
            sources=plan.sources,
            trouble=self.complain,
        )
        self.forgetting = Forgetting(
            plan, self.store, self.register, self.observation, self.desk, self.queue, self.progress, self.complain
        )
        self.rounds = Rounds(
            plan.clock,
            zone=plan.zone,
            listening=self.listening,
            reception=self.reception,
            observation=self.observation,
            register=self.register,
            queue=self.queue,
            restart=self.restart,
            progress=self.progress,
            troubles=self._troubles,
            dropped=lambda: self.tally.dropped,
            touch=self.desk.touch,
            forget_old=self.forgetting.look,
        )

    def _wire_pipeline(self) -> None:
        """What posts go through."""
        plan = self.plan
        house = House(
            Matcher(list(plan.watches)),
            self.progress,
            self.tally,
            Channel(MENTIONS_WAITING),
            self._languages,
            self.store if plan.live else None,
            self.forgetting.correct,
            partial(self.complain, "mailbox"),
            sources=[source.name for source in plan.sources],
            open_to_tags=plan.open_to_tags,
            own=lambda watch: self.silences.own(watch, plan.clock.now()),
            pseudonyms=self.forgetting.pseudonyms,
        )
        self.pipeline = Pipeline(
            plan.sources,
            house,
            self.scoring,
            self.observation,
            self.reception,
            live=plan.live,
            touch=self.desk.touch,
        )

    async def _keep_playbooks(self) -> None:
        """Read what is edited as long as the desk is there: people look at a recording that has ended, too."""
        try:
            await self._library.watch(self.desk.touch)
        except Exception as error:  # noqa: BLE001 - incidents matter more than edits, which can wait for a restart
            self.complain("playbooks", f"Edits of playbooks are not seen any more ({error}); restart the desk.")

    async def _linger(self) -> None:
        """Sources that have ended are no reason to leave people uncalled, or a console without a desk."""
        while self.plan.stays or self.calls.go_on:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_LOOK):
                    await self._stopping.wait()
                return

    async def _keep_orders(self) -> None:
        """Call by what is agreed as it is edited; who is on call may change by it at once."""

        def changed() -> None:
            self.calls.wake()
            self.desk.touch()

        try:
            await self.plan.standing.watch(changed)
        except Exception as error:  # noqa: BLE001 - the orders of before are better than none
            self.complain("orders", f"Edits of the configuration are not seen any more ({error}); restart the desk.")

    async def _warm_up(self) -> None:
        """Let new watches learn from what networks still have of the past."""
        recalling = [one for one in self.plan.sources if isinstance(one, Recalling) and one.history]
        new = [rule for rule in self.plan.watches if rule.name in self.observation.without_past]
        if new and recalling:
            await WarmUp(
                Matcher(new),
                [rule.name for rule in new],
                languages=self._languages,
                judge=self.scoring.judge,
                observation=self.observation,
                tell=partial(self.complain, "past"),
            ).run(recalling, self.plan.clock.now())

    def complain(self, part: str, trouble: str) -> None:
        """Show what is wrong with a part; an empty sentence says that it is well again."""
        if trouble:
            self._troubles.tell(part, trouble)
        else:
            self._troubles.forget(part)
        self.desk.touch()

    async def _save(self) -> None:
        """At the end: write down what is not written yet."""
        for edge in self.reception.edges.values():
            await edge.write_down()
        if self.plan.live:
            await self.rounds.save()
        else:
            await self.register.flush()
            await self.queue.flush()
