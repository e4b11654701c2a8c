"""The figures of `crisisdesk model evaluate`, against values computed by hand."""

import gzip
import math
import re
import tracemalloc
import zlib
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from crisisdesk.errors import CrisisdeskError, InputError, UsageError
from crisisdesk.lines import MAX_LINE, size_of
from crisisdesk.sentiment.base import Scores
from crisisdesk.sentiment.evaluate import MOST_GROUPS, evaluate, render
from crisisdesk.sentiment.labelled import LabelledPost, read_labelled
from crisisdesk.sentiment.tally import Tally, by_chance


class Reader:
    """A model whose scores stand in the text: "80 10 10" is 0.8 negative."""

    name, digest = "reader", "0"

    def score(self, texts: Sequence[str]) -> list[Scores]:
        rows = [[float(word) / 100 for word in text.split()] for text in texts]
        return [(negative, neutral, positive) for negative, neutral, positive in rows]


ROWS = (
    ("negative", "80 10 10", "en"),  # right at 0.8
    ("negative", "10 60 30", "en"),  # wrong at 0.6
    ("neutral", "10 80 10", "en"),  # right at 0.8
    ("neutral", "20 70 10", "de"),  # right at 0.7
    ("neutral", "60 30 10", "de"),  # wrong at 0.6
    ("positive", "0 0 100", "de"),  # right at 1.0
)


def write(path: Path, rows: Sequence[Sequence[str]] = ROWS, header: str = "label\ttext\tlang") -> Path:
    path.write_text("\n".join([header, *("\t".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


def stopwatch() -> Callable[[], float]:
    ticks = count()
    return lambda: float(next(ticks))


def test_the_figures_are_those_computed_by_hand(tmp_path: Path) -> None:
    report = evaluate(write(tmp_path / "dev.tsv"), Reader(), seconds=stopwatch())
    # Recall 1/2, 2/3, 1/1. Right, given, true: negative 1 2 2, neutral 2 3 3, positive 1 1 1; so F1 equals recall.
    # Bins of width 1/15: 0.8 is the right end of its bin, as are 0.6 and 1.0; 0.7 stands alone.
    # |1.6 - 2| + |1.2 - 0| + |0.7 - 1| + |1 - 1| = 1.9, over 6 posts.
    # By chance: of two posts at 0.8 the number right is 0, 1 or 2 (0.04, 0.32, 0.64): it misses 1.6 by 0.512,
    # on average; at 0.6 (0.16, 0.48, 0.36) it misses 1.2 by 0.576; one at 0.7 misses by 0.42, one at 1
    # never: 1.508, over 6 posts.
    assert report.as_dict() == {
        "n": 6,
        "accuracy": 0.6667,
        "macro_recall": 0.7222,
        "macro_f1": 0.7222,
        "recall": {"negative": 0.5, "neutral": 0.6667, "positive": 1.0},
        "ece": 0.3167,
        "ece_chance": 0.2513,
        "posts_per_second": 6.0,
    }


def test_groups_have_the_same_keys_and_add_up(tmp_path: Path) -> None:
    report = evaluate(write(tmp_path / "dev.tsv"), Reader(), by="lang", seconds=stopwatch()).as_dict()
    assert list(report["by"]) == ["de", "en"]
    assert all(set(figures) == set(report) - {"by"} for figures in report["by"].values())
    assert [figures["n"] for figures in report["by"].values()] == [3, 3]
    assert report["by"]["en"]["accuracy"] == pytest.approx(0.6667)
    assert report["by"]["de"]["recall"] == {"negative": None, "neutral": 0.5, "positive": 1.0}
    assert report["by"]["de"]["macro_recall"] == 0.75
    assert report["by"]["de"]["posts_per_second"] == 6.0
    assert type(report["by"]["de"]["posts_per_second"]) is float  # JSON knows no number of numpy's


def test_several_columns_are_told_apart(tmp_path: Path) -> None:
    rows = [(*row, "a" if number % 3 else "b") for number, row in enumerate(ROWS)]
    path = write(tmp_path / "dev.tsv", rows, "label\ttext\tlang\tpart")
    both = evaluate(path, Reader(), by=["lang", "part", "lang"], seconds=stopwatch())
    alone = {name: evaluate(path, Reader(), by=name, seconds=stopwatch()).as_dict()["by"] for name in ("lang", "part")}
    assert both.as_dict()["by"] == alone
    assert list(alone["part"]) == ["a", "b"]
    titles = [line[:7].strip() for line in render(both).split("\n")]
    assert titles == ["", "all", "lang de", "lang en", "part a", "part b"]


def test_a_column_that_names_posts_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    rows = [("neutral", "10 80 10", str(number)) for number in range(MOST_GROUPS + 1)]
    with pytest.raises(UsageError, match="The column lang has more than 1,000 values; name one that groups posts"):
        evaluate(write(tmp_path / "dev.tsv", rows), Reader(), by="lang")
    assert len(evaluate(write(tmp_path / "dev.tsv", rows[:-1]), Reader(), by="lang").columns["lang"]) == MOST_GROUPS


def simulated(confidences: np.ndarray, draws: int) -> float:
    """The calibration error that a perfectly calibrated model shows by chance: right as often as it says, drawn."""
    rng, errors = np.random.default_rng(3), []
    for _ in range(draws):
        right = rng.random(len(confidences)) < confidences
        tally, rest = Tally(), (1 - confidences) / 2
        tally.add(np.where(right, 0, 2), np.column_stack([confidences, rest, rest]), 1.0)
        errors.append(tally.figures()["ece"])
    return float(np.mean(errors))


@pytest.mark.parametrize("posts", [10, 60, 324, 2000])
@pytest.mark.parametrize("shape", [(2.0, 2.0), (6.0, 1.0), (1.0, 6.0)], ids=["spread", "sure", "unsure"])
def test_what_chance_alone_gives_is_what_a_simulation_gives(posts: int, shape: tuple[float, float]) -> None:
    confidences = 0.34 + 0.66 * np.random.default_rng(posts).beta(*shape, posts)
    rest, tally = (1 - confidences) / 2, Tally()
    tally.add(np.zeros(posts, int), np.column_stack([confidences, rest, rest]), 1.0)
    assert tally.figures()["ece_chance"] == pytest.approx(simulated(confidences, 1500), rel=0.05)


@pytest.mark.parametrize(("posts", "confidence"), [(1, 0.4), (2, 0.5), (7, 0.9), (40, 0.975), (500, 0.7)])
def test_the_chance_of_one_bin_is_that_of_a_binomial(posts: int, confidence: float) -> None:
    exact = sum(
        math.comb(posts, k) * confidence**k * (1 - confidence) ** (posts - k) * abs(k - posts * confidence)
        for k in range(posts + 1)
    )
    assert by_chance(posts, confidence) == pytest.approx(exact)


def test_who_is_certain_leaves_nothing_to_chance() -> None:
    assert by_chance(20, 1.0) == by_chance(20, 0.0) == 0.0


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(times: int) -> int:
        path = write(tmp_path / f"{times}.tsv", ROWS * times)
        tracemalloc.start()
        try:
            evaluate(path, Reader(), by="lang")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = 700, 3_000  # both are more than one chunk: a chunk is the most that is held at once
    peak(few)  # what is imported on the way is no part of it
    assert peak(many) < 1.5 * peak(few)


def test_of_equal_probabilities_the_calmer_label_counts(tmp_path: Path) -> None:
    rows = [("neutral", "40 40 20"), ("positive", "40 20 40"), ("neutral", "20 40 40")]
    assert evaluate(write(tmp_path / "t.tsv", rows, "label\ttext"), Reader()).total["accuracy"] == 1.0


def test_columns_in_any_order_gzip_windows_lines_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "dev.tsv.gz"
    text = "\ufefftext\tsource\tlabel\r\n" + "".join(f"{text}\tx\t{label}\r\n" for label, text, _ in ROWS)
    path.write_bytes(gzip.compress(text.encode()))
    assert evaluate(path, Reader()).total["accuracy"] == 0.6667


def test_a_quotation_mark_is_a_character_and_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    rows = [("neutral", '"never closed'), ("neutral", '"a" ""b"'), ("neutral", "one\u2028two\x0bthree\x85four\rfive")]
    path = tmp_path / "q.tsv"
    path.write_bytes("\n".join(["label\ttext", *("\t".join(row) for row in rows)]).encode())
    assert [post.text for post in read_labelled(path)] == [text for _, text in rows]


def test_bad_lines_are_named_with_their_number_and_skipped(tmp_path: Path) -> None:
    rows = [ROWS[0], ("angry", "1 2 3", "en"), ("neutral", "no third column"), ROWS[2], ("",), ("x" * (MAX_LINE + 9),)]
    path, bad = write(tmp_path / "dev.tsv", rows), list[str]()
    assert evaluate(path, Reader(), bad=lambda line: bad.append(str(line))).total["n"] == 2
    assert [line.removeprefix(f"{path}:") for line in bad] == [
        "3: the label is 'angry', not negative, neutral, positive",
        "4: 2 columns where the header has 3",
        "7: is longer than any post",
    ]


def test_bytes_that_are_no_utf8_spoil_one_character_only(tmp_path: Path) -> None:
    path = tmp_path / "latin.tsv"
    path.write_bytes(b"label\ttext\nneutral\tsch\xf6n\n")
    assert [post.text for post in read_labelled(path)] == ["sch\ufffdn"]


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"text\tmood\nhello\tgood\n", UsageError, "has no column label; its first line must name the columns"),
        (b"label\tpost\nneutral\tx\n", UsageError, "has no column text; its first line must name the columns"),
        (b"", UsageError, "has no column label"),
        (b"label\ttext\n", InputError, "holds no post"),
        (b"label\ttext\nangry\tx\n", InputError, "holds no post"),
    ],
)
def test_a_file_without_labelled_posts_is_refused(
    tmp_path: Path, content: bytes, kind: type[CrisisdeskError], message: str
) -> None:
    path = tmp_path / "dev.tsv"
    path.write_bytes(content)
    with pytest.raises(kind, match=message):
        evaluate(path, Reader())


@pytest.mark.parametrize("sign", [",", ";"])
@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["bare", "marked"])
def test_a_file_of_a_spreadsheet_says_how_to_save_it_and_that_is_read(tmp_path: Path, sign: str, start: str) -> None:
    path = tmp_path / "posts.csv"
    path.write_text(f'{start}"id"{sign}label{sign}"text"\n1{sign}negative{sign}"10 80"\n', encoding="utf-8")
    with pytest.raises(UsageError) as told:
        list(read_labelled(path))
    assert str(told.value).startswith(f"{path} has no column label; ")
    assert " Its columns are separated by " in str(told.value)
    assert "save it as tab-separated text in UTF-8" in str(told.value)
    path.write_text(f"{start}id\tlabel\ttext\n1\tnegative\t10 80\n", encoding="utf-8")
    assert list(read_labelled(path)) == [LabelledPost(0, "10 80")]


def test_a_missing_group_column_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no column source"):
        evaluate(write(tmp_path / "dev.tsv"), Reader(), by="source")


@pytest.mark.parametrize("name", ["none.tsv", "none.tsv.gz"])
def test_a_missing_file_is_a_mistake_of_the_call(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        evaluate(tmp_path / name, Reader())
    assert str(caught.value) == f"{tmp_path / name}: cannot be read (no such file or directory); check the path."


def test_a_folder_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder; name the files in it") as caught:
        evaluate(tmp_path, Reader())
    assert "Errno" not in str(caught.value)


POSTS = b"label\ttext\n" + b"neutral\t10 80 10\n" * 5000


def overwritten() -> bytes:
    """Posts that can be read, then a block of a kind that does not exist."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(POSTS) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 50


@pytest.mark.parametrize(
    "damaged",
    [
        gzip.compress(POSTS)[:-20],
        overwritten(),
        gzip.compress(POSTS)[:-8] + bytes(8),
    ],
    ids=["cut off", "overwritten", "false checksum"],
)
def test_a_damaged_archive_is_named_with_the_cure(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "dev.tsv.gz"
    path.write_bytes(damaged)
    with pytest.raises(InputError) as caught:
        evaluate(path, Reader())
    assert re.fullmatch(
        rf"{re.escape(str(path))}:\d+: the file breaks off here \(the archive is (cut off|damaged)\); "
        "what comes after it is lost; fetch or pack it again.",
        str(caught.value),
    )


def test_what_a_file_is_counts_and_not_its_name(tmp_path: Path) -> None:
    (tmp_path / "plain.tsv.gz").write_bytes(POSTS)
    (tmp_path / "packed.tsv").write_bytes(gzip.compress(POSTS))
    for name in ("plain.tsv.gz", "packed.tsv"):
        assert evaluate(tmp_path / name, Reader()).total["n"] == 5000


CLIPBOARD = "\x1b]52;c;aGk=\x07"
"""Told to write the clipboard, a terminal obeys."""


def test_group_names_are_cleaned_and_fall_together(tmp_path: Path) -> None:
    rows = [
        ("neutral", "10 80 10", f"e{CLIPBOARD}n"),
        ("neutral", "10 80 10", "\u202een"),
        ("neutral", "10 80 10", "d\x9be"),
    ]
    report = evaluate(write(tmp_path / "dev.tsv", rows), Reader(), by="lang")
    assert {name: figures["n"] for name, figures in report.as_dict()["by"].items()} == {"d": 1, "en": 2}
    assert render(report).replace("\n", "").isprintable()


def test_column_names_are_cleaned_before_they_are_looked_for_and_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "dev.tsv", header=f"{CLIPBOARD}label\ttext\u200b\t\x1b[31mlang")
    assert evaluate(path, Reader(), by=f"la{CLIPBOARD}ng").total["n"] == 6
    with pytest.raises(UsageError) as caught:
        evaluate(path, Reader(), by=f"source{CLIPBOARD}")
    assert str(caught.value) == (
        f"{path} has no column source; its first line must name the columns, separated by tabs "
        "(found: label, text, lang)."
    )


def test_labels_are_cleaned_before_they_are_compared_and_shown(tmp_path: Path) -> None:
    rows = [(f"an{CLIPBOARD}gry", "x", "en"), ("e" + "\u0301" * 30, "x", "en"), ("neu\u200btral ", "10 80 10", "en")]
    path, bad = write(tmp_path / "dev.tsv", rows), list[str]()
    assert evaluate(path, Reader(), bad=lambda line: bad.append(str(line))).total["n"] == 1
    assert [line.split(", not")[0] for line in bad] == [
        f"{path}:2: the label is 'angry'",
        f"{path}:3: the label is '\u00e9\u0301\u0301'",
    ]


def test_a_first_line_that_is_no_header_is_shown_in_part(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        evaluate(write(tmp_path / "dev.tsv", header="\t".join(["word"] * 1000)), Reader())
    assert len(str(caught.value)) < len(str(tmp_path)) + 400


def test_a_file_is_read_as_a_stream_and_progress_is_told(tmp_path: Path) -> None:
    seen: list[int] = []
    path = write(tmp_path / "dev.tsv", ROWS * 5000)
    evaluate(path, Reader(), progress=seen.append)
    assert len(seen) == 15
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[7] < seen[-1] == size_of([path])


def test_the_table_shows_every_group_in_aligned_columns(tmp_path: Path) -> None:
    table = render(evaluate(write(tmp_path / "dev.tsv"), Reader(), by="lang", seconds=stopwatch())).split("\n")
    assert [line.split()[0] for line in table[1:]] == ["all", "de", "en"]
    assert len({len(line) for line in table}) == 1
    assert table[1].split()[1:] == ["6", "0.667", "0.722", "0.722", "0.500", "0.667", "1.000", "0.317", "0.251", "6"]
    assert "-" in table[2].split()
