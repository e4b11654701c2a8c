"""Taking an incident over from somebody who has it, and may be asleep."""

from datetime import datetime

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from crisisdesk.console.paint import plain
from crisisdesk.console.screens.form import Question
from crisisdesk.console.times import Times
from crisisdesk.names import same
from crisisdesk.records import Incident, State


def is_anothers(incident: Incident, person: str) -> bool:
    """Whether somebody else has it, and has not handed it over to this person."""
    return (
        incident.state is State.ACKNOWLEDGED
        and not same(incident.acknowledged_by, person)
        and not same(incident.assigned_to, person)
    )


class TakeOverDialog(Question[str]):
    """Asks whether it is to be taken over; enter does so and answers who had it, escape leaves all as it is."""

    def __init__(self, incident: Incident, times: Times, now: datetime) -> None:
        super().__init__()
        self._incident = incident
        self._since = f" since {times.said(incident.acknowledged_at, now)}" if incident.acknowledged_at else ""

    def compose(self) -> ComposeResult:
        one = self._incident
        holder = plain(one.acknowledged_by or "Somebody", "bold", cells=40)
        with Vertical(classes="dialog") as window:
            window.border_title = "Take over"
            yield Static(
                Content.assemble(holder, " has ", plain(one.watch, "bold", cells=40), f"{self._since}. Take it over?")
            )
            yield Static(Content("It stands in the timeline, and nobody else is called."))
            yield Static(Content.styled("enter takes it over, escape leaves it", "$faint"))

    def on_key(self, event: events.Key) -> None:
        """At once: a key binding would come after the window has gone, and act on the screen below."""
        if event.key == "enter":
            self.answer(self._incident.acknowledged_by or "")
        elif not event.is_printable:
            return
        event.stop()
