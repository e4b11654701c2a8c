"""What people do about a post that needs an answer. Pure: nothing here reads a clock, a database or a network.

waiting ─take→ taken ─answer→ answered
   ↑  └──────────┴──pass over→ passed over
   └─give back, or nothing done for `TAKEN_FOR`
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.names import same
from crisisdesk.records import Inquiry, Stage
from crisisdesk.text import clean, how_long

NAME_LENGTH: Final = 100
REASON_LENGTH: Final = 400
TAKEN_FOR: Final = timedelta(hours=2)
"""Who has taken a post and says nothing of it for so long has forgotten it, or has gone home."""


def take(inquiry: Inquiry, person: str, now: datetime) -> Inquiry:
    """This person answers it, so nobody else need; taking it once more gives them time anew.

    Raises:
        UsageError: it is answered or passed over, or somebody was first; the message names them.
    """
    _refuse_if_ended(inquiry, now)
    person = _named(person)
    _refuse_if_others(inquiry, person, now)
    return _moved(inquiry, Stage.TAKEN, person, now)


def give_back(inquiry: Inquiry, person: str, now: datetime) -> Inquiry:
    """It waits again: who has it cannot answer it, or it was not answered after all.

    Anybody may do it, as whoever has it may have gone home.

    Raises:
        UsageError: it waits already, or its author has taken it back.
    """
    _named(person)
    if inquiry.stage is Stage.WAITING:
        raise UsageError("This post waits already; nobody has taken it.")
    if not inquiry.post.id:
        raise UsageError("There is nothing to answer any more: this post was erased.")
    return _free(inquiry, now)


def answer(inquiry: Inquiry, person: str, now: datetime) -> Inquiry:
    """This person has answered it, where it was written; the time it took counts.

    Raises:
        UsageError: it is answered or passed over already, or somebody else has taken it; the message names them.
    """
    _refuse_if_ended(inquiry, now)
    person = _named(person)
    _refuse_if_others(inquiry, person, now)
    return _moved(inquiry, Stage.ANSWERED, person, now)


def pass_over(inquiry: Inquiry, person: str, now: datetime, reason: str = "") -> Inquiry:
    """This person decides that it gets no answer.

    Raises:
        UsageError: it is answered or passed over already, or somebody else has taken it; the message names them.
    """
    _refuse_if_ended(inquiry, now)
    person = _named(person)
    _refuse_if_others(inquiry, person, now)
    return replace(_moved(inquiry, Stage.PASSED_OVER, person, now), reason=clean(reason, REASON_LENGTH))


def lapsed(inquiry: Inquiry, now: datetime) -> Inquiry:
    """As it is now: what was taken and then forgotten waits again, and says who had it."""
    if inquiry.stage is Stage.TAKEN and inquiry.moved is not None and now - inquiry.moved >= TAKEN_FOR:
        return _free(inquiry, now)
    return inquiry


def _free(inquiry: Inquiry, now: datetime) -> Inquiry:
    had_by = inquiry.person
    return replace(_moved(inquiry, Stage.WAITING, None, now), had_by=had_by)


def _moved(inquiry: Inquiry, stage: Stage, person: str | None, now: datetime) -> Inquiry:
    moment = max(now, inquiry.came)
    return replace(inquiry, stage=stage, person=person, moved=moment, had_by=None, reason="")


def _refuse_if_ended(inquiry: Inquiry, now: datetime) -> None:
    if not inquiry.is_open:
        raise UsageError(
            f"This post was {inquiry.stage} by {inquiry.person}{_ago(inquiry, now)}; give it back first if it still "
            "needs an answer."
        )


def _refuse_if_others(inquiry: Inquiry, person: str, now: datetime) -> None:
    if inquiry.stage is Stage.TAKEN and not same(inquiry.person, person):
        raise UsageError(
            f"{inquiry.person} has taken this post{_ago(inquiry, now)}; it has to be given back before somebody else "
            "can answer it."
        )


def _ago(inquiry: Inquiry, now: datetime) -> str:
    return f" {how_long(now - inquiry.moved)} ago" if inquiry.moved else ""


def _named(person: str) -> str:
    name = clean(person, NAME_LENGTH)
    if not name:
        raise UsageError("Nobody is named; say who acts, so that others know whom to ask.")
    return name
