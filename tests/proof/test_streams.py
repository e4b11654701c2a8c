"""Files larger than memory are scored and measured in the same little memory, however they come."""

import json
from pathlib import Path

import pytest
from streams import peak, write

pytestmark = pytest.mark.proof

MANY, FEW = 2_000_000, 20_000
MORE_AT_MOST = 8_000_000
"""Bytes; the file alone has 30 million."""


@pytest.mark.parametrize("name", ["posts.txt", "posts.txt.gz", "stdin"])
def test_two_million_posts_are_scored_in_the_memory_of_twenty_thousand(tmp_path: Path, name: str):
    peaks = {}
    for number in (FEW, MANY):
        path = write(tmp_path / name, number)
        source = {"stdin": path} if name == "stdin" else {}
        peaks[number] = peak("score", "-" if source else str(path), folder=tmp_path, **source)
        with (tmp_path / "results").open("rb") as results:
            assert sum(1 for _ in results) == number
    print(f"score {name}: {peaks[FEW] / 1e6:.0f} MB for {FEW:,} posts, {peaks[MANY] / 1e6:.0f} MB for {MANY:,}")
    assert peaks[MANY] < peaks[FEW] + MORE_AT_MOST


@pytest.mark.parametrize("name", ["posts.tsv", "posts.tsv.gz", "stdin"])
def test_two_million_posts_are_measured_in_the_memory_of_twenty_thousand(tmp_path: Path, name: str):
    peaks = {}
    for number in (FEW, MANY):
        path = write(tmp_path / name, number, labelled=True)
        source = {"stdin": path} if name == "stdin" else {}
        arguments = ("model", "evaluate", "-" if source else str(path), "--by", "lang", "--json")
        peaks[number] = peak(*arguments, folder=tmp_path, **source)
        report = json.loads((tmp_path / "results").read_bytes())
        assert (report["n"], report["accuracy"]) == (number, 1.0)
    print(f"evaluate {name}: {peaks[FEW] / 1e6:.0f} MB for {FEW:,} posts, {peaks[MANY] / 1e6:.0f} MB for {MANY:,}")
    assert peaks[MANY] < peaks[FEW] + MORE_AT_MOST
