"""The window that asks who is to take an incident, and how things stand."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from crisisdesk.console.paint import plain
from crisisdesk.console.screens.form import Field, Form
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


class HandOverDialog(Form[HandOver]):
    """Asks for a name, by a list of those whom the desk knows or freely, and for a word on how things stand."""

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
            yield Field("To whom?", NAME_LENGTH, id="to", suggester=suggested)
            yield Field("How do things stand?", WORD_LENGTH, id="word")
            yield Static(Content.styled(KEYS, "$faint"), id="hint")

    def choose(self, index: int) -> None:
        if index < len(self._people):
            self.query_one("#to", Input).value = self._people[index]
            self.go_to("#word")

    def field(self) -> str:
        return "#to"

    def submit(self, field: Input) -> None:
        to = clean(self.query_one("#to", Input).value, NAME_LENGTH)
        if not to:
            self._refuse("Nobody is named. Choose somebody, or write a name.")
        elif to.casefold() == self._person.casefold():
            self._refuse("That is you. Press a on the incident to take it yourself.")
        elif field.id == "to":
            self.go_to("#word")
        else:
            _ = self.dismiss(HandOver(to, clean(self.query_one("#word", Input).value, WORD_LENGTH)))

    def _refuse(self, why: str) -> None:
        self.hint(why, wrong=True)
        self.go_to("#to")

    def on_input_changed(self) -> None:
        self.hint(KEYS)
