"""What the desk's screens have in common: the frame, the picture, and what people can do to an incident."""

from collections.abc import Awaitable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Footer

from crisisdesk.console.paint import plain
from crisisdesk.console.screens.dialogs import Help, NoteDialog, Reading, VerdictDialog, conditions_page
from crisisdesk.console.screens.hand_over import HandOverDialog
from crisisdesk.console.screens.silence import SilenceDialog
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.bars import DeskBar, NoticeLine, StatusLine
from crisisdesk.desk import Desk, Picture
from crisisdesk.errors import CrisisdeskError
from crisisdesk.records import EPOCH, Incident


class DeskScreen(Screen[None]):
    """The frame of a screen that shows the desk; subclasses put a body into it and say which incident the keys mean."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - Textual declares it so
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012 - as above
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "acknowledge", "Acknowledge", id="acknowledge", tooltip="I have it: the calling stops"),
        Binding("h", "hand_over", "Hand over", id="hand-over", tooltip="Ask somebody else to take it, with a word"),
        Binding("s", "silence", "Silence", id="silence", tooltip="Nobody is called for a while; or lift that again"),
        Binding("n", "note", "Note", id="note", tooltip="Write something down in the incident's timeline"),
        Binding("r", "resolve", "Resolve", id="resolve", tooltip="It is over, or was: say what it was"),
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

    # Of an ended recording one picture is like the other, and playbooks are edited all the same.
    picture: reactive[Picture] = reactive(Picture(now=EPOCH), init=False, always_update=True)

    def __init__(self, desk: Desk, person: str, times: Times) -> None:
        super().__init__()
        self._desk = desk
        self._person = person
        self._times = times

    def compose(self) -> ComposeResult:
        yield DeskBar(self._person, self._times)
        yield NoticeLine()
        yield from self.compose_body()
        yield StatusLine()
        yield Footer(show_command_palette=False, compact=True)

    def compose_body(self) -> ComposeResult:
        """What stands between notice and status line; in the bare frame, nothing."""
        return ()

    def show(self, picture: Picture) -> None:
        """Bring what is on the screen up to date."""
        self.query_one(DeskBar).show(picture)
        self.query_one(NoticeLine).show(picture)
        self.query_one(StatusLine).show(picture)

    @property
    def incident(self) -> Incident | None:
        """The incident that the keys act on, if the body shows one."""
        return None

    def on_mount(self) -> None:
        self.show(self.picture)

    def watch_picture(self, picture: Picture) -> None:
        if self.is_mounted:  # the first picture may be there before the widgets are; `on_mount` shows it
            self.show(picture)

    def action_acknowledge(self) -> None:
        if incident := self._chosen():
            self._act(
                self._desk.acknowledge(incident.id, self._person), f"You have {incident.watch}. The calling stops."
            )

    def action_note(self) -> None:
        if incident := self._chosen():
            self._ask_for_note(incident)

    def action_resolve(self) -> None:
        if incident := self._chosen():
            self._ask_for_verdict(incident)

    def action_silence(self) -> None:
        if (incident := self._chosen()) and (incident.is_silent(self.picture.now) or self._is_open(incident)):
            self._ask_for_silence(incident)

    def action_hand_over(self) -> None:
        if (incident := self._chosen()) and self._is_open(incident):
            self._ask_for_hand_over(incident)

    async def action_help(self) -> None:
        await self.app.push_screen(Help(self, self._times.name(self.picture.now)))

    async def action_conditions(self) -> None:
        await self.app.push_screen(Reading("Status", self.picture, conditions_page))

    def tell(self, text: str, *, wrong: bool = False) -> None:
        """A message that passes; never markup."""
        self.notify(plain(text).plain, severity="error" if wrong else "information", markup=False)

    @work(group="dialog", exclusive=True)
    async def _ask_for_note(self, incident: Incident) -> None:
        text = await self.app.push_screen_wait(NoteDialog(incident.watch))
        if text is not None:
            self._act(self._desk.note(incident.id, self._person, text), "Noted.")

    @work(group="dialog", exclusive=True)
    async def _ask_for_verdict(self, incident: Incident) -> None:
        verdict = await self.app.push_screen_wait(VerdictDialog(incident))
        if verdict is not None and incident.is_open:
            self._act(self._desk.resolve(incident.id, self._person, verdict), f"{incident.watch} is over: {verdict}.")
        elif verdict is not None:
            self._act(self._desk.judge(incident.id, self._person, verdict), f"{incident.watch} was: {verdict}.")

    @work(group="dialog", exclusive=True)
    async def _ask_for_silence(self, incident: Incident) -> None:
        asked = await self.app.push_screen_wait(SilenceDialog(incident, self._times, lambda: self.picture.now))
        if asked is not None and asked.until is None:
            self._act(self._desk.lift(incident.id, self._person), f"{incident.watch} is not silent any more.")
        elif asked is not None and asked.until is not None:
            done = f"{incident.watch} is silent until {self._times.when(asked.until)}, or until it gets worse."
            self._act(self._desk.silence(incident.id, self._person, asked.until, asked.reason), done)

    @work(group="dialog", exclusive=True)
    async def _ask_for_hand_over(self, incident: Incident) -> None:
        asked = await self.app.push_screen_wait(HandOverDialog(incident, self._person, self.picture.people))
        if asked is not None:
            done = f"{asked.to} is asked to take {incident.watch}."
            self._act(self._desk.assign(incident.id, self._person, asked.to, asked.word), done)

    @work(group="action")
    async def _act(self, deed: Awaitable[Incident], done: str) -> None:
        try:
            await deed
        except CrisisdeskError as error:
            self.tell(str(error), wrong=True)
        except Exception as error:  # noqa: BLE001 - a broken desk must not take the screen down with it
            self.tell(f"That did not work ({type(error).__name__}: {error}); try again.", wrong=True)
        else:
            self.tell(done)

    def _is_open(self, incident: Incident) -> bool:
        """Whether it is; says so where it is not, before anybody fills in a window in vain."""
        if not incident.is_open:
            self.tell(f"{incident.watch} is over: nobody is called for it.", wrong=True)
        return incident.is_open

    def _chosen(self) -> Incident | None:
        if self.incident is None:
            self.tell("There is no incident to act on.")
        return self.incident
