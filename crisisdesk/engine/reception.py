"""How well each source is received: its own word, and what was counted behind its edge."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from crisisdesk.engine.intake import Intake, Tally
from crisisdesk.engine.listening import Ear
from crisisdesk.engine.silences import Silences
from crisisdesk.records import SourceStatus, Spike
from crisisdesk.sources.base import Source


class Reception:
    """All sources of a desk, and their edges once there are any."""

    def __init__(self, sources: Sequence[Source], tally: Tally, silences: Silences) -> None:
        self.edges: dict[str, Intake] = {}
        self.fatal: dict[str, str] = {}
        """Why a source will never deliver as it is set up, by its name."""
        self._sources = sources
        self._tally = tally
        self._silences = silences

    def statuses(self) -> list[SourceStatus]:
        """How every source is doing; one that is connected and silent for longer than is plausible is blind."""
        return [self._silences.told(self._status(source)) for source in self._sources]

    def listen(self, now: datetime) -> tuple[Spike, ...]:
        """Whether each source is heard as often as it should be: what there is to say of silences."""
        held_up = [
            source.name
            for source in self._sources
            if not source.pushes and (edge := self.edges.get(source.name)) is not None and len(edge)
        ]
        raw = [Ear(self._status(source), source.pushes) for source in self._sources]
        return self._silences.look(now, raw, held_up)

    def ears(self) -> list[Ear]:
        """The sources as the desk hears them."""
        return [
            Ear(
                status,
                source.pushes,
                goes_back=source.cursor is not None or not source.pushes,  # what does not push is kept for us elsewhere
                latest=status.latest or self._tally.latest.get(source.name),
            )
            for source, status in zip(self._sources, self.statuses(), strict=True)
        ]

    def begun(self) -> set[str]:
        """Names of the sources that know where they are."""
        return {source.name for source in self._sources if source.cursor is not None}

    @property
    def waiting(self) -> int:
        """Mentions that wait at the edges."""
        return sum(map(len, self.edges.values()))

    @property
    def lost(self) -> int:
        """Mentions under way that do not come again if the desk stops now."""
        return sum(edge.lost for edge in self.edges.values())

    def has_failed(self) -> str:
        """Why nothing can be heard any more; empty while at least one source may still deliver."""
        return " ".join(self.fatal.values()) if len(self.fatal) == len(self._sources) else ""

    def _status(self, source: Source) -> SourceStatus:
        status, edge = source.status(), self.edges.get(source.name)
        dropped = edge.dropped if edge is not None else 0
        status = replace(status, matched=self._tally.matched[source.name], dropped=dropped)
        if trouble := self.fatal.get(source.name):
            status = replace(status, state="failed", trouble=trouble)
        return status
