"""What a language has to know to tell people of incidents; English and German do."""

from datetime import datetime, tzinfo
from typing import Protocol

from crisisdesk.records import Cause, Change, Incident, Phrase, PlaybookRef, Quote


def was_called(incident: Incident) -> bool:
    """Whether somebody was called before everybody was told; nobody was where the chain reaches nobody at that hour."""
    return incident.cause is Cause.UNANSWERED


class Words(Protocol):
    """One language. All texts that it is given are harmless; what it returns is a line without a line break."""

    def headline(self, incident: Incident) -> str:
        """Severity, brand, number and ratio: what a locked telephone shows."""

    def unanswered(self, incident: Incident) -> str:
        """That nobody has answered, or that nobody could be called: a word or two in capitals."""

    def called(self, incident: Incident) -> str:
        """Why somebody is called."""

    def nobody(self, incident: Incident) -> str:
        """The same in a sentence, with what to do."""

    def handed_over(self, change: Change, *, to: str | None, note: str) -> str:
        """That somebody is asked to take it; `to` None for the reader."""

    def handed_headline(self, headline: str, change: Change, *, to: str | None) -> str:
        """The same for a locked telephone."""

    def why(self, incident: Incident) -> str:
        """Why it is an incident."""

    def opened(self, when: str) -> str:
        """Since when it has been one."""

    def said_most(self, phrases: tuple[Phrase, ...]) -> str:
        """What the posts have in common."""

    def post(self, quote: Quote, text: str) -> str:
        """A post: who, how far it reaches, what it says."""

    def playbook(self, playbook: PlaybookRef) -> str:
        """What to follow, and the step that comes next."""

    def holder(self, incident: Incident) -> str:
        """Who has it, or was asked to take it; empty where nobody was."""

    def answer(self, *, others: bool) -> str:
        """How to answer; `others` where otherwise the calling goes on."""

    def news(self, change: Change, incident: Incident, about: str, when: str) -> str:
        """That somebody has it, wants quiet, or that it is over.

        Args:
            change: what happened.
            incident: after it.
            about: the brand, or the whole headline for somebody who has not heard of it before.
            when: it happened, or until when there is quiet.
        """

    def others(self) -> str:
        """Stands above further incidents."""

    def more(self, count: int) -> str:
        """What is not told besides: `and 12 more`."""

    def several(self, count: int) -> str:
        """The title of news about several incidents."""

    def test(self, name: str, when: str) -> tuple[str, str]:
        """Title and body of a message that only shows that messages come through."""

    def moment(self, moment: datetime, now: datetime, zone: tzinfo) -> str:
        """When, by whose clocks: time and zone, with the weekday or the date where it is not today."""
