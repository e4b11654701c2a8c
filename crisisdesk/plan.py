"""What a run of the desk consists of; the command line writes it, `app` makes it so."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from crisisdesk.clock import Clock
from crisisdesk.detect.planned import Planned
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import CHART_HOURS, WatchDetector
from crisisdesk.language import Reader
from crisisdesk.language import load as load_reader
from crisisdesk.match import WatchRule
from crisisdesk.oncall.chain import Orders
from crisisdesk.outputs.base import Output, PersonalOutput
from crisisdesk.privacy.terms import Terms
from crisisdesk.sentiment.base import Model
from crisisdesk.sources.base import Source

if TYPE_CHECKING:
    from crisisdesk.app import App


class Standing(Protocol):
    """What is agreed about calling people, and may be edited while the desk runs."""

    @property
    def current(self) -> Orders:
        """Whom incidents call, as it stands now."""

    @property
    def planned(self) -> Sequence[Planned]:
        """What was announced, so that much will be said."""

    @property
    def trouble(self) -> str:
        """What is wrong with the last edit, and what to do; empty while nothing is."""

    async def watch(self, changed: Callable[[], None]) -> None:
        """Take over what is edited, until cancelled; `changed` is called after each edit."""


class Service(Protocol):
    """What others reach the desk by while it runs."""

    @property
    def trouble(self) -> str:
        """Why they cannot, and what to do; empty while nothing is wrong."""

    @property
    def is_open(self) -> bool:
        """Whether they can already."""

    async def run(self) -> None:
        """Be there for them until cancelled."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What is agreed once and for all; nothing, unless somebody says so: nobody is called."""

    current: Orders = field(default_factory=Orders)
    planned: Sequence[Planned] = ()
    trouble: str = ""

    async def watch(self, changed: Callable[[], None]) -> None:
        """Nobody edits it."""


@dataclass(slots=True)
class Plan:
    """Watches, sources, outputs, and what they need."""

    watches: Mapping[WatchRule, Standard]
    """Each watch and by what it is judged."""
    sources: Sequence[Source]
    database: Path
    playbooks: Path
    clock: Clock
    load_model: Callable[[], Model]
    load_reader: Callable[[], Reader] = load_reader
    """Makes what tells the language of posts without a mark; like the model, in a thread, when the first one comes."""
    outputs: Callable[["App"], Sequence[Output | PersonalOutput]] = lambda _: ()
    service: Callable[["App"], Service] | None = None
    """Makes what consoles and programmes elsewhere reach the desk by; None where nothing does."""
    standing: Standing = Agreed()
    """What is agreed about calling people."""
    live: bool = False
    """Posts come from the present: time passes also where nobody speaks, and what is learnt is kept."""
    stays: bool = False
    """It goes on when its sources have ended, until it is stopped: somebody sits at its console."""
    open_to_tags: bool = False
    """A tag of a post that no watch has makes a watch of its own."""
    answers: Collection[str] = ()
    """Watches whose posts are looked through for those that need an answer."""
    privacy: Terms = field(default_factory=Terms)
    """How long posts are kept, and whether their authors are known by name."""
    secrets: Sequence[Path] = ()
    """Files with secrets, which only their owner should be able to read."""
    chart_hours: int | None = CHART_HOURS
    follow: Callable[[WatchDetector], None] = lambda _: None
    """Called with the detector of every watch before it hears its first post."""
    notice: str = ""
    person: str = ""
    """Who sits at the console; empty for whom the machine says."""
    zone: tzinfo | None = None
    """By whose clocks people read the console; None for the machine's own."""
