"""Series from files and back: every row comes out again, and what cannot be read is named."""

import csv
import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.detect.series import Judged, Sample, detect_series
from crisisdesk.detect.series_file import HEADER, as_csv, as_json, parse_count, parse_time, read_series
from crisisdesk.errors import CrisisdeskError, UsageError

Complaints = list[tuple[int, str]]


def read(path: Path | str) -> tuple[list[Sample], Complaints]:
    complaints: Complaints = []
    rows = list(read_series(str(path), lambda line, reason: complaints.append((line, reason))))
    return rows, complaints


def file_of(folder: Path, text: str, name: str = "counts.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_columns_may_come_in_any_order_among_others_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    text = "\ufeffbrand, Value ,TIMESTAMP\r\nacme,3,2015-02-26 21:42:53\r\n\r\nacme,4.5,2015-02-26 21:47:53\r\n"
    rows, complaints = read(file_of(tmp_path, text))
    assert complaints == []
    assert [(row.timestamp, row.value, row.count) for row in rows] == [
        ("2015-02-26 21:42:53", "3", 3.0),
        ("2015-02-26 21:47:53", "4.5", 4.5),
    ]
    assert rows[1].time is not None
    assert rows[0].time is not None
    assert rows[1].time - rows[0].time == 300.0


def test_a_gzipped_file_and_standard_input_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"timestamp,value\n2026-01-01T00:00:00Z,1\n"
    packed = tmp_path / "counts.csv.gz"
    packed.write_bytes(gzip.compress(text))
    stdin = io.TextIOWrapper(io.BytesIO(text))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert read("-") == read(packed)
    assert not stdin.buffer.closed


@pytest.mark.parametrize("value", ["", "abc", "-1", "nan", "inf", "-inf", "1e400", "1e13", "1;2", "0x10", "\x1b[2J"])
def test_a_value_that_cannot_be_read_is_named_and_leaves_its_fields_empty(tmp_path: Path, value: str) -> None:
    rows, complaints = read(file_of(tmp_path, f"timestamp,value\n2026-01-01,1\n2026-01-02,{value}\n2026-01-03,1\n"))
    assert [line for line, _ in complaints] == [3]
    assert "\x1b" not in complaints[0][1]
    judged = list(detect_series(rows))
    assert next(csv.reader([as_csv(judged[1])])) == ["2026-01-02", value, "", "", ""]
    assert json.loads(as_json(judged[1])) == {
        "timestamp": "2026-01-02", "value": None, "expected": None, "score": None, "spike": None,
    }  # fmt: skip


def test_a_row_that_is_too_short_has_an_empty_value(tmp_path: Path) -> None:
    rows, complaints = read(file_of(tmp_path, "timestamp,value\n2026-01-01\n"))
    assert [(row.value, row.count) for row in rows] == [("", None)]
    assert [line for line, _ in complaints] == [2]


def test_line_numbers_are_those_of_the_file_even_after_a_cell_with_a_line_break(tmp_path: Path) -> None:
    _, complaints = read(file_of(tmp_path, 'timestamp,value,note\n2026-01-01,1,"a\nb"\n2026-01-02,x,\n'))
    assert [line for line, _ in complaints] == [4]


def test_timestamps_that_cannot_be_read_are_named_once_and_kept(tmp_path: Path) -> None:
    rows, complaints = read(file_of(tmp_path, "timestamp,value\nyesterday,1\ntoday,2\n"))
    assert [row.timestamp for row in rows] == ["yesterday", "today"]
    assert len(complaints) == 1
    assert complaints[0][0] == 2
    assert "'yesterday'" in complaints[0][1]
    assert len(list(detect_series(rows))) == 2


@pytest.mark.parametrize("header", ["", "time,value", "timestamp;value", "timestamp,count", "2015-02-26,3"])
def test_a_header_without_the_columns_says_what_to_write(tmp_path: Path, header: str) -> None:
    with pytest.raises(UsageError, match=r"counts\.csv:1: .*timestamp,value"):
        read(file_of(tmp_path, f"{header}\n1,2\n"))


def test_a_file_that_is_not_there_or_breaks_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv cannot be opened: No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="cannot be opened"):
        read(tmp_path)
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"timestamp,value\n" + b"2026-01-01,1\n" * 999)[:-20])
    with pytest.raises(CrisisdeskError, match=r"broken\.csv\.gz cannot be read to its end"):
        read(broken)
    plain = file_of(tmp_path, "timestamp,value\n", "plain.csv.gz")
    with pytest.raises(CrisisdeskError, match=r"plain\.csv\.gz cannot be read"):
        read(plain)


def test_the_output_is_one_row_a_row_under_its_header() -> None:
    row = Judged("2026-01-01, noon", "07", 6.789, 0.123456789, spike=True)
    assert HEADER == "timestamp,value,expected,score,spike"
    assert as_csv(row) == '"2026-01-01, noon",07,6.79,0.12345679,1'
    assert as_json(row) == '{"timestamp":"2026-01-01, noon","value":7,"expected":6.79,"score":0.12345679,"spike":1}'


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2015-02-26 21:42:53", 1424986973.0),
        ("2015-02-26T21:42:53Z", 1424986973.0),
        ("2015-02-26T23:42:53+02:00", 1424986973.0),
        ("1424986973", 1424986973.0),
        ("1424986973000", 1424986973.0),
        ("1970-01-02", 86400.0),
        ("19700102", 86400.0),
        ("17", None),
        ("26.02.2015", None),
        ("nan", None),
        ("", None),
    ],
)
def test_times_are_read(text: str, seconds: float | None) -> None:
    assert parse_time(text) == seconds


@given(st.text())
def test_any_cell_is_a_number_or_none(text: str) -> None:
    count, time = parse_count(text), parse_time(text)
    assert count is None or 0 <= count <= 1e12
    assert time is None or abs(time) < 1e12


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_any_cell_comes_back_verbatim(timestamp: str, value: str) -> None:
    lines = io.StringIO(as_csv(Judged(timestamp, value)) + "\r\n", newline="")
    assert next(csv.reader(lines)) == [timestamp, value, "", "", ""]
