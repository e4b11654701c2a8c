"""The weekly report, from the database of a desk that may be running."""

import random
import re
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest

from crisisdesk.cli.main import run
from crisisdesk.cli.weekly import as_object, as_text, weekly
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.engine.listening import Listening
from crisisdesk.errors import StorageError
from crisisdesk.records import Incident, Kind, Label, Mention, Numbers, Post, Scored, Severity, State, Verdict
from crisisdesk.settings.budget import DAYS_PER_MONTH
from crisisdesk.storage import snapshot as snapshot_module
from crisisdesk.storage.snapshot import snapshot
from crisisdesk.storage.store import Store

MONDAY = datetime(2026, 9, 28, tzinfo=UTC)
NOW = MONDAY + timedelta(weeks=5, hours=30)
MOODS = {Label.NEGATIVE: (0.9, 0.05, 0.05), Label.NEUTRAL: (0.05, 0.9, 0.05)}


def grown() -> WatchDetector:
    """Five weeks of five posts an hour, ever more of them negative."""
    rng, watch = random.Random(3), WatchDetector("Motrin")
    posts = 5 * 7 * 24 * 5
    for number in range(posts):
        label = Label.NEGATIVE if rng.random() < 0.15 + 0.2 * number / posts else Label.NEUTRAL
        moment = MONDAY + timedelta(minutes=12 * number)
        post = Post(f"p{number}", "x", moment, f"thoughts {number} of a stranger {number * 7}", author=f"a{number}")
        watch.observe(Scored(Mention(post, ("Motrin",), "en"), *MOODS[label], "m"))
    return watch


@pytest.fixture(scope="module")
def state() -> bytes:
    return orjson.dumps(grown().state())


def incident(number: int, verdict: Verdict | None, days: float, severity: Severity = Severity.AMBER) -> Incident:
    moment = NOW - timedelta(days=days)
    return Incident(
        f"motrin-{number}", "Motrin", Kind.SPIKE, State.RESOLVED, severity, moment, moment,
        Numbers(60, 9, 9, 1.0, 9, 1.0, 0.2, 1e-6), "", verdict=verdict, surprise=9.0,
    )  # fmt: skip


@pytest.fixture
async def database(tmp_path: Path, state: bytes) -> Path:
    path = tmp_path / "desk.db"
    async with await Store.open(path, durable=False) as store:
        await store.keep("watch Motrin", state)
        for number in range(5):
            await store.save(incident(number, Verdict.FALSE_ALARM, 9 + number))
        await store.save(incident(5, Verdict.REAL, 2, Severity.RED))
        await store.save(incident(6, None, 1, Severity.NOTICE))
    return path


async def test_a_watch_is_told_by_week_with_its_incidents_and_its_budget(database: Path):
    (motrin,) = await weekly(database, {}, NOW)
    told = list(as_text(motrin))
    assert told[0] == "Motrin"
    for number, line in zip(range(40, 45), told[1:6], strict=True):
        left_out = r"(  \(without \d+ hours? that stood out\))?"
        assert re.fullmatch(rf"  2026-W{number} +\d{{3}} posts   \d\d% negative  #+{left_out}", line)
    assert told[6] == "  2026-W45         0 posts  (so far)"
    assert told[7].startswith("  Counted are people's posts: no copies, ")
    assert told[8].startswith("  Negative share of Motrin up from ")
    assert told[9].startswith("  Negativer Anteil bei Motrin in vier Wochen von ")
    assert told[10] == "  Last 7 days: 1 red, 1 notice; 1 real, 1 without a verdict."
    assert told[11].startswith(
        "  Motrin overspends: 5 false alarms since 28 Sep; its budget of 1 per month allows 1.2."
    )


async def test_a_silence_is_no_incident_of_a_watch(database: Path):
    async with await Store.open(database, durable=False) as store:
        await store.save(replace(incident(7, None, 1), kind=Kind.BLIND))
    (motrin,) = await weekly(database, {}, NOW)
    assert "  Last 7 days: 1 red, 1 notice; 1 real, 1 without a verdict." in list(as_text(motrin))


async def test_a_desk_that_is_off_is_told_of_as_it_was_by_its_own_clocks(capsys, database: Path):
    heard = {"until": (NOW - timedelta(days=3)).timestamp(), "gaps": [], "live": {}}
    async with await Store.open(database, durable=False) as store:
        await store.keep("hearing", orjson.dumps(heard))
    (motrin,) = await weekly(database, {"Motrin": Standard(zone=ZoneInfo("Asia/Tokyo"))}, NOW)
    assert capsys.readouterr().err == (
        f"{database} has heard nothing after 2026-10-31 15:00 JST; this is how things stood then.\n"
    )
    assert any(line.startswith("  2026-W44") and "so far" in line for line in as_text(motrin))


async def test_weeks_that_nobody_listened_are_no_calm_weeks(database: Path):
    """The desk was off for four weeks and two days after what was learnt, and has been started again just now."""
    until, now = MONDAY + timedelta(weeks=5), MONDAY + timedelta(weeks=9, hours=50, minutes=10)
    listening = Listening(until)
    listening.begin(now, ())
    async with await Store.open(database, durable=False) as store:
        await store.keep("hearing", orjson.dumps(listening.state()))
    (motrin,) = await weekly(database, {"Motrin": Standard(zone=ZoneInfo("Europe/Berlin"))}, now)
    told = list(as_text(motrin))
    assert [line.strip() for line in told if "nothing was heard" in line] == [
        f"2026-W{number}          - nothing was heard" for number in range(45, 50)
    ]
    assert "  Nothing was heard from 2026-11-02 01:00 to 2026-12-02 03:00 CET." in told
    assert "  Last 7 days: no incident. Of their 168 hours 168 were not heard in full." in told
    assert motrin.spent.allowed == pytest.approx(35 / DAYS_PER_MONTH, abs=0.01)
    weeks = as_object(motrin)["weeks"]
    assert [week["hours_unheard"] for week in weeks] == [0] * 5 + [168] * 4 + [50]


async def test_weeks_that_are_damaged_are_said_to_be_and_the_rest_is_told(
    database: Path, state: bytes, capsys: pytest.CaptureFixture[str]
):
    damaged = orjson.loads(state)
    damaged["weeks"] = []
    async with await Store.open(database, durable=False) as store:
        await store.keep("watch Motrin", orjson.dumps(damaged))
    (motrin,) = await weekly(database, {}, NOW)
    assert capsys.readouterr().err.strip().endswith("is damaged or was written by another version: the weeks.")
    assert motrin.detector.detector.baseline.hours > 700
    assert any("Last 7 days" in line for line in as_text(motrin))


async def test_a_call_in_the_first_hour_is_not_told_beside_nothing(tmp_path: Path):
    watch = WatchDetector("Motrin")
    for number in range(30):
        text = f"furious {number} words {number * 3} of {number * 11} mothers"
        post = Post(f"f{number}", "x", NOW + timedelta(minutes=number), text, author=f"f{number}")
        watch.observe(Scored(Mention(post, ("Motrin",), "en"), *MOODS[Label.NEGATIVE], "m"))
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        await store.keep("watch Motrin", orjson.dumps(watch.state()))
        await store.save(incident(1, None, 0, Severity.RED))
    (motrin,) = await weekly(tmp_path / "desk.db", {}, NOW + timedelta(minutes=30))
    assert list(as_text(motrin))[1:3] == [
        "  No hour has been counted yet: each is when it is over.",
        "  Last 7 days: 1 red; 1 without a verdict.",
    ]


async def test_hours_that_stood_out_are_left_out_and_it_says_so(tmp_path: Path):
    watch = grown()
    for number in range(60):
        moment = MONDAY + timedelta(weeks=5, minutes=number)
        text = f"furious {number} words {number * 3} of {number * 11} mothers"
        post = Post(f"f{number}", "x", moment, text, author=f"f{number}")
        watch.observe(Scored(Mention(post, ("Motrin",), "en"), *MOODS[Label.NEGATIVE], "m"))
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        await store.keep("watch Motrin", orjson.dumps(watch.state()))
    (motrin,) = await weekly(tmp_path / "desk.db", {}, NOW)
    hours = as_object(motrin)["weeks"][-1]["hours_left_out"]
    assert hours >= 1
    (line,) = [line for line in as_text(motrin) if line.startswith("  2026-W45")]
    assert line == f"  2026-W45         0 posts  (so far, without {hours} hour{'s' * (hours > 1)} that stood out)"


async def test_the_same_for_machines(database: Path):
    (motrin,) = await weekly(database, {"Motrin": Standard(4.0)}, NOW)
    data = orjson.loads(orjson.dumps(as_object(motrin)))
    assert data["weeks"][0].keys() == {"week", "posts", "negative", "share", "hours_left_out", "hours_unheard"}
    assert data["rise"]["to"] > data["rise"]["from"] + 0.1
    assert data["incidents"] == {"red": 1, "amber": 0, "notice": 1}
    assert data["verdicts"] == {"real": 1, "false alarm": 0, "planned": 0, "without a verdict": 1}
    budget = data["budget"]
    assert (budget["false_alarms"], budget["spent"], budget["overspent"]) == ("4 per month", 5, False)
    assert (budget["proposal"], budget["would_not_have_come"]) == (None, [])


async def test_a_watch_that_has_heard_nothing_says_so(database: Path):
    (new,) = await weekly(database, {"New": Standard()}, NOW)
    assert list(as_text(new))[:2] == ["New", "  Nothing has been counted yet."]


async def test_it_can_be_asked_while_the_desk_runs(database: Path):
    async with await Store.open(database) as store:
        await store.save(incident(7, Verdict.PLANNED, 1))  # in the log beside the file, as a running desk leaves it
        with pytest.raises(sqlite3.OperationalError):
            sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=0).execute("SELECT * FROM incidents")
        asked = [sys.executable, "-m", "crisisdesk", "report", "weekly", "--database", str(database), "--json"]
        done = subprocess.run(asked, capture_output=True, check=True, timeout=60)  # noqa: ASYNC221 - our own command
        await store.save(incident(8, None, 1))
        assert len(await store.incidents_since(MONDAY)) == 9
    assert orjson.loads(done.stdout)["watch"] == "Motrin"
    with snapshot(database) as copy:
        async with await Store.open(copy) as store:
            assert len(await store.incidents_since(MONDAY)) == 9


def test_a_copy_in_the_midst_of_a_change_is_made_again(database: Path, monkeypatch: pytest.MonkeyPatch):
    made = []

    def copied(path: Path, copy: Path) -> None:
        made.append(path)
        if len(made) < 3:
            path.write_bytes(path.read_bytes() + b"more")
        copy.write_bytes(path.read_bytes())

    monkeypatch.setattr(snapshot_module, "_copy", copied)
    monkeypatch.setattr(snapshot_module, "PAUSE", 0.001)
    with snapshot(database) as copy:
        assert copy.read_bytes().endswith(b"moremore")
    assert len(made) == 3
    made.extend([database] * -100)
    monkeypatch.setattr(snapshot_module, "ATTEMPTS", 2)
    made.clear()
    with pytest.raises(StorageError, match="is being written all the time"), snapshot(database):
        pass


def test_what_cannot_be_reported_has_its_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["report", "weekly", "--database", str(tmp_path / "none.db")]) == 1
    assert "no such file or directory; name that of a desk that has run." in capsys.readouterr().err
    assert run(["report", "yearly"]) == 2
    assert "There is no report 'yearly'; write: crisisdesk report weekly" in capsys.readouterr().err
