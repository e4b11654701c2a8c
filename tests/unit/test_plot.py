"""The picture of a back-test: what it shows, and that no name or folder can spoil it."""

import itertools
import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from crisisdesk.errors import CrisisdeskError
from crisisdesk.records import Severity
from crisisdesk.report.axes import TimeAxis, count_ticks
from crisisdesk.report.bars import FEWEST_POSTS, Bar, put_together, shares, step_for
from crisisdesk.report.panel import CAP, TOP
from crisisdesk.report.plot import (
    FOOTER,
    HEADER,
    HEIGHT,
    LEFT,
    MOST_PANELS,
    PANEL_HEIGHT,
    RIGHT,
    Episode,
    WatchSeries,
    plot,
)
from crisisdesk.report.style import ABOVE, BAND, BAR, COLOURS, EXPECTED, TINTS, WIDTH, name

START = datetime(2008, 11, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTICE, AMBER, RED = Severity.NOTICE, Severity.AMBER, Severity.RED


def at(hour: float) -> datetime:
    return START + hour * HOUR


def hours(number: int = 96, peak: int = 40) -> tuple[Bar, ...]:
    """A quiet watch with one loud hour in the middle; its first day knows nothing usual."""

    def bar(hour: int) -> Bar:
        negative = peak if hour == number // 2 else 2
        usual = (2.0, 6.0, 0.25) if hour >= 24 else (None, None, None)
        return Bar(at(hour), at(hour + 1), negative, negative + 6, *usual)

    return tuple(map(bar, range(number)))


def episode(first: float, *levels: tuple[float, Severity | None], end: float | None = None) -> Episode:
    called = next((hour for hour, severity in levels if severity and severity >= AMBER), None)
    return Episode(
        at(first),
        tuple((at(hour), severity) for hour, severity in levels),
        None if end is None else at(end),
        None if called is None else at(called),
        "" if called is None else f"{called - first:.0f} h",
    )


def watch(name: str = "Motrin", number: int = 96, peak: int = 40, episodes: tuple[Episode, ...] = ()) -> WatchSeries:
    return WatchSeries(name, hours(number, peak), episodes)


def colours(path: Path, below: int = HEADER) -> Counter[object]:
    """How often each colour occurs beneath the header, whose legend has them all."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        part = image.convert("RGB").crop((0, below, image.width, image.height))
        return Counter({colour: count for count, colour in part.getcolors(1 << 20) or []})


def pixels(path: Path, colour: str) -> int:
    return colours(path)[ImageColor.getrgb(colour)]


def columns(path: Path, colour: str, y: int) -> list[int]:
    """Where the colour is in one row of the picture."""
    with Image.open(path) as image:
        return [x for x in range(WIDTH) if image.getpixel((x, y)) == ImageColor.getrgb(colour)]


AXIS = TimeAxis(START, at(96), LEFT, RIGHT)
PLOT = HEADER + TOP
"""Upper edge of the first plot."""
EDGE = PLOT - 1
"""The row in which the severities of incidents stand."""


def test_it_shows_bars_band_expectation_and_incident(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    storm = episode(46, (47, AMBER), (49, RED), end=70)
    assert plot(path, [watch(episodes=(storm,))], "november.jsonl") == 0
    with Image.open(path) as image:
        assert image.size == (WIDTH, HEADER + PANEL_HEIGHT + FOOTER)
    for colour in (BAR, ABOVE, BAND, EXPECTED, TINTS[RED], COLOURS[AMBER], COLOURS[RED]):
        assert pixels(path, colour) > 50, colour


def test_what_is_within_the_usual_is_not_coloured_as_above_it_and_no_incident_shows_none(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    plot(path, [watch(peak=2)])
    for colour in (ABOVE, *COLOURS.values(), *TINTS.values()):
        inside = colours(path, PLOT)[ImageColor.getrgb(colour)]
        assert not inside or colour == COLOURS[NOTICE], colour  # which is the colour of letters too


def test_the_loud_hour_stands_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    plot(path, [watch()])
    above = columns(path, ABOVE, PLOT + HEIGHT - 40)
    assert AXIS.x(at(48)) - 1 <= above[0]
    assert above[-1] <= AXIS.x(at(49)) + 1


def test_an_incident_is_shaded_from_its_first_signal_to_its_end_as_bad_as_it_was(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.png"
    plot(path, [watch(episodes=(episode(30, (36, NOTICE), (40, RED), (60, AMBER), end=70),))])
    before = columns(path, TINTS[NOTICE], PLOT + 4)
    assert before[0] == pytest.approx(AXIS.x(at(30)), abs=2)
    assert before[-1] == pytest.approx(AXIS.x(at(40)), abs=2)
    for severity, start, end in ((RED, 40, 60), (AMBER, 60, 70)):
        edge, shade = columns(path, COLOURS[severity], EDGE), columns(path, TINTS[severity], PLOT + 4)
        assert edge[0] == pytest.approx(AXIS.x(at(start)), abs=3)
        assert edge[-1] == pytest.approx(AXIS.x(at(end)), abs=3)
        assert (shade[0], shade[-1]) == (pytest.approx(edge[0], abs=3), pytest.approx(edge[-1], abs=3))
        assert columns(path, COLOURS[severity], PLOT - CAP[severity])  # as thick as it is bad


def test_an_incident_without_an_end_lasts_to_the_end_of_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    plot(path, [watch(episodes=(episode(80, (81, AMBER)),))])
    assert columns(path, COLOURS[AMBER], EDGE)[-1] == pytest.approx(RIGHT, abs=2)


def test_between_an_end_and_a_return_nothing_is_claimed(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    plot(path, [watch(episodes=(episode(30, (31, RED), (40, None), (50, RED), end=60),))])
    edge = columns(path, COLOURS[RED], EDGE)
    assert not [x for x in edge if AXIS.x(at(41)) < x < AXIS.x(at(49))]
    assert edge[-1] == pytest.approx(AXIS.x(at(60)), abs=2)


def test_a_small_incident_of_a_lone_watch_is_drawn_large_below(tmp_path: Path) -> None:
    path, small = tmp_path / "out.png", episode(480, (481, AMBER), (483, RED), end=490)
    plot(path, [watch(number=600, episodes=(small,))])
    with Image.open(path) as image:
        assert image.height == HEADER + 2 * PANEL_HEIGHT + FOOTER
    whole, large = (len(columns(path, COLOURS[RED], EDGE + down)) for down in (0, PANEL_HEIGHT))
    assert large > 5 * whole
    plot(path, [watch(number=600, episodes=(episode(480, (481, NOTICE), end=490),))])
    with Image.open(path) as image:
        assert image.height == HEADER + PANEL_HEIGHT + FOOTER


def test_the_most_eventful_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    quiet = [watch(f"brand {number}", peak=9) for number in range(MOST_PANELS + 4)]
    loud = watch("loud", peak=7, episodes=(episode(48, (50, RED), end=80),))
    path, alone = tmp_path / "many.png", tmp_path / "alone.png"
    assert plot(path, [*quiet, loud]) == 5
    plot(alone, [loud])
    with Image.open(path) as image, Image.open(alone) as expected:
        assert image.height == HEADER + MOST_PANELS * PANEL_HEIGHT + FOOTER
        first = (0, HEADER, WIDTH, HEADER + PANEL_HEIGHT)
        assert image.crop(first).tobytes() == expected.crop(first).tobytes()


def test_many_incidents_at_once_all_have_their_edge_though_not_their_words(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    crowded = tuple(episode(20 + 2 * n, (20 + 2 * n, RED), end=21 + 2 * n) for n in range(30))
    plot(path, [watch(episodes=crowded)])
    edge = columns(path, COLOURS[RED], EDGE)
    assert sum(later - earlier > 2 for earlier, later in itertools.pairwise(edge)) == 29


def test_a_year_of_hours_and_a_single_one_can_be_drawn(tmp_path: Path) -> None:
    plot(tmp_path / "year.png", [watch(number=8760, peak=900, episodes=(episode(8759.8, (8759.9, RED)),))])
    plot(tmp_path / "hour.png", [watch(number=1, episodes=(episode(0, (0, RED)),))])
    plot(tmp_path / "empty.png", [WatchSeries("silent", ()), watch(number=3)])
    plot(tmp_path / "nothing.png", [])
    assert pixels(tmp_path / "year.png", ABOVE) > 10
    assert pixels(tmp_path / "hour.png", BAR) > 100


def test_bars_are_as_wide_as_the_picture_needs_and_lose_no_post() -> None:
    for days, step in ((4, HOUR), (10, HOUR), (25, 3 * HOUR), (90, 24 * HOUR), (366, 24 * HOUR), (1500, 7 * 24 * HOUR)):
        assert step_for(timedelta(days=days)) == step
    month = hours(700)
    bars = put_together(month, 24 * HOUR)
    assert len(bars) == 30
    assert sum(bar.negative for bar in bars) == sum(hour.negative for hour in month)
    assert all(earlier.end == later.start for earlier, later in itertools.pairwise(bars))
    assert [bar.expected for bar in bars[:3]] == [None, 48, 48]
    assert {bar.start.weekday() for bar in put_together(month, 7 * 24 * HOUR)} == {0}


def test_the_band_of_a_day_is_narrower_than_the_sum_of_its_hours_and_wider_than_if_they_were_strangers() -> None:
    expected, high = 24 * 2.0, put_together(hours()[24:48], 24 * HOUR)[0].high
    assert high is not None
    assert expected + math.sqrt(24) * 4 < high < expected + 24 * 4


def test_no_share_is_taken_of_a_handful_of_posts() -> None:
    few = [Bar(at(hour), at(hour + 1), 1, 3) for hour in range(10)]
    assert [(bar.negative, bar.total) for bar in shares(few)] == [(4, 12), (4, 12)]
    assert FEWEST_POSTS <= 12
    assert list(shares(few[:2])) == []
    assert not Bar(at(0), at(1), 4, 10, usual_share=0.25).share_is_above
    assert not Bar(at(0), at(1), 2_800, 10_000, usual_share=0.25).share_is_above
    assert Bar(at(0), at(1), 45, 100, usual_share=0.25).share_is_above


HOSTILE_NAMES = {
    "empty": "",
    "markup": "[/foo]",
    "escape": "\x1b]52;c;aGk=\x07",
    "lines": "a\nb\n" * 50,
    "right to left": "\u202egnp.exe",
    "long": "W" * 5000,
    "emoji": "😀" * 10_000,
    "stacked marks": "Z" + "\u0301" * 900,
}


def test_a_flood_of_copies_is_named_and_never_drawn_large(tmp_path: Path) -> None:
    storm = episode(480, (481, AMBER), end=490)
    for path, one in (("spike.png", storm), ("flood.png", replace(storm, flood=True))):
        plot(tmp_path / path, [watch(number=600, episodes=(one,))])
    with Image.open(tmp_path / "flood.png") as flood, Image.open(tmp_path / "spike.png") as spike:
        assert (flood.height, spike.height) == (HEADER + PANEL_HEIGHT + FOOTER, HEADER + 2 * PANEL_HEIGHT + FOOTER)
        words = (0, HEADER, WIDTH, PLOT)
        assert flood.crop(words).tobytes() != spike.crop(words).tobytes()


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES.keys())
def test_no_name_can_spoil_the_picture(tmp_path: Path, name: str) -> None:
    path = tmp_path / "out.png"
    plot(path, [watch(name, peak=50), watch("second")], name)
    with Image.open(path) as image:
        assert image.size == (WIDTH, HEADER + 2 * PANEL_HEIGHT + FOOTER)
        second = (0, HEADER + PANEL_HEIGHT, WIDTH, HEADER + 2 * PANEL_HEIGHT)
        plot(tmp_path / "plain.png", [watch("first", peak=50), watch("second")])
        with Image.open(tmp_path / "plain.png") as plain:
            assert image.crop(second).tobytes() == plain.crop(second).tobytes()


@pytest.mark.parametrize(
    ("given", "shown"),
    [("Söhne & Töchter GmbH", "Soehne & Toechter GmbH"), ("Café Ørsted – “ok”", 'Cafe Orsted - "ok"'), ("日本", "??")],
)
def test_what_the_font_lacks_is_spelled_in_its_letters(given: str, shown: str) -> None:
    assert name(given) == shown


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "out.png", tmp_path):
        with pytest.raises(CrisisdeskError, match=r"picture .* cannot be written: .*Give a path"):
            plot(path, [watch()])


@given(st.integers(0, 50_000), st.timedeltas(timedelta(hours=1), timedelta(days=9000)))
def test_date_labels_lie_on_the_axis_and_do_not_touch(days: int, length: timedelta) -> None:
    begin = datetime(1980, 1, 1, 7, tzinfo=UTC) + timedelta(days=days)
    axis = TimeAxis(begin, begin + length, 80, 1560)
    places = [axis.x(moment) for moment, _ in axis.ticks(100)]
    assert all(80 <= x <= 1560 for x in places)
    assert all(later - earlier > 90 for earlier, later in itertools.pairwise(places))
    assert places or length < timedelta(hours=24 * 62)


def test_dates_and_days_are_those_of_the_clock_on_the_wall_in_every_night() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    for spring in (datetime(2026, 3, 27, 22, tzinfo=UTC), datetime(2026, 10, 23, 22, tzinfo=UTC)):
        axis = TimeAxis(spring, spring + timedelta(days=4), LEFT, RIGHT, berlin)
        ticks = axis.ticks(300)
        assert {moment.astimezone(berlin).hour for moment, _ in ticks} == {0}
        assert len({label for _, label in ticks}) == len(ticks) >= 4
    night = [Bar(at(hour), at(hour + 1), 1, 1) for hour in range(72)]
    days = put_together(night, 24 * HOUR, berlin)
    assert [day.start.astimezone(berlin).hour for day in days[1:]] == [0, 0, 0]
    assert sum(day.total for day in days) == 72


def test_the_calm_before_a_storm_is_no_part_of_its_share() -> None:
    calm = [Bar(at(hour), at(hour + 1), 0, 1) for hour in range(8)]
    storm = Bar(at(8), at(9), 18, 19)
    assert list(shares([*calm, storm])) == [storm]
    after = [(one.start, one.end, one.negative, one.total) for one in shares([storm, calm[0], storm])]
    assert after[0] == (storm.start, calm[0].end, storm.negative + calm[0].negative, storm.total + calm[0].total)
    assert len(after) == 2


def test_a_picture_shows_the_times_that_it_names(tmp_path: Path) -> None:
    pictures = []
    for zone in (UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")):
        path = tmp_path / "zone.png"
        plot(path, [watch(episodes=(episode(46, (47, AMBER), (49, RED), end=70),))], zone=zone)
        pictures.append(path.read_bytes())
    assert len(set(pictures)) == 3


@given(st.floats(0, 1e9))
def test_counts_are_round_few_and_reach_the_highest(most: float) -> None:
    ticks = count_ticks(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert 3 <= len(ticks) <= 6
    assert str(ticks[1]).rstrip("0") in {"1", "2", "5"}
