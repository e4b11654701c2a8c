"""The small windows above a screen: a note, a verdict, the conditions of the desk, the keys."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from crisisdesk.console.paint import plain
from crisisdesk.console.widgets.bars import troubles_of, well
from crisisdesk.console.widgets.legend import legend_lines
from crisisdesk.console.widgets.page import BLANK, Line, Page, heading
from crisisdesk.console.widgets.sheet import Sheet
from crisisdesk.desk import Picture
from crisisdesk.records import EPOCH, Incident, Verdict
from crisisdesk.text import clean

NOTE_LENGTH = 2_000


class NoteDialog(ModalScreen[str | None]):
    """Asks for a note; enter saves it, escape leaves without one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]

    def __init__(self, watch: str) -> None:
        super().__init__()
        self._watch = watch

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as window:
            window.border_title = "Note"
            yield Static(Content.assemble("For the timeline of ", plain(self._watch, "bold", cells=40)))
            yield Input(placeholder="What should the next one know?", max_length=NOTE_LENGTH)
            yield Static(Content.styled("enter saves, escape goes back", "$faint"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        _ = self.dismiss(clean(event.value, NOTE_LENGTH))


class VerdictDialog(ModalScreen[Verdict | None]):
    """Asks what it was; choosing ends an incident that is open, escape leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        *(Binding(str(n), f"choose({n - 1})", verdict, show=False) for n, verdict in enumerate(Verdict, start=1)),
    ]
    MEANING: ClassVar[dict[Verdict, str]] = {
        Verdict.REAL: "people were angry, and it concerned us",
        Verdict.FALSE_ALARM: "the call was not needed",
        Verdict.PLANNED: "we caused it: a launch, a campaign",
    }

    def __init__(self, incident: Incident) -> None:
        super().__init__()
        self._incident = incident

    def compose(self) -> ComposeResult:
        one, so_far = self._incident, f" So far: {self._incident.verdict}." if self._incident.verdict else ""
        with Vertical(classes="dialog") as window:
            window.border_title = "Resolve" if one.is_open else "Verdict"
            yield Static(Content.assemble(plain(one.watch, "bold", cells=40), f" is over. What was it?{so_far}"))
            yield OptionList(
                *(
                    Option(Content.assemble((f"{n}  ", "$faint"), (f"{verdict:12}", "bold"), (meaning, "$faint")))
                    for n, (verdict, meaning) in enumerate(self.MEANING.items(), start=1)
                )
            )
            yield Static(Content.styled("enter or 1, 2, 3 decides, escape goes back", "$faint"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose(event.option_index)

    def action_choose(self, index: int) -> None:
        """End the incident with the verdict at this place of the list."""
        _ = self.dismiss(tuple(Verdict)[index])


class Reading(ModalScreen[None]):
    """Something to read, of the newest picture for as long as it is open; any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,d,question_mark", "dismiss", "Back", key_display="esc"),
    ]

    picture: reactive[Picture] = reactive(Picture(now=EPOCH), init=False, always_update=True)

    def __init__(self, title: str, picture: Picture, draw: Callable[[Picture], Page]) -> None:
        super().__init__()
        self._title = title
        self._draw = draw
        self.set_reactive(Reading.picture, picture)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog -large") as window:
            window.border_title = self._title
            window.border_subtitle = "arrows scroll, escape goes back"
            yield Sheet(id="reading")

    def on_mount(self) -> None:
        self._show()

    def watch_picture(self) -> None:
        if self.is_mounted:
            self._show()

    def _show(self) -> None:
        self.query_one(Sheet).put(self._draw(self.picture))


def conditions_page(picture: Picture) -> Page:
    """Sources, model, outputs, troubles and what sources cost in full, however long they are."""
    wrong = [Line(trouble, sign=Content.styled("! ", "bold $error")) for trouble in troubles_of(picture)]
    running = [Line(part) for part in well(picture).split(" · ")]
    nothing = [Line(Content("Nothing."))]
    notes = [Line(plain(f"{source.name}: {source.note}")) for source in picture.sources if source.note]
    known = [BLANK, heading("What to know"), *notes] if notes else []
    return Page([heading("What is wrong"), *(wrong or nothing), BLANK, heading("What runs"), *running, *known])


class Help(Reading):
    """The keys that work on the screen below, as it declares them, and what the words on it mean."""

    def __init__(self, screen: Screen[None], zone: str) -> None:
        lines: dict[str, Line] = {}
        for _, binding, enabled, tooltip in sorted(
            screen.active_bindings.values(), key=lambda active: not active.binding.show
        ):
            if enabled and tooltip:  # what has none are the ways to scroll that every terminal program shares
                lines.setdefault(binding.action, _key_line(binding, tooltip))
        page = Page([heading("Keys"), *lines.values(), BLANK, *legend_lines(zone)])
        super().__init__("Help", Picture(now=EPOCH), lambda _: page)


def _key_line(binding: Binding, tooltip: str) -> Line:
    key = binding.key_display or binding.key
    sign = Content.assemble((f"{key:>14}  ", "bold $accent"), f"{binding.description:13}")
    return Line(Content.styled(tooltip, "$faint"), sign=sign)
