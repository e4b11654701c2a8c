"""What the windows that ask for several things have in common: a list to choose from, and fields to write into."""

from abc import abstractmethod
from typing import ClassVar, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, OptionList, Static

from crisisdesk.console.paint import plain

Answer = TypeVar("Answer")


class Field(Input):
    """A line to write into; it keeps what was typed before it knew that it has the focus, and nothing typed after."""

    def __init__(self, placeholder: str, most: int, *, id: str, suggester: Suggester | None = None) -> None:  # noqa: A002
        super().__init__(placeholder=placeholder, id=id, max_length=most, suggester=suggester, select_on_focus=False)

    def on_key(self, event: events.Key) -> None:
        """Enter at once, and what was sent here though the form is elsewhere by now to where it is."""
        form = self.screen
        if not isinstance(form, Form):
            return
        if event.key == "enter":
            form.submit(form.focused if isinstance(form.focused, Field) else self)
        elif event.is_printable and event.character and form.focused is not self:
            form.write(event.character)
        else:
            return
        event.stop()
        event.prevent_default()


class Question(ModalScreen[Answer | None]):
    """A window that asks for something; escape leaves all as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Back")]
    answered = False

    def answer(self, answer: Answer) -> None:
        """Close with it, once: of what is typed on meanwhile nothing may close the screen below."""
        if not self.answered:
            self.answered = True
            _ = self.dismiss(answer)


class Form(Question[Answer]):
    """A list, of which a number or enter chooses, then fields; escape leaves all as it is.

    What is typed while the list has the focus is written into the field that it belongs to, and nothing of it is lost
    however fast somebody types: a window that opens slowly must not swallow the beginning of a sentence.
    """

    @abstractmethod
    def choose(self, index: int) -> None:
        """Take what stands at this place of the list, if anything does, and go on with what is still to be said."""

    @abstractmethod
    def field(self) -> str:
        """The field that takes what is typed on the list."""

    @abstractmethod
    def submit(self, field: Input) -> None:
        """Enter was pressed in this field: go on, or say what is wrong."""

    def complete(self, field: Input) -> None:
        """Tab was pressed in this field: write out what is meant, where that is plain."""

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.submit(event.input)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.choose(event.option_index)

    def on_key(self, event: events.Key) -> None:
        """What the list has let through; a key binding would come too late for what is typed behind it."""
        if event.key == "enter" and isinstance(self.focused, Field):
            event.stop()
            self.submit(self.focused)
        if event.key == "tab" and isinstance(self.focused, Field):
            self.complete(self.focused)
        if not event.is_printable or event.character is None:
            return
        event.stop()
        if event.character in "123456789" and not isinstance(self.focused, Input):
            self.choose(int(event.character) - 1)
        else:
            self.write(event.character)

    def write(self, character: str) -> None:
        """Put a character behind what stands where the focus is, or where it belongs."""
        field = self.focused if isinstance(self.focused, Input) else self.query_one(self.field(), Input)
        self.set_focus(field)
        field.cursor_position = len(field.value)
        field.insert_text_at_cursor(character)

    def go_to(self, field: str) -> None:
        """Move the focus there at once; later would be too late for what is typed meanwhile."""
        self.set_focus(self.query_one(field))

    def hint(self, text: str, *, wrong: bool = False) -> None:
        """Say below the fields what the keys do, or what is wrong."""
        self.query_one("#hint", Static).update(plain(text, "$warning") if wrong else Content.styled(text, "$faint"))
