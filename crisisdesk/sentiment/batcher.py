"""The stage between mentions and detection: scores what is waiting, in a worker thread, and sends it on in order."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from crisisdesk.channel import Channel, Closed
from crisisdesk.records import Mention, Scored
from crisisdesk.sentiment.base import NEUTRAL, Model, signature
from crisisdesk.sentiment.judge import judge
from crisisdesk.threads import in_daemon_thread
from crisisdesk.timing import Timing

AT_MOST: Final = 256
"""Mentions scored at once: enough to group them by length, and half a second at most until the first is out."""


class Scoring:
    """Takes mentions from one channel and sends them scored into another; neither loses nor reorders any.

    While one batch is being scored, the one before it is sent on, so a slow reader delays the model by one batch only.
    """

    def __init__(self, load: Callable[[], Model], trouble: Callable[[str], None] = lambda _: None) -> None:
        """Prepare the stage.

        Args:
            load: makes the model; called by `run` in a thread for which the end of the program does not wait.
            trouble: told of posts that could not be judged, in words for a person.
        """
        self._load = load
        self._trouble = trouble
        self.model = ""
        """Name and digest of the model, empty while it is being loaded."""
        self.scored = 0
        """Mentions sent on so far."""
        self.failed = 0
        """Those of them that the model could not judge and that count as neutral."""
        self.timing = Timing()
        """How long the model took for what it was given at once."""
        self._model: Model | None = None
        self._is_loaded = asyncio.Event()

    async def run(self, mentions: Channel[Mention], scored: Channel[Scored], at_most: int = AT_MOST) -> None:
        """Score until `mentions` is closed and empty or nobody reads `scored` any more; then close both.

        Raises:
            ModelError: the model cannot be loaded.
        """
        done: Channel[list[Scored]] = Channel(1)
        try:
            self._model = await in_daemon_thread(self._load)
            self.model = signature(self._model)
            self._is_loaded.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._score(mentions, done, at_most), name="score mentions")
                tasks.create_task(self._send(mentions, done, scored), name="send scored mentions")
        finally:
            await mentions.close()
            await scored.close()

    async def judge(self, mentions: Sequence[Mention]) -> list[Scored]:
        """Score mentions at once, as soon as there is a model; those that it cannot judge count as neutral."""
        model = await self._loaded()
        with self.timing.measured():
            scores, failures = await asyncio.to_thread(judge, model, [mention.post.text for mention in mentions])
        if failures:
            self.failed += len(failures)
            self._trouble(
                f"The sentiment model {self.model} could not judge {len(failures)} of {len(mentions)} posts "
                f"({failures[-1]}); they count as neutral. If this repeats, restore the model's folder."
            )
        return [
            Scored(mention, *(some or NEUTRAL), model=self.model, judged=some is not None)
            for mention, some in zip(mentions, scores, strict=True)
        ]

    async def _loaded(self) -> Model:
        while self._model is None:
            await self._is_loaded.wait()
        return self._model

    async def _score(self, mentions: Channel[Mention], done: Channel[list[Scored]], at_most: int) -> None:
        try:
            while True:
                await done.send(await self.judge(await mentions.receive(at_most)))
        except Closed:
            await done.close()

    async def _send(self, mentions: Channel[Mention], done: Channel[list[Scored]], scored: Channel[Scored]) -> None:
        try:
            while True:
                [batch] = await done.receive()
                for item in batch:
                    await scored.send(item)
                    self.scored += 1
                del batch, item  # what was judged is not kept here until somebody speaks again
        except Closed:
            await done.close()
            await mentions.close()
