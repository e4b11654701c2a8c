"""The picture of a back-test: what it shows, and that no name or folder can spoil it."""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from crisisdesk.errors import CrisisdeskError
from crisisdesk.records import Severity
from crisisdesk.report.axes import TimeAxis, count_ticks
from crisisdesk.report.panel import PANEL_HEIGHT
from crisisdesk.report.plot import FOOTER, HEADER, MOST_PANELS, WIDTH, Mark, WatchSeries, plot
from crisisdesk.report.style import ABOVE, BAND, BAR, COLOURS, EXPECTED

START = datetime(2008, 11, 10, tzinfo=UTC)


def watch(name: str = "Motrin", hours: int = 96, peak: int = 40, marks: tuple[Mark, ...] = ()) -> WatchSeries:
    """A quiet watch with one loud hour in the middle; its first day knows nothing usual."""
    unknown: tuple[float | None, ...] = (None,) * min(24, hours)
    return WatchSeries(
        name=name,
        times=tuple(START + timedelta(hours=hour) for hour in range(hours)),
        negative=tuple(peak if hour == hours // 2 else 2 for hour in range(hours)),
        expected=unknown + (2.0,) * (hours - len(unknown)),
        high=unknown + (6.0,) * (hours - len(unknown)),
        marks=marks,
    )


def mark(hour: float, severity: Severity = Severity.RED) -> Mark:
    return Mark(START + timedelta(hours=hour), severity)


def colours(path: Path, below: int = HEADER) -> Counter[object]:
    """How often each colour occurs beneath the header, whose legend has them all."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        part = image.convert("RGB").crop((0, below, image.width, image.height))
        return Counter({colour: count for count, colour in part.getcolors(1 << 20) or []})


def pixels(path: Path, colour: str) -> int:
    return colours(path)[ImageColor.getrgb(colour)]


def test_it_shows_bars_band_expectation_and_marks(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    assert plot(path, [watch(marks=(mark(47, Severity.AMBER), mark(49)))], "Back-test of november.jsonl") == 0
    with Image.open(path) as image:
        assert image.size == (WIDTH, HEADER + PANEL_HEIGHT + FOOTER)
    for colour in (BAR, ABOVE, BAND, EXPECTED, COLOURS[Severity.AMBER], COLOURS[Severity.RED]):
        assert pixels(path, colour) > 50, colour


def test_an_hour_within_the_usual_is_not_coloured_as_above_it_and_no_call_shows_no_mark(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    plot(path, [watch(peak=6)])
    assert pixels(path, ABOVE) == pixels(path, COLOURS[Severity.RED]) == pixels(path, COLOURS[Severity.AMBER]) == 0


def test_the_loud_hour_stands_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    plot(path, [watch()])
    with Image.open(path) as image:
        above = ImageColor.getrgb(ABOVE)
        columns = [x for x in range(WIDTH) if image.getpixel((x, HEADER + 200)) == above]
    axis = TimeAxis(START, START + timedelta(hours=96), 80, WIDTH - 40)
    assert axis.x(START + timedelta(hours=48)) - 1 <= columns[0]
    assert columns[-1] <= axis.x(START + timedelta(hours=49)) + 1


def test_the_most_eventful_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    quiet = [watch(f"brand {number}", peak=9) for number in range(MOST_PANELS + 4)]
    loud = watch("loud", peak=7, marks=(mark(50),))
    path, alone = tmp_path / "many.png", tmp_path / "alone.png"
    assert plot(path, [*quiet, loud]) == 5
    plot(alone, [loud])
    with Image.open(path) as image, Image.open(alone) as expected:
        assert image.height == HEADER + MOST_PANELS * PANEL_HEIGHT + FOOTER
        first = (0, HEADER, WIDTH, HEADER + PANEL_HEIGHT)
        assert image.crop(first).tobytes() == expected.crop(first).tobytes()


def test_many_calls_at_once_still_have_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    crowded = watch(marks=tuple(mark(40 + number / 4) for number in range(20)))
    plot(path, [crowded])
    with Image.open(path) as image:
        red = ImageColor.getrgb(COLOURS[Severity.RED])
        assert sum(image.getpixel((x, HEADER + 120)) == red for x in range(WIDTH)) >= 20


def test_a_year_of_hours_and_a_single_one_can_be_drawn(tmp_path: Path) -> None:
    plot(tmp_path / "year.png", [watch(hours=8760, marks=(mark(8759.9),))])
    plot(tmp_path / "hour.png", [watch(hours=1, marks=(mark(0),))])
    plot(tmp_path / "empty.png", [WatchSeries("silent", (), (), (), ()), watch(hours=3)])
    plot(tmp_path / "nothing.png", [])
    assert pixels(tmp_path / "year.png", ABOVE) > 10
    assert pixels(tmp_path / "hour.png", BAR) > 100


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


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES.keys())
def test_no_name_can_spoil_the_picture(tmp_path: Path, name: str) -> None:
    path = tmp_path / "out.png"
    plot(path, [watch(name, peak=50), watch("second")], title=name)
    with Image.open(path) as image:
        assert image.size == (WIDTH, HEADER + 2 * PANEL_HEIGHT + FOOTER)
        second = (0, HEADER + PANEL_HEIGHT, WIDTH, HEADER + 2 * PANEL_HEIGHT)
        plot(tmp_path / "plain.png", [watch("first", peak=50), watch("second")])
        with Image.open(tmp_path / "plain.png") as plain:
            assert image.crop(second).tobytes() == plain.crop(second).tobytes()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "out.png", tmp_path):
        with pytest.raises(CrisisdeskError, match=r"picture .* cannot be written: .*Give a path"):
            plot(path, [watch()])


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        replace(watch(), negative=(1,))


@given(st.integers(0, 50_000), st.timedeltas(timedelta(hours=1), timedelta(days=9000)))
def test_date_labels_lie_on_the_axis_and_do_not_touch(days: int, length: timedelta) -> None:
    begin = datetime(1980, 1, 1, 7, tzinfo=UTC) + timedelta(days=days)
    axis = TimeAxis(begin, begin + length, 80, 1560)
    places = [axis.x(moment) for moment, _ in axis.ticks(100)]
    assert all(80 <= x <= 1560 for x in places)
    assert all(later - earlier > 90 for earlier, later in itertools.pairwise(places))
    assert places or length < timedelta(hours=24 * 62)


@given(st.floats(0, 1e9))
def test_counts_are_round_few_and_reach_the_highest(most: float) -> None:
    ticks = count_ticks(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert 3 <= len(ticks) <= 6
    assert str(ticks[1]).rstrip("0") in {"1", "2", "5"}
