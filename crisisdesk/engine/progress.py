"""Which mentions are under way, which have gone through, and where each source can go on without losing one of them.

A mention is under way from the moment at which a source hands it over until the windows have counted it. Mentions of
one source go through in the order in which they came, so all before the oldest that is under way has reached the
windows: there the source can go on. What has gone through is remembered by eight bytes, over a restart too, since a
source that goes on repeats a little.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from crisisdesk.records import Correction
from crisisdesk.sources.base import Source
from crisisdesk.text import digest
from crisisdesk.timing import Timing

KNOWN: Final = 200_000
"""Mentions that are recognised when they are delivered again: this many at most, the newest half of it at least."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Where the desk stands at one moment: what the windows have counted, and what follows from it."""

    cursors: dict[str, str]
    """Where each source can go on, by its name; without those that have come nowhere yet."""
    gone_through: tuple[int, ...]
    """Digests of the mentions that have gone through since this was last written down, oldest first."""


class Digests:
    """Texts that are known again by eight bytes each: `KNOWN` at most, the newest half of them at least."""

    def __init__(self) -> None:
        self._newer: set[int] = set()
        self._older: set[int] = set()

    def __contains__(self, number: int) -> bool:
        return number in self._newer or number in self._older

    def add(self, number: int) -> None:
        """Know it from now on."""
        if len(self._newer) >= KNOWN // 2:
            self._older, self._newer = self._newer, set()
        self._newer.add(number)

    def discard(self, number: int) -> None:
        """Know it no longer."""
        self._newer.discard(number)
        self._older.discard(number)


class Progress:
    """Recognises mentions, and knows how far each source has come."""

    def __init__(self, *, keeps: bool = True) -> None:
        """Make one; `keeps` says whether what has gone through is to be written down."""
        self._keeps = keeps
        self._corrections: dict[int, Correction] = {}
        self._known = Digests()
        self._concerned = Digests()
        self._source_of: dict[int, str] = {}
        self._marks: dict[int, tuple[str, ...]] = {}
        self._under_way: dict[str, OrderedDict[int, str | None]] = {}
        self._gone_through: list[int] = []
        self._began: dict[int, float] = {}
        self.timing = Timing()
        """How long mentions are under way, those that are dropped among them."""

    def __len__(self) -> int:
        """How many mentions are under way."""
        return len(self._source_of)

    def knows(self, key: str) -> bool:
        """Whether this mention is under way or has gone through, as far as is remembered."""
        return digest(key) in self._known

    def is_under_way(self, key: str) -> bool:
        """Whether it has come in and not gone through."""
        return digest(key) in self._source_of

    def homeless(self, source: str) -> int:
        """How many mentions of a source are under way that it could not send again: it did not know where it was."""
        return sum(cursor is None for cursor in self._under_way.get(source, {}).values())

    def heard_of(self, correction: Correction) -> bool:
        """Whether a correction may mean something that this run has heard, as far as is remembered."""
        number = digest(correction.mark)
        return number in self._known or number in self._concerned

    def begin(self, source: str, key: str, cursor: str | None, marks: Sequence[str] = ()) -> None:
        """A mention that is not known comes in.

        Args:
            source: who hands it over.
            key: of the post.
            cursor: where the source could go on before it.
            marks: by what a correction may mean it.
        """
        number = digest(key)
        self._known.add(number)
        self._marks[number] = (key, *marks)
        for mark in marks:
            self._concerned.add(digest(mark))
        self._source_of[number] = source
        self._began[number] = self.timing.now()
        self._under_way.setdefault(source, OrderedDict())[number] = cursor

    def end(self, key: str) -> None:
        """It has gone through, or was dropped; unknown ones are ignored."""
        number = digest(key)
        if (source := self._source_of.pop(number, None)) is not None:
            del self._under_way[source][number]
            self.timing.note(self._began.pop(number))
            self._corrections.pop(number, None)
            del self._marks[number]
            if self._keeps:
                self._gone_through.append(number)

    def forget(self, key: str) -> None:
        """It was not taken in after all."""
        number = digest(key)
        del self._under_way[self._source_of.pop(number)][number], self._marks[number], self._began[number]
        self._known.discard(number)

    def correct(self, correction: Correction) -> int:
        """Mentions that are under way read otherwise now, or are gone; how many."""
        meant = [number for number, marks in self._marks.items() if correction.mark in marks]
        self._corrections |= dict.fromkeys(meant, correction)
        return len(meant)

    def correction_of(self, key: str) -> Correction | None:
        """What became of a mention while it was under way."""
        return self._corrections.get(digest(key)) if self._corrections else None

    def let_go(self, key: str) -> None:
        """A mention of an earlier run concerns no watch any more: nobody need keep it."""
        self._gone_through.append(digest(key))

    def erased(self, numbers: Iterable[int]) -> None:
        """The posts of these digests were erased, and are no news if they come again: for as long as can be."""
        for number in numbers:
            self._known.add(number)

    def reached(self, sources: Iterable[Source]) -> Reached:
        """Where the desk stands; what it returns as gone through is the caller's to write down, or to give back."""
        cursors = {source.name: cursor for source in sources if (cursor := self._cursor(source)) is not None}
        gone_through, self._gone_through = tuple(self._gone_through), []
        return Reached(cursors, gone_through)

    def give_back(self, reached: Reached) -> None:
        """It could not be written down: the next time it is due again; of very many, the newest."""
        self._gone_through = [*reached.gone_through, *self._gone_through][-KNOWN:]

    @property
    def unwritten(self) -> int:
        """Mentions that have gone through since that was last written down."""
        return len(self._gone_through)

    def restore(self, gone_through: Iterable[int]) -> None:
        """Recognise what earlier runs have written down, oldest first."""
        for number in gone_through:
            self._known.add(number)

    def _cursor(self, source: Source) -> str | None:
        waiting = self._under_way.get(source.name)
        return next(iter(waiting.values())) if waiting else source.cursor
