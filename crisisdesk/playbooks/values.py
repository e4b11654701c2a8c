"""How people write durations, languages, dates and roles, in English or German."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Final

_UNIT_MINUTES: Final = {
    "min": 1, "mins": 1, "minute": 1, "minutes": 1, "minuten": 1,
    "h": 60, "hour": 60, "hours": 60, "std": 60, "stunde": 60, "stunden": 60,
    "day": 1440, "days": 1440, "tag": 1440, "tage": 1440, "tagen": 1440,
    "week": 10080, "weeks": 10080, "woche": 10080, "wochen": 10080,
    "month": 43200, "months": 43200, "monat": 43200, "monate": 43200, "monaten": 43200,
    "year": 525600, "years": 525600, "jahr": 525600, "jahre": 525600,
}  # fmt: skip
_DURATION: Final = re.compile(r"(\d{1,5})\s*([a-z]+)\.?", re.IGNORECASE)
_TIMING: Final = re.compile(r"\d\s*(?:" + "|".join(_UNIT_MINUTES) + r")\b", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"[a-z]{2}(?:-[a-z]{2})?", re.IGNORECASE)
_LANGUAGE_NAMES: Final = {"english": "en", "englisch": "en", "german": "de", "deutsch": "de", "eng": "en", "ger": "de"}


class WrongValueError(ValueError):
    """A value that cannot be read; `what` is wrong with it and the `cure`, both in plain words."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure


def minutes(text: str) -> int | None:
    """The minutes in "5 min", "2 hours" or "1 Stunde"; None if it is no duration. A month has 30 days."""
    found = _DURATION.fullmatch(text.strip())
    unit = _UNIT_MINUTES.get(found[2].lower()) if found else None
    return int(found[1]) * unit if found and unit else None


def speaks_of_time(text: str) -> bool:
    """Whether it holds a duration, such as "within 48 hours": then it names no role."""
    return _TIMING.search(text) is not None


def duration(text: str) -> timedelta:
    """A length of time above zero.

    Raises:
        WrongValueError: it is none.
    """
    length = minutes(text)
    if not length:
        raise WrongValueError(f'"{text}" is no length of time', "write a number and a unit, such as 15 min or 180 days")
    return timedelta(minutes=length)


def day(text: str) -> date:
    """A date.

    Raises:
        WrongValueError: it is not written year-month-day, or the calendar has no such day.
    """
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    except ValueError:
        raise WrongValueError(f"the calendar has no {text}", "write an existing day, such as 2026-10-01") from None
    raise WrongValueError(f'"{text}" is not a date', "write it as year-month-day, such as 2026-10-01")


def language(text: str) -> str:
    """A language code in lower case.

    Raises:
        WrongValueError: it is none; the cure names the code where the language was written out.
    """
    if _LANGUAGE.fullmatch(text):
        return text.lower()
    code = _LANGUAGE_NAMES.get(text.lower())
    cure = f"write {code}" if code else "write its two letters, such as en or de"
    raise WrongValueError(f'"{text}" is no language code', cure)


def identifier(text: str) -> str:
    """An id that is safe in file names and topics.

    Raises:
        WrongValueError: it holds anything but small letters, digits and hyphens.
    """
    if re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", text):
        return text
    wanted = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "offensive-ad"
    raise WrongValueError(f'the id "{text}" holds more than small letters, digits and hyphens', f"write {wanted}")


def words(text: str) -> tuple[str, ...]:
    """Items between commas, each once.

    Raises:
        WrongValueError: no items, or brackets as in a program.
    """
    if text.startswith("[") or text.endswith("]"):
        raise WrongValueError("a list is written without brackets", "write the items with commas between: a, b")
    items = (unquote(item.strip()) for item in text.split(","))
    found = tuple(dict.fromkeys(item for item in items if item))
    if not found:
        raise WrongValueError("the list is empty", "write its items with commas between, or remove the line")
    return found


def roles(text: str) -> tuple[str, ...]:
    """Roles between commas, in the order in which they are asked.

    Raises:
        WrongValueError: arrows or round brackets between them.
    """
    if "->" in text or "→" in text or "(" in text:
        raise WrongValueError(
            "roles are separated by commas alone",
            "write: Duty Officer, Head of Communications (a stand-in goes to backup)",
        )
    return words(text)


def unquote(text: str) -> str:
    """Without the quotation marks around it, if there are."""
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def nearest(word: str, known: Iterable[str], closeness: float = 0.6) -> str | None:
    """The known word that a mistyped one most likely stands for; `closeness` 1 asks for the very same."""
    spelled = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), spelled, n=1, cutoff=closeness)
    return spelled[found[0]] if found else None
