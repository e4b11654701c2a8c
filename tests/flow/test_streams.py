"""`score` and `model evaluate` between pipes and terminals: lines as they come, no mess, no silence, no memory."""

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from streams import peak, scripted, write

LINES = 3000


def test_a_line_comes_back_at_once_though_the_pipe_stays_open():
    with scripted("score", stdin=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        for n in range(1, 4):
            running.stdin.write(b"an awful day\n")
            running.stdin.flush()
            assert json.loads(running.stdout.readline())["id"] == str(n)
        running.stdin.close()
        assert running.stdout.read() == b""
    assert running.returncode == 0


def test_ctrl_c_leaves_what_was_done():
    with scripted("score", stdin=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b"an awful day\n" * LINES)
        running.stdin.flush()
        found = [running.stdout.readline() for _ in range(LINES)]
        running.send_signal(signal.SIGINT)
        rest, errors = running.communicate(timeout=30)
    assert (running.returncode, rest, errors) == (130, b"", b"")
    assert [json.loads(line)["id"] for line in found] == [str(n) for n in range(1, LINES + 1)]


def test_a_reader_who_has_seen_enough_ends_it_quietly(tmp_path: Path):
    with scripted("score", str(write(tmp_path / "posts.txt", 20_000))) as running:
        assert running.stdout
        assert json.loads(running.stdout.readline())["id"] == "1"
        running.stdout.close()
        assert running.stderr
        assert running.stderr.read() == b""
    assert running.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full, of Linux")
@pytest.mark.parametrize("command", ["score", "model evaluate", "model info"])
def test_a_full_disk_is_named_with_the_cure(tmp_path: Path, command: str):
    path = write(tmp_path / "posts.tsv", 10, labelled=True)
    arguments = () if command == "model info" else (str(path),)
    with Path("/dev/full").open("wb") as full, scripted(*command.split(), *arguments, stdout=full) as running:
        _, errors = running.communicate(timeout=30)
    said = b"The results cannot be written to the end: no space left on device; make room and run it again.\n"
    assert (running.returncode, errors) == (1, said)


def test_what_is_no_post_is_told_and_costs_no_memory(tmp_path: Path):
    ordinary, huge = write(tmp_path / "ordinary.txt", 10), tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.write(b"before\n")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\nafter\n")
        file.write(b"no end " * 1_000_000)
    with scripted("score", str(huge)) as running:
        out, errors = running.communicate(timeout=30)
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["1", "3"]
    assert errors.decode().splitlines() == [f"skipped: {huge}:{n}: is longer than any post" for n in (2, 4)]
    assert peak("score", str(huge), folder=tmp_path) < peak("score", str(ordinary), folder=tmp_path) + 8_000_000


def on_terminal(*arguments: str, results: int | None = None, through: Sequence[str] = ()) -> str:
    """What a person sees of a run whose stderr, and unless told otherwise whose stdout, is a terminal."""
    ours, theirs = pty.openpty()
    if through:
        reader = subprocess.Popen(through, stdin=subprocess.PIPE, stdout=theirs)
        assert reader.stdin
        results = os.dup(reader.stdin.fileno())
        reader.stdin.close()
    options = {"stdin": subprocess.DEVNULL, "stderr": theirs, "env": {**os.environ, "TERM": "xterm", "COLUMNS": "80"}}
    with scripted(*arguments, stdout=theirs if results is None else results, **options) as running:
        os.close(theirs)
        if through:
            os.close(results)
        seen = bytearray()
        try:
            while part := os.read(ours, 65536):
                seen += part
        except OSError:  # how Linux says that the other end has gone
            pass
        os.close(ours)
    assert not through or reader.wait(30) == 0
    assert running.returncode == 0
    return seen.decode()


@pytest.mark.parametrize("command", ["score", "model evaluate"])
def test_the_bar_shows_a_percentage_on_the_terminal_and_never_in_the_results(tmp_path: Path, command: str):
    path = write(tmp_path / f"posts.{'txt' if command == 'score' else 'tsv'}.gz", 200_000, labelled=command != "score")
    with (tmp_path / "results").open("wb") as results:
        seen = on_terminal(*command.split(), str(path), results=results.fileno())
    shares = [int(share) for share in re.findall(r"(\d+)%", seen)]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert "\x1b" not in (tmp_path / "results").read_text()


@pytest.mark.parametrize("through", [(), ("cat",)], ids=["direct", "cat"])
def test_results_on_the_terminal_stand_on_lines_of_their_own(tmp_path: Path, through: Sequence[str]):
    seen = on_terminal("score", str(write(tmp_path / "posts.txt", 5000)), through=through)
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen).split("\n")
    lines = [line.rstrip("\r").rsplit("\r", 1)[-1] for line in drawn]  # what stood there before was erased
    ids = [json.loads(line)["id"] for line in lines if "{" in line]
    assert ids == [str(n) for n in range(1, 5001)]


def test_no_bar_is_drawn_while_results_go_into_a_pipe_but_where_they_come_at_the_end_it_is(tmp_path: Path):
    assert "%" not in on_terminal("score", str(write(tmp_path / "posts.txt", 50_000)), through=("cat",))
    labelled = write(tmp_path / "posts.tsv", 50_000, labelled=True)
    assert "%" in on_terminal("model", "evaluate", str(labelled), through=("wc", "-l"))


def test_how_many_lines_were_bad_is_told_also_of_what_breaks_off():
    with scripted("score", stdin=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b'{"text": "a day"}\n' + b"{\n" * 20 + b'{"text": "a day"}\n')
        running.stdin.flush()
        assert [json.loads(running.stdout.readline())["id"] for _ in range(2)] == ["1", "22"]
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert errors.decode().endswith("\n20 lines could not be read and were skipped.\n")


def test_without_a_terminal_nothing_is_drawn(tmp_path: Path):
    with scripted("score", str(write(tmp_path / "posts.txt", 5000))) as running:
        _, errors = running.communicate(timeout=30)
    assert errors == b""
