"""How people end an incident: by a choice of their own, never by a stray key; and what is said while it goes on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from looking import WIDE, key, running, text_of, until
from textual.widgets import OptionList

from crisisdesk.console.lasting import lasting
from crisisdesk.console.screens.main import MainScreen
from crisisdesk.records import Kind, State, Verdict

NOW = datetime(2008, 11, 16, 1, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("keys", "verdict"),
    [
        (["1", "enter"], Verdict.REAL),
        (["down", "down", "enter"], Verdict.FALSE_ALARM),
        (["1", "3", "enter"], Verdict.PLANNED),
    ],
)
async def test_resolve_asks_what_it_was(console, desk, keys, verdict):
    async with running(console) as pilot:
        await pilot.press("r")
        await pilot.pause()
        await pilot.press(*keys)
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("resolve", "motrin-1", "berta", verdict)]


@pytest.mark.parametrize(
    ("keys", "said"),
    [(["enter", "enter"], "Nothing is chosen"), (["1"], "enter: it was real"), (["x", "4"], "1, 2 or 3 chooses")],
    ids=["enter alone", "a digit alone", "other keys"],
)
async def test_no_single_key_ends_an_incident(console, desk, keys, said):
    async with running(console) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: "What was it?" in text_of(console.screen))
        await pilot.press(*keys)
        await until(pilot, lambda: said in text_of(console.screen))
        await pilot.press("escape")
    assert desk.asked == []


async def test_one_click_into_the_window_ends_no_incident(console, desk):
    async with running(console) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: "What was it?" in text_of(console.screen))
        await pilot.click(OptionList, offset=(4, 2))
        await until(pilot, lambda: "enter: it was a false alarm" in text_of(console.screen))
        assert desk.asked == []
        await pilot.click(OptionList, offset=(4, 2))
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("resolve", "motrin-1", "berta", Verdict.FALSE_ALARM)]


async def test_resolving_says_what_becomes_of_a_wave_that_goes_on(console):
    async with running(console) as pilot:
        await pilot.press("r")
        await until(
            pilot, lambda: "While the same wave goes on it stays over; it calls again" in text_of(console.screen)
        )
        await pilot.press("escape", "end", "r")
        await until(pilot, lambda: "So far: planned." in text_of(console.screen))
        assert "it stays over" not in text_of(console.screen)  # it is


async def test_what_is_typed_on_after_a_window_has_closed_does_nothing(console, desk):
    async with running(console) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: console.screen.query("Input"))
        early, late = ([key(sign) for sign in line] for line in ("ad is out\r", "legal knows, r1\rh"))
        for pressed in early:
            console.post_message(pressed)
        await until(pilot, lambda: desk.asked)
        for pressed in late:
            console.post_message(pressed)
        await until(pilot, lambda: len(console._notifications) == 2)
        told = {one.message for one in console._notifications}
        assert told == {"Noted.", "The window had closed already: what was typed on did nothing."}
        assert isinstance(console.screen, MainScreen)
        console.post_message(key("a", seconds=1))  # after a pause it is a key again
        await until(pilot, lambda: len(desk.asked) == 2)
    assert desk.asked == [("note", "motrin-1", "berta", "ad is out"), ("acknowledge", "motrin-1", "berta")]


async def test_what_is_over_can_be_judged_afterwards(console, desk):
    late = replace(desk.shown.incidents[2], verdict=None)
    desk.put(replace(desk.shown, incidents=(*desk.shown.incidents[:2], late)))
    async with running(console, WIDE) as pilot:
        assert "over: no verdict" in text_of(console.screen)
        await pilot.press("end", "r")
        await until(pilot, lambda: "What was it?" in text_of(console.screen))
        await pilot.press("2", "enter")
        await until(pilot, lambda: "over: false alarm" in text_of(console.screen))
        console.post_message(key("r", seconds=1))
        await until(pilot, lambda: "So far: false alarm." in text_of(console.screen))
    assert desk.asked == [("judge", "motrin-0", "berta", Verdict.FALSE_ALARM)]


async def test_a_wave_that_goes_on_after_its_end_is_not_called_calm(console, desk, make_incident):
    over = make_incident(
        state=State.RESOLVED,
        resolved_by="Anna",
        verdict=Verdict.REAL,
        calm_since=NOW,
        resolved_at=NOW - timedelta(minutes=52),
    )
    watch = replace(desk.shown.watches[0], severity=None)
    desk.shown = replace(desk.shown, incidents=(over,), watches=(watch,))
    async with running(console) as pilot:
        await until(pilot, lambda: "over 19:22, goes on" in text_of(console.screen))
        assert "no open incident  1 goes on" in text_of(console.screen)
        await pilot.press("2", "enter")
        told = "Anna said at 19:22 that it is over (real), and it goes on."
        await until(pilot, lambda: told in text_of(console.screen))
        await pilot.press("escape")
        desk.put(replace(desk.shown, watches=(replace(watch, negative_hour=3),)))
        await until(pilot, lambda: " calm" in text_of(console.screen))
        assert "goes on" not in text_of(console.screen)


@pytest.mark.parametrize(
    "changes",
    [
        {"calm_since": NOW - timedelta(minutes=61)},
        {"verdict": None},
        {"kind": Kind.BRIGADING},
        {"watch": "another"},
        {"state": State.OPEN, "resolved_at": None},
    ],
    ids=["the wave has ended", "it ended by itself", "a flood", "another watch", "open"],
)
def test_only_what_a_person_has_ended_and_goes_on_is_said_to_go_on(desk, make_incident, changes):
    fields = {"state": State.RESOLVED, "verdict": Verdict.REAL, "resolved_at": NOW - timedelta(hours=2)}
    one, watch = make_incident(**(fields | {"calm_since": NOW} | changes)), desk.shown.watches[0]
    assert lasting(watch, replace(desk.shown, incidents=(one,))) is None
