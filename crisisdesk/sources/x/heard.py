"""What was said on X: sent once if it concerns a watch, corrected when its author edits it."""

import asyncio
from collections import OrderedDict
from typing import Final

from crisisdesk.records import Correction
from crisisdesk.sources.base import Edge
from crisisdesk.sources.x.posts import SOURCE, Said

REMEMBERED: Final = 20_000
"""Posts that are known to have been heard, newest kept."""


class Heard:
    """What has been heard, as far as it is remembered.

    What comes now and what was missed are taken in by turns, so that each is known to the other.
    """

    def __init__(self) -> None:
        self.posts = 0
        """What was said, whatever it concerns."""
        self._turns = asyncio.Lock()
        self._known: OrderedDict[str, tuple[int, bool]] = OrderedDict()
        """The newest version of each post, and whether it was sent."""

    async def say(self, said: Said, edge: Edge) -> None:
        """Send what was said, once; what was edited reads otherwise now, and may concern a watch only now."""
        async with self._turns:
            version, is_sent = self._known.get(said.post.id, (-1, False))
            if said.version <= version:
                return
            self.posts += 1
            if said.is_edit:
                await edge.correct(Correction(SOURCE, said.post.id, said.post.text))
            if not is_sent and (watches := edge.concerns(said.post.text, said.post.author) or said.quoted_for):
                await edge.send(said.post, watches)
                is_sent = True
            self._known[said.post.id] = said.version, is_sent
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
