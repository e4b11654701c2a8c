"""What the desk's screens have in common: the frame, the picture, and how what people do is told."""

from collections.abc import Awaitable
from typing import Final

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer

from crisisdesk.console.paint import plain
from crisisdesk.console.screens.dialogs import Help, Reading, conditions_page
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.bars import DeskBar, NoticeLine, StatusLine, out_of_reach
from crisisdesk.desk import Desk, Picture
from crisisdesk.errors import CrisisdeskError
from crisisdesk.records import EPOCH

ON_EVERY_SCREEN: Final[list[BindingType]] = [
    Binding(
        "d",
        "conditions",
        "Desk",
        id="conditions",
        show=False,
        tooltip="How the desk is doing: on call, sources, model, outputs, troubles in full",
    ),
    Binding(
        "question_mark",
        "help",
        "Help",
        id="help",
        key_display="?",
        tooltip="All keys, and what the words and signs on the screen mean",
    ),
]
"""Keys that subclasses put behind their own, as they stand at the bottom in this order."""


class DeskScreen(Screen[None]):
    """The frame of a screen that shows the desk; subclasses put a body into it."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012 - as above

    # Of an ended recording one picture is like the other, and playbooks are edited all the same.
    picture: reactive[Picture] = reactive(Picture(now=EPOCH), init=False, always_update=True)

    def __init__(self, desk: Desk, person: str, times: Times) -> None:
        super().__init__()
        self._desk = desk
        self._person = person
        self._times = times

    def compose(self) -> ComposeResult:
        yield DeskBar(self._person, self._times)
        yield NoticeLine(self._times)
        yield from self.compose_body()
        yield StatusLine()
        yield Footer(show_command_palette=False, compact=True)

    def compose_body(self) -> ComposeResult:
        """What stands between notice and status line; in the bare frame, nothing."""
        return ()

    def show(self, picture: Picture) -> None:
        """Bring what is on the screen up to date."""
        self.set_class(picture.lost is not None, "-lost")
        self.query_one(DeskBar).show(picture)
        self.query_one(NoticeLine).show(picture)
        self.query_one(StatusLine).show(picture)

    def on_mount(self) -> None:
        self.show(self.picture)

    def watch_picture(self, picture: Picture) -> None:
        if self.is_mounted:  # the first picture may be there before the widgets are; `on_mount` shows it
            self.show(picture)

    async def action_help(self) -> None:
        await self.app.push_screen(Help(self, self._times.name(self.picture.now)))

    async def action_conditions(self) -> None:
        await self.app.push_screen(Reading("Status", self.picture, conditions_page))

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """A message that passes; never markup."""
        self.notify(plain(text).plain, severity="error" if wrong else "information", markup=False)

    def may_act(self) -> bool:
        """Whether anything can be done from here; says so where not, before anybody fills in a window in vain."""
        if why := self.picture.barred or out_of_reach(self.picture):
            self.tell(why, wrong=True)
        return not why

    @work(group="action")
    async def act(self, deed: Awaitable[object], done: str) -> None:
        """Do it, and say what came of it."""
        await self.tried(deed, done)

    async def tried(self, deed: Awaitable[object], done: str) -> bool:
        """Do it, say what came of it, and return whether it was done."""
        try:
            await deed
        except CrisisdeskError as error:
            self.tell(str(error), wrong=True)
        except Exception as error:  # noqa: BLE001 - a broken desk must not take the screen down with it
            self.tell(f"That did not work ({type(error).__name__}: {error}); try again.", wrong=True)
        else:
            self.tell(done)
            return True
        return False
