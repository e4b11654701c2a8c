"""The picture of a calibration: where its dots lie, and that no name or folder can spoil it."""

from pathlib import Path

import pytest
from PIL import Image, ImageColor

from crisisdesk.errors import CrisisdeskError
from crisisdesk.report.reliability import COLUMNS, EDGE, HEADER, LARGE, MOST_GROUPS, SMALL, Curve, Point, plot
from crisisdesk.report.style import ABOVE, BAND, BAR, EXPECTED, WIDTH

HIGH, LOW = 14 / 15, 13 / 15


def curve(name: str = "all", posts: int = 400, accuracy: float = 0.9) -> Curve:
    """One bin around 90 %, right so often."""
    return Curve(name, (Point(LOW, HIGH, posts, 0.9, accuracy),), abs(0.9 - accuracy), 0.01)


def pixels(path: Path, colour: str, box: tuple[int, int, int, int]) -> list[tuple[int, int]]:
    """Where the colour is within a box, as (x, y) of the picture."""
    wanted = ImageColor.getrgb(colour)
    with Image.open(path) as image:
        part = image.convert("RGB").crop(box)
        data = part.load()
        assert data is not None
        found = [(x, y) for y in range(part.height) for x in range(part.width) if data[x, y] == wanted]
    return [(box[0] + x, box[1] + y) for x, y in found]


DIAGRAM = (100, HEADER + 60, WIDTH - 40, HEADER + LARGE * 2 // 3)


def test_a_model_as_sure_as_it_is_right_lies_in_the_band(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    assert plot(path, [curve()], "How far to trust it") == 0
    assert pixels(path, ABOVE, DIAGRAM) == []
    for colour in (BAND, BAR, EXPECTED):
        assert len(pixels(path, colour, DIAGRAM)) > 50, colour


def middle(places: list[tuple[int, int]]) -> float:
    return sum(y for _, y in places) / len(places)


def test_one_that_is_too_sure_lies_below_and_outside_and_too_shy_above(tmp_path: Path) -> None:
    for name, accuracy in (("sure", 0.6), ("shy", 1.0)):
        plot(tmp_path / name, [curve(accuracy=accuracy)], name)
    sure, shy = (pixels(tmp_path / name, ABOVE, DIAGRAM) for name in ("sure", "shy"))
    band = middle(pixels(tmp_path / "sure", BAND, DIAGRAM))
    assert middle(shy) < band < middle(sure)
    assert {x for x, _ in sure} & {x for x, _ in shy}


def test_few_posts_leave_chance_more_room(tmp_path: Path) -> None:
    for posts in (40, 4000):
        plot(tmp_path / f"{posts}", [curve(posts=posts, accuracy=0.85)], "x")
    assert len(pixels(tmp_path / "40", BAND, DIAGRAM)) > 5 * len(pixels(tmp_path / "4000", BAND, DIAGRAM))
    assert pixels(tmp_path / "40", ABOVE, DIAGRAM) == []
    assert pixels(tmp_path / "4000", ABOVE, DIAGRAM) != []


def test_groups_stand_below_and_the_smallest_are_left_out(tmp_path: Path) -> None:
    groups = [curve(f"group {n}", posts=10 + n) for n in range(MOST_GROUPS + 3)]
    assert plot(tmp_path / "many.png", [curve(), *groups], "x") == 3
    assert plot(tmp_path / "kept.png", [curve(), *groups[3:]], "x") == 0
    assert (tmp_path / "many.png").read_bytes() == (tmp_path / "kept.png").read_bytes()
    with Image.open(tmp_path / "many.png") as image:
        assert image.height == HEADER + LARGE + MOST_GROUPS // 3 * SMALL + 20


@pytest.mark.parametrize("name", ["", "\x1b]52;c;aGk=\x07", "a\nb\n" * 50, "\u202egnp", "W" * 5000, "😀" * 9000])
def test_no_name_can_spoil_the_picture(tmp_path: Path, name: str) -> None:
    plot(tmp_path / "hostile.png", [curve(), curve(name), curve("last")], name)
    plot(tmp_path / "plain.png", [curve(), curve("a"), curve("last")], "b")
    with Image.open(tmp_path / "hostile.png") as hostile, Image.open(tmp_path / "plain.png") as plain:
        top, middle = HEADER + LARGE, EDGE + (WIDTH - 2 * EDGE) // COLUMNS
        for box in ((0, top + 46, WIDTH, top + SMALL), (middle, top, WIDTH, top + SMALL)):
            assert hostile.crop(box).tobytes() == plain.crop(box).tobytes()


def test_no_posts_and_certain_ones_can_be_drawn(tmp_path: Path) -> None:
    certain = Curve("certain", (Point(HIGH, 1.0, 3, 1.0, 1.0),), 0.0, 0.0)
    plot(tmp_path / "out.png", [Curve("none", (), 0.0, 0.0), certain], "x")
    assert (tmp_path / "out.png").stat().st_size > 1000


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(CrisisdeskError, match=r"picture .* cannot be written: .*Give a path"):
        plot(tmp_path / "none" / "out.png", [curve()], "x")
