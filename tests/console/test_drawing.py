"""The parts that need no application: figures in words, the chart's columns, lines that fill a width."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.widgets.bars import floods
from crisisdesk.console.widgets.chart import ceiling, column, sparkline
from crisisdesk.console.widgets.evidence import evidence_page, glance_page
from crisisdesk.console.widgets.lists import incident_page, mention_page
from crisisdesk.console.widgets.page import Line, Page, row
from crisisdesk.desk import ChartPoint, Picture, WatchPicture
from crisisdesk.records import Evidence, Kind, Numbers, Severity

NOON = datetime(2008, 11, 15, 12, tzinfo=UTC)


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
    assert words.age(span) == said


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
    evidence = make_incident().evidence
    page = "\n".join(line.plain for line in evidence_page(evidence).fit(100))
    assert "  negative 0.94 · neutral 0.05 · positive 0.01 · minilm-posts-v1@6f62c8f3a1d0\n" in page
    assert page.count("@6f62c8f3a1d0") == len(evidence.posts) + len(evidence.signals)
    assert "Not judged" not in page
    old = replace(evidence.posts[0], neutral=None, positive=None, model="")
    page = "\n".join(line.plain for line in evidence_page(Evidence(posts=(old,), unjudged=2)).fit(100))
    assert "94 % negative" in page
    assert "0.94" not in page
    assert "2 posts count as neutral because the model failed on them." in page


def test_a_mention_that_could_not_be_judged_says_so(make_mention):
    judged = make_mention(1, "well", "neutral")
    assert "not judged" not in mention_page(judged).fit(80)[0].plain
    assert "not judged" in mention_page(replace(judged, judged=False)).fit(80)[0].plain


def test_a_flood_says_its_kind_and_counts_accounts_not_people(make_incident):
    why = "300 copies by 9 accounts in 30 minutes; on most days there is no such flood."
    numbers = Numbers(60, 300, 314, 0.0, 9, 0.96, 0.18, 0.03)
    flood = make_incident(kind=Kind.BRIGADING, severity=Severity.NOTICE, numbers=numbers, why=why)
    first, second = (line.plain for line in incident_page(flood, NOON).fit(110))
    assert first.startswith(" NOTICE  Motrin  BRIGADING ")
    assert "300 copies by 9 accounts in 30 minutes" in second
    glance = "\n".join(line.plain for line in glance_page(flood).fit(110))
    assert "300 of 314 posts in 60 min, usual in a day's loudest hour 0 · 9 accounts" in glance
    assert "people" not in glance
    assert "BRIGADING" not in incident_page(make_incident(), NOON).fit(110)[0].plain


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
