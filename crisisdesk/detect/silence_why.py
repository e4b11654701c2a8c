"""What there is to say of a silence, in English and German, to be read aloud. Pure."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from crisisdesk.detect.why import Why
from crisisdesk.text import how_long

NO_PAUSE: Final = 20.0
"""Seconds from post to post below which nobody would say how many they are."""
_UNITS: Final = (
    (50.0, 1.0, "second", ("alle", "Sekunden", "jede Sekunde")),
    (50 * 60.0, 60.0, "minute", ("alle", "Minuten", "jede Minute")),
    (20 * 3600.0, 3600.0, "hour", ("alle", "Stunden", "jede Stunde")),
    (float("inf"), 86400.0, "day", ("alle", "Tage", "jeden Tag")),
)
"""Seconds up to which a unit is used, its own, and its names."""
_WEEK: Final = timedelta(days=6)
_DAYS_DE: Final = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
_MONTHS_DE: Final = ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sep.", "Okt.", "Nov.", "Dez.")
_UNSEEN: Final = Why("Anger may go unseen.", "Ärger kann ungesehen bleiben.")


def mute(name: str, since: datetime, every: float, now: datetime, zone: tzinfo = UTC) -> Why:
    """A source is there and says nothing.

    Args:
        name: of the source.
        since: when it was heard last.
        every: seconds in which a post usually comes.
        now: the present, which says how much of a date is needed.
        zone: by whose clocks.
    """
    usual = _usual(every)
    when = _when(since, now, zone)
    return Why(
        f"{name} has been silent since {when.en}; {usual.en}. {_UNSEEN.en}",
        f"{name} schweigt seit {when.de}; {usual.de}. {_UNSEEN.de}",
    )


def unproven(name: str, since: datetime, now: datetime, zone: tzinfo = UTC) -> Why:
    """A source has never sent a post, as long as the desk has listened."""
    when = _when(since, now, zone)
    return Why(
        f"{name} has not sent a single post since the desk began to listen at {when.en}; check its settings. "
        f"{_UNSEEN.en}",
        f"{name} hat keinen einzigen Beitrag geschickt, seit crisisdesk zuhört ({when.de}); bitte die Einstellungen "
        f"prüfen. {_UNSEEN.de}",
    )


def lost(name: str, since: datetime, trouble: str, now: datetime, zone: tzinfo = UTC) -> Why:
    """A source cannot be reached, or refuses us; `trouble` is its own sentence about it, with the cure."""
    reason, when = trouble.rstrip(". ") or "no connection", _when(since, now, zone)
    return Why(
        f"{name} has not been heard since {when.en}; {reason}. {_UNSEEN.en}",
        f"{name} ist seit {when.de} nicht zu hören; Meldung der Quelle: {reason}. {_UNSEEN.de}",
    )


def asleep(watch: str, since: datetime, every: float, now: datetime, zone: tzinfo = UTC) -> Why:
    """A brand's own accounts post no more."""
    usual, when = _usual(every), _when(since, now, zone)
    return Why(
        f"The accounts of {watch} have not posted since {when.en}; {usual.en}. Is that meant so?",
        f"Die Konten von {watch} haben seit {when.de} nichts gepostet; {usual.de}. Ist das so gewollt?",
    )


def with_nobody_left(said: Why) -> Why:
    """The same of a desk that hears no source at all."""
    return Why(
        f"{said.en} No other source can be heard either: this desk would not notice a crisis.",
        f"{said.de} Auch sonst ist keine Quelle zu hören: Eine Krise würde hier nicht bemerkt.",
    )


def heard_again(name: str, silent: timedelta) -> str:
    """How a silence ended; English, as all reasons in a timeline."""
    return f"{name} is heard again, after {how_long(silent)}"


def _usual(every: float) -> Why:
    """How often something usually comes."""
    if every < NO_PAUSE:
        return Why("usually there is no pause", "sonst gibt es keine Pause")
    _, seconds, unit, (alle, units, jede) = next(row for row in _UNITS if every < row[0])
    number = max(1, round(every / seconds))
    if number == 1:
        return Why(f"usually a post comes every {unit}", f"sonst kommt {jede} ein Beitrag")
    return Why(f"usually a post comes every {number} {unit}s", f"sonst kommt {alle} {number} {units} ein Beitrag")


def _when(moment: datetime, now: datetime, zone: tzinfo) -> Why:
    """Time and zone, with the weekday or the date where it was not today: `03:12 UTC`, `Mon 03:12 UTC`."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    name = local.tzname() or ""
    clock = f"{local:%H:%M} {name if name[:1].isalpha() else 'UTC' + name}"
    if local.date() == today.date():
        return Why(clock, clock)
    if today.date() - local.date() <= _WEEK:
        return Why(f"{local:%a} {clock}", f"{_DAYS_DE[local.weekday()]} {clock}")
    return Why(f"{local.day} {local:%b} {clock}", f"{local.day}. {_MONTHS_DE[local.month - 1]} {clock}")
