"""What people do about an incident besides working on it: quiet, handing over; and what they see of the calling."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from looking import SMALL, WIDE, key, running, text_of, until
from textual.screen import ModalScreen
from textual.widgets import Static

from crisisdesk.console import pictures, words
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.guide import timeline_page
from crisisdesk.oncall.decide import Do
from crisisdesk.oncall.prospect import Prospect
from crisisdesk.records import Calling, Change, Event, Severity, Silence, State

NOW = datetime(2008, 11, 16, 1, 14, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NEW_YORK = Times(ZoneInfo("America/New_York"))


def shown(screen) -> str:
    """All words of a screen, on one line."""
    return " ".join(text_of(screen).split())


def said(window) -> str:
    """What the hint of a window says, on however many lines."""
    return str(window.query_one("#hint", Static).content)


async def asked(pilot, *keys) -> None:
    """Press keys that open a window, and wait until it is there."""
    await pilot.press(*keys)
    await until(pilot, lambda: isinstance(pilot.app.screen, ModalScreen))
    await pilot.pause()


def put_first(desk, **changes) -> None:
    """The incident of Saturday night, changed."""
    first, *others = desk.shown.incidents
    desk.put(replace(desk.shown, incidents=(replace(first, **changes), *others)))


@pytest.mark.parametrize("opening", [[], ["enter"]], ids=["on the list", "on the incident"])
async def test_a_silence_has_an_end_a_reason_and_a_name(console, desk, opening):
    async with running(console) as pilot:
        await pilot.press(*opening)
        await asked(pilot, "s")
        await pilot.press("3", *"known", "enter")
        await until(pilot, lambda: desk.asked)
        await until(pilot, lambda: "silent until 00:14" in shown(console.screen) or opening)
    assert desk.asked == [("silence", "motrin-1", "berta", NOW + 4 * HOUR, "known")]


async def test_overnight_is_until_the_next_eight_o_clock_on_the_wall(console, desk):
    async with running(console) as pilot:
        await asked(pilot, "s")
        assert "until Sun 08:00" in shown(console.screen)
        await pilot.press("4", "x", "enter")
        await until(pilot, lambda: desk.asked)
    assert desk.asked[0][3] == datetime(2008, 11, 16, 13, tzinfo=UTC)


async def test_a_silence_without_a_reason_is_not_asked_for(console, desk):
    async with running(console) as pilot:
        await asked(pilot, "s")
        await pilot.press("1", "space", "enter")
        await until(pilot, lambda: "A silence needs a reason" in shown(console.screen))
        assert not desk.asked
        await pilot.press("x", "enter")
        await until(pilot, lambda: desk.asked)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2008-11-15 20:00", "Sat 15 Nov 20:00 EST is over already"),
        ("soon", "That is no time"),
        ("", "That is no time"),
    ],
)
async def test_a_silence_that_ends_in_the_past_or_never_is_not_asked_for(console, desk, written, said):
    async with running(console) as pilot:
        await asked(pilot, "s")
        await pilot.press("5", *("space" if sign == " " else sign for sign in written), "enter")
        await until(pilot, lambda: said in shown(console.screen))
        assert not desk.asked
        await pilot.press("escape")
    assert not desk.asked


async def test_another_end_is_written_as_people_write_it(console, desk):
    async with running(console) as pilot:
        await asked(pilot, "s")
        await pilot.press("5", *"22:30", "enter", *"why", "enter")
        await until(pilot, lambda: desk.asked)
    assert desk.asked[0][3:] == (datetime(2008, 11, 16, 3, 30, tzinfo=UTC), "why")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("20:15", NOW + MINUTE),
        ("20:14", NOW + 24 * HOUR),
        ("8.30", datetime(2008, 11, 16, 13, 30, tzinfo=UTC)),
        ("90 min", NOW + 90 * MINUTE),
        ("2 Stunden", NOW + 2 * HOUR),
        ("2008-11-17 08:00", datetime(2008, 11, 17, 13, tzinfo=UTC)),
        ("2008-11-17 8:00", datetime(2008, 11, 17, 13, tzinfo=UTC)),
        ("in 3 minutes", NOW + 3 * MINUTE),
        ("17.11.2008 8:00", datetime(2008, 11, 17, 13, tzinfo=UTC)),
        ("2008-11-17T08:00Z", datetime(2008, 11, 17, 8, tzinfo=UTC)),
        ("25:00", None),
        ("9999999999 days", None),
        ("[/foo]", None),
    ],
)
def test_moments_are_read_by_the_clock_on_the_wall(written, read):
    assert NEW_YORK.read(written, NOW) == read


async def test_a_silence_is_shown_with_who_and_why_and_can_be_lifted(console, desk):
    put_first(desk, silence=Silence(NOW + 30 * MINUTE, "anna", "the campaign [/b] is ours", Severity.RED))
    async with running(console) as pilot:
        await pilot.press("enter")
        told = "Silent until Sat 15 Nov 20:44 EST, or until it gets worse, by anna: “the campaign [/b] is ours”."
        await until(pilot, lambda: told in shown(console.screen))
        await asked(pilot, "s")
        assert "lift the silence" in shown(console.screen)
        await pilot.press("enter")
        await until(pilot, lambda: desk.asked)
        await until(pilot, lambda: "by anna" not in shown(console.screen))
    assert desk.asked == [("lift", "motrin-1", "berta")]


async def test_who_leaves_the_window_changes_nothing(console, desk):
    async with running(console) as pilot:
        for opening in "s", "h":
            await asked(pilot, opening)
            await pilot.press("enter", "x", "escape")
    assert desk.asked == []


@pytest.mark.parametrize("key", ["s", "h"])
async def test_what_is_over_can_neither_be_silenced_nor_handed_over(console, desk, key):
    async with running(console) as pilot:
        await pilot.press("end", key)
        await until(pilot, lambda: console._notifications)
        assert next(iter(console._notifications)).message == "Motrin is over: nobody is called for it."
        assert not isinstance(console.screen, ModalScreen)
    assert desk.asked == []


async def test_a_silence_that_outlives_its_incident_can_be_lifted(console, desk):
    put_first(desk, state=State.RESOLVED, silence=Silence(NOW + HOUR, "anna", "flaps", Severity.RED))
    async with running(console) as pilot:
        await pilot.press("home")
        await asked(pilot, "s")
        assert "4 hours" not in shown(console.screen)
        await pilot.press("escape")


async def test_handing_over_names_somebody_the_desk_knows_and_how_things_stand(console, desk):
    desk.put(replace(desk.shown, people=("Anna Berg", "Berta", "Ben Cole")))
    async with running(console) as pilot:
        await asked(pilot, "h")
        assert "Nobody has it until they do." in shown(console.screen)
        assert "Berta" not in shown(console.screen)  # who sits here
        await pilot.press("2", *"legal", "enter")
        await until(pilot, lambda: "Ben Cole is asked" in shown(console.screen))
    assert desk.asked == [("assign", "motrin-1", "berta", "Ben Cole", "legal")]


async def test_what_is_typed_faster_than_the_window_follows_is_not_lost(console, desk):
    desk.put(replace(desk.shown, people=("Anna Berg", "Ben Cole")))
    async with running(console) as pilot:
        await asked(pilot, "h")
        for sign in "2at 1 of us\r":  # at once, as from a terminal over a slow line
            console.post_message(key(sign))
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("assign", "motrin-1", "berta", "Ben Cole", "at 1 of us")]


@pytest.mark.parametrize("people", [(), ("Anna Berg", "Cem")], ids=["on the field", "on the list"])
async def test_a_line_that_comes_at_once_goes_into_its_fields(console, desk, people):
    desk.put(replace(desk.shown, people=people))
    async with running(console) as pilot:
        await asked(pilot, "h")
        for sign in "Cem\rad is out\r":
            console.post_message(key(sign))
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("assign", "motrin-1", "berta", "Cem", "ad is out")]


@pytest.mark.parametrize("keys", [["enter"], ["tab"]], ids=["enter", "tab"])
@pytest.mark.parametrize("written", ["Amy", "amy c", "CLARK", "a"])
async def test_the_name_that_is_shown_is_the_name_that_is_taken(console, desk, written, keys):
    desk.put(replace(desk.shown, people=("Ben Cole", "Amy Clark")))
    async with running(console) as pilot:
        await asked(pilot, "h")
        await pilot.press("tab", *("space" if sign == " " else sign for sign in written), *keys)
        await pilot.press(*"ok", "enter")
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("assign", "motrin-1", "berta", "Amy Clark", "ok")]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Bob", "Bob has no address here, so nobody would be told. Choose somebody above"),
        ("Bne", "Bne has no address here, so nobody would be told. Did you mean Ben Cole?"),
        ("Amy", "That may be Amy Clark or Amy Stone. Write more of the name"),
    ],
)
async def test_nobody_is_asked_whom_no_message_reaches(console, desk, written, told):
    desk.put(replace(desk.shown, people=("Ben Cole", "Amy Clark", "Amy Stone")))
    async with running(console) as pilot:
        await asked(pilot, "h")
        await pilot.press(*written, "enter")
        await until(pilot, lambda: told in said(console.screen))
        await pilot.press("enter", "enter", "escape")
    assert desk.asked == []


async def test_handing_over_where_the_desk_knows_nobody(console, desk):
    async with running(console) as pilot:
        await asked(pilot, "h")
        await pilot.press("enter")
        await until(pilot, lambda: "Nobody is named." in shown(console.screen))
        await pilot.press(*"Cem", "enter", "x", "enter")
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("assign", "motrin-1", "berta", "Cem", "x")]


async def test_a_hand_over_without_a_word_is_asked_about_once(console, desk):
    desk.put(replace(desk.shown, people=("Anna Berg", "Ben Cole")))
    async with running(console) as pilot:
        await asked(pilot, "h")
        await pilot.press("2", "enter")
        await until(pilot, lambda: "enter again hands over without" in said(console.screen))
        assert desk.asked == []
        await pilot.press("enter")
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("assign", "motrin-1", "berta", "Ben Cole", "")]


async def test_what_is_typed_before_a_window_is_there_is_no_key_of_the_screen_below(console, desk):
    async with running(console) as pilot:
        for sign in "hanna s":  # of these a, n and s would be
            console.post_message(key(sign))
        await until(pilot, lambda: console.screen.query("#to"))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(console.screen, ModalScreen))
    assert desk.asked == []


async def test_what_comes_behind_an_early_enter_is_still_the_word(console, desk):
    desk.put(replace(desk.shown, people=("Anna Berg", "Ben Cole")))
    async with running(console) as pilot:
        await asked(pilot, "h")
        for sign in "1\rour ad, r is real\r\rr1\r":
            console.post_message(key(sign))
        await until(pilot, lambda: desk.asked)
        assert not isinstance(console.screen, ModalScreen)
    assert desk.asked == [("assign", "motrin-1", "berta", "Anna Berg", "our ad, r is real")]


async def test_handing_over_to_oneself_is_answered_with_the_right_key(console, desk):
    async with running(console) as pilot:
        await asked(pilot, "h")
        await pilot.press(*"BERTA", "enter")
        await until(pilot, lambda: "That is you. Press a" in shown(console.screen))
    assert desk.asked == []


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
async def test_who_was_called_and_who_is_next_is_said(console, desk, size):
    put_first(desk, calling=Calling("red", 1, 1, 1, NOW - 4 * MINUTE), told=("push to Anna Berg",))
    prospect = Prospect("motrin-1", "Anna Berg by push", Do.CALL, NOW + MINUTE, "Ben Cole by push")
    desk.put(replace(desk.shown, prospects=(prospect,)))
    async with running(console, size) as pilot:
        assert "called 20:10, no answer yet" in shown(console.screen)
        await pilot.press("enter")
        told = "Called Anna Berg by push, at 20:10; no answer yet. Next at 20:15: Ben Cole by push."
        await until(pilot, lambda: told in shown(console.screen))


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
async def test_that_nobody_has_answered_is_loud_everywhere(console, desk, size):
    async with running(console, size) as pilot:
        calling = Calling("red", 2, 1, 1, NOW - 4 * MINUTE)
        put_first(desk, calling=calling, told=("push to Anna Berg",))
        await until(pilot, lambda: "called 20:10" in shown(console.screen))
        put_first(desk, calling=replace(calling, exhausted=True))
        await until(pilot, lambda: "NOBODY HAS ANSWERED" in shown(console.screen))
        await until(pilot, lambda: console._notifications)
        assert next(iter(console._notifications)).title == "RED Motrin: NOBODY HAS ANSWERED"
        console.clear_notifications()
        for pane in "1", "2", "3":
            await pilot.press("enter", pane)
            await until(pilot, lambda: "NOBODY HAS ANSWERED" in shown(console.screen))
            await pilot.press("escape")


async def test_what_nobody_has_answered_calls_out_once(desk):
    alarms, (first, *_) = pictures.Alarms(), desk.shown.incidents
    calling = Calling("red", 1, 1, 1, NOW, exhausted=True)
    unanswered = replace(desk.shown, incidents=(replace(first, calling=calling),))
    assert alarms.new(desk.shown) == []
    assert alarms.new(unanswered) == list(unanswered.incidents)
    assert alarms.new(unanswered) == []


@pytest.mark.parametrize(
    ("prospect", "told"),
    [
        (
            Prospect("motrin-1", "", Do.CALL, NOW + 6 * HOUR, "Anna Berg by push", "red does not call in quiet hours"),
            "Calls Anna Berg by push at 02:14 (red does not call in quiet hours).",
        ),
        (
            Prospect("motrin-1", "Anna Berg by push", Do.GIVE_UP, NOW + MINUTE),
            "There is nobody left to call: at 20:15 all are told that nobody has answered.",
        ),
    ],
    ids=["quiet hours", "the end of the chain"],
)
async def test_what_the_desk_does_next_is_said(console, desk, prospect, told):
    if prospect.called:
        put_first(desk, calling=Calling("red", 1, 1, 1, NOW), told=("push to Anna Berg",))
    desk.put(replace(desk.shown, prospects=(prospect,)))
    async with running(console) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: told in shown(console.screen))


async def test_until_when_somebody_has_it_is_said(console, desk):
    put_first(desk, state=State.ACKNOWLEDGED, acknowledged_by="anna", acknowledged_at=NOW)
    desk.put(replace(desk.shown, prospects=(Prospect("motrin-1", "", Do.LAPSE, NOW + HOUR),)))
    async with running(console) as pilot:
        await pilot.press("enter")
        told = "anna has it until 21:14 if nothing is done; then it calls again. A note is enough."
        await until(pilot, lambda: told in shown(console.screen))


async def test_who_is_on_call_is_on_the_screen(console, desk):
    desk.put(replace(desk.shown, on_call=("Anna Berg (comms)", "nobody (legal)")))
    async with running(console) as pilot:
        assert "on call Anna Berg (comms), nobody (legal)" in shown(console.screen)
        await pilot.press("d")
        await until(pilot, lambda: "What runs on call Anna Berg" in shown(console.screen).replace("│ │ ", ""))


def test_the_timeline_says_in_plain_words_what_happened():
    lines = [
        (Event.CALLED, None, "Anna Berg by push: it is new (step 1 of 2)"),
        (Event.UNANSWERED, None, "nobody has answered; the chain “red” has ended"),
        (Event.LAPSED, "anna", "anna has it, and nothing was done for 1 h"),
        (Event.ASSIGNED, "berta", "to Ben Cole: legal knows"),
        (Event.SILENCED, "berta", "no longer"),
    ]
    changes = [Change("i", n, event, NOW, Severity.RED, who, why) for n, (event, who, why) in enumerate(lines, 1)]
    told = "\n".join(line.plain for line in timeline_page(changes, NEW_YORK).fit(80))
    for said in "called · RED  ", "NOBODY HAS ANSWERED · RED  ", "free again · RED  ":
        assert said in told
    assert "handed over · RED · by berta" in told
    assert "silence · RED · by berta" in told


def test_who_has_it_gives_way_to_what_is_to_be_known_of_it(make_incident):
    silence = Silence(NOW + 20 * HOUR, "anna", "known", Severity.RED)
    taken = make_incident(state=State.ACKNOWLEDGED, acknowledged_by="anna", acknowledged_at=NOW)
    assert words.standing(taken, NOW, NEW_YORK) == "✓ anna has it since 20:14"
    quiet = replace(taken, silence=silence, assigned_to="Ben")
    assert words.standing(quiet, NOW, NEW_YORK) == "✓ anna has it, silent until Sun 16:14, Ben is asked"
    free = make_incident(silence=silence, assigned_to="Ben")
    assert words.standing(free, NOW, NEW_YORK) == "silent until Sun 16:14, Ben is asked"
    assert words.standing(replace(free, silence=None), NOW, NEW_YORK) == "nobody has it, Ben is asked"
    over = replace(quiet, state=State.RESOLVED)
    assert words.standing(over, NOW, NEW_YORK) == "over: no verdict, silent until Sun 16:14"


async def test_what_somebody_else_has_is_taken_over_after_a_question(console, desk):
    put_first(desk, state=State.ACKNOWLEDGED, acknowledged_by="Ben Cole", acknowledged_at=NOW - HOUR)
    async with running(console) as pilot:
        await asked(pilot, "a")
        window = " ".join(str(one.content) for one in console.screen.query(Static))
        assert "Ben Cole has Motrin since 19:14. Take it over?" in window
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(console.screen, ModalScreen))
        assert desk.asked == []
        await asked(pilot, "a")
        await pilot.press("enter")
        await until(pilot, lambda: desk.asked)
        await until(pilot, lambda: any("instead of Ben Cole" in one.message for one in console._notifications))
    assert desk.asked == [("acknowledge", "motrin-1", "berta", "Ben Cole")]


async def test_what_one_is_asked_to_take_is_taken_without_a_question(console, desk):
    put_first(desk, state=State.ACKNOWLEDGED, acknowledged_by="Ben Cole", assigned_to="Berta")
    async with running(console) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("acknowledge", "motrin-1", "berta")]
