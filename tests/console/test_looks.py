"""Every screen once, at the sizes that must work. After a wanted change: `pytest tests/console --snapshot-update`."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from textual.screen import ModalScreen

from crisisdesk.desk import Lost
from crisisdesk.oncall.prospect import Prospect
from crisisdesk.records import Calling, Severity, Silence

WIDE, SMALL = (140, 45), (80, 24)


def after(*keys, shows):
    """Press keys once the first picture is drawn, and wait until something of what they open is on the screen."""

    async def act(pilot):
        async with asyncio.timeout(20):
            while not pilot.app.screen.picture.sources:
                await pilot.pause(0.01)
            await stands_still(pilot)
            await pilot.press(*keys)
            while shows not in drawn(pilot.app.screen):
                await pilot.pause(0.01)
            await stands_still(pilot)

    return act


def asking(key):
    """Open a dialog. It is not looked at before the picture is taken: drawing it alone would forget what is behind."""

    async def act(pilot):
        await after(shows="Read the ten posts")(pilot)
        await pilot.press(key)
        async with asyncio.timeout(20):
            while not isinstance(pilot.app.screen, ModalScreen):
                await pilot.pause(0.01)
            for _ in range(5):
                await pilot.pause(0.01)

    return act


async def stands_still(pilot) -> None:
    """Wait until five looks in a row see the same."""
    seen = [""]
    while len(seen) < 5 or len(set(seen[-5:])) > 1:
        await pilot.pause(0.01)
        seen.append(drawn(pilot.app.screen))


def drawn(screen) -> str:
    return "\n".join("".join(segment.text for segment in strip) for strip in screen._compositor.render_strips())


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["140x45", "80x24"])
def test_main(snap_compare, console, size):
    assert snap_compare(console, terminal_size=size, run_before=after(shows="Read the ten posts"))


def test_incident_wide(snap_compare, console):
    assert snap_compare(console, terminal_size=WIDE, run_before=after("enter", shows="First 15 minutes"))


@pytest.mark.parametrize(
    ("key", "shows"), [("enter", "usual band"), ("p", "First 15 minutes")], ids=["evidence", "playbook"]
)
def test_incident_small(snap_compare, console, key, shows):
    assert snap_compare(console, terminal_size=SMALL, run_before=after(key, shows=shows))


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["140x45", "80x24"])
def test_the_desk_is_out_of_reach(snap_compare, console, desk, size):
    since, why = desk.shown.now - timedelta(seconds=12), "desk.example:8443 cannot be reached (no answer)."
    desk.shown = replace(desk.shown, lost=Lost("desk.example:8443", why, since))
    assert snap_compare(console, terminal_size=size, run_before=after(shows="lost 12 s ago"))


def test_nothing_is_the_matter(snap_compare, console, desk):
    watch = desk.shown.watches[0]
    calm = replace(watch, severity=None, learning=True, negative_hour=2, chart=watch.chart[:50])
    desk.shown = replace(desk.shown, incidents=(), watches=(calm,), mentions=(), notice="")
    assert snap_compare(console, terminal_size=WIDE, run_before=after(shows="No incident. Watching Motrin"))


def test_help(snap_compare, console):
    assert snap_compare(console, terminal_size=WIDE, run_before=asking("question_mark"))


def test_verdict(snap_compare, console):
    assert snap_compare(console, terminal_size=SMALL, run_before=asking("r"))


@pytest.mark.parametrize("key", ["s", "h"], ids=["silence", "hand-over"])
def test_what_people_ask_for(snap_compare, console, desk, key):
    desk.shown = replace(desk.shown, people=("Anna Berg", "Ben Cole"), on_call=("Anna Berg (comms)",))
    assert snap_compare(console, terminal_size=SMALL, run_before=asking(key))


def test_nobody_has_answered(snap_compare, console, desk):
    called = {"calling": Calling("red", 2, 1, 1, desk.shown.now, exhausted=True), "told": ("push to Anna Berg",)}
    silence = Silence(desk.shown.now + timedelta(hours=1), "anna", "the campaign is ours", Severity.RED)
    first, second, *others = desk.shown.incidents
    incidents = (replace(first, assigned_to="Ben Cole", **called), replace(second, silence=silence), *others)
    prospect = Prospect(first.id, "Anna Berg by push and sms, Ben Cole by push")
    trouble = "NOBODY HAS ANSWERED RED Motrin (motrin-1): all were called as often as agreed. Acknowledge it."
    desk.shown = replace(desk.shown, incidents=incidents, prospects=(prospect,), troubles=(trouble,), notice="")
    assert snap_compare(console, terminal_size=SMALL, run_before=after("enter", shows="until 20:14"))


def test_everything_is_wrong(snap_compare, console, desk):
    source = replace(
        desk.shown.sources[0], state="blind", dropped=1_204, trouble="No event; the connection is tried again."
    )
    output = replace(
        desk.shown.outputs[0], state="retrying", waiting=3, trouble="127.0.0.1:1883 refuses; is the broker up?"
    )
    troubles = ("The playbook ad.md cannot be used: line 4 has no title; add one.",)
    desk.shown = replace(desk.shown, sources=(source,), outputs=(output,), troubles=troubles)
    assert snap_compare(console, terminal_size=SMALL, run_before=after(shows="d: in full"))


def test_light(snap_compare, console):
    console.theme = "crisisdesk-light"
    assert snap_compare(console, terminal_size=WIDE, run_before=after(shows="Read the ten posts"))


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["140x45", "80x24"])
def test_other_languages(snap_compare, console, desk, picture_abroad, size):
    desk.shown = picture_abroad
    assert snap_compare(console, terminal_size=size, run_before=after(shows="No incident"))


def test_a_flood_of_copies(snap_compare, console, desk, make_flood):
    desk.shown = replace(desk.shown, incidents=(make_flood(),))
    assert snap_compare(console, terminal_size=SMALL, run_before=after("enter", shows="What is repeated"))


def test_a_source_that_is_silent(snap_compare, console, desk, make_silence):
    desk.shown = replace(desk.shown, incidents=(make_silence(), *desk.shown.incidents[1:]))
    assert snap_compare(console, terminal_size=WIDE, run_before=after(shows="silent for 2 h 14 min"))


def test_a_silence_in_full(snap_compare, console, desk, make_silence):
    desk.shown = replace(desk.shown, incidents=(make_silence(),))
    assert snap_compare(console, terminal_size=SMALL, run_before=after("enter", shows="To say in German"))


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["140x45", "80x24"])
def test_answers(snap_compare, console, desk, picture_asked, size):
    desk.shown = picture_asked
    assert snap_compare(console, terminal_size=size, run_before=after("w", shows="Waits since 18:00"))
