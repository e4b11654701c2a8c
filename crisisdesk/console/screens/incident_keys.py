"""What people can do to the incident that a screen is about."""

from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from crisisdesk.console.screens.desk_screen import ON_EVERY_SCREEN, DeskScreen
from crisisdesk.console.screens.dialogs import NoteDialog, VerdictDialog
from crisisdesk.console.screens.hand_over import HandOverDialog
from crisisdesk.console.screens.silence import SilenceDialog
from crisisdesk.console.screens.take_over import TakeOverDialog, is_anothers
from crisisdesk.records import Incident


class IncidentKeys(DeskScreen):
    """A screen with the keys that act on an incident; subclasses say on which."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "a", "acknowledge", "Acknowledge", id="acknowledge", tooltip="I have it: the calling stops; or take it over"
        ),
        Binding("h", "hand_over", "Hand over", id="hand-over", tooltip="Ask somebody else to take it, with a word"),
        Binding("s", "silence", "Silence", id="silence", tooltip="Nobody is called for a while; or lift that again"),
        Binding("n", "note", "Note", id="note", tooltip="Write something down in the incident's timeline"),
        Binding("r", "resolve", "Resolve", id="resolve", tooltip="It is over, or was: say what it was"),
        *ON_EVERY_SCREEN,
    ]

    @property
    def incident(self) -> Incident | None:
        """The incident that the keys act on, if the body shows one."""
        return None

    def action_acknowledge(self) -> None:
        if (incident := self._at_hand()) and is_anothers(incident, self._person):
            self._ask_whether_to_take_over(incident)
        elif incident:
            done = f"You have {incident.watch}. The calling stops."
            self.act(self._desk.acknowledge(incident.id, self._person), done)

    def action_note(self) -> None:
        if incident := self._at_hand():
            self._ask_for_note(incident)

    def action_resolve(self) -> None:
        if incident := self._at_hand():
            self._ask_for_verdict(incident)

    def action_silence(self) -> None:
        if (incident := self._at_hand()) and (incident.is_silent(self.picture.now) or self._is_open(incident)):
            self._ask_for_silence(incident)

    def action_hand_over(self) -> None:
        if (incident := self._at_hand()) and self._is_open(incident):
            self._ask_for_hand_over(incident)

    @work(group="dialog", exclusive=True)
    async def _ask_whether_to_take_over(self, incident: Incident) -> None:
        holder = await self.app.push_screen_wait(TakeOverDialog(incident, self._times, self.picture.now))
        if holder is not None:
            done = f"You have {incident.watch}, instead of {holder}. Tell them."
            self.act(self._desk.acknowledge(incident.id, self._person, instead_of=holder), done)

    @work(group="dialog", exclusive=True)
    async def _ask_for_note(self, incident: Incident) -> None:
        text = await self.app.push_screen_wait(NoteDialog(incident.watch))
        if text is not None:
            self.act(self._desk.note(incident.id, self._person, text), "Noted.")

    @work(group="dialog", exclusive=True)
    async def _ask_for_verdict(self, incident: Incident) -> None:
        verdict = await self.app.push_screen_wait(VerdictDialog(incident))
        if verdict is not None and incident.is_open:
            self.act(self._desk.resolve(incident.id, self._person, verdict), f"{incident.watch} is over: {verdict}.")
        elif verdict is not None:
            self.act(self._desk.judge(incident.id, self._person, verdict), f"{incident.watch} was: {verdict}.")

    @work(group="dialog", exclusive=True)
    async def _ask_for_silence(self, incident: Incident) -> None:
        asked = await self.app.push_screen_wait(SilenceDialog(incident, self._times, lambda: self.picture.now))
        if asked is not None and asked.until is None:
            self.act(self._desk.lift(incident.id, self._person), f"{incident.watch} is not silent any more.")
        elif asked is not None and asked.until is not None:
            done = f"{incident.watch} is silent until {self._times.when(asked.until)}, or until it gets worse."
            self.act(self._desk.silence(incident.id, self._person, asked.until, asked.reason), done)

    @work(group="dialog", exclusive=True)
    async def _ask_for_hand_over(self, incident: Incident) -> None:
        asked = await self.app.push_screen_wait(HandOverDialog(incident, self._person, self.picture.people))
        if asked is not None:
            done = f"{asked.to} is asked to take {incident.watch}."
            self.act(self._desk.assign(incident.id, self._person, asked.to, asked.word), done)

    def _is_open(self, incident: Incident) -> bool:
        """Whether it is; says so where it is not, before anybody fills in a window in vain."""
        if not incident.is_open:
            self.tell(f"{incident.watch} is over: nobody is called for it.", wrong=True)
        return incident.is_open

    def _chosen(self) -> Incident | None:
        if self.incident is None:
            self.tell("There is no incident to act on.")
        return self.incident

    def _at_hand(self) -> Incident | None:
        """The incident, where something can be done about it."""
        incident = self._chosen()
        return incident if incident is not None and self.may_act() else None
