"""The window that asks who is to take an incident, and how things stand."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from crisisdesk.console.paint import plain
from crisisdesk.console.screens.form import Field, Form
from crisisdesk.console.screens.known import Completion, meant
from crisisdesk.names import near_to, same
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
    """Asks for a name, by a list of those whom the desk knows, and for a word on how things stand.

    Whoever is not known has no address, so nobody would be told; where nobody at all is known, any name goes.
    """

    def __init__(self, incident: Incident, person: str, people: Sequence[str]) -> None:
        super().__init__()
        self._incident = incident
        self._person = person
        self._people = [clean(one, NAME_LENGTH) for one in people if not same(one, person)]
        self._wordless = False

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
            yield Field("To whom?", NAME_LENGTH, id="to", suggester=Completion(self._people))
            yield Field("How do things stand?", WORD_LENGTH, id="word")
            yield Static(Content.styled(KEYS, "$faint"), id="hint")

    def choose(self, index: int) -> None:
        if index < len(self._people):
            self.query_one("#to", Input).value = self._people[index]
            self.go_to("#word")

    def field(self) -> str:
        return "#to"

    def complete(self, field: Input) -> None:
        found = meant(clean(field.value, NAME_LENGTH), self._people) if field.id == "to" else []
        if len(found) == 1:
            field.value = found[0]

    def submit(self, field: Input) -> None:
        name = self.query_one("#to", Input)
        said, word = (clean(one.value, WORD_LENGTH) for one in (name, self.query_one("#word", Input)))
        if why := self._wrong(said):
            self.hint(why, wrong=True)
            self.go_to("#to")
        elif field.id == "to":
            self.complete(name)
            self.go_to("#word")
        elif word or self._wordless:
            self.complete(name)
            self.answer(HandOver(clean(name.value, NAME_LENGTH), word))
        else:
            self._wordless = True
            self.hint("No word on how things stand? Write one; enter again hands over without.", wrong=True)

    def _wrong(self, said: str) -> str:
        """Why it cannot be handed over to whoever is called so; empty where it can."""
        if not said:
            return "Nobody is named. Choose somebody, or write a name."
        if same(said, self._person):
            return "That is you. Press a on the incident to take it yourself."
        found = meant(said, self._people)
        if len(found) > 1:
            return f"That may be {' or '.join(found)}. Write more of the name, or choose a number."
        if self._people and not found:
            near = near_to(said, self._people)
            cure = f"Did you mean {near}?" if near else "Choose somebody above; a note (n) says who else knows."
            return f"{said} has no address here, so nobody would be told. {cure}"
        return ""

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "word":
            self._wordless = False
        if not self._wordless:
            self.hint(KEYS)
