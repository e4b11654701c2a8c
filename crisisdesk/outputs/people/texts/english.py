"""Incidents told in English."""

from datetime import datetime, timedelta, tzinfo
from typing import Final

from crisisdesk.outputs.people.texts.words import was_called
from crisisdesk.records import (
    ERASED,
    TAKEN_BACK,
    Cause,
    Change,
    Event,
    Incident,
    Kind,
    Phrase,
    PlaybookRef,
    Quote,
    State,
)
from crisisdesk.text import how_long, shorten

_BECAUSE: Final = {
    Cause.NEW: "This is new, and nobody has it yet.",
    Cause.WORSE: "It has got worse.",
    Cause.BACK: "It was over and is back.",
    Cause.UNANSWERED: "Nobody has answered so far.",
    Cause.LAPSED: "{had_by} had it, but nothing has been done since.",
    Cause.SILENCE_OVER: "The silence is over, the incident is not.",
}
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_VERDICTS: Final = {"real": "real", "false alarm": "a false alarm", "planned": "planned"}


class English:
    """See `crisisdesk.outputs.people.texts.words.Words`."""

    def headline(self, incident: Incident) -> str:
        return f"{incident.severity.name} {shorten(incident.watch, 60)}: {_matter(incident)}"

    def unanswered(self, incident: Incident) -> str:
        return "NOBODY HAS ANSWERED" if was_called(incident) else "NOBODY IS ON CALL"

    def called(self, incident: Incident) -> str:
        return _BECAUSE[incident.cause].format(had_by=incident.had_by or "Somebody")

    def nobody(self, incident: Incident) -> str:
        why = "All were called as agreed" if was_called(incident) else "There was nobody to call"
        return f"{self.unanswered(incident)}. {why}, and no further call will follow: whoever can, please take it."

    def handed_over(self, change: Change, *, to: str | None, note: str) -> str:
        return f"{change.person} hands it over to {to or 'you'}" + (f": {note}" if note else ".")

    def handed_headline(self, headline: str, change: Change, *, to: str | None) -> str:
        return f"{change.person} hands over to {to or 'you'}: {headline}"

    def why(self, incident: Incident) -> str:
        return incident.why

    def opened(self, when: str) -> str:
        return f"Open since {when}."

    def said_most(self, phrases: tuple[Phrase, ...]) -> str:
        return "Said most often: " + ", ".join(f"“{one.text}” ({_count(one.posts)})" for one in phrases)

    def post(self, quote: Quote, text: str) -> str:
        about = [f"{_count(quote.reach)} followers"] if quote.reach else []
        about += [f"{_count(quote.copies)} copies"] if quote.copies > 1 else []
        who = shorten(quote.author or "unknown", 40) + (f" ({', '.join(about)})" if about else "")
        return f"– {who}: " + (text if text in {TAKEN_BACK, ERASED} else f"“{text}”")

    def playbook(self, playbook: PlaybookRef) -> str:
        step = playbook.next_step
        return f"Playbook: {playbook.title}. " + (f"Next step: {step}" if step else "All its steps are done.")

    def holder(self, incident: Incident) -> str:
        if incident.state is State.ACKNOWLEDGED:
            return f"{incident.acknowledged_by or 'Somebody'} has it."
        return f"{incident.assigned_to} was asked to take it." if incident.assigned_to else ""

    def answer(self, *, others: bool) -> str:
        return "Acknowledge it on the console (key a)" + ("; until then others may be called, too." if others else ".")

    def news(self, change: Change, incident: Incident, about: str, when: str) -> str:
        who = change.person
        if change.event is Event.RESOLVED or incident.state is State.RESOLVED:
            verdict = f"; it was {_VERDICTS[incident.verdict]}" if incident.verdict else ""
            return f"{about}: over since {when}{verdict}" + (f" ({who})." if who else ".")
        if change.event is Event.SILENCED:
            silence = incident.silence
            return f"{about}: {who} has " + (
                f"silenced it until {when}: {silence.reason}" if silence else "ended the silence; calls go out again."
            )
        return f"{about}: {incident.acknowledged_by or who or 'somebody'} has it (since {when})."

    def others(self) -> str:
        return "Also:"

    def more(self, count: int) -> str:
        return f"and {_count(count)} more"

    def several(self, count: int) -> str:
        return f"News of {_count(count)} incidents"

    def test(self, name: str, when: str) -> tuple[str, str]:
        return (
            "Test of crisisdesk: all is well",
            f"This is a test of “{name}”, sent at {when}. Calls come the same way; there is nothing to do now.",
        )

    def moment(self, moment: datetime, now: datetime, zone: tzinfo) -> str:
        local, today = moment.astimezone(zone), now.astimezone(zone)
        name = local.tzname() or ""
        clock = f"{local:%H:%M} {name if name[:1].isalpha() else 'UTC' + name}"
        if local.date() == today.date():
            return clock
        near = abs(today.date() - local.date()) <= timedelta(days=6)
        return f"{_DAYS[local.weekday()]} {clock}" if near else f"{local.day} {_MONTHS[local.month - 1]} {clock}"


def _matter(incident: Incident) -> str:
    """What it is about, in figures."""
    numbers = incident.numbers
    if incident.kind is Kind.BLIND:
        return f"silent for {how_long(timedelta(minutes=numbers.window_minutes))}"
    if incident.kind is Kind.BRIGADING:
        posts, by, window = f"flood of {_counted(numbers.negative, 'post')}", _counted(numbers.authors, "account"), ""
    else:
        posts, by = _counted(numbers.negative, "negative post"), _counted(numbers.authors, "person", "people")
        window = f" in {_window(numbers.window_minutes)}"
    who = f" by {by}" if numbers.authors else ""
    return f"{posts}{who}{window}, usual {_usual(numbers.expected)}"


def _counted(number: int, one: str, many: str = "") -> str:
    return f"1 {one}" if number == 1 else f"{_count(number)} {many or one + 's'}"


def _count(number: int) -> str:
    return f"{number:,}"


def _window(minutes: int) -> str:
    if minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 and minutes > 60 else f"{minutes} min"


def _usual(count: float) -> str:
    """Whole from three on, with one digit below, so that 0.4 does not read as none."""
    if count < 0.05:
        return "hardly any"
    return f"{count:,.0f}" if count >= 3 or count == round(count) else f"{count:.1f}"
