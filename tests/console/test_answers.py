"""The answer queue on the console: who takes a post has it, who was first is told, and nothing ever rings."""

from dataclasses import replace

import pytest
from looking import SMALL, WIDE, running, text_of, until

from crisisdesk.console.screens.answers import AnswersScreen
from crisisdesk.console.screens.main import MainScreen
from crisisdesk.console.widgets.answers import InquiryList, waiting
from crisisdesk.records import Answering, Stage

HOSTILE = "@motrin [bold]why[/] \x1b]52;c;aGk=\x07\x1b[31m \u202ereversed?"


@pytest.fixture(autouse=True)
def asked_for(desk, picture_asked):
    desk.shown = picture_asked


async def queue_of(pilot, console) -> InquiryList:
    await pilot.press("w")
    await until(
        pilot, lambda: isinstance(console.screen, AnswersScreen) and "who thought of this" in text_of(console.screen)
    )
    return console.screen.query_one(InquiryList)


async def test_the_main_screen_says_how_many_wait_and_which_key_shows_them(console, desk):
    async with running(console) as pilot:
        await until(
            pilot,
            lambda: "w  3 posts wait for an answer, the oldest for 2 h 14 min; 1 taken" in text_of(console.screen),
        )
        desk.put(replace(desk.shown, inquiries=(), answering=(Answering("Motrin"),)))
        await until(pilot, lambda: "wait for an answer" not in text_of(console.screen))


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
async def test_the_list_says_why_since_when_and_who_has_it(console, size):
    async with running(console, size) as pilot:
        await queue_of(pilot, console)
        seen = " ".join(text_of(console.screen).split())
    shown = (
        "Answers 3 waiting, 1 taken",
        "addressed, question, negative",
        "2 h 14 min",
        "✓ anna has it",
        "ben had it, 1 h 23 min",
        "9 answered today",
        "4 missed this week",
        "https://bsky.app/profile/slingmama/post/0",
        "Waits since 18:00",
    )
    assert [part for part in shown if part not in seen] == []


async def test_who_takes_a_post_has_it(console, desk):
    async with running(console) as pilot:
        await queue_of(pilot, console)
        await pilot.press("a")
        await until(pilot, lambda: "✓ berta has it" in text_of(console.screen))
    assert desk.asked == [("take", "i0", "berta")]


async def test_after_an_answer_the_cursor_is_on_the_next_post(console, desk):
    async with running(console) as pilot:
        shown = await queue_of(pilot, console)
        await pilot.press("r")
        await until(pilot, lambda: shown.cursor == "i1")
        assert desk.shown.inquiries[-2].stage is Stage.ANSWERED
        await pilot.press("down", "down", "r")
        await until(pilot, lambda: shown.cursor == "i2")  # above the last one there is
    assert desk.asked == [("answer", "i0", "berta"), ("answer", "i3", "berta")]


@pytest.mark.parametrize("reason", ["troll", ""])
async def test_a_post_is_passed_over_with_a_reason_or_without(console, desk, reason):
    async with running(console) as pilot:
        shown = await queue_of(pilot, console)
        await pilot.press("p", *reason, "enter")
        await until(pilot, lambda: shown.cursor == "i1")
    assert desk.asked == [("pass_over", "i0", "berta", reason)]


async def test_escape_passes_nothing_over(console, desk):
    async with running(console) as pilot:
        await queue_of(pilot, console)
        await pilot.press("p", "x", "escape")
        assert isinstance(console.screen, AnswersScreen)
    assert desk.asked == []


async def test_a_mistake_is_put_back(console, desk):
    async with running(console) as pilot:
        shown = await queue_of(pilot, console)
        await pilot.press("end")
        await until(pilot, lambda: shown.cursor == "i4")
        assert "Answered by anna at 20:02, after 54 min. b takes that back." in text_of(console.screen)
        await pilot.press("b")
        await until(pilot, lambda: desk.asked)
        await until(pilot, lambda: desk.shown.inquiries[-1].had_by == "anna")
    assert desk.asked == [("give_back", "i4", "berta")]


async def test_who_was_first_is_told(console):
    async with running(console) as pilot:
        shown = await queue_of(pilot, console)
        await pilot.press("down", "r")
        await until(pilot, lambda: console._notifications)
        message = next(iter(console._notifications)).message
        assert shown.cursor == "i1"
    assert message.startswith("anna has taken this post 20 min ago; it has to be given back")


async def test_no_key_of_an_incident_works_there(console, desk):
    async with running(console) as pilot:
        await queue_of(pilot, console)
        await pilot.press("h", "s", "n")
        await pilot.pause()
        assert isinstance(console.screen, AnswersScreen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(console.screen, MainScreen))
    assert desk.asked == []


async def test_who_may_only_look_is_told_so_before_any_window_opens(console, desk):
    desk.shown = replace(desk.shown, barred="You may only look; ask for the role responder.")
    async with running(console) as pilot:
        await queue_of(pilot, console)
        for key in "arpb":
            await pilot.press(key)
        await until(pilot, lambda: len(console._notifications) == 4)
        assert {one.message for one in console._notifications} == {desk.shown.barred}
        assert isinstance(console.screen, AnswersScreen)
    assert desk.asked == []


async def test_new_posts_ring_nobody(console, desk, picture_asked):
    rung = []
    console.bell = lambda: rung.append(1)
    desk.shown = replace(picture_asked, inquiries=(), answering=(Answering("Motrin"),))
    async with running(console) as pilot:
        desk.put(replace(desk.shown, inquiries=picture_asked.inquiries, answering=picture_asked.answering))
        await until(pilot, lambda: "3 posts wait" in text_of(console.screen))
        assert not console._notifications
    assert rung == []


async def test_a_hostile_post_is_plain_text(console, desk, picture_asked):
    first, *others = picture_asked.inquiries
    post = first.post._replace(text=HOSTILE, author="[red]mia[/]", url="https://a.example/[link]\x1b[2J")
    desk.shown = replace(picture_asked, inquiries=(replace(first, post=post), *others))
    async with running(console) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: "[bold]why[/]" in text_of(console.screen))
        seen = text_of(console.screen)
    assert "[red]mia[/]" in seen
    assert not {"\x1b", "\u202e", "\x07"} & set(seen)


async def test_an_empty_queue_and_one_that_is_off_say_so(console, desk, picture_asked):
    desk.shown = replace(picture_asked, inquiries=(), answering=(Answering("Motrin"),))
    async with running(console) as pilot:
        await pilot.press("w")
        await until(pilot, lambda: "Nothing waits for an answer." in text_of(console.screen))
        await pilot.press("a")
        await until(pilot, lambda: console._notifications)
        desk.put(replace(desk.shown, answering=()))
        await until(pilot, lambda: "switched off" in text_of(console.screen))
    assert desk.asked == []


def test_what_waits_is_said_in_a_sentence(picture_asked):
    (motrin,) = picture_asked.answering
    one = replace(motrin, waiting=1, taken=0)
    assert waiting(replace(picture_asked, answering=(one,))) == "1 post waits for an answer, for 2 h 14 min"
    assert waiting(replace(picture_asked, answering=(replace(motrin, waiting=0, oldest=None),))) == (
        "No post waits for an answer; 1 taken"
    )
    assert waiting(replace(picture_asked, answering=())) == ""
