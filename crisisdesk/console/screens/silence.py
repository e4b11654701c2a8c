"""The window that asks for how long nobody is to be called for an incident, and why."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from crisisdesk.console.paint import plain
from crisisdesk.console.screens.form import Field, Form
from crisisdesk.console.times import Times
from crisisdesk.records import Incident
from crisisdesk.text import clean

END_LENGTH: Final = 40
REASON_LENGTH: Final = 400
MINUTE: Final = timedelta(minutes=1)
MORNING: Final = 8
"""The hour until which a night is."""
SPANS: Final = {
    "30 minutes": timedelta(minutes=30),
    "1 hour": timedelta(hours=1),
    "4 hours": timedelta(hours=4),
}
LIFT, OVERNIGHT, OTHER = "lift", "overnight", "other"


class Quiet(NamedTuple):
    """What was asked for: a silence with its reason, or, without an end, that it is over."""

    until: datetime | None
    reason: str = ""


class SilenceDialog(Form[Quiet]):
    """Asks for an end and a reason, or lifts a silence.

    Args:
        incident: which is to be silent.
        times: by whose clocks.
        now: the present, also later, while the window is open.
    """

    def __init__(self, incident: Incident, times: Times, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._incident = incident
        self._times = times
        self._now = now
        lift = [LIFT] if incident.is_silent(now()) else []
        self._choices = [*lift, *([*SPANS, OVERNIGHT, OTHER] if incident.is_open else [])]

    def compose(self) -> ComposeResult:
        watch = plain(self._incident.watch, "bold", cells=40)
        with Vertical(classes="dialog -form") as window:
            window.border_title = "Silence"
            yield Static(Content.assemble("Nobody is called for ", watch, " until then, or until it gets worse."))
            yield OptionList(
                *(Option(self._option(n, choice), id=choice) for n, choice in enumerate(self._choices, start=1))
            )
            yield Field("Until when? 18:30, 90 min, 2026-12-24 08:00", END_LENGTH, id="until")
            yield Field("Why, so that others understand it?", REASON_LENGTH, id="reason")
            yield Static(id="hint")

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0
        self._fit_to_choice()

    def on_option_list_option_highlighted(self) -> None:
        self._fit_to_choice()

    def choose(self, index: int) -> None:
        if index >= len(self._choices):
            return
        self.query_one(OptionList).highlighted = index
        self._fit_to_choice()
        if self._choice == LIFT:
            self.answer(Quiet(None))
        else:
            self.go_to(self.field())

    def field(self) -> str:
        return "#until" if self._choice == OTHER else "#reason"

    def on_input_changed(self) -> None:
        self._explain()

    def submit(self, field: Input) -> None:
        until, reason = self._until(), clean(self.query_one("#reason", Input).value, REASON_LENGTH)
        if self._choice == LIFT:
            self.answer(Quiet(None))
        elif until is None:
            self.hint("That is no time. Write it like 18:30, 90 min or 2026-12-24 08:00.", wrong=True)
            self.go_to("#until")
        elif until <= self._now():
            self.hint(f"{self._times.when(until)} is over already. Write a time that is still to come.", wrong=True)
            self.go_to("#until")
        elif reason:
            self.answer(Quiet(until, reason))
        else:
            self.go_to("#reason")
            if field.id == "reason":
                self.hint("A silence needs a reason, so that others understand it. Say why.", wrong=True)

    @property
    def _choice(self) -> str:
        return self._choices[self.query_one(OptionList).highlighted or 0]

    def _until(self) -> datetime | None:
        return self._end_of(self._choice)

    def _end_of(self, choice: str) -> datetime | None:
        """When a silence of that choice ends; None where that is not to be read."""
        if choice == OTHER:
            return self._times.read(self.query_one("#until", Input).value, self._now())
        if choice == OVERNIGHT:
            return self._times.next_at(MORNING, self._now())
        if choice not in SPANS:
            return None
        end = self._now() + SPANS[choice] + MINUTE - timedelta(microseconds=1)
        return end.replace(second=0, microsecond=0)  # the full minute that is not before it

    def _option(self, number: int, choice: str) -> Content:
        words = {LIFT: "no longer", OVERNIGHT: "overnight", OTHER: "other"}.get(choice, choice)
        if choice == LIFT:
            why = "lift the silence: it calls again"
        elif choice == OTHER:
            why = "until another time"
        else:
            end = self._end_of(choice)
            why = f"until {self._times.lately(end)}" if end else ""
        return Content.assemble((f"{number}  ", "$faint"), (f"{words:12}", "bold"), (why, "$faint"))

    def _fit_to_choice(self) -> None:
        """Ask only for what the choice needs."""
        self.query_one("#until").display = self._choice == OTHER
        self.query_one("#reason").display = self._choice != LIFT
        self._explain()

    def _explain(self) -> None:
        """Until when it would be, and what enter does."""
        end = self._until()
        until = f"Silent until {self._times.said(end, self._now())}. " if end else ""
        keys = "enter lifts it" if self._choice == LIFT else f"{until}enter goes on"
        self.hint(f"{keys}, escape goes back")
