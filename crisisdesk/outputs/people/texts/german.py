"""Incidents told in German."""

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
    Severity,
    State,
)
from crisisdesk.text import shorten

_SEVERITIES: Final = {Severity.RED: "ROT", Severity.AMBER: "GELB", Severity.NOTICE: "HINWEIS"}
_BECAUSE: Final = {
    Cause.NEW: "Das ist neu, und noch kümmert sich niemand darum.",
    Cause.WORSE: "Es ist schlimmer geworden.",
    Cause.BACK: "Es war vorbei und ist wieder da.",
    Cause.UNANSWERED: "Bisher hat niemand reagiert.",
    Cause.LAPSED: "{had_by} hatte es übernommen, aber seither ist nichts geschehen.",
    Cause.SILENCE_OVER: "Die Stummschaltung ist vorbei, der Vorfall nicht.",
}
_GONE: Final = {TAKEN_BACK: "(vom Verfasser zurückgenommen)", ERASED: "(auf Verlangen gelöscht)"}
_DAYS: Final = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
_MONTHS: Final = ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez.")
_VERDICTS: Final = {
    "real": "es war ein echter Vorfall",
    "false alarm": "es war ein Fehlalarm",
    "planned": "es war geplant",
}


class German:
    """See `crisisdesk.outputs.people.texts.words.Words`."""

    def headline(self, incident: Incident) -> str:
        return f"{_SEVERITIES[incident.severity]} {shorten(incident.watch, 60)}: {_matter(incident)}"

    def unanswered(self, incident: Incident) -> str:
        return "NIEMAND HAT REAGIERT" if was_called(incident) else "NIEMAND HAT BEREITSCHAFT"

    def called(self, incident: Incident) -> str:
        return _BECAUSE[incident.cause].format(had_by=incident.had_by or "Jemand")

    def nobody(self, incident: Incident) -> str:
        why = "Alle wurden wie vereinbart alarmiert" if was_called(incident) else "Es war niemand zu alarmieren"
        return f"{self.unanswered(incident)}. {why}, weitere Alarme folgen nicht: Wer kann, bitte übernehmen."

    def handed_over(self, change: Change, *, to: str | None, note: str) -> str:
        whom = f"an {to}" if to else "an Sie"
        return f"{change.person} übergibt {whom}" + (f": {note}" if note else ".")

    def handed_headline(self, headline: str, change: Change, *, to: str | None) -> str:
        return f"{change.person} übergibt an {to or 'Sie'}: {headline}"

    def why(self, incident: Incident) -> str:
        return incident.why_de or incident.why

    def opened(self, when: str) -> str:
        return f"Offen seit {when}."

    def said_most(self, phrases: tuple[Phrase, ...]) -> str:
        return "Am häufigsten genannt: " + ", ".join(f"„{one.text}“ ({_count(one.posts)})" for one in phrases)

    def post(self, quote: Quote, text: str) -> str:
        about = [f"{_count(quote.reach)} Follower"] if quote.reach else []
        about += [f"{_count(quote.copies)} Kopien"] if quote.copies > 1 else []
        who = shorten(quote.author or "unbekannt", 40) + (f" ({', '.join(about)})" if about else "")
        return f"– {who}: {_GONE.get(text) or f'„{text}“'}"

    def playbook(self, playbook: PlaybookRef) -> str:
        step = playbook.next_step
        done = "Alle Schritte sind getan."
        return f"Playbook: {playbook.title}. " + (f"Nächster Schritt: {step}" if step else done)

    def holder(self, incident: Incident) -> str:
        if incident.state is State.ACKNOWLEDGED:
            return f"{incident.acknowledged_by or 'Jemand'} kümmert sich darum."
        return f"{incident.assigned_to} wurde gebeten, es zu übernehmen." if incident.assigned_to else ""

    def answer(self, *, others: bool) -> str:
        how = "Bitte an der Konsole übernehmen (Taste a)"
        return f"{how}; bis dahin werden vielleicht auch andere alarmiert." if others else f"{how}."

    def news(self, change: Change, incident: Incident, about: str, when: str) -> str:
        who = change.person
        if change.event is Event.RESOLVED or incident.state is State.RESOLVED:
            verdict = f"; {_VERDICTS[incident.verdict]}" if incident.verdict else ""
            return f"{about}: vorbei seit {when}{verdict}" + (f" ({who})." if who else ".")
        if change.event is Event.SILENCED:
            silence = incident.silence
            return f"{about}: {who} hat " + (
                f"es bis {when} stummgeschaltet: {silence.reason}"
                if silence
                else "die Stummschaltung aufgehoben; es wird wieder alarmiert."
            )
        return f"{about}: {incident.acknowledged_by or who or 'jemand'} kümmert sich darum (seit {when})."

    def others(self) -> str:
        return "Außerdem:"

    def more(self, count: int) -> str:
        return f"und {_count(count)} weitere" if count > 1 else "und 1 weiterer"

    def several(self, count: int) -> str:
        return f"Neues zu {_count(count)} Vorfällen"

    def test(self, name: str, when: str) -> tuple[str, str]:
        return (
            "Probe von crisisdesk: alles in Ordnung",
            f"Das ist eine Probe von „{name}“, gesendet um {when}. Alarme kommen ebenso an; jetzt ist nichts zu tun.",
        )

    def moment(self, moment: datetime, now: datetime, zone: tzinfo) -> str:
        local, today = moment.astimezone(zone), now.astimezone(zone)
        name = {"CET": "MEZ", "CEST": "MESZ"}.get(local.tzname() or "", local.tzname() or "")
        clock = f"{local:%H:%M} {name if name[:1].isalpha() else 'UTC' + name}"
        if local.date() == today.date():
            return clock
        near = abs(today.date() - local.date()) <= timedelta(days=6)
        return f"{_DAYS[local.weekday()]} {clock}" if near else f"{local.day}. {_MONTHS[local.month - 1]} {clock}"


def _matter(incident: Incident) -> str:
    """What it is about, in figures."""
    numbers = incident.numbers
    if incident.kind is Kind.BLIND:
        return f"schweigt seit {_how_long(numbers.window_minutes)}"
    if incident.kind is Kind.BRIGADING:
        posts = f"Flut von {_counted(numbers.negative, 'Beitrag', 'Beiträgen')}"
        by, window = _counted(numbers.authors, "Konto", "Konten"), ""
    else:
        posts = _counted(numbers.negative, "negativer Beitrag", "negative Beiträge")
        by = _counted(numbers.authors, "Person", "Personen")
        window = f" in {_window(numbers.window_minutes)}"
    who = f" von {by}" if numbers.authors else ""
    return f"{posts}{who}{window}, üblich {_usual(numbers.expected)}"


def _counted(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{_count(number)} {many}"


def _count(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def _window(minutes: int) -> str:
    if minutes % 1440 == 0:
        days = minutes // 1440
        return "1 Tag" if days == 1 else f"{days} Tagen"
    return f"{minutes // 60} Std." if minutes % 60 == 0 and minutes > 60 else f"{minutes} Min."


def _how_long(minutes: int) -> str:
    """The two largest units, after "seit"."""
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    if days:
        return f"{days} Tag{'en' if days > 1 else ''}" + (f" {hours} Std." if hours else "")
    return f"{hours} Std." + (f" {left} Min." if left else "") if hours else f"{left} Min."


def _usual(count: float) -> str:
    """Whole from three on, with one digit below, so that 0,4 does not read as none."""
    if count < 0.05:
        return "kaum einer"
    return _count(round(count)) if count >= 3 or count == round(count) else f"{count:.1f}".replace(".", ",")
