"""What is wrong is told while it is, and what has passed until the next shift has read it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from crisisdesk.engine.troubles import Troubles
from crisisdesk.moments import stamp
from crisisdesk.records import TOLD_FOR

NIGHT = datetime(2026, 3, 4, 2, 20, tzinfo=UTC)


def test_what_has_passed_is_told_for_a_while_and_what_lasts_for_ever():
    troubles = Troubles()
    troubles.tell("clock", "it was wrong", NIGHT)
    troubles.tell("disk", "it is full")
    troubles.pass_time(NIGHT + TOLD_FOR)
    assert troubles.all() == {"clock": "it was wrong", "disk": "it is full"}
    troubles.pass_time(NIGHT + TOLD_FOR + timedelta(seconds=1))
    assert troubles.all() == {"disk": "it is full"}


def test_what_is_wrong_anew_is_told_anew():
    troubles = Troubles()
    troubles.tell("clock", "it was wrong", NIGHT)
    troubles.tell("clock", "it is wrong")
    troubles.pass_time(NIGHT + 2 * TOLD_FOR)
    assert troubles.all() == {"clock": "it is wrong"}
    troubles.forget("clock")
    assert troubles.all() == {}


def test_a_moment_has_its_day_and_its_zone():
    assert stamp(NIGHT, ZoneInfo("Europe/Berlin")) == "4 Mar 03:20 CET"
