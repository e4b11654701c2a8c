"""How fast a series is judged, beside reading it."""

import csv
import random
import sys
import time
from pathlib import Path

import pytest

from crisisdesk.detect.series import detect_series
from crisisdesk.detect.series_file import as_csv, read_series

ROWS = 100_000


@pytest.mark.bench
def test_rows_per_second_beside_the_bare_csv_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(1)
    path = tmp_path / "counts.csv"
    lines = (f"{1_400_000_000 + 300 * i},{rng.randrange(40)}" for i in range(ROWS))
    path.write_text("timestamp,value\n" + "\n".join(lines))
    began = time.perf_counter()
    with path.open(newline="") as handle:
        assert sum(1 for _ in csv.reader(handle)) == ROWS + 1
    read = time.perf_counter()
    judged = sum(1 for row in detect_series(read_series(str(path), lambda *_: None)) if as_csv(row))
    ended = time.perf_counter()
    assert judged == ROWS
    ours, theirs = ended - read, read - began
    with capsys.disabled():
        sys.stdout.write(
            f"\nseries: {ROWS / ours:,.0f} rows/s, {ours / theirs:.0f} x the time of the bare CSV reader\n"
        )
