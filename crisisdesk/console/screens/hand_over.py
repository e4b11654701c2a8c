"""The window that asks who is to take an incident, and how things stand."""

from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from crisisdesk.console.paint import plain
from crisisdesk.records import Incident
from crisisdesk.text import clean

NAME_LENGTH: Final = 100
WORD_LENGTH: Final = 2_000
DIGITS: Final = 9
"""Of a list so many can be chosen by their number."""
KEYS: Final = "enter goes on, escape goes back"


class HandOver(NamedTuple):
    """Who is asked, and what they are told."""

    to: str
    word: str


class HandOverDialog(ModalScreen[HandOver | None]):
    """Asks for a name, by a list of those whom the desk knows or freely, and for a word; escape leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back"),
        *(Binding(str(n), f"choose({n - 1})", show=False) for n in range(1, DIGITS + 1)),
    ]

    def __init__(self, incident: Incident, person: str, people: Sequence[str]) -> None:
        super().__init__()
        self._incident = incident
        self._person = person
        self._people = [clean(one, NAME_LENGTH) for one in people if one.casefold() != person.casefold()]

    def compose(self) -> ComposeResult:
        watch = plain(self._incident.watch, "bold", cells=40)
        holder = plain(self._incident.acknowledged_by or "Nobody", cells=30)
        with Vertical(classes="dialog -form") as window:
            window.border_title = "Hand over"
            yield Static(Content.assemble("Who is to take ", watch, "? ", holder, " has it until they do."))
            if self._people:
                yield OptionList(
                    *(
                        Option(Content.assemble((f"{n}  " if n <= DIGITS else "   ", "$faint"), plain(person)))
                        for n, person in enumerate(self._people, start=1)
                    )
                )
            suggested = SuggestFromList(self._people, case_sensitive=False)
            yield Input(id="to", placeholder="To whom?", max_length=NAME_LENGTH, suggester=suggested)
            yield Input(id="word", placeholder="How do things stand?", max_length=WORD_LENGTH)
            yield Static(Content.styled(KEYS, "$faint"), id="hint")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose(event.option_index)

    def action_choose(self, index: int) -> None:
        """Take the person at this place of the list, and go on with the word."""
        if index < len(self._people):
            self.query_one("#to", Input).value = self._people[index]
            self.query_one("#word").focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        to = clean(self.query_one("#to", Input).value, NAME_LENGTH)
        if not to:
            self._refuse("Nobody is named. Choose somebody, or write a name.")
        elif to.casefold() == self._person.casefold():
            self._refuse("That is you. Press a on the incident to take it yourself.")
        elif event.input.id == "to":
            self.query_one("#word").focus()
        else:
            _ = self.dismiss(HandOver(to, clean(self.query_one("#word", Input).value, WORD_LENGTH)))

    def _refuse(self, why: str) -> None:
        self.query_one("#hint", Static).update(plain(why, "$warning"))
        self.query_one("#to").focus()

    def on_input_changed(self) -> None:
        self.query_one("#hint", Static).update(Content.styled(KEYS, "$faint"))
