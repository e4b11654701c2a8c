"""Recorded posts through the whole desk: the same incidents however they come, and what `replay` promises about them.

The posts are made here, a quiet fortnight and a storm, and a few words decide their mood, so that each test knows what
must come out; that the shipped model finds the same is for one test only.
"""

import asyncio
import gzip
import io
import itertools
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hearsay import ANGRY, CALM, Words

from crisisdesk import app as app_module
from crisisdesk.app import App, Plan
from crisisdesk.backtest.overheard import Overheard
from crisisdesk.backtest.shadow import Shadow
from crisisdesk.backtest.stories import Stories
from crisisdesk.cli import recorded
from crisisdesk.cli.main import run
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.simpler import RULES
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.engine import intake, pipeline
from crisisdesk.match import WatchRule
from crisisdesk.payloads.incident import line
from crisisdesk.records import EPOCH, Notification
from crisisdesk.resources import folder
from crisisdesk.sentiment.batcher import Scoring
from crisisdesk.sources.file.reading import read_posts
from crisisdesk.sources.file.replay import Pace, Replay

START = datetime(2024, 3, 4, tzinfo=UTC)
STORM = START + timedelta(days=14, hours=20)
DAYS = 15


def quiet_and_storm(seed: int = 1, storm: bool = True) -> list[dict[str, Any]]:
    """Posts about "acme": six an hour, one in six of them negative; then two hours of fifty, nearly all negative."""
    chance = random.Random(seed)
    posts = []

    def post(when: datetime, negative: bool, author: str) -> None:
        words = chance.sample(ANGRY if negative and when >= STORM else CALM, 5)
        text = f"{' '.join(words)} acme {'awful' if negative else 'today'} {chance.randrange(10_000)}"
        posts.append({"time": f"{when:%Y-%m-%dT%H:%M:%SZ}", "text": text, "author": author, "lang": "en"})

    for hour in range(DAYS * 24):
        for _ in range(chance.randint(4, 8)):
            when = START + timedelta(hours=hour, seconds=chance.randrange(3600))
            post(when, chance.random() < 1 / 6, f"u{chance.randrange(400)}")
    for n in range(100 if storm else 0):
        post(STORM + timedelta(seconds=chance.randrange(7200)), chance.random() < 0.9, f"angry{n}")
    posts.sort(key=lambda one: one["time"])
    return [{"id": f"p{number}", **one} for number, one in enumerate(posts)]


def written(path: Path, posts: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in posts), encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def posts() -> list[dict[str, Any]]:
    return quiet_and_storm()


@pytest.fixture
def file(tmp_path, posts) -> Path:
    return written(tmp_path / "posts.jsonl", posts)


@dataclass
class Seen:
    """What a desk did."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    identities: list[tuple[str, str]] = field(default_factory=list)
    evidence: list[object] = field(default_factory=list)

    def __call__(self, notification: Notification) -> None:
        self.lines.append(line(notification))
        self.identities.append((notification.change.id, notification.incident.id))
        self.evidence.append(notification.incident.evidence)


async def played(
    database: Path, files: Sequence[Path], *, chunk: int = 500, pace: Callable[[ReplayClock], Pace] = Pace
) -> Seen:
    seen, clock = Seen(), ReplayClock(EPOCH)
    bad: list[object] = []
    source = Replay("replay", read_posts(files, on_bad=bad.append), clock, pace(clock), chunk)
    plan = Plan({WatchRule("Acme", ("acme",)): Standard()}, [source], database, folder("playbooks"), clock, Words)
    async with App(plan) as app:
        app.register.subscribe(seen)
        await app.run()
    assert not bad
    return seen


@pytest.fixture
def short(tmp_path, posts) -> Path:
    """The last two days and the storm: enough for a call, and soon played."""
    return written(tmp_path / "posts.jsonl", posts[-400:])


@pytest.fixture(scope="module")
def expected(tmp_path_factory, posts) -> Seen:
    base = tmp_path_factory.mktemp("expected")
    seen = asyncio.run(played(base / "desk.db", [written(base / "posts.jsonl", posts)]))
    assert seen.lines[0]["event"] == "opened"
    assert "red" in {one["severity"] for one in seen.lines}
    assert all(one["time"] >= f"{STORM:%Y-%m-%dT%H:%M:%SZ}" for one in seen.lines if one["severity"] != "notice")
    return seen


@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_the_same_incidents_at_any_batch_size(tmp_path, file, expected, monkeypatch, size):
    class Sized(Scoring):
        async def run(self, mentions, scored, at_most=size):
            await super().run(mentions, scored, at_most)

    monkeypatch.setattr(app_module, "Scoring", Sized)
    monkeypatch.setattr(intake, "BATCH", size)
    monkeypatch.setattr(intake, "WAITING", size)
    monkeypatch.setattr(app_module, "MENTIONS_WAITING", size)
    monkeypatch.setattr(pipeline, "SCORED_WAITING", size)
    assert await played(tmp_path / "again.db", [file], chunk=size) == expected


async def test_the_same_incidents_at_any_speed(tmp_path, file, expected):
    def paced(clock: ReplayClock) -> Pace:
        return Pace(clock, speed=40_000.0, shown_from=STORM - timedelta(hours=1))

    assert await played(tmp_path / "paced.db", [file], pace=paced) == expected


async def test_the_same_incidents_from_two_files_as_from_one(tmp_path, posts, expected):
    half = len(posts) - 80
    both = [written(tmp_path / "posts.1.jsonl", posts[:half]), written(tmp_path / "posts.2.jsonl", posts[half:])]
    assert await played(tmp_path / "split.db", both) == expected


async def test_posts_that_come_twice_change_nothing(tmp_path, posts, expected):
    twice = written(tmp_path / "posts.jsonl", [one for post in posts for one in (post, post)])
    assert await played(tmp_path / "twice.db", [twice]) == expected


async def test_no_storm_no_call(tmp_path):
    calm = written(tmp_path / "calm.jsonl", quiet_and_storm(storm=False))
    seen = await played(tmp_path / "calm.db", [calm])
    assert [one["why"] for one in seen.lines if one["severity"] != "notice"] == []


@pytest.fixture
def words(monkeypatch) -> None:
    """The commands judge by words."""
    monkeypatch.setattr(recorded, "load_shipped_model", Words)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch) -> Path:
    """An empty working folder, and no configuration of whoever runs the tests."""
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("CRISISDESK_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(here))
    return here


pytestmark = pytest.mark.usefixtures("elsewhere")


def lines_of(capsys) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The events and the summary that were printed."""
    *events, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert summary["event"] == "summary"
    return events, summary


@pytest.mark.usefixtures("words")
def test_the_command_tells_what_the_desk_saw(capsys, file, posts):
    assert run(["replay", str(file), "--watch", "Acme=acme", "--json"]) == 0
    events, summary = lines_of(capsys)
    assert events[0]["watch"] == "Acme"
    assert (summary["posts"], summary["bad_lines"]) == (len(posts), 0)
    assert summary["watches"]["Acme"]["posts"] == len(posts)
    assert summary["watches"]["Acme"]["negative"] == sum("awful" in one["text"] for one in posts)
    assert summary["incidents"] == summary["watches"]["Acme"]["incidents"] == len({one["incident"] for one in events})
    assert summary["watches"]["Acme"]["red"] == 1


@pytest.mark.usefixtures("words")
def test_without_json_it_says_it_in_words(capsys, short):
    assert run(["replay", str(short), "--watch", "Acme=acme"]) == 0
    *events, last = capsys.readouterr().out.splitlines()
    assert any("RAISED" in one or "OPENED" in one for one in events)
    assert last.startswith(f"{len(read(short)):,} posts, 0 bad lines, 1 watch, ")


@pytest.mark.usefixtures("words")
def test_beside_each_call_stands_what_a_person_needs_to_judge_it(capsys, file):
    assert run(["replay", str(file), "--watch", "Acme=acme"]) == 0
    lines = capsys.readouterr().out.splitlines()
    call = next(number for number, one in enumerate(lines) if "AMBER" in one or "RED" in one)
    beside = list(itertools.takewhile(lambda one: one.startswith("    "), lines[call + 1 :]))
    assert re.fullmatch(
        r"    First signal Mon 18 Mar 20:\d\d by (angry|u)\d+, \d+ (s|min) before this call\.", beside[0]
    )
    assert re.fullmatch(r"    “.*awful.*” \(\w+, Mon 18 Mar 20:\d\d\)", beside[-1])
    assert re.fullmatch(
        r"Calls a month \(amber or red, real crises among them\) at each budget: "
        r"sensitive \d+\.\d, balanced \d+\.\d \(as it is set\), strict \d+\.\d\.",
        lines[-2],
    )


@pytest.mark.usefixtures("words")
def test_the_end_tells_of_each_call_how_bad_it_became_not_only_how_it_began(capsys, file, posts):
    assert run(["replay", str(file), "--watch", "Acme=acme"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("1 incident with a call, from the first signal to the worst hour:")
    told = re.fullmatch(
        r"  RED     Acme: called Mon 18 Mar 20:\d\d UTC, \d+ (?:s|min) after the first signal; "
        r"worst on Mon 18 Mar (\d\d:\d\d): (\d+) negative posts within 60 minutes, (\d+) times as many as usual"
        r"(?:; not over when the recording ends)?\.",
        lines[at + 1],
    )
    assert told, lines[at + 1]
    angry = [datetime.fromisoformat(one["time"]) for one in posts if "awful" in one["text"]]
    hours = [sum(start <= other < start + timedelta(hours=1) for other in angry) for start in angry]
    assert int(told[2]) == pytest.approx(max(hours), abs=3)
    assert 10 <= int(told[3]) <= 200


@pytest.mark.usefixtures("words")
def test_people_read_times_by_their_own_clocks_and_which_those_are(capsys, elsewhere, short):
    settings = '[desk]\nname = "x"\ntimezone = "Europe/Berlin"\n[[watch]]\nname = "Acme"\nterms = ["acme"]\n'
    (elsewhere / "crisisdesk.toml").write_text(settings, encoding="utf-8")
    assert run(["replay", str(short)]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^2024-03-18 21:\d\d CET (OPENED|RAISED) ", told, re.MULTILINE)
    assert re.search(r"^    First signal Mon 18 Mar 21:\d\d by", told, re.MULTILINE)
    assert "UTC" not in told
    assert not re.search(r"\d\dZ", told)
    assert run(["replay", str(short), "--timezone", "Asia/Tokyo", "--watch", "Acme=acme"]) == 0
    assert re.search(r"^2024-03-19 05:\d\d JST ", capsys.readouterr().out, re.MULTILINE)
    assert run(["replay", str(short), "--json"]) == 0
    assert re.search(r'"time":"2024-03-18T20:\d\d:\d\dZ"', capsys.readouterr().out)


@pytest.mark.usefixtures("words")
def test_a_watch_that_matches_nothing_is_told_and_is_no_calm(capsys, tmp_path, short):
    number = f"{len(read(short)):,}"
    picture = tmp_path / "none.png"
    assert run(["replay", str(short), "--watch", "Kaffee=xkaffee,#kaffee", "--plot", str(picture)]) == 1
    err = capsys.readouterr().err
    said = f"Kaffee: no post of the {number} in {short} speaks of it; are the terms (xkaffee, #kaffee) spelt as people"
    assert said in err
    assert not picture.exists()
    assert run(["replay", str(short), "--watch", "Kaffee=xkaffee", "--watch", "Acme=acme"]) == 0
    assert "Kaffee: no post of the" in capsys.readouterr().err
    assert run(["replay", str(short), "--watch", "Kaffee=xkaffee", "--json"]) == 1
    assert lines_of(capsys)[1]["watches"]["Kaffee"]["posts"] == 0


@pytest.mark.usefixtures("words")
def test_without_any_watch_it_says_how_to_name_one(capsys, short):
    assert run(["replay", str(short)]) == 1
    err = capsys.readouterr().err
    assert "Nothing was watched; name a brand and its words, such as --watch " in err
    assert err.splitlines()[-1] == "Done."


@pytest.mark.usefixtures("words")
def test_the_last_word_is_that_it_is_done_and_what_is_next(capsys, tmp_path, short):
    assert run(["replay", str(short), "--watch", "Acme=acme"]) == 0
    assert capsys.readouterr().err.splitlines()[-1].startswith("Done. Next: --plot slide.png draws it; ")
    kept = tmp_path / "kept.db"
    assert run(["replay", str(short), "--watch", "Acme=acme", "--database", str(kept)]) == 0
    assert (
        capsys.readouterr().err.splitlines()[-1].startswith(f"Done. Next: crisisdesk report weekly --database {kept} ")
    )


@pytest.mark.usefixtures("words")
def test_the_weekly_report_of_a_recording_is_of_its_last_moment(capsys, tmp_path, file):
    kept = tmp_path / "kept.db"
    assert run(["replay", str(file), "--watch", "Acme=acme", "--json", "--database", str(kept)]) == 0
    capsys.readouterr()
    assert run(["report", "weekly", "--database", str(kept)]) == 0
    out, err = capsys.readouterr()
    assert re.match(
        rf"{kept} has heard nothing after 2024-03-1[89] \d\d:\d\d UTC; this is how things stood then\.", err
    )
    assert re.search(r"^  2024-W10 +[\d,]+ posts +\d+% negative", out, re.MULTILINE)
    assert re.search(r"^  2024-W12 .*\(so far", out, re.MULTILINE)
    assert "Last 7 days: 1 " in out


@pytest.mark.usefixtures("words")
def test_it_says_how_often_each_budget_would_have_called(capsys, file):
    assert run(["replay", str(file), "--watch", "Acme=acme", "--json"]) == 0
    events, summary = lines_of(capsys)
    calls = summary["calls"]
    assert calls["sensitive"] >= calls["balanced"] >= calls["strict"] >= 1
    assert calls["balanced"] == len({one["incident"] for one in events if one["severity"] in {"amber", "red"}})
    assert summary["calls_by_watch"] == {"Acme": calls}
    assert summary["months"] == pytest.approx(15 / 30.4, rel=0.02)
    assert summary["calls_a_month"]["strict"] == pytest.approx(calls["strict"] / summary["months"], rel=0.01)


@pytest.mark.usefixtures("words")
def test_of_a_few_days_it_does_not_say_what_a_month_would_bring(capsys, short):
    assert run(["replay", str(short), "--watch", "Acme=acme", "--compare", "ratio,count"]) == 0
    *_, title, head, ours, ratio, count, _, budgets, _ = capsys.readouterr().out.splitlines()
    assert title.startswith("The same counts of posts")
    assert head.split() == ["rule", "calls", "a", "month", "found", "after", "it", "calls", "when"]
    assert re.match(r"  crisisdesk +1 +- +1 of 1 +\d+ (s|min) ", ours)
    assert re.match(r"  ratio +\d+ +- +\d of 1 ", ratio)
    assert re.match(r"  count +1 +- +1 of 1 +\d+ min +20 or more", count)
    assert budgets == "Calls a month: too short to say; 2 days were recorded, at least 14 are needed."
    assert run(["replay", str(short), "--watch", "Acme=acme", "--json"]) == 0
    assert set(lines_of(capsys)[1]["calls_a_month"].values()) == {None}


async def test_at_its_own_budget_a_shadow_calls_as_often_as_the_desk(tmp_path, file):
    """Another budget is then only another threshold."""
    stories, shadows, clock = Stories(), list[Shadow](), ReplayClock(EPOCH)

    def follow(watch: WatchDetector) -> None:
        shadows.append(Shadow(watch.name, deepcopy(watch.detector)))
        watch.detector = Overheard(watch.detector, shadows)

    watches = {WatchRule("Acme", ("acme",)): Standard(4.0)}
    source = Replay("replay", read_posts([file], on_bad=list[object]().append), clock, Pace(clock))
    plan = Plan(watches, [source], tmp_path / "desk.db", folder("playbooks"), clock, Words, follow=follow)

    def listen(notification: Notification) -> None:
        stories.take(notification)

    async with App(plan) as app:
        app.register.subscribe(listen)
        await app.run()
    assert shadows[0].calls == sum(len(story.calls) for story in stories.called()) >= 1


@pytest.mark.usefixtures("words")
def test_simpler_rules_are_compared_on_the_same_posts(capsys, file):
    assert run(["replay", str(file), "--watch", "Acme=acme", "--compare", "huginn, ewma,ratio", "--json"]) == 0
    events, summary = lines_of(capsys)
    compared = summary["compare"]
    assert list(compared) == ["crisisdesk", "huginn", "ewma", "ratio"]
    called = {one["incident"] for one in events if one["severity"] in {"amber", "red"}}
    for name, rule in compared.items():
        assert set(rule["delay_minutes"]) == called, name
        assert rule["calls"] >= sum(delay is not None for delay in rule["delay_minutes"].values()), name
    (storm,) = (one for one in called if "20240318t20" in one)
    assert 0 <= compared["crisisdesk"]["delay_minutes"][storm] < 60
    assert compared["ratio"]["threshold"] == 3.0
    assert compared["crisisdesk"]["delay_minutes"] == summary["delay_minutes"]


def test_the_help_names_every_rule():
    assert recorded.RULES.split(", ") == list(RULES)


@pytest.mark.usefixtures("words")
def test_bad_lines_are_told_counted_and_skipped(capsys, tmp_path, posts):
    bad = ["{oops", '{"text": "no time"}', '{"time": "2024-03-04T00:00:00Z"}', "[]", '{"time": "now", "text": "a"}']
    file = tmp_path / "some bad.jsonl"
    file.write_text("\n".join([*bad, *map(json.dumps, posts[:20]), *bad, *bad]) + "\n", encoding="utf-8")
    assert run(["replay", str(file), "--watch", "Acme=acme", "--json"]) == 0
    out, err = capsys.readouterr()
    summary = json.loads(out.splitlines()[-1])
    assert (summary["posts"], summary["bad_lines"]) == (20, 15)
    assert err.count("skipped: ") == 11
    assert all(f"{file}:{number}: " in err for number in range(1, 6))
    assert "15 lines could not be read" in err


@pytest.mark.usefixtures("words")
def test_tags_make_watches_verbatim_and_add_to_terms(capsys, tmp_path, posts):
    tag = "$ACME & Söhne"
    tagged = [{**one, "text": one["text"].replace("acme", "they"), "tags": [tag]} for one in posts]
    file = written(tmp_path / "tagged.jsonl", [*tagged[:-1], {**tagged[-1], "text": "acme too", "tags": [tag, "B"]}])
    assert run(["replay", str(file), "--watch", "Acme=acme", "--json"]) == 0
    events, summary = lines_of(capsys)
    assert {one["watch"] for one in events} == {tag}
    assert {name: one["posts"] for name, one in summary["watches"].items()} == {tag: len(posts), "B": 1, "Acme": 1}
    assert summary["watches"][tag]["red"] == 1


@pytest.mark.usefixtures("words")
def test_watches_come_from_a_configuration(capsys, tmp_path, elsewhere, short):
    settings = '[desk]\nname = "x"\n[[watch]]\nname = "{}"\nterms = ["acme"]\nnot = ["coffee"]\n'
    named = tmp_path / "named.toml"
    named.write_text(settings.format("Named"), encoding="utf-8")
    (elsewhere / "crisisdesk.toml").write_text(settings.format("Lying here"), encoding="utf-8")
    assert run(["replay", str(short), "--json"]) == 0
    out, err = capsys.readouterr()
    assert list(json.loads(out.splitlines()[-1])["watches"]) == ["Lying here"]
    found = elsewhere / "crisisdesk.toml"
    others = "Other watches: --watch NAME=term,term; another configuration: --config FILE."
    assert err == f"Watching Lying here of {found}. {others}\n"
    assert run(["replay", str(short), "--watch", "Tea=acme", "--json"]) == 0
    assert f"Watching Lying here of {found}, and Tea of --watch. {others}\n" in capsys.readouterr().err
    assert run(["replay", str(short), "--config", str(named), "--json"]) == 0
    watches = lines_of(capsys)[1]["watches"]
    assert list(watches) == ["Named"]
    assert 0 < watches["Named"]["posts"] < len(short.read_text().splitlines())


def as_csv(posts: Sequence[dict[str, Any]]) -> bytes:
    rows = [f'{one["time"]},"{one["text"]}",{one["author"]}' for one in posts]
    return "\r\n".join(["created_at,body,who", *rows]).encode()


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("form", ["csv", "csv.gz", "gzip in disguise", "stdin", "stdin.csv.gz"])
def test_every_form_of_file_gives_the_same(capsys, monkeypatch, tmp_path, short, form):
    assert run(["replay", str(short), "--watch", "Acme=acme", "--json"]) == 0
    expected = capsys.readouterr().out
    assert '"opened"' in expected
    content = as_csv(read(short)) if "csv" in form else short.read_bytes()
    content = gzip.compress(content, 1) if "gz" in form else content
    options = ["--columns", "time=created_at,text=body,author=who"] if "csv" in form else []
    if form.startswith("stdin"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        name = "-"
    else:
        path = tmp_path / ("odd.jsonl" if form == "gzip in disguise" else f"again.{form}")
        path.write_bytes(content)
        name = str(path)
    assert run(["replay", name, "--watch", "Acme=acme", "--json", *options]) == 0
    assert capsys.readouterr().out == expected


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_a_table_as_a_german_spreadsheet_saves_it_gives_the_same(capsys, tmp_path, short, encoding):
    posts = [{**one, "text": one["text"] + " für 3 €"} for one in read(short)]
    assert run(["replay", str(written(tmp_path / "a.jsonl", posts)), "--watch", "Acme=acme", "--json"]) == 0
    expected = capsys.readouterr().out
    assert '"opened"' in expected

    def german(time: str) -> str:
        return f"{datetime.fromisoformat(time).astimezone(ZoneInfo('Europe/Berlin')):%d.%m.%Y %H:%M:%S}"

    rows = [f'{german(one["time"])};"{one["text"]}";{one["author"]}' for one in posts]
    table = tmp_path / "a.csv"
    table.write_bytes("\r\n".join(["Datum;Text;Autor", *rows]).encode(encoding))
    options = ["--columns", "time=Datum,text=Text,author=Autor", "--timezone", "Europe/Berlin"]
    assert run(["replay", str(table), "--watch", "Acme=acme", "--json", *options]) == 0
    assert capsys.readouterr().out == expected


@pytest.mark.usefixtures("words")
def test_a_database_is_kept_if_asked_for_and_never_overwritten(capsys, tmp_path, short, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    kept = tmp_path / "kept.db"
    command = ["replay", str(short), "--watch", "Acme=acme", "--json", "--database", str(kept)]
    assert run(command) == 0
    first, content = capsys.readouterr().out, kept.read_bytes()
    assert content.startswith(b"SQLite format 3")
    assert run(command) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{kept} exists already and was left as it is; name another file for --database.\n")
    assert kept.read_bytes() == content
    assert run(command[:-2]) == 0
    assert capsys.readouterr().out == first
    assert list(temporary.iterdir()) == []


@pytest.mark.usefixtures("words")
def test_a_picture(capsys, tmp_path, short):
    picture = tmp_path / "out.png"
    assert run(["replay", str(short), "--watch", "Acme=acme", "--json", "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    out, err = capsys.readouterr()
    assert err == f"Drew {picture}.\n"
    assert run(["replay", str(short), "--watch", "Acme=acme", "--json"]) == 0
    assert capsys.readouterr().out == out


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("content", ["", "\n\n", "{oops\n", '{"text":"no time"}\n'])
def test_not_one_readable_post_is_a_failure(capsys, tmp_path, content):
    file = tmp_path / "posts.jsonl"
    file.write_text(content)
    assert run(["replay", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "Not one post could be read" in err


def test_a_file_that_is_not_there_is_a_mistake_of_the_call(capsys, tmp_path, file):
    missing = tmp_path / "missing.jsonl"
    assert run(["replay", str(file), str(missing)]) == 2
    assert capsys.readouterr() == ("", f"{missing}: cannot be read (no such file or directory); check the path.\n")


@pytest.mark.usefixtures("words")
def test_a_table_without_our_columns_names_the_cure(capsys, tmp_path, posts):
    table = tmp_path / "posts.csv"
    table.write_bytes(as_csv(posts[:3]))
    assert run(["replay", str(table)]) == 2
    assert "--columns" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--watch", "Acme"], "--watch 'Acme' names no terms"),
        (["--watch", "=acme"], "names no terms"),
        (["--watch", "Acme=,"], "names no terms"),
        (["--columns", "tim=t"], "did you mean 'time'?"),
        (["--columns", "time"], "has no '='"),
        (["--config", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["--compare", "hugin"], "did you mean 'huginn'?"),
    ],
)
def test_wrong_options_are_mistakes_of_the_call(capsys, file, options, message):
    assert run(["replay", str(file), *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_the_shipped_model_calls_too(capsys, tmp_path):
    """Few distinct texts, since the model remembers what it has judged."""
    mild = [f"{word} with my acme headphones {end}" for word in CALM for end in ("today", "again", "as ever")]
    angry = [
        f"acme you are {how} and I hate it, {what}" for how in ("awful", "disgusting", "a disgrace") for what in ANGRY
    ]
    chance = random.Random(3)
    posts = [
        {**one, "text": chance.choice(angry if "awful" in one["text"] and one["author"].startswith("angry") else mild)}
        for one in quiet_and_storm()
    ]
    assert run(["replay", str(written(tmp_path / "p.jsonl", posts)), "--watch", "Acme=acme", "--json"]) == 0
    events, summary = lines_of(capsys)
    assert summary["watches"]["Acme"]["amber"] + summary["watches"]["Acme"]["red"] == 1
    called = [one for one in events if one["severity"] in {"amber", "red"}]
    assert called[0]["time"] >= f"{STORM:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full, of Linux")
def test_a_full_disk_ends_a_replay_with_one_sentence(tmp_path: Path):
    file = tmp_path / "posts.jsonl"
    file.write_text('{"time": "2026-03-02T10:00:00Z", "text": "acme"}\n', encoding="utf-8")
    command = [sys.executable, "-m", "crisisdesk", "replay", str(file), "--watch", "acme=acme"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "The results cannot be written to the end: no space left on device" in done.stderr
    assert "Traceback" not in done.stderr
