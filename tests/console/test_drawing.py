"""The parts that need no application: figures in words, the chart's columns, lines that fill a width."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import plain
from crisisdesk.console.screens.main import calm_page
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.bars import DeskBar, floods, well
from crisisdesk.console.widgets.chart import ceiling, column, sparkline
from crisisdesk.console.widgets.evidence import decisive_page, evidence_page, glance_page, headline_page
from crisisdesk.console.widgets.guide import timeline_page
from crisisdesk.console.widgets.lists import incident_page, mention_page
from crisisdesk.console.widgets.page import Line, Page, row
from crisisdesk.console.widgets.watch import watch_details
from crisisdesk.console.widgets.watch_row import watch_line, watch_page
from crisisdesk.desk import ChartPoint, Picture, WatchPicture
from crisisdesk.oncall.prospect import Prospect
from crisisdesk.records import Change, Event, Evidence, OutputStatus, Severity, SourceStatus, State, Verdict
from crisisdesk.text import how_long

NOON = datetime(2008, 11, 15, 12, tzinfo=UTC)
NEW_YORK = Times(ZoneInfo("America/New_York"))
QUIET = Prospect("motrin-1")


def read(page: Page, width: int = 110) -> str:
    """What a page says at a width."""
    return "\n".join(line.plain for line in page.fit(width))


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=14, seconds=59), "14 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=2, minutes=14), "2 h 14 min"),
        (timedelta(days=3, hours=4, minutes=9), "3 d 4 h"),
    ],
)
def test_age(span, said):
    assert how_long(span) == said


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0, "less than 1 in a billion"),
        (0.0005, "1 in 2,000"),
        (3.3e-6, "1 in 300,000"),
        (0.4, "1 in 2"),
        (0.9, "likely"),
    ],
)
def test_chance(probability, said):
    assert words.chance(probability) == said


def test_a_post_as_evidence_says_how_each_mood_was_judged_and_by_what(make_incident):
    spike = make_incident()
    evidence = spike.evidence
    page = read(evidence_page(spike, NEW_YORK), 100)
    assert "  negative 0.94 · neutral 0.05 · positive 0.01 · minilm-posts-v1@6f62c8f3a1d0\n" in page
    assert page.count("@6f62c8f3a1d0") == len(evidence.posts) + len(evidence.signals)
    assert "Not judged" not in page
    old = replace(evidence.posts[0], neutral=None, positive=None, model="")
    page = read(evidence_page(replace(spike, evidence=Evidence(posts=(old,), unjudged=2)), NEW_YORK), 100)
    assert "94 % negative" in page
    assert "0.94" not in page
    assert "2 posts count as neutral because the model failed on them." in page


def test_why_posts_are_shown_stands_once_with_those_that_are_shown_for_the_same(make_incident):
    for page in decisive_page(make_incident(), NEW_YORK), evidence_page(make_incident(), NEW_YORK):
        for role in "typical", "widest reach", "newest":
            assert read(page).count(role) == 1


def test_many_outputs_that_are_live_are_counted_and_the_others_named():
    live = [OutputStatus(f"push to {name}", "live", 4) for name in ("Anna Berg", "Ben Cole", "Cem Demir")]
    picture = Picture(NOON, outputs=(*live, OutputStatus("suite", "connecting")))
    assert well(picture, brief=True).plain.endswith("suite connecting, 0 sent · 3 outputs live, 12 sent")
    assert "push to Cem Demir live, 4 sent" in well(picture).plain
    assert "push to Ben Cole live" in well(replace(picture, outputs=live[:2]), brief=True).plain


def test_a_mention_that_could_not_be_judged_says_so(make_mention):
    judged = make_mention(1, "well", "neutral")
    assert "not judged" not in mention_page(judged, "20:14").fit(80)[0].plain
    assert "not judged" in mention_page(replace(judged, judged=False), "20:14").fit(80)[0].plain


def test_a_flood_says_its_kind_who_repeats_what_and_what_everybody_else_says(make_flood):
    flood = make_flood()
    first, second = (line.plain for line in incident_page(flood, NOON, NEW_YORK).fit(110))
    assert first.startswith(" NOTICE  Motrin  BRIGADING ")
    assert second.startswith("         300 copies by 9 accounts in 30 minutes  ")
    glance = read(glance_page(flood, NEW_YORK))
    assert "300 posts by 9 accounts in 60 min · from everybody else: 14 posts · first copy Sat 20:07" in glance
    assert "people" not in glance
    shown = read(evidence_page(flood, NEW_YORK))
    assert shown.count("share before they delete this") == 1
    assert "220 times · first by two_under_two" in shown
    assert "Accounts behind it, with their followers\ntwo_under_two 12   porchlight 3   a_bot" in shown
    for of_a_spike in ("What sets it apart", "Decisive posts", "negative", "Voices"):
        assert of_a_spike not in shown


def test_a_word_that_few_have_met_is_explained_on_the_incidents_screen(make_incident, make_flood):
    meaning = "BRIGADING: a few accounts repeat themselves to look like a crowd, or many people repeat one text."
    assert meaning in read(headline_page(make_flood(), QUIET, NOON, NEW_YORK, None))
    assert "BRIGADING" not in read(headline_page(make_incident(), QUIET, NOON, NEW_YORK, None))


def test_an_incident_shows_the_worst_that_it_has_been(make_incident):
    red = make_incident()
    eased = replace(red, severity=Severity.NOTICE, eased_from=Severity.RED)
    over = replace(eased, state=State.RESOLVED, resolved_at=NOON, verdict=Verdict.REAL)

    def listed(incident):
        return incident_page(incident, NOON, NEW_YORK).fit(110)[0].plain

    assert listed(red).startswith("  RED    Motrin   ")
    assert listed(eased).startswith("  RED    Motrin  now NOTICE   ")
    assert listed(over).startswith("  RED    Motrin   ")
    assert "NOTICE" not in listed(over)
    assert read(headline_page(eased, QUIET, NOON, NEW_YORK, None)).startswith("  RED    Motrin  now NOTICE ")
    assert read(headline_page(over, QUIET, NOON, NEW_YORK, None)).startswith("  RED    Motrin ")


def test_the_timeline_says_from_what_it_eased_and_how_bad_it_was():
    events = ((Event.OPENED, 2), (Event.RAISED, 3), (Event.NOTED, 3), (Event.SUBSIDED, 1), (Event.RESOLVED, 1))
    changes = [Change("i", n, event, NOON, Severity(level)) for n, (event, level) in enumerate(events, 1)]
    said = [line.split("   ")[0].strip() for line in read(timeline_page(changes, NEW_YORK)).splitlines()]
    assert said == [
        "resolved · RED at its worst", "subsided · RED → NOTICE", "noted · RED", "raised · AMBER → RED",
        "opened · AMBER",
    ]  # fmt: skip
    assert "resolved · NOTICE" in read(timeline_page([replace(changes[4], sequence=1)], NEW_YORK))


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("America/New_York", "Sat 15 Nov 07:00 EST"),
        ("Europe/Berlin", "Sat 15 Nov 13:00 CET"),
        ("America/Sao_Paulo", "Sat 15 Nov 10:00 UTC-02"),
        ("UTC", "Sat 15 Nov 12:00 UTC"),
    ],
)
def test_a_moment_is_told_by_the_clock_on_the_wall_with_its_zone(zone, said):
    assert Times(ZoneInfo(zone)).when(NOON) == said


def test_a_summer_moment_seen_in_winter_has_the_summers_name():
    assert NEW_YORK.when(datetime(2008, 7, 1, 12, tzinfo=UTC)) == "Tue 01 Jul 08:00 EDT"


def test_no_moment_on_a_page_is_told_by_another_clock(make_incident, make_mention):
    taken = make_incident(state=State.ACKNOWLEDGED, acknowledged_by="anna", acknowledged_at=NOON)
    assert "anna has it since 07:00" in read(incident_page(taken, NOON, NEW_YORK))
    assert "began Fri 14 Nov 22:40 EST" in read(headline_page(taken, QUIET, NOON, NEW_YORK, None))
    assert read(mention_page(make_mention(0, "hello"), "20:14")).splitlines()[0].endswith(" 20:14")
    assert "Sat 15 Nov 07:00 EST" in read(timeline_page([Change("i", 1, Event.OPENED, NOON, Severity.RED)], NEW_YORK))
    assert "  Sat 20:07" in read(evidence_page(taken, NEW_YORK))


def test_where_the_people_of_a_watch_live_elsewhere_their_time_is_told_too(make_incident):
    told = "Where its people live (Europe/Berlin) it is Sat 13:00 CET."
    assert told in read(headline_page(make_incident(), QUIET, NOON, NEW_YORK, ZoneInfo("Europe/Berlin")))
    for same in (None, ZoneInfo("America/Toronto")):
        assert "Where its people live" not in read(headline_page(make_incident(), QUIET, NOON, NEW_YORK, same))


def test_a_watch_says_how_far_it_has_learnt_and_is_never_cut(picture):
    new = replace(picture.watches[1], name="N" * 20, learning=True, days_known=3, severity=None)
    assert "learning: knows 3 of 7 days · calm" in read(watch_line(new, NOON, NEW_YORK), 78)
    assert "9 this hour, usual 3" in read(watch_line(new, NOON, NEW_YORK), 80)
    assert "learning: knows 3 of 7 days" in read(watch_page(new, NOON, NEW_YORK), 50)
    assert "learning" not in read(watch_line(replace(new, learning=False), NOON, NEW_YORK))


def test_a_watch_of_which_nothing_was_ever_heard_is_not_called_calm(picture):
    silent = replace(picture.watches[1], severity=None, learning=True, unheard_since=NOON - timedelta(hours=3))
    for width, draw in ((78, watch_line), (50, watch_page)):
        shown = read(draw(silent, NOON, NEW_YORK), width)
        assert "no post yet since 04:00" in shown
        assert "calm" not in shown
        assert "this hour" not in shown
        assert "usual" not in shown
    assert "no post yet since Sat 04:00" in read(watch_line(silent, NOON + timedelta(days=2), NEW_YORK), 78)


def test_a_watch_whose_posts_were_dropped_says_that_its_figures_are_too_low(picture):
    flooded = replace(picture.watches[1], dropped=1_204)
    assert "1,204 posts of the last hour were dropped, because more came than" in read(
        watch_details(flooded, NOON, NEW_YORK)
    )
    assert "dropped" not in read(watch_details(picture.watches[1], NOON, NEW_YORK))


@pytest.mark.parametrize(("count", "said"), [(0.4, "0.4"), (2.0, "2"), (6.2, "6"), (1234.5, "1,234")])
def test_usual_does_not_read_as_none(count, said):
    assert words.usual(count) == said


@pytest.mark.parametrize(("minutes", "said"), [(60, "60 min"), (90, "90 min"), (180, "3 h"), (1440, "1 d")])
def test_window(minutes, said):
    assert words.window(minutes) == said


def point(negative, high=None):
    return ChartPoint(NOON, negative, negative, None if high is None else high / 2, high)


def test_a_bar_above_the_band_is_loud_and_one_inside_is_not():
    assert {ink for _, ink in column(point(40, 10), 40, 4)} == {"$error"}
    assert column(point(10, 20), 40, 4)[0] == ("█", "$bar")


def test_band_shows_above_a_low_bar_and_where_no_bar_is():
    cells = column(point(5, 20), 40, 4)
    assert cells[0] == ("▄", "$bar on $band")
    assert cells[1] == ("█", "$band")
    assert cells[2][0] == " "


def test_while_learning_there_is_no_band():
    assert column(point(0), 40, 4) == [(" ", "$band")] * 4


def test_a_single_complaint_is_never_invisible():
    assert column(point(1, 0.2), 1_000, 8)[0][0] == "▁"


@given(st.integers(0, 10**7))
def test_the_scale_holds_everything_without_wasting_half_of_it(highest):
    top = ceiling([point(highest)])
    assert highest <= top
    assert top % 2 == 0
    assert top <= max(4, highest * 2)


def test_sparkline_has_a_sign_an_hour():
    assert sparkline([point(0), point(4, 9), point(8, 3)]).plain == "▁▄█"
    assert sparkline([]).plain == ""


texts = st.text(st.sampled_from("ab 漢🔥é-"), max_size=200)


@given(st.tuples(texts, texts, texts), st.integers(0, 5), st.integers(0, 4), st.integers(1, 60))
def test_no_line_is_wider_than_its_place(parts, indent, most, width):
    left, right, sign = parts
    line = Line(Content(left), Content(right), sign=Content(sign[:3]), indent=indent, most=most)
    fitted = line.fit(width)
    assert fitted
    assert most == 0 or len(fitted) <= most
    if width > indent + 12:
        assert all(part.cell_length <= width for part in fitted)


def test_a_row_has_both_ends():
    assert [part.plain for part in row(Content("left"), Content("right")).fit(12)] == ["left   right"]
    assert [part.plain for part in row(Content("a long left"), Content("right")).fit(12)] == ["a lo…  right"]


def test_a_text_that_is_cut_says_so():
    assert [part.plain for part in Line(Content("one two three four"), most=2).fit(8)] == ["one two", "three…"]


def test_pages_are_equal_when_they_look_the_same():
    assert Page([Line(Content.styled("x", "bold"))]) == Page([Line(Content.styled("x", "bold"))])
    assert Page([Line(Content.styled("x", "bold"))]) != Page([Line(Content("x"))])


def test_the_console_loads_no_model():
    loaded = "import sys, crisisdesk.console.app; print(*{name.split('.')[0] for name in sys.modules})"
    names = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert not {"transformers", "onnxruntime", "torch", "numpy", "tokenizers"} & set(names)


def test_what_is_said_in_other_languages():
    assert words.apart(()) == ""
    assert words.apart((("fr", 1),)) == "1 post in another language (fr 1)"
    many = (("fr", 1200), ("es", 14), ("pt", 3), ("it", 2), ("nl", 2), ("ja", 1), ("ru", 1))
    assert words.apart(many) == "1,223 posts in other languages (fr 1,200, es 14, pt 3, it 2, nl 2, others 2)"


def test_many_flooded_watches_share_a_line():
    watch = WatchPicture("A", None, False, 0, 0, 1.0, None, 0.2, other_hour=(("fr", 30),))
    picture = Picture(now=NOON, watches=tuple(replace(watch, name=name) for name in "ABC"))
    assert floods(picture) == ["A, B, C: most posts of this hour are in other languages. Read them."]
    assert len(floods(replace(picture, watches=picture.watches[:2]))) == 2
    assert floods(replace(picture, watches=())) == []


def test_no_line_breaks_between_a_number_and_its_sign():
    lines = [line.plain for line in Line(plain("aaa bbb 71 % of all")).fit(10)]
    assert lines == ["aaa bbb", "71 % of", "all"]


def test_a_silence_says_how_long_it_is_and_what_is_missing(make_silence):
    told = read(glance_page(make_silence(), NEW_YORK))
    assert "bluesky has been silent since 18:00 EST" in told
    assert "silent for 2 h 14 min, in which 7,912 posts or more are usual · by chance: less than 1 in a billion" in told
    assert "Read the sentence that says why." in told
    assert "negative" not in told
    one = replace(make_silence(), numbers=replace(make_silence().numbers, expected=1.2))
    assert "in which 1 post is usual" in read(glance_page(one, NEW_YORK))
    unknown = replace(make_silence(), numbers=replace(make_silence().numbers, expected=0.0, probability=1.0))
    assert "silent for 2 h 14 min · by chance: likely" in read(glance_page(unknown, NEW_YORK))


def test_the_list_says_what_is_silent_and_the_detail_shows_no_posts(make_silence):
    assert "BLIND" in read(incident_page(make_silence(), NOON, NEW_YORK))
    assert "bluesky has been silent since 18:00 EST" in read(incident_page(make_silence(), NOON, NEW_YORK))
    told = read(evidence_page(make_silence(), NEW_YORK))
    assert "bluesky schweigt seit 18:00 EST" in told
    assert "Decisive posts" not in told
    assert "No post was kept" not in told


@pytest.mark.parametrize(
    ("ago", "said"),
    [(timedelta(hours=3), "04:00"), (timedelta(hours=13), "Fri 18:00"), (timedelta(days=160), "8 Jun 08:00")],
)
def test_a_moment_is_told_as_far_as_it_takes(ago, said):
    assert NEW_YORK.said(NOON - ago, NOON) == said


def test_a_desk_that_hears_nothing_does_not_look_calm():
    lost = SourceStatus("bluesky", "connecting", trouble="no connection; trying again")
    live = SourceStatus("feed", "live")
    assert Picture(NOON, sources=(lost,)).is_deaf
    assert not Picture(NOON, sources=(lost, live)).is_deaf
    assert not Picture(NOON, sources=(SourceStatus("bluesky"),)).is_deaf  # it is only starting
    assert not Picture(NOON, sources=(SourceStatus("posts", "ended"),)).is_deaf
    watch = WatchPicture("Acme", None, True, 0, 0, 0.0, None, 0.0, unheard_since=NOON)
    assert "check them" in read(calm_page(Picture(NOON, watches=(watch,), sources=(live,)), NEW_YORK))
    assert "Nothing is heard" in read(calm_page(Picture(NOON, watches=(watch,), sources=(lost,)), NEW_YORK))
    assert "Nothing is heard" in read(watch_details(watch, NOON, NEW_YORK, deaf=True))


def test_a_watch_that_knows_nothing_of_the_usual_is_not_called_calm():
    new = WatchPicture("Acme", None, True, 51, 60, 0.0, 0.9, 0.0)
    assert read(watch_line(new, NOON, NEW_YORK)).endswith("too new to tell")
    assert read(watch_line(replace(new, expected_hour=2.0), NOON, NEW_YORK)).endswith(
        "calm"
    )  # it was told what is usual
    assert read(watch_line(replace(new, days_known=1), NOON, NEW_YORK)).endswith("calm")


def test_the_first_line_says_how_many_sources_are_heard():
    lost = SourceStatus("feed", "connecting", trouble="HTTP 404; trying again")
    live, ended = SourceStatus("bluesky", "live"), SourceStatus("posts", "ended")
    counts = DeskBar._counts
    assert counts(Picture(NOON, sources=(lost, live, ended))).plain == "no open incident  hears 2 of 3"
    assert counts(Picture(NOON, sources=(live, ended))).plain == "no open incident"
    assert counts(Picture(NOON, sources=(lost,))).plain == "DEAF: nothing is heard"
