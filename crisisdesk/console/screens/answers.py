"""The posts that need an answer, and what people do about them. Nothing here calls anybody, or opens anything."""

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from crisisdesk.console.paint import plain
from crisisdesk.console.screens.desk_screen import ON_EVERY_SCREEN, DeskScreen
from crisisdesk.console.screens.form import Question
from crisisdesk.console.widgets.answers import InquiryList, figures_page, post_page
from crisisdesk.console.widgets.sheet import Sheet
from crisisdesk.desk import Picture
from crisisdesk.inquiries.acts import REASON_LENGTH
from crisisdesk.records import Inquiry
from crisisdesk.text import clean


class PassOverDialog(Question[str]):
    """Asks why a post gets no answer; enter passes it over, also without a reason, escape leaves it."""

    def __init__(self, author: str) -> None:
        super().__init__()
        self._author = author

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as window:
            window.border_title = "Pass over"
            yield Static(Content.assemble("The post of ", plain(self._author, "bold", cells=40), " gets no answer."))
            yield Input(placeholder="Why? May be left out", max_length=REASON_LENGTH)
            yield Static(Content.styled("enter passes it over, escape goes back", "$faint"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.answer(clean(event.value, REASON_LENGTH))


class AnswersScreen(DeskScreen):
    """The answer queue: a list, and beside or below it the post under the cursor."""

    AUTO_FOCUS = "#inquiries"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "take", "Take", id="take", tooltip="I answer it: nobody else need"),
        Binding("r", "answered", "Answered", id="answered", tooltip="I have answered it, where it was written"),
        Binding("p", "pass_over", "Pass over", id="pass-over", tooltip="It gets no answer; say why, or do not"),
        Binding("b", "give_back", "Back in line", id="give-back", tooltip="It waits again, also if it was answered"),
        *ON_EVERY_SCREEN,
        Binding("escape,w", "app.pop_screen", "Back", id="back", key_display="esc", tooltip="Back to the desk"),
        Binding("tab", "app.focus_next", "Next pane", show=False, tooltip="Go to the post, to scroll it"),
    ]

    def compose_body(self) -> ComposeResult:
        yield Sheet(id="answering")
        with Horizontal(id="body"):
            yield InquiryList(self._times, id="inquiries", classes="panel")
            with VerticalScroll(id="post", classes="panel") as post:
                post.border_title = "Post"
                yield Sheet(id="words")

    @property
    def inquiry(self) -> Inquiry | None:
        """The post under the cursor."""
        cursor = self.query_one(InquiryList).cursor
        return next((one for one in self.picture.inquiries if one.id == cursor), None)

    def show(self, picture: Picture) -> None:
        super().show(picture)
        self.query_one("#answering", Sheet).put(figures_page(picture.answering, picture.now))
        self.query_one(InquiryList).show(picture)
        self._show_post()

    def on_keyed_list_moved(self) -> None:
        if self.app.is_running:
            self.query_one("#post").scroll_home(animate=False)
            self._show_post()

    def action_take(self) -> None:
        if one := self._chosen():
            self.act(self._desk.take(one.id, self._person), "You have it. Press r when it is answered.")

    def action_answered(self) -> None:
        if one := self._chosen():
            self._answer(one)

    def action_pass_over(self) -> None:
        if one := self._chosen():
            self._ask_to_pass_over(one)

    def action_give_back(self) -> None:
        if one := self._chosen():
            self.act(self._desk.give_back(one.id, self._person), "It waits again.")

    @work(group="action")
    async def _answer(self, one: Inquiry) -> None:
        below = self._below(one)
        if await self.tried(self._desk.answer(one.id, self._person), "Answered. If it was not: b puts it back."):
            self._go_on(one, below)

    @work(group="dialog", exclusive=True)
    async def _ask_to_pass_over(self, one: Inquiry) -> None:
        below = self._below(one)
        reason = await self.app.push_screen_wait(PassOverDialog(one.post.author or "somebody unknown"))
        if reason is not None and await self.tried(
            self._desk.pass_over(one.id, self._person, reason), "Passed over. b puts it back."
        ):
            self._go_on(one, below)

    def _below(self, one: Inquiry) -> str:
        """The open post below this one, or above the last; empty where there is no other."""
        names = [other.id for other in self.picture.inquiries if other.is_open or other.id == one.id]
        place = names.index(one.id)
        return next(iter([*names[place + 1 :], *reversed(names[:place])]), "")

    def _go_on(self, one: Inquiry, below: str) -> None:
        """From a post that is done to the next; what is done goes to the end, and nobody wants to go with it."""
        shown = self.query_one(InquiryList)
        if below and shown.cursor == one.id:
            shown.cursor = below

    def _show_post(self) -> None:
        self.query_one("#words", Sheet).put(post_page(self.inquiry, self.picture.now, self._times))

    def _chosen(self) -> Inquiry | None:
        if (inquiry := self.inquiry) is None:
            self.tell("No post waits for an answer.")
            return None
        return inquiry if self.may_act() else None
