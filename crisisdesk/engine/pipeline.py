"""From sources to incidents: each stage takes what the one before it hands over, and ends when that has ended."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Final

from crisisdesk.channel import Channel
from crisisdesk.engine.intake import House, Intake
from crisisdesk.engine.observation import Observation
from crisisdesk.engine.reception import Reception
from crisisdesk.records import Scored
from crisisdesk.sentiment.batcher import Scoring
from crisisdesk.sources.base import Edge, Source
from crisisdesk.text import unforeseen

SCORED_WAITING: Final = 256
"""Scored mentions that wait before the detectors."""


class Pipeline:
    """What posts go through.

    Args:
        sources: where they come from.
        house: what the edges share, with the channel before the model.
        scoring: judges them.
        observation: counts them.
        reception: knows how well each source is heard.
        live: a source that fails for good ends nothing; a recording that cannot be read ends the run.
        touch: called when a source has failed for good.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        house: House,
        scoring: Scoring,
        observation: Observation,
        reception: Reception,
        *,
        live: bool,
        touch: Callable[[], None],
    ) -> None:
        self._sources = sources
        self._house = house
        self._scoring = scoring
        self._observation = observation
        self._reception = reception
        self._live = live
        self._touch = touch
        self._scored = Channel[Scored](SCORED_WAITING)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Take no more posts; those that have come go through, unless the model is still being loaded."""
        self._stopping.set()

    def waiting(self) -> Mapping[str, int]:
        """How much waits between the stages."""
        mentions, scored = len(self._house.mentions), len(self._scored)
        return {"posts": self._reception.waiting, "mentions": mentions, "scored": scored}

    async def run(self) -> None:
        """Let posts through until the sources have ended and every one has gone through, or until `stop`.

        Raises:
            ExceptionGroup: the model cannot be loaded, a recording cannot be read.
        """
        async with asyncio.TaskGroup() as group:
            scoring = group.create_task(self._score(), name="score")
            observing = group.create_task(self._observation.run(self._scored), name="observe")
            edges = self._reception.edges = {source.name: Intake(source, self._house) for source in self._sources}
            intakes = [
                group.create_task(edges[source.name].run(partial(self._feed, source)), name=source.name)
                for source in self._sources
            ]
            await asyncio.gather(*intakes)
            await self._house.mentions.close()
            await scoring
            await observing

    async def _feed(self, source: Source, edge: Edge) -> None:
        """Let one source deliver until it has ended, failed for good, or the desk stops."""
        try:
            await self._until_stop(source.run(edge))
        except Exception as error:  # the others go on, whatever it is
            if not self._live:
                raise
            self._reception.fatal[source.name] = unforeseen(error)
            self._touch()

    async def _score(self) -> None:
        """Judge what comes, to the end; without a model, only until the desk stops."""
        scoring = self._scoring
        await self._until_stop(scoring.run(self._house.mentions, self._scored), lambda: bool(scoring.model))

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
