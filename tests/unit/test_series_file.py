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
from crisisdesk.detect.series_cells import Numbers, parse_count, parse_time
from crisisdesk.detect.series_file import HEADER, as_csv, as_json, parse_columns, read_series
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


@pytest.mark.parametrize("header", ["", "time,value", "timestamp value", "timestamp;count", "2015-02-26,3"])
def test_a_header_without_the_columns_says_what_to_write(tmp_path: Path, header: str) -> None:
    with pytest.raises(UsageError, match=r"counts\.csv:1: .*timestamp,value"):
        read(file_of(tmp_path, f"{header}\n1,2\n"))


def test_a_file_that_is_not_there_or_breaks_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.csv: cannot be read \(no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path)
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"timestamp,value\n" + b"2026-01-01,1\n" * 999)[:-20])
    with pytest.raises(CrisisdeskError, match=r"broken\.csv\.gz cannot be read to its end"):
        read(broken)


def test_the_output_is_one_row_a_row_under_its_header() -> None:
    row = Judged("2026-01-01, noon", "07", 7.0, 6.789, 0.123456789, spike=True)
    assert HEADER == "timestamp,value,expected,score,spike"
    assert as_csv(row) == '"2026-01-01, noon",07,6.79,0.12345679,1'
    assert as_json(row) == '{"timestamp":"2026-01-01, noon","value":7,"expected":6.79,"score":0.12345679,"spike":1}'


@pytest.mark.parametrize(
    ("text", "seconds", "ahead"),
    [
        ("2015-02-26 21:42:53", 1424986973.0, 0.0),
        ("2015-02-26T21:42:53Z", 1424986973.0, 0.0),
        ("2015-02-26T23:42:53+02:00", 1424986973.0, 7200.0),
        ("2015-02-26 16:42:53 -0500", 1424986973.0, -18000.0),
        ("2015-02-26 21:42:53 UTC", 1424986973.0, 0.0),
        ("26.02.2015 21:42:53", 1424986973.0, 0.0),
        ("26.2.2015, 9:42", 1424943720.0, 0.0),
        ("26.02.2015", 1424908800.0, 0.0),
        ("1424986973", 1424986973.0, 0.0),
        ("1424986973000", 1424986973.0, 0.0),
        ("1970-01-02", 86400.0, 0.0),
        ("19700102", 86400.0, 0.0),
    ],
)
def test_times_are_read_with_the_clock_they_were_written_by(text: str, seconds: float, ahead: float) -> None:
    assert parse_time(text) == (seconds, ahead)


@pytest.mark.parametrize("text", ["17", "02/26/2015", "31.02.2015", "26.02.15", "nan", ""])
def test_what_is_no_time_is_not_guessed(text: str) -> None:
    assert parse_time(text) is None


@pytest.mark.parametrize(
    ("cells", "counts", "notes"),
    [
        (["12,5", "7", "1.234,5", "1.234"], [12.5, 7, 1234.5, 1234], 1),
        (["12.5", "7", "1.234"], [12.5, 7, 1.234], 0),
        (["0.125", "1.234"], [0.125, 1.234], 0),
        (["1.234", "7"], [None, 7], 0),
        (["12.345.678", "1,2,3", "1.23,4", "-1,5"], [12345678, None, None, None], 0),
    ],
)
def test_a_decimal_comma_is_read_and_a_point_is_not_guessed(
    cells: list[str], counts: list[float | None], notes: int
) -> None:
    told: list[str] = []
    numbers = Numbers(told.append, commas=True)
    assert [numbers.read(cell)[0] for cell in cells] == counts
    assert len(told) == notes


def test_a_german_spreadsheet_is_read_and_how_is_told(tmp_path: Path) -> None:
    text = "Datum;Region;Anrufe\r\n22.11.2026 05:00;Nord;12,5\r\n22.11.2026 06:00;Nord;3\r\n"
    notes: list[str] = []
    for encoding in ("utf-8-sig", "utf-16"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(text.encode(encoding))
        columns = parse_columns("timestamp=Datum, value=anrufe")
        rows = list(read_series(str(path), lambda *_: pytest.fail("a bad line"), notes.append, columns))
        assert [row.count for row in rows] == [12.5, 3.0]
        assert [row.timestamp for row in rows] == ["22.11.2026 05:00", "22.11.2026 06:00"]
    assert notes[:2] == [
        "columns are separated by semicolons",
        "numbers have a decimal comma: 12,5 is read as 12.5",
    ]


def test_the_letters_of_windows_are_read_and_the_only_two_columns_are_proposed(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes("Tag;Anrufe für Störung\r\n22.11.2026;7\r\n".encode("cp1252"))
    with pytest.raises(UsageError, match=r'--columns "timestamp=Tag,value=Anrufe für Störung"'):
        list(read_series(str(path), lambda *_: None))
    columns = parse_columns("timestamp=Tag,value=Anrufe für Störung")
    assert [row.count for row in read_series(str(path), lambda *_: None, columns=columns)] == [7.0]


def test_the_line_that_names_the_separator_is_no_header(tmp_path: Path) -> None:
    rows, complaints = read(file_of(tmp_path, "sep=;\r\ntimestamp;value\r\n2026-01-01;3\r\n2026-01-02;x\r\n"))
    assert [row.count for row in rows] == [3.0, None]
    assert [line for line, _ in complaints] == [4]


def test_tabs_may_separate_the_columns(tmp_path: Path) -> None:
    rows, complaints = read(file_of(tmp_path, "value\ttimestamp\n3\t2026-01-01\n", "counts.tsv"))
    assert [(row.timestamp, row.count) for row in rows] == [("2026-01-01", 3.0)]
    assert complaints == []


@pytest.mark.parametrize("text", ["", "value", "value=", "=calls", "count=calls", "value=a,value=b", "timestamp=a,"])
def test_wrong_columns_are_shown_how_to_write_them(text: str) -> None:
    with pytest.raises(UsageError, match="timestamp=Date,value=Calls"):
        parse_columns(text)


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = file_of(tmp_path, "Datum;Anrufe\n1;2\n")
    with pytest.raises(UsageError, match="no column 'calls', but 'Datum', 'Anrufe'"):
        list(read_series(str(path), lambda *_: None, columns={"timestamp": "Datum", "value": "calls"}))


def test_a_spreadsheet_that_is_no_csv_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "counts.xlsx"
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)))
    with pytest.raises(UsageError, match="save its table as CSV"):
        read(path)


@given(st.text())
def test_any_cell_is_a_number_or_none(text: str) -> None:
    moment = parse_time(text)
    for count in (parse_count(text), Numbers(lambda _: None, commas=True).read(text)[0]):
        assert count is None or 0 <= count <= 1e12
    assert moment is None or abs(moment[0]) < 1e12


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_any_cell_comes_back_verbatim(timestamp: str, value: str) -> None:
    lines = io.StringIO(as_csv(Judged(timestamp, value)) + "\r\n", newline="")
    assert next(csv.reader(lines)) == [timestamp, value, "", "", ""]
