"""The rehearsal corpus: hand-written frames made into posts for training."""

import gzip
import runpy
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "models/training/rehearse.py"
REHEARSE = runpy.run_path(str(SCRIPT))
LABELS = {"negative", "neutral", "positive"}
COUNT = 3300


@pytest.fixture(scope="module")
def rows():
    return REHEARSE["compose"](COUNT, 2008)


def test_every_kind_has_as_many_posts_of_each_label_in_both_languages(rows) -> None:
    assert len(rows) == COUNT
    cells = Counter((row.kind, row.lang, row.label) for row in rows)
    assert len(cells) == len(REHEARSE["SHARES"]) * 2 * 3
    for (kind, _, _), number in cells.items():
        assert abs(number - COUNT * REHEARSE["SHARES"][kind] / sum(REHEARSE["SHARES"].values()) / 6) <= 1


def test_no_two_posts_differ_only_in_case_names_or_punctuation(rows) -> None:
    seen = Counter(REHEARSE["sameness"](row.text) for row in rows)
    assert seen.most_common(1)[0][1] == 1


def test_posts_are_short_and_completely_filled_in(rows) -> None:
    for row in rows:
        assert len(row.text.split()) <= 45
        assert row.text == " ".join(row.text.split())
        assert not set("{}[]|") & set(row.text), row.text


@pytest.mark.parametrize("slot", ["opener", "closing", "name", "hash", "handle", "tag"])
def test_what_is_put_around_a_frame_tells_nothing_about_the_label(rows, slot: str) -> None:
    labels_by_word = defaultdict(Counter)
    words = {word for lang in ("en", "de") for word in REHEARSE["read_slots"](lang)[slot] if "{" not in word}
    for row in rows:
        for word in words:
            if word.lower() in row.text.lower():
                labels_by_word[word][row.label] += 1
    common = {word: labels for word, labels in labels_by_word.items() if labels.total() >= 24}
    assert common
    for word, labels in common.items():
        assert set(labels) == LABELS, (word, labels)
        assert max(labels.values()) <= 0.7 * labels.total(), (word, labels)


def test_the_same_seed_gives_the_same_posts_and_another_seed_others(rows) -> None:
    assert REHEARSE["compose"](COUNT, 2008) == rows
    assert {row.text for row in REHEARSE["compose"](COUNT, 7)} != {row.text for row in rows}


def test_posts_to_measure_on_are_left_out(rows) -> None:
    held_out = [row.text.upper() for row in rows[:50]]
    posts = REHEARSE["compose"](COUNT, 2008, held_out)
    same = REHEARSE["sameness"]
    assert not {same(text) for text in held_out} & {same(row.text) for row in posts}


def test_the_script_writes_what_the_training_reads(tmp_path: Path) -> None:
    held_out, out = tmp_path / "probes.tsv", tmp_path / "runs" / "rehearsal.tsv.gz"
    held_out.write_text("label\ttext\nnegative\t😡\n", encoding="utf-8")
    command = [sys.executable, SCRIPT, "--count", "330", "--avoid", held_out, "--out"]
    said = subprocess.run([*command, out], check=True, capture_output=True, text=True, encoding="utf-8").stdout
    subprocess.run([*command, tmp_path / "again.tsv.gz"], check=True, capture_output=True)
    assert "330 posts" in said
    assert out.read_bytes() == (tmp_path / "again.tsv.gz").read_bytes()
    header, *lines = gzip.decompress(out.read_bytes()).decode().splitlines()
    assert header.split("\t") == ["lang", "source", "label", "text", "kind"]
    assert {line.split("\t")[1] for line in lines} == {"rehearsal"}
    assert len(lines) == 330
    assert {line.split("\t")[2] for line in lines} == LABELS


def test_mistakes_in_the_files_are_named_with_their_place(tmp_path: Path) -> None:
    frames = tmp_path / "irony.en.txt"
    frames.write_text("# remark\n- thanks a lot\nno label here\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"irony\.en\.txt:3: no label"):
        REHEARSE["read_frames"](frames)
    frames.write_text("label\tpost\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="no column `text`"):
        REHEARSE["read_texts"](frames)


def test_too_few_frames_are_an_error_and_no_short_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(SCRIPT.parent / "rehearsal", tmp_path / "rehearsal")
    (folder / "irony.en.txt").write_text("- thanks\n+ thanks\n", encoding="utf-8")
    monkeypatch.setitem(REHEARSE["compose"].__globals__, "FOLDER", folder)
    with pytest.raises(SystemExit, match=r"irony\.en\.txt: only 0 of \d+ neutral posts; write more frames"):
        REHEARSE["compose"](COUNT, 2008)
