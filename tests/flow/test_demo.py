"""The Motrin case from the command line, as whoever tries the desk for the first time runs it: the real model and all.

It takes half a minute of computing, so it is run once as text and once as JSON, and every test looks at those two.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(400)

LAST_LINE = re.compile(
    r"first amber (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ), first red (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ), "
    r"company answered 2008-11-17T01:00:00Z: (\d+) h earlier"
)
EVENT_LINE = re.compile(
    r"(\d{4}-\d\d-\d\d \d\d:\d\dZ) (OPENED|RAISED|SUBSIDED|REOPENED|RESOLVED) (NOTICE|AMBER|RED) Motrin (.+)"
)
KEYS = {
    *("event", "incident", "watch", "kind", "time", "severity", "window_minutes", "negative", "expected", "authors"),
    *("negative_share", "usual_share", "probability", "why", "why_de"),
}
ANSWERED = datetime(2008, 11, 17, 1, tzinfo=UTC)
ANGER_BEGINS = "2008-11-15T03:00:00Z"


@dataclass(frozen=True)
class Run:
    """A finished demo."""

    code: int
    lines: list[str]
    errors: str
    left: list[str]
    """What lies in its temporary folder afterwards."""
    here: list[str]
    """What lies in its working folder afterwards."""


def demo(base: Path, *options: str) -> Run:
    work, temporary = base / "a folder of mine", base / "for a while"
    work.mkdir()
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "crisisdesk", "demo", *options],
        cwd=work,
        env={**os.environ, "LC_ALL": "C", "LANG": "C", "TMPDIR": str(temporary), "COLUMNS": "40"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return Run(
        done.returncode,
        done.stdout.decode().splitlines(),
        done.stderr.decode(),
        sorted(path.name for path in temporary.iterdir()),
        sorted(path.name for path in work.iterdir()),
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Run]:
    """As text and as JSON, at once: a run keeps one processor and a half busy."""
    with ThreadPoolExecutor() as both:
        return list(
            both.map(lambda option: demo(tmp_path_factory.mktemp(option[2:]), option), ("--headless", "--json"))
        )


@pytest.fixture(scope="module")
def text(runs) -> Run:
    return runs[0]


@pytest.fixture(scope="module")
def as_json(runs) -> Run:
    return runs[1]


@pytest.fixture(scope="module")
def events(as_json) -> list[dict[str, Any]]:
    return [json.loads(line) for line in as_json.lines[:-1]]


def moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def last_line(run: Run) -> re.Match[str]:
    found = LAST_LINE.fullmatch(run.lines[-1])
    assert found, run.lines[-1]
    return found


def test_it_ends_well_and_without_a_word_of_trouble(text, as_json):
    for run in (text, as_json):
        assert (run.code, run.errors) == (0, "")


def test_it_leaves_nothing_behind(text, as_json):
    for run in (text, as_json):
        assert (run.left, run.here) == ([], [])


def test_the_last_line_says_how_many_hours_were_won(text):
    amber, red, hours = last_line(text).groups()
    assert moment(amber) <= moment(red)
    assert int(hours) == round((ANSWERED - moment(red)) / timedelta(hours=1))


def test_the_first_line_says_that_the_posts_are_a_reconstruction(text):
    assert "Reconstruction: synthetic posts" in text.lines[0]


def test_every_other_line_is_an_event_with_its_reason(text):
    for line in text.lines[1:-1]:
        found = EVENT_LINE.fullmatch(line)
        assert found, line
        if found[2] in {"OPENED", "RAISED", "REOPENED"}:
            assert re.match(
                r"\d+ negative posts by \d+ people within (one|\d+) (minute|hour|day)s?, where ", found[4]
            ), line


def test_the_alert_comes_with_the_playbook_that_fits(text):
    reds = [line for line in text.lines if " RED " in line]
    assert reds
    assert reds[0].endswith("→ Offensive advertisement")


def test_red_comes_before_saturday_night(text):
    assert last_line(text)[2] < "2008-11-16T01:00:00Z"


def test_amber_comes_before_saturday_noon(text):
    assert last_line(text)[1] < "2008-11-15T17:00:00Z"


def test_nobody_is_called_in_the_quiet_weeks(events):
    calls = [event for event in events if event["severity"] in {"amber", "red"}]
    assert calls
    assert min(event["time"] for event in calls) >= ANGER_BEGINS


def test_the_lines_of_json_keep_the_promise(events):
    for event in events:
        assert set(event) >= KEYS
        assert event["event"] in {"opened", "raised", "subsided", "reopened", "resolved"}
        assert (event["watch"], event["kind"]) == ("Motrin", "spike")
        assert moment(event["time"])
        assert isinstance(event["window_minutes"], int)
        assert 0 <= event["negative_share"] <= 1
        assert 0 <= event["usual_share"] <= 1
        assert 0 <= event["probability"] <= 1
        assert event["why"]


def test_there_are_not_more_people_than_posts(events):
    """An author counts at most twice an hour, so there may be fewer; more are a contradiction in one sentence."""
    for event in events:
        assert event["authors"] <= event["negative"], event["why"]


def test_the_events_are_in_the_order_in_which_they_happened(events):
    times = [event["time"] for event in events]
    assert times == sorted(times)


def test_the_last_line_of_json_sums_up(as_json, events):
    summary = json.loads(as_json.lines[-1])
    assert (summary["event"], summary["bad_lines"]) == ("summary", 0)
    assert summary["posts"] > 5_000
    assert summary["incidents"] == len({event["incident"] for event in events})
    (watch,) = summary["watches"].values()
    assert list(summary["watches"]) == ["Motrin"]
    assert watch["posts"] <= summary["posts"]
    assert watch["incidents"] == summary["incidents"]


def test_a_second_run_sees_the_same_as_the_first(text, events):
    """The two runs differ in their form only."""
    shown = [EVENT_LINE.fullmatch(line) for line in text.lines[1:-1]]
    assert [(one[1], one[2], one[3]) for one in shown if one] == [
        (event["time"][:16].replace("T", " ") + "Z", event["event"].upper(), event["severity"].upper())
        for event in events
    ]
    first = {s: min(e["time"] for e in events if e["severity"] == s) for s in ("amber", "red")}
    assert last_line(text).groups()[:2] == (first["amber"], first["red"])
