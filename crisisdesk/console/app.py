"""The console: opens the main screen, hands every new picture to the screens, and calls when it gets worse."""

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.events import Event, Key
from textual.screen import Screen

from crisisdesk.console import words
from crisisdesk.console.overtyping import Overtyping
from crisisdesk.console.paint import plain
from crisisdesk.console.pictures import Alarms, PictureTaken, pictures
from crisisdesk.console.screens.desk_screen import DeskScreen
from crisisdesk.console.screens.dialogs import Reading
from crisisdesk.console.screens.form import Question
from crisisdesk.console.screens.main import MainScreen
from crisisdesk.console.terminal import held_to_nothing
from crisisdesk.console.themes import COLOURS, DARK, LIGHT
from crisisdesk.console.times import Times
from crisisdesk.desk import Desk
from crisisdesk.records import Incident, Severity

CALL_SECONDS = 15


class Console(App[None]):
    """Shows a desk to a person and lets them act; it knows nothing that is not in the last picture."""

    TITLE = "crisisdesk"
    CSS_PATH = "console.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", id="quit", tooltip="End the console at once", priority=True),
        Binding("ctrl+p", "command_palette", "Search", show=False, tooltip="Find a command by its name", priority=True),
    ]

    def __init__(
        self, desk: Desk, person: str, zone: tzinfo | None = None, shown: Callable[[], None] = lambda: None
    ) -> None:
        """Prepare the console.

        Args:
            desk: what it shows.
            person: who sits in front of it.
            zone: by whose clocks it tells the time, None for the machine's own.
            shown: called when the first frame is on the screen.
        """
        super().__init__()
        self._shown = shown
        self._desk = desk
        self._person = person
        self._times = Times(zone)
        self._alarms = Alarms()
        self._overtyping = Overtyping()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = DARK.name

    def get_driver_class(self) -> type[Driver]:
        return held_to_nothing(super().get_driver_class())

    def get_default_screen(self) -> Screen[None]:
        return MainScreen(self._desk, self._person, self._times)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return COLOURS

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What people can do on the screen, once each; moving about is left to the keys."""
        found = {
            binding.action: SystemCommand(binding.description, tooltip, lambda action=binding.action: self._do(action))
            for node, binding, enabled, tooltip in screen.active_bindings.values()
            if enabled and tooltip and node in (screen, self) and binding.action != "command_palette"
        }
        yield from found.values()
        yield SystemCommand("Colours", "Dark, light, or other colours of the screen", self.action_change_theme)

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key):
            await super().on_event(event)
        elif self._overtyping.takes(event):
            if self._overtyping.swallowed == 1:
                self.notify("The window had closed already: what was typed on did nothing.", markup=False)
        elif not event.is_printable or not self._is_opening():
            await super().on_event(event)

    def _is_opening(self) -> bool:
        """Whether a window is on its way: what is typed for it already is no key of the screen below."""
        on_its_way = any(worker.group == "dialog" and worker.is_running for worker in self.workers)
        return on_its_way and not isinstance(self.screen, Question)

    def pop_screen(self) -> AwaitComplete:
        if isinstance(self.screen, Question) and self.screen.answered:
            self._overtyping.closed()  # here, as no key that comes later has been looked at yet
        return super().pop_screen()

    def on_mount(self) -> None:
        self._keep_picture()

    def on_ready(self) -> None:
        self._shown()

    def on_picture_taken(self, message: PictureTaken) -> None:
        if not self.is_running:
            return  # the screens are being taken down
        for screen in self.screen_stack:
            if isinstance(screen, DeskScreen | Reading):
                screen.picture = message.picture
        for incident in self._alarms.new(message.picture):
            self._call(incident)

    @work(group="picture", exclusive=True)
    async def _keep_picture(self) -> None:
        async for picture in pictures(self._desk):
            self.post_message(PictureTaken(picture))

    def _call(self, incident: Incident) -> None:
        self.bell()
        self.notify(
            plain(words.headline(incident)).plain,
            title=plain(words.alarm(incident), cells=70).plain,
            severity="error" if incident.severity is Severity.RED else "warning",
            timeout=CALL_SECONDS,
            markup=False,
        )

    @work(group="command")
    async def _do(self, action: str) -> None:
        await self.run_action(action, default_namespace=self.screen)
