"""The small windows above a screen: a note, a verdict, the conditions of the desk, the keys."""

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from crisisdesk.console import words
from crisisdesk.console.paint import plain
from crisisdesk.console.screens.form import Question
from crisisdesk.console.widgets.bars import troubles_of, well
from crisisdesk.console.widgets.legend import legend_lines
from crisisdesk.console.widgets.page import BLANK, Line, Page, heading
from crisisdesk.console.widgets.sheet import Sheet
from crisisdesk.desk import Picture
from crisisdesk.records import EPOCH, Incident, Verdict
from crisisdesk.text import clean

NOTE_LENGTH = 2_000


class NoteDialog(Question[str]):
    """Asks for a note; enter saves it, escape leaves without one."""

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
        self.answer(clean(event.value, NOTE_LENGTH))


class VerdictDialog(Question[Verdict]):
    """Asks what it was: one is chosen, then enter ends an incident that is open; escape leaves all as it is.

    Nothing is chosen beforehand and no single key decides: who types on in the wrong window must not end an incident.
    """

    MEANING: ClassVar[dict[Verdict, str]] = {
        Verdict.REAL: "people were angry, and it concerned us",
        Verdict.FALSE_ALARM: "the call was not needed",
        Verdict.PLANNED: "we caused it: a launch, a campaign",
    }

    def __init__(self, incident: Incident) -> None:
        super().__init__()
        self._incident = incident
        self._clicked: int | None = None

    def compose(self) -> ComposeResult:
        one, so_far = self._incident, f" So far: {self._incident.verdict}." if self._incident.verdict else ""
        with Vertical(classes="dialog") as window:
            window.border_title = "Resolve" if one.is_open else "Verdict"
            yield Static(Content.assemble(plain(one.watch, "bold", cells=40), f" is over. What was it?{so_far}"))
            choices = OptionList(
                *(
                    Option(Content.assemble((f"{n}  ", "$faint"), (f"{verdict:12}", "bold"), (meaning, "$faint")))
                    for n, (verdict, meaning) in enumerate(self.MEANING.items(), start=1)
                )
            )
            choices.highlighted = None
            yield choices
            if one.is_open:
                yield Static(Content(words.stays_over(one)))
            yield Static(Content.styled("1, 2 or 3 chooses, then enter; escape goes back", "$faint"), id="hint")

    def on_key(self, event: events.Key) -> None:
        """At once: a key binding would come after the window has gone, and act on the screen below."""
        if event.key == "enter":
            self._decide()
        elif event.character and event.character in "123":
            self.query_one(OptionList).highlighted = int(event.character) - 1
        elif not event.is_printable:
            return
        event.stop()

    def on_option_list_option_highlighted(self) -> None:
        if (verdict := self._chosen) is not None:
            named = f"a {verdict}" if verdict is Verdict.FALSE_ALARM else verdict
            self._hint(f"enter: it was {named}; escape goes back", "$faint")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click chooses, as it may only have been meant for the terminal's window; a second one decides."""
        if event.option_index == self._clicked:
            self._decide()
        self._clicked = event.option_index

    @property
    def _chosen(self) -> Verdict | None:
        index = self.query_one(OptionList).highlighted
        return None if index is None else tuple(Verdict)[index]

    def _decide(self) -> None:
        if self._chosen is None:
            self._hint("Nothing is chosen: choose 1, 2 or 3, then enter.", "$warning")
        else:
            self.answer(self._chosen)

    def _hint(self, text: str, ink: str) -> None:
        self.query_one("#hint", Static).update(Content.styled(text, ink))


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
