"""A console whose desk is elsewhere: it says when what it shows is not of now, and who may only look."""

from dataclasses import replace
from datetime import timedelta

import pytest
from looking import SMALL, WIDE, running, text_of, until
from textual.screen import ModalScreen

from crisisdesk.desk import Lost, Picture
from crisisdesk.records import EPOCH

BARRED = "You may look at this desk, but not act on it; whoever runs it can make you another token."


def lost(picture: Picture, seconds: float = 12) -> Picture:
    """The same, so many seconds after the line broke."""
    now = picture.now + timedelta(seconds=seconds)
    return replace(picture, now=now, lost=Lost("desk.example:8443", "It broke off.", picture.now))


def words_of(console) -> str:
    return " ".join(text_of(console.screen).split())


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_lost_line_is_said_at_the_top_in_words_with_its_age(console, desk, picture, size):
    async with running(console, size) as pilot:
        desk.put(lost(picture))
        await until(pilot, lambda: "Connection to desk.example:8443 lost 12 s ago" in words_of(console))
        said = words_of(console)
        assert "what you see is of 20:14:00. Trying again. It broke off." in said
        assert "LOST" in said
        assert "Motrin" in said  # the last picture stays
        assert console.screen.has_class("-lost")
        assert console.screen.query_one("#body").styles.opacity < 1
        desk.put(lost(picture, 75))
        await until(pilot, lambda: "lost 1 min ago" in words_of(console))
        desk.put(picture)
        await until(pilot, lambda: "lost" not in words_of(console).lower())
        assert not console.screen.has_class("-lost")


async def test_it_is_said_above_an_open_incident_too(console, desk, picture):
    async with running(console) as pilot:
        await pilot.press("enter")
        desk.put(lost(picture))
        await until(pilot, lambda: "Connection to desk.example:8443 lost" in words_of(console))


async def test_at_first_it_says_to_what_it_connects_and_what_is_in_the_way(console, desk):
    desk.shown = Picture(EPOCH, lost=Lost("desk.example", ""))
    async with console.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: "Connecting to desk.example." in words_of(console))
        desk.put(Picture(EPOCH, lost=Lost("desk.example", "desk.example cannot be reached (no answer).")))
        await until(pilot, lambda: "cannot be reached (no answer). Trying again." in words_of(console))


async def test_calm_is_not_claimed_while_nothing_is_known(console, desk, picture):
    async with running(console) as pilot:
        desk.put(lost(replace(picture, incidents=())))
        await until(pilot, lambda: "LOST" in words_of(console))
        assert "no open incident" not in words_of(console)


async def test_what_opened_meanwhile_rings_when_the_line_is_back(console, desk, picture, make_incident):
    async with running(console) as pilot:
        desk.put(lost(picture))
        await until(pilot, lambda: console.screen.has_class("-lost"))
        assert not console._notifications
        new = make_incident(id="zenith-1", watch="Zenith")
        desk.put(replace(picture, incidents=(new, *picture.incidents)))
        await until(pilot, lambda: console._notifications)
        assert "Zenith" in next(iter(console._notifications)).title


async def test_the_first_picture_calls_nobody_however_late_it_comes(console, desk, picture):
    desk.shown = Picture(EPOCH, lost=Lost("desk.example", ""))
    async with console.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: "Connecting" in words_of(console))
        desk.put(picture)
        await until(pilot, lambda: console.screen.picture.incidents)
        await pilot.pause(0.3)
        assert not console._notifications


@pytest.mark.parametrize("key", ["a", "n", "s", "h", "r"])
async def test_a_viewer_is_told_before_a_window_opens(console, desk, picture, key):
    desk.shown = replace(picture, barred=BARRED)
    async with running(console) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: console._notifications)
        assert next(iter(console._notifications)).message == BARRED
        assert not isinstance(console.screen, ModalScreen)
    assert desk.asked == []


async def test_nothing_is_asked_for_while_it_could_not_be_done(console, desk, picture):
    async with running(console) as pilot:
        desk.put(lost(picture))
        await until(pilot, lambda: console.screen.has_class("-lost"))
        await pilot.press("n")
        await until(pilot, lambda: console._notifications)
        assert "cannot be reached now" in next(iter(console._notifications)).message
        assert not isinstance(console.screen, ModalScreen)
        await pilot.press("enter")  # but it can be looked at
        await until(pilot, lambda: "Timeline" in words_of(console))
