"""What the console does: it acts through the desk, keeps the cursor, calls when it gets worse, and never stops."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from looking import SMALL, WIDE, running, text_of, until
from textual.widgets import Input, Static

from crisisdesk.console import pictures
from crisisdesk.console.screens.incident import IncidentScreen
from crisisdesk.console.screens.main import MainScreen
from crisisdesk.console.widgets.bars import NoticeLine, StatusLine
from crisisdesk.console.widgets.legend import legend_lines
from crisisdesk.console.widgets.lists import FEED_ROWS, Feed, IncidentList
from crisisdesk.detect.weeks import Week
from crisisdesk.errors import StorageError
from crisisdesk.records import Severity, Silence, SourceStatus, State, Verdict


async def test_acknowledge_tells_the_desk_who_has_it(console, desk):
    async with running(console) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: "✓ berta has it" in text_of(console.screen))
    assert desk.asked == [("acknowledge", "motrin-1", "berta")]


async def test_keys_act_on_the_incident_under_the_cursor(console, desk):
    async with running(console) as pilot:
        await pilot.press("down", "n", *"seen", "enter")
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("note", "aspirin-7", "berta", "seen")]


async def test_note_is_written_into_the_incident(console, desk):
    async with running(console) as pilot:
        await pilot.press("n", *"called", "space", *"legal", "enter")
        await until(pilot, lambda: desk.asked)
    assert desk.asked == [("note", "motrin-1", "berta", "called legal")]


async def test_escape_leaves_a_note_unwritten(console, desk):
    async with running(console) as pilot:
        await pilot.press("n", "x", "escape")
        assert isinstance(console.screen, MainScreen)
    assert desk.asked == []


async def test_what_the_desk_refuses_is_said_as_it_stands(console):
    async with running(console) as pilot:
        await pilot.press("end", "a")
        await until(pilot, lambda: console._notifications)
        message = next(iter(console._notifications)).message
    assert message == "The incident motrin-0 is already over [/nothing]; nothing was changed."


async def test_a_broken_action_leaves_the_console_running(console, desk):
    async with running(console) as pilot:

        async def broken(*_: object) -> None:
            raise OSError("disk gone")

        desk.acknowledge = broken
        await pilot.press("a")
        await until(pilot, lambda: console._notifications)
        assert "disk gone" in next(iter(console._notifications)).message


OPENINGS = [[], ["enter"], ["n"], ["r"], ["s"], ["h"], ["d"], ["ctrl+p"], ["p", "question_mark"]]


@pytest.mark.parametrize("keys", OPENINGS, ids="-".join)
async def test_ctrl_q_ends_it_at_once_from_any_screen(console, keys):
    async with running(console) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not console.is_running)
    assert console.return_code == 0


@pytest.mark.parametrize("size", [WIDE, SMALL], ids=["wide", "small"])
async def test_playbook_is_one_key_from_the_alert_and_has_the_screen_for_itself(console, size):
    async with running(console, size) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: "Pause all planned posts" in text_of(console.screen))
        assert "First 15 minutes" in text_of(console.screen)
        assert console.screen.query_one("#playbook").region.width == size[0]
        assert not console.screen.query_one("#evidence").region
        await pilot.press("1")
        await until(pilot, lambda: bool(console.screen.query_one("#evidence").region))


@pytest.mark.parametrize("waiting", [13, 0])  # also where nothing else is new, as after the end of a recording
async def test_an_edited_playbook_is_shown_at_once(console, desk, waiting):
    desk.put(replace(desk.shown, waiting=0))
    async with running(console) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: "Pause all planned posts" in text_of(console.screen))
        step = replace(desk.book.phases[0].steps[0], text="Ring the bell.")
        desk.book = replace(desk.book, phases=(replace(desk.book.phases[0], steps=(step,)),))
        desk.put(replace(desk.shown, waiting=waiting))
        await until(pilot, lambda: "Ring the bell." in text_of(console.screen))


async def test_escape_returns_to_the_desk(console):
    async with running(console) as pilot:
        await pilot.press("enter")
        assert isinstance(console.screen, IncidentScreen)
        await pilot.press("escape")
        assert isinstance(console.screen, MainScreen)


async def test_panes_take_turns_on_a_small_terminal(console):
    async with running(console, SMALL) as pilot:
        await pilot.press("enter", "3")
        await until(pilot, lambda: "58 negative posts in an hour" in text_of(console.screen))
        await pilot.press("1")
        await pilot.pause()
        assert "58 negative posts in an hour" not in text_of(console.screen)


async def test_cursor_stays_on_its_incident_when_a_worse_one_appears(console, desk, make_incident):
    async with running(console, WIDE) as pilot:
        incidents = console.screen.query_one(IncidentList)
        await pilot.press("down")
        assert incidents.cursor == "aspirin-7"
        desk.put(replace(desk.shown, incidents=(make_incident(id="worse", watch="Tylenol"), *desk.shown.incidents)))
        await until(pilot, lambda: "Tylenol" in text_of(console.screen))
        assert (incidents.cursor, incidents.position) == ("aspirin-7", 2)


async def test_only_what_is_new_or_worse_calls(console, desk, make_incident):
    async with running(console) as pilot:
        assert not console._notifications  # what is there at the start is in front of the person anyway
        silence = Silence(desk.shown.now + timedelta(hours=1), "ann", "known", Severity.RED)
        quiet = make_incident(id="quiet", silence=silence)
        feed = make_incident(id="feed", severity=Severity.NOTICE)
        new = make_incident(id="new", watch="Tylenol", severity=Severity.AMBER)
        raised = replace(desk.shown.incidents[1], severity=Severity.RED)
        desk.put(replace(desk.shown, incidents=(desk.shown.incidents[0], raised, new, quiet, feed)))
        await until(pilot, lambda: len(console._notifications) == 2)
        assert {n.title for n in console._notifications} == {"RED Pain relievers", "AMBER Tylenol"}


async def test_a_desk_that_cannot_be_read_is_a_line_not_a_traceback(console, desk, monkeypatch):
    monkeypatch.setattr(pictures, "IDLE_SECONDS", 0.01)
    async with running(console, WIDE) as pilot:
        desk.error = StorageError("acme.db is locked; close the other desk.")
        desk.put(desk.shown)
        await until(pilot, lambda: "acme.db is locked; close the other desk." in text_of(console.screen))
        assert "84 negative by 71 people" in text_of(console.screen)  # the last picture stays
        desk.error = None
        await until(pilot, lambda: "acme.db" not in text_of(console.screen))


async def test_a_desk_that_cannot_be_read_from_the_start(console, desk):
    desk.error = ValueError("no picture [/foo]")
    async with running(console, WIDE):
        assert console.screen.query_one(StatusLine).has_class("-trouble")
        assert "no picture [/foo]" in text_of(console.screen)


async def test_a_model_on_its_way_is_said_in_one_phrase(console, desk):
    desk.shown = replace(desk.shown, model="")
    async with running(console) as pilot:
        assert "· loading the model ·" in text_of(console.screen)
        desk.put(replace(desk.shown, model="words@0001"))
        await until(pilot, lambda: "· model words@0001 ·" in text_of(console.screen))
        assert "loading" not in text_of(console.screen)


async def test_a_storm_of_mentions_is_drawn_in_a_few_frames(console, desk, make_mention):
    async with running(console) as pilot:
        before = desk.taken
        for number in range(5_000):
            mention = make_mention(number, f"post number {number}", id=f"storm-{number}")
            desk.put(replace(desk.shown, mentions=(mention, *desk.shown.mentions)[:500]))
            if number % 250 == 0:
                await asyncio.sleep(0)
        await until(pilot, lambda: "post number 4999" in text_of(console.screen))
        assert desk.taken - before <= 20
        assert len(console.screen.query_one(Feed)._rows) == FEED_ROWS


async def test_the_feed_stands_still_while_somebody_reads(console, desk, make_mention):
    async with running(console) as pilot:
        feed = console.screen.query_one(Feed)
        await pilot.press("3", "down", "down")
        reading, rows = feed.cursor, feed._rows
        new = tuple(make_mention(-n, f"fresh {n}", id=f"new-{n}") for n in range(7))
        desk.put(replace(desk.shown, mentions=new + desk.shown.mentions))
        await until(pilot, lambda: "7 newer" in str(feed.border_title))
        assert (feed.cursor, feed._rows) == (reading, rows)
        await pilot.press("home")
        await until(pilot, lambda: "fresh 0" in text_of(console.screen))


async def test_a_small_terminal_shows_what_is_wrong_and_what_to_do(console, desk):
    gone = replace(desk.shown.sources[0], state="failed", trouble="Set url in crisisdesk.toml.")
    desk.shown = replace(desk.shown, sources=(gone,))
    async with running(console, SMALL):
        shown = text_of(console.screen)
    for words in (
        "RED",
        "Motrin",
        "nobody has it",
        "Read the ten posts",
        "reconstruction is failed",
        "Set url in crisisdesk.toml.",
    ):
        assert words in shown


async def test_the_palette_knows_the_screens_actions(console, desk):
    async with running(console) as pilot:
        await pilot.press("ctrl+p", *"ackno")
        await until(pilot, lambda: "I have it: the calling stops" in text_of(console.screen))
        await pilot.press("enter")
        await until(pilot, lambda: desk.asked)
    assert desk.asked[0][0] == "acknowledge"


async def test_nothing_is_the_matter(console, desk):
    calm = replace(desk.shown.watches[0], severity=None, learning=True, days_known=3)
    desk.shown = replace(desk.shown, incidents=(), watches=(calm,))
    async with running(console) as pilot:
        await pilot.press("a", "enter")
        shown = text_of(console.screen)
    assert "No incident. Watching Motrin." in shown
    assert "Learning: Motrin knows 3 of 7 days." in shown
    assert desk.asked == []


async def test_resolved_elsewhere_while_it_is_open_here(console, desk):
    async with running(console) as pilot:
        await pilot.press("enter")
        over = replace(desk.shown.incidents[0], state=State.RESOLVED, verdict=Verdict.REAL)
        desk.put(replace(desk.shown, incidents=(*desk.shown.incidents[1:], over)))
        await until(pilot, lambda: "over: real" in text_of(console.screen))
        desk.put(replace(desk.shown, incidents=()))  # and forgotten
        await until(pilot, lambda: not console.screen.picture.incidents)
        assert "over: real" in text_of(console.screen)


async def test_a_very_long_note_is_limited_at_the_door(console):
    async with running(console) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: console.screen.query(Input))
        assert console.screen.query_one(Input).max_length == 2_000


async def test_all_troubles_are_readable_in_full(console, desk):
    long = "The playbook folder holds a file that cannot be read, " * 5 + "mend it."
    desk.shown = replace(desk.shown, troubles=(long, "b", "c", "d"))
    async with running(console, SMALL) as pilot:
        assert "mend it." not in text_of(console.screen)
        await pilot.press("d")
        await until(pilot, lambda: console.screen.query(Static))
        assert "mend it." in text_of(console.screen).replace("\n", " ")


async def test_what_a_source_costs_is_readable(console, desk):
    costs = "About 12,175 posts a month match, by the last 7 days: 61 USD."
    desk.shown = replace(desk.shown, troubles=(), sources=(SourceStatus("x", "live", note=costs),))
    async with running(console, WIDE) as pilot:
        assert "d: in full" in text_of(console.screen)
        await pilot.press("d")
        await until(pilot, lambda: console.screen.query(Static))
        assert f"x: {costs}" in text_of(console.screen).replace("\n", " ")


async def test_other_languages_are_named_and_a_flood_of_them_is_said(console, desk, picture_abroad):
    desk.shown = picture_abroad
    async with running(console, WIDE):
        shown = text_of(console.screen)
    assert "Motrin: 34 posts in other languages (fr 23, es 11) this hour. They are counted apart and call" in shown
    assert "  +34 fr, es  " in shown
    assert " · fr · " in shown
    assert " · es · " in shown


@pytest.mark.parametrize(
    ("posts", "said"), [((11, 19), False), ((11, 20), True), ((21, 20), False), ((20, 20), True), ((0, 20), True)]
)
async def test_few_posts_in_other_languages_are_no_flood(console, desk, picture_abroad, posts, said):
    total, other = posts
    watch = replace(picture_abroad.watches[0], total_hour=total, other_hour=(("fr", other),))
    desk.shown = replace(picture_abroad, watches=(watch,), notice="")
    async with running(console) as pilot:
        await until(pilot, lambda: f"+{other} fr" in text_of(console.screen))
        assert ("other languages" in text_of(console.screen)) is said
        assert console.screen.query_one(NoticeLine).display is said


async def test_evidence_counts_other_languages_apart(console, desk, make_incident):
    found = make_incident()
    found = replace(found, evidence=replace(found.evidence, other_languages=(("fr", 20), ("es", 14))))
    desk.shown = replace(desk.shown, incidents=(found,))
    async with running(console, (140, 90)) as pilot:
        await pilot.press("enter")
        await until(
            pilot,
            lambda: "And 34 posts in other languages (fr 20, es 14), counted apart" in text_of(console.screen),
        )


async def test_enter_on_a_watch_opens_its_weeks_and_its_budget(console, desk):
    monday = datetime(2008, 10, 20, tzinfo=UTC)
    weeks = tuple(Week(monday + timedelta(weeks=n), 1000 + n, 180 + 43 * n) for n in range(4))
    told = "Negative share of Pain relievers up from 18 % to 31 % in three weeks (1,003 posts last week)."
    risen = replace(
        desk.shown.watches[1], weeks=weeks, rise=told, advice='Pain relievers overspends: write "5 per year"[/]'
    )
    desk.put(replace(desk.shown, watches=(desk.shown.watches[0], risen)))
    async with running(console) as pilot:
        await until(pilot, lambda: "rising" in text_of(console.screen))
        await pilot.press("2", "end", "enter")
        await until(pilot, lambda: "Week by week" in text_of(console.screen))
        shown = " ".join(text_of(console.screen).split())
        assert "2008-W43 1,000 posts 18 % negative" in shown
        assert "up from 18 % to 31 %" in shown
        assert 'write "5 per year"[/]' in shown
        await pilot.press("escape", "1", "enter")
        await until(pilot, lambda: isinstance(console.screen, IncidentScreen))


async def test_a_flood_has_no_chart_of_what_people_say(console, desk, make_flood):
    desk.shown = replace(desk.shown, incidents=(make_flood(),))
    async with running(console, WIDE) as pilot:
        await until(pilot, lambda: "220 times" in text_of(console.screen))
        assert "share before they delete this" in text_of(console.screen)
        assert "usual band" not in text_of(console.screen)
        await pilot.press("enter")
        await until(pilot, lambda: "Accounts behind it" in text_of(console.screen))
        assert "usual band" not in text_of(console.screen)


async def test_one_clock_with_its_zone_is_on_every_screen(console):
    async with running(console) as pilot:
        assert "20:14 EST" in text_of(console.screen)
        await pilot.press("p", "3")
        await until(pilot, lambda: "Fri 14 Nov 22:40 EST" in text_of(console.screen))
        assert "20:14 EST" in text_of(console.screen)
        await pilot.press("question_mark", "end")
        await until(pilot, lambda: "All times are EST." in text_of(console.screen))


@pytest.mark.parametrize(
    "word", ["BRIGADING", "HINWEIS", "overspends", "this hour", "no post yet", "dropped", "is asked"]
)
def test_the_words_of_the_screen_are_explained(word):
    assert word in "\n".join(f"{line.sign.plain}{line.left.plain}" for line in legend_lines("EST"))


async def test_help_is_one_key_away_and_fits_a_small_screen(console):
    async with running(console, SMALL) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: "Keys" in text_of(console.screen))
        seen = text_of(console.screen)
        for _ in range(6):
            await pilot.press("pagedown")
            await pilot.pause()
            seen += text_of(console.screen)
    for words in ("I have it: the calling stops", "call someone now (ROT)", "a negative, neutral or positive post"):
        assert words in seen


async def test_the_end_of_a_recording_is_said(console, desk):
    said = "The recording has ended"
    async with running(console, SMALL) as pilot:
        assert said not in text_of(console.screen)
        over = tuple(replace(source, state="ended") for source in desk.shown.sources)
        desk.put(replace(desk.shown, sources=over, waiting=3))
        await until(pilot, lambda: "reconstruction ended" in text_of(console.screen))
        assert said not in text_of(console.screen)  # the model is still busy
        desk.put(replace(desk.shown, waiting=0))
        await until(pilot, lambda: said in text_of(console.screen))
        assert "ctrl+q leaves." in text_of(console.screen)


async def test_a_watch_that_overspends_says_by_how_much_its_threshold_would_rise(console, desk):
    advice = (
        "Motrin overspends: 8 false alarms in 90 days; its budget of 1 per month allows 3. To keep to it, write "
        'false_alarms = "5 per year": its threshold would rise from 3.00 to 3.27, 4 of 8 false alarms would not have '
        "come (10 Oct 00:00, 17 Oct 00:00, 24 Oct 00:00). Nothing changes by itself."
    )
    watch = replace(desk.shown.watches[0], advice=advice)
    desk.shown = replace(desk.shown, watches=(watch,), troubles=(advice,))
    async with running(console, SMALL):
        shown = " ".join(text_of(console.screen).split())
    assert 'write false_alarms = "5 per year": its threshold would rise from 3.00 to 3.27' in shown
    assert "overspends · RED" in shown


async def test_the_page_of_a_watch_follows_and_names_the_hours_that_stood_out(console, desk):
    week = Week(datetime(2008, 11, 10, tzinfo=UTC), 1000, 180, 7)
    watch = replace(desk.shown.watches[0], weeks=(week,))
    desk.shown = replace(desk.shown, watches=(watch,))
    async with running(console, WIDE) as pilot:
        await pilot.press("2", "enter")
        await until(pilot, lambda: "(so far, without 7 hours that stood out)" in text_of(console.screen))
        desk.put(replace(desk.shown, watches=(replace(watch, negative_hour=99, total_hour=202),)))
        await until(pilot, lambda: "99 of 202 posts of the last hour" in text_of(console.screen))


async def test_what_is_long_past_when_it_comes_up_calls_nobody_until_it_goes_on(desk, make_incident):
    alarms = pictures.Alarms()
    old = make_incident(id="old", severity=Severity.AMBER, updated=desk.shown.now - timedelta(days=14))
    assert alarms.new(desk.shown) == []
    assert alarms.new(replace(desk.shown, incidents=(old,))) == []
    again = replace(old, updated=desk.shown.now)
    assert alarms.new(replace(desk.shown, incidents=(again,))) == [again]
    assert alarms.new(replace(desk.shown, incidents=(again,))) == []


async def test_the_palette_has_each_action_once_and_none_of_the_machinery(console):
    async with running(console):
        names = [command.title for command in console.get_system_commands(console.screen)]
    assert len(names) == len(set(names))
    assert {"Acknowledge", "Resolve", "Playbook", "Quit", "Colours"} <= set(names)
    assert not {"Down", "Maximize", "Focus Previous", "Screenshot"} & set(names)
