"""The figures of `crisisdesk model evaluate`, against values computed by hand."""

import gzip
import zlib
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import pytest

from crisisdesk.errors import CrisisdeskError, InputError, UsageError
from crisisdesk.sentiment.base import Scores
from crisisdesk.sentiment.evaluate import evaluate, read_labelled, render


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
    assert report.as_dict() == {
        "n": 6,
        "accuracy": 0.6667,
        "macro_recall": 0.7222,
        "macro_f1": 0.7222,
        "recall": {"negative": 0.5, "neutral": 0.6667, "positive": 1.0},
        "ece": 0.3167,
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
    rows = [ROWS[0], ("angry", "1 2 3", "en"), ("neutral", "no third column"), ROWS[2], ("",)]
    path, bad = write(tmp_path / "dev.tsv", rows), list[str]()
    assert evaluate(path, Reader(), bad=bad.append).total["n"] == 2
    assert [line.removeprefix(f"{path}:") for line in bad] == [
        "3: the label is 'angry', not negative, neutral, positive; skipped",
        "4: 2 columns where the header has 3; skipped",
        "6: 1 columns where the header has 3; skipped",
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


def test_a_missing_group_column_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no column source"):
        evaluate(write(tmp_path / "dev.tsv"), Reader(), by="source")


@pytest.mark.parametrize("name", ["none.tsv", "none.tsv.gz"])
def test_a_missing_file_is_a_mistake_of_the_call(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        evaluate(tmp_path / name, Reader())
    assert str(caught.value) == f"{tmp_path / name}: cannot be read (no such file or directory); check the path."


def test_a_folder_is_a_mistake_of_the_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="check the path") as caught:
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
        POSTS,
    ],
    ids=["cut off", "overwritten", "false checksum", "no archive"],
)
def test_a_damaged_archive_is_named_with_the_cure(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "dev.tsv.gz"
    path.write_bytes(damaged)
    with pytest.raises(InputError) as caught:
        evaluate(path, Reader())
    assert str(caught.value) == (
        f"{path}: cannot be read to its end: the .gz file is cut off or damaged; fetch or pack it again."
    )


CLIPBOARD = "\x1b]52;c;aGk=\x07"
"""Told to write the clipboard, a terminal obeys."""


def test_group_names_are_cleaned_and_fall_together(tmp_path: Path) -> None:
    rows = [
        ("neutral", "10 80 10", f"e{CLIPBOARD}n"),
        ("neutral", "10 80 10", "\u202een"),
        ("neutral", "10 80 10", "d\x9be"),
    ]
    report = evaluate(write(tmp_path / "dev.tsv", rows), Reader(), by="lang")
    assert {name: figures["n"] for name, figures in (report.by or {}).items()} == {"d": 1, "en": 2}
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
    assert evaluate(path, Reader(), bad=bad.append).total["n"] == 1
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
    evaluate(write(tmp_path / "dev.tsv", ROWS * 900), Reader(), progress=seen.append)
    assert seen == [2000, 2000, 1400]


def test_the_table_shows_every_group_in_aligned_columns(tmp_path: Path) -> None:
    table = render(evaluate(write(tmp_path / "dev.tsv"), Reader(), by="lang", seconds=stopwatch())).split("\n")
    assert [line.split()[0] for line in table[1:]] == ["all", "de", "en"]
    assert len({len(line) for line in table}) == 1
    assert table[1].split()[1:] == ["6", "0.667", "0.722", "0.722", "0.500", "0.667", "1.000", "0.317", "6"]
    assert "-" in table[2].split()
