"""The command line: exit codes, messages, and the lines that other programs read."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crisisdesk import __version__, settings
from crisisdesk.cli import models, recorded, tools
from crisisdesk.cli.main import run
from crisisdesk.errors import ModelError
from crisisdesk.resources import folder
from crisisdesk.sentiment.base import Scores

COMMANDS = {
    "demo": ("--speed", "--headless", "--json", "--database"),
    "replay": ("FILE...", "--watch", "--config", "--columns", "--json", "--plot", "--database"),
    "run": ("--config", "--headless"),
    "report": ("weekly", "--config", "--database", "--json"),
    "watch": ("TERM...", "--headless"),
    "init": ("FILE",),
    "oncall": ("--config", "--at", "--weeks", "--test", "--json"),
    "detect": ("COUNTS.csv", "--alerts", "--columns", "--json"),
    "score": ("FILE|-", "--model", "--labels"),
    "simulate": ("--posts-per-day", "--negative", "--alerts", "--brands", "--seed", "--json"),
    "model evaluate": ("FILE", "--by", "--plot", "--model", "--labels", "--json"),
    "model info": ("--json",),
    "playbook check": ("[FILE|FOLDER]...",),
}


class Words:
    """A model for which one word decides."""

    name = "words"
    digest = "0001"
    languages = ("en", "de")

    def score(self, texts: Sequence[str]) -> list[Scores]:
        moods = {"awful": (0.8, 0.15, 0.05), "lovely": (0.05, 0.15, 0.8)}
        return [next((mood for word, mood in moods.items() if word in text), (0.1, 0.8, 0.1)) for text in texts]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """An empty working folder, a home of nobody's, and a model that is there at once."""
    place = tmp_path / "here and now"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv(settings.VARIABLE, raising=False)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / "configurations"))
    monkeypatch.setattr(tools, "load_shipped_model", Words)
    monkeypatch.setattr(models, "load_shipped_model", Words)
    monkeypatch.setattr(recorded, "load_shipped_model", Words)
    return place


@pytest.fixture
def stdin(monkeypatch):
    """Put something on standard input."""

    def put(content: str | bytes) -> None:
        raw = content.encode() if isinstance(content, str) else content
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))

    return put


def program(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "crisisdesk", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


# What every command has in common.


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "100")
    assert run([*command.split(), "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert re.match(rf"Usage: \S+ {command} ", out)
    assert [name for name in COMMANDS[command] if name not in out] == []


def test_help_names_every_command(capsys):
    assert run(["--help"]) == 0
    out, _ = capsys.readouterr()
    assert {command.split()[0] for command in COMMANDS} <= set(re.findall(r"^  ([a-z]+)  ", out, re.MULTILINE))
    assert "Exit codes: 0 done" in out


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr() == (f"crisisdesk {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "No such command 'nosuch'"),
        (["demo", "--nosuch"], "No such option: --nosuch"),
        (["demo", "--speed", "fast"], "Invalid value for '--speed'"),
        (["demo", "--speed", "0"], "--speed takes a positive number"),
        (["demo", "--speed", "-1"], "Invalid value for '--speed'"),
        (["demo", "--speed", "inf"], "--speed takes a positive number"),
        (["replay"], "Missing argument 'FILE...'"),
        (["detect"], "Missing argument 'COUNTS.csv'"),
        (["model", "evaluate"], "Missing argument 'FILE'"),
        (["watch", " "], "There is no term to watch"),
        (["detect", "nosuch.csv"], "nosuch.csv: cannot be read"),
        (["detect", "nosuch.csv", "--alerts", "often"], "1 per week"),
        (["score", "--labels", "a=negative"], "--labels says what the labels of another model mean; name that with"),
        (["score", "--model", "./m", "--labels", "a=negativ"], "'a' cannot mean 'negativ'; did you mean 'negative'?"),
        (["score", "nosuch"], "nosuch: cannot be read (no such file or directory)"),
    ],
)
def test_a_wrong_call_has_exit_code_2_and_a_cure(capsys, arguments, message):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err


def test_the_start_is_light():
    """What `--help` and `--version` import is what people wait for; loading half a second of libraries is rude."""
    heavy = ("textual", "transformers", "onnxruntime", "torch", "matplotlib")
    assert _imported(heavy) == []


def test_the_start_is_lighter_still():
    assert _imported(("numpy", "aiohttp", "aiomqtt", "PIL")) == []


def _imported(names: Sequence[str]) -> list[str]:
    code = (
        "import sys; from crisisdesk.cli.main import run; run(['--version']); run(['demo', '--help'])\n"
        f"print([name for name in {list(names)!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return json.loads(done.stderr.decode().replace("'", '"'))


# The configuration.


def test_run_without_configuration_offers_init(capsys, here):
    assert run(["run"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "There is no configuration" in err
    assert "`crisisdesk init`" in err
    assert "$CRISISDESK_CONFIG" in err
    assert list(here.iterdir()) == []


def test_init_writes_a_file_that_loads_and_does_not_overwrite(capsys, here):
    assert run(["init"]) == 0
    assert capsys.readouterr() == ("", "Wrote crisisdesk.toml. Edit its watches, then: crisisdesk run\n")
    file = here / "crisisdesk.toml"
    loaded = settings.load(file)
    assert (loaded.desk.name, loaded.watches[0].name, loaded.sources[0].kind) == ("acme", "Motrin", "bluesky")
    file.write_text("mine", encoding="utf-8")
    assert run(["init"]) == 2
    assert (
        capsys.readouterr().err
        == "crisisdesk.toml exists already and was left as it is; name another file: crisisdesk init other.toml\n"
    )
    assert file.read_text() == "mine"
    (here / "desk").mkdir()
    assert run(["init", "desk/crisisdesk.toml"]) == 0
    assert capsys.readouterr().err.endswith("then: crisisdesk run -c desk/crisisdesk.toml\n")
    assert run(["init", "nosuch/other.toml"]) == 2
    assert "nosuch/other.toml cannot be written" in capsys.readouterr().err


def test_all_that_init_offers_can_be_switched_on(capsys, here):
    """The choices that are commented out are real: no key of them is unknown."""
    assert run(["init", "all.toml"]) == 0
    assert capsys.readouterr().err.endswith("crisisdesk run -c all.toml\n")
    file = here / "all.toml"
    on = re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", file.read_text())
    file.write_text(on, encoding="utf-8")
    loaded = settings.load(file)
    assert [source.kind for source in loaded.sources] == [
        "bluesky",
        "feed",
        "file",
        "file",
        "mastodon",
        "mqtt",
        "webhook",
        "x",
    ]
    assert loaded.outputs[0].heartbeat_seconds == 30
    assert loaded.watches[0].languages == ("en", "de")


BROKEN = """[desk]
name = "acme"
databse = "acme.db"

[[watch]]
name = "Motrin"
terms = ["motrin"]
fals_alarms = "1 per month"
"""


@pytest.mark.parametrize("how", ["option", "environment", "working folder"])
def test_a_broken_configuration_names_file_line_key_and_the_nearest_key(capsys, here, monkeypatch, how):
    file = here / ("crisisdesk.toml" if how == "working folder" else "broken.toml")
    file.write_text(BROKEN, encoding="utf-8")
    if how == "environment":
        monkeypatch.setenv("CRISISDESK_CONFIG", str(file))
    assert run(["run", *(["--config", str(file)] if how == "option" else [])]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        f"{file}:3: unknown key 'databse' in [desk]; did you mean 'database'?",
        f"{file}:8: unknown key 'fals_alarms' in [[watch]] \"Motrin\"; did you mean 'false_alarms'?",
    ]


@pytest.mark.parametrize("missing", ["watch", "source"])
def test_a_configuration_with_nothing_to_do_says_so(capsys, here, missing):
    parts = {"watch": '[[watch]]\nname = "A"\nterms = ["a"]\n', "source": '[[source]]\nkind = "bluesky"\n'}
    del parts[missing]
    (here / "crisisdesk.toml").write_text('[desk]\nname = "x"\n' + "".join(parts.values()), encoding="utf-8")
    assert run(["run"]) == 2
    assert f"no [[{missing}]]" in capsys.readouterr().err


# Playbooks.


def test_the_playbooks_that_ship_have_no_errors(capsys):
    assert run(["playbook", "check"]) == 0
    out, _ = capsys.readouterr()
    assert [line for line in out.splitlines() if ": error: " in line] == []


def test_a_problem_is_one_line_with_path_line_and_cure(capsys, here):
    text = (folder("playbooks") / "offensive-ad.md").read_text(encoding="utf-8")
    broken = re.sub(r"(?m)^owner:.*\n", "", text)
    line = next(n for n, one in enumerate(broken.splitlines(), 1) if one.startswith("reviewed:"))
    broken = re.sub(r"(?m)^reviewed:.*$", "reviewed: yesterday", broken)
    books = here / "playbooks"
    books.mkdir()
    (books / "ad.md").write_text(broken, encoding="utf-8")
    for arguments in ([], ["playbooks"], ["playbooks/ad.md"]):
        assert run(["playbook", "check", *arguments]) == 1
        out, err = capsys.readouterr()
        lines = out.splitlines()
        assert all(re.fullmatch(r"playbooks/ad\.md:\d+: (error|warning): [^;]+; .+", one) for one in lines), out
        assert any(one.startswith('playbooks/ad.md:1: error: the key "owner" is missing; ') for one in lines)
        assert any(one.startswith(f"playbooks/ad.md:{line}: error: ") for one in lines)
        assert err.startswith("Errors: 2, ")


def test_a_warning_alone_is_no_failure(capsys, here):
    text = (folder("playbooks") / "general.md").read_text(encoding="utf-8")
    late = datetime.now(UTC) - timedelta(days=1000)
    (here / "old.md").write_text(re.sub(r"(?m)^reviewed:.*$", f"reviewed: {late:%Y-%m-%d}", text), encoding="utf-8")
    assert run(["playbook", "check", "old.md"]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(r"old\.md:\d+: warning: the review is \d+ days overdue; .+\n", out)
    assert err == "Errors: 0, warnings: 1 in 1 playbook.\n"


def test_a_playbook_that_is_not_there(capsys):
    assert run(["playbook", "check", "nosuch.md"]) == 1
    assert capsys.readouterr().out.startswith("nosuch.md:1: error: the file cannot be read")


# Sentiment.


def test_score_gives_a_json_line_for_each_post(capsys, stdin):
    stdin(
        '{"text": "awful"}\n\n{"id": "b", "text": "lovely", "time": "?"}\n{"id": 7, "text": "so"}\n{"time": "x"}\n[]\n'
    )
    assert run(["score"]) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line) for line in out.splitlines()] == [
        {"id": "1", "label": "negative", "negative": 0.8, "neutral": 0.15, "positive": 0.05},
        {"id": "b", "label": "positive", "negative": 0.05, "neutral": 0.15, "positive": 0.8},
        {"id": "7", "label": "neutral", "negative": 0.1, "neutral": 0.8, "positive": 0.1},
    ]
    assert [line.split(": ")[1] for line in err.splitlines()] == ["standard input:5", "standard input:6"]


def test_score_takes_plain_lines(capsys, here):
    (here / "plain.txt").write_text('this is awful\n\n"lovely"\n', encoding="utf-8")
    assert run(["score", "plain.txt"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["id"], one["label"]) for one in found] == [("1", "negative"), ("3", "positive")]


def test_score_of_nothing_readable_fails_and_of_nothing_at_all_does_not(capsys, stdin):
    stdin('{"time": "x"}\n')
    assert run(["score", "-"]) == 1
    assert "Not one post could be read" in capsys.readouterr().err
    stdin("")
    assert run(["score", "-"]) == 0
    assert capsys.readouterr() == ("", "")


LABELLED = (
    "label\tnote\ttext\n"
    'negative\ten\tsuch an "awful day\n'
    "positive\ten\tlovely\n"
    "neutral\tde\tlovely\n"
    "neutral\tde\tein Tisch\n"
    "maybe\tde\tein Stuhl\n"
)
FIGURES = {"n", "accuracy", "macro_recall", "macro_f1", "recall", "ece", "ece_chance", "posts_per_second"}


@pytest.fixture
def labelled(here) -> str:
    (here / "labelled.tsv").write_text(LABELLED, encoding="utf-8")
    return "labelled.tsv"


def test_evaluate_as_json_is_one_line(capsys, labelled):
    assert run(["model", "evaluate", labelled, "--json"]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    report = json.loads(out)
    assert set(report) == FIGURES
    assert (report["n"], report["accuracy"]) == (4, 0.75)
    assert report["recall"] == {"negative": 1.0, "neutral": 0.5, "positive": 1.0}
    assert report["macro_recall"] == pytest.approx(2.5 / 3, abs=1e-4)
    assert report["posts_per_second"] > 0
    assert err == "skipped: labelled.tsv:6: the label is 'maybe', not negative, neutral, positive\n"


def test_evaluate_by_a_column_as_json(capsys, labelled):
    assert run(["model", "evaluate", labelled, "--json", "--by", "note"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report) == FIGURES | {"by"}
    assert {name: (part["n"], part["accuracy"]) for name, part in report["by"].items()} == {
        "en": (2, 1),
        "de": (2, 0.5),
    }
    assert all(set(part) == FIGURES for part in report["by"].values())


def test_evaluate_by_two_columns_as_json(capsys, here):
    lines = [line + "\tab"[: 1 + n % 2 + 1] for n, line in enumerate(LABELLED.splitlines()[1:-1])]
    (here / "two.tsv").write_text("label\tnote\ttext\tpart\n" + "\n".join(lines) + "\n", encoding="utf-8")
    assert run(["model", "evaluate", "two.tsv", "--json", "--by", "note", "--by", "part"]) == 0
    by = json.loads(capsys.readouterr().out)["by"]
    assert {column: {name: part["n"] for name, part in groups.items()} for column, groups in by.items()} == {
        "note": {"de": 2, "en": 2},
        "part": {"a": 2, "ab": 2},
    }
    assert all(set(part) == FIGURES for groups in by.values() for part in groups.values())


@pytest.mark.parametrize("good", ["", "neutral\ta table\n"])
def test_evaluate_tells_the_first_of_many_bad_lines_and_their_number(capsys, here, good):
    (here / "bad.tsv").write_text("label\ttext\n" + good + "no tab\n" * 3000, encoding="utf-8")
    assert run(["model", "evaluate", "bad.tsv"]) == (0 if good else 1)
    err = capsys.readouterr().err.splitlines()
    assert len(err) <= 13
    assert "3,000 lines could not be read and were skipped." in err


def test_evaluate_draws(capsys, labelled, here):
    assert run(["model", "evaluate", labelled, "--by", "note", "--plot", "out.png"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].startswith("all")
    assert "Drew out.png." in err
    assert (here / "out.png").read_bytes().startswith(b"\x89PNG")
    assert run(["model", "evaluate", labelled, "--plot", "nosuch/out.png"]) == 1
    again, err = capsys.readouterr()
    assert again.splitlines()[1].startswith("all")  # the figures are not lost with the picture
    assert "The picture nosuch/out.png cannot be written" in err


def test_evaluate_for_people(capsys, labelled):
    assert run(["model", "evaluate", labelled, "--by", "note"]) == 0
    table = [line.split()[:3] for line in capsys.readouterr().out.splitlines()]
    assert ["all", "4", "0.750"] in table
    assert ["en", "2", "1.000"] in table
    assert ["de", "2", "0.500"] in table


def test_evaluate_names_a_column_that_is_not_there(capsys, labelled):
    assert run(["model", "evaluate", labelled, "--by", "nosuch"]) in {1, 2}
    assert "no column nosuch" in capsys.readouterr().err


def test_evaluate_of_a_file_that_is_not_there_is_a_mistake_of_the_call(capsys, monkeypatch):
    monkeypatch.setattr(models, "load_shipped_model", pytest.fail)  # nobody waits for the model to hear it
    assert run(["model", "evaluate", "nosuch.tsv"]) == 2
    assert "Errno" not in capsys.readouterr().err


def test_model_info_for_people_and_programs(capsys):
    assert run(["model", "info"]) == 0
    text = capsys.readouterr().out
    assert run(["model", "info", "--json"]) == 0
    out = capsys.readouterr().out
    known = json.loads(out)
    assert out.count("\n") == 1
    assert Path(known["folder"]).is_dir()
    assert {"name", "digest", "labels", "licence", "base", "languages", "scores"} <= set(known)
    assert known["name"] in text
    assert known["digest"] in text


def test_a_model_that_cannot_be_loaded_is_one_message(capsys, monkeypatch, stdin):
    def broken() -> Words:
        raise ModelError("The model is broken; install crisisdesk again.")

    monkeypatch.setattr(tools, "load_shipped_model", broken)
    stdin("a post")
    assert run(["score"]) == 1
    assert capsys.readouterr() == ("", "The model is broken; install crisisdesk again.\n")


def test_a_model_that_cannot_be_loaded_ends_a_replay_with_one_message(capsys, monkeypatch, here):
    def broken() -> Words:
        raise ModelError("The model is broken; install crisisdesk again.")

    monkeypatch.setattr(recorded, "load_shipped_model", broken)
    (here / "p.jsonl").write_text('{"time": "2024-03-04T00:00:00Z", "text": "acme"}\n', encoding="utf-8")
    assert run(["replay", "p.jsonl", "--watch", "Acme=acme"]) == 1
    assert capsys.readouterr() == ("", "The model is broken; install crisisdesk again.\n")


def test_a_replay_tells_at_its_end_of_a_share_that_has_risen_slowly(capsys, here):
    start, hours = datetime(2024, 3, 4, tzinfo=UTC), 29 * 24
    with (here / "p.jsonl").open("w", encoding="utf-8") as file:
        for hour in range(hours):
            mood = "awful" if hour * 37 % 100 < 15 + 20 * hour / hours else "there"
            text = f"acme {mood} {hour} and {hour * 7}"
            post = {"time": (start + timedelta(hours=hour)).isoformat(), "text": text, "author": f"a{hour}"}
            file.write(json.dumps(post) + "\n")
    told = "Negative share of Acme up from 18% to 32% in three weeks (168 posts last week)."
    assert run(["replay", "p.jsonl", "--watch", "Acme=acme"]) == 0
    assert told in capsys.readouterr().out.splitlines()
    assert run(["replay", "p.jsonl", "--watch", "Acme=acme", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["watches"]["Acme"]["slow_rise"] == told


# Bare counts.


def counts(path: Path) -> list[tuple[str, str]]:
    """Two weeks of five-minute counts with a burst, a gap and a word in between."""
    start = datetime(2024, 3, 4, tzinfo=UTC)
    rows = []
    for step in range(14 * 288):
        value = str(60 + step % 3) if 4000 <= step < 4012 else str(4 + (step * 7919) % 5)
        if step in {3000, 3001}:
            value = ("", "none")[step % 2]
        rows.append((f"{start + timedelta(minutes=5 * step):%Y-%m-%d %H:%M:%S}", value))
    path.write_text("timestamp,value\n" + "".join(f"{when},{value}\n" for when, value in rows), encoding="utf-8")
    return rows


def test_detect_gives_a_row_for_a_row_and_one_alert_for_a_burst(capsys, here):
    rows = counts(here / "counts.csv")
    assert run(["detect", "counts.csv"]) == 0
    out, err = capsys.readouterr()
    table = list(csv.DictReader(io.StringIO(out)))
    assert out.splitlines()[0] == "timestamp,value,expected,score,spike"
    assert [(row["timestamp"], row["value"]) for row in table] == rows
    assert [(table[n]["expected"], table[n]["score"], table[n]["spike"]) for n in (3000, 3001)] == [("", "", "")] * 2
    assert all(0 <= float(row["score"]) <= 1 for row in table if row["score"])
    assert [n for n, row in enumerate(table) if row["spike"] == "1"] == [4000]
    assert {row["spike"] for row in table} == {"0", "1", ""}
    assert "counts.csv:3002: " in err


def test_detect_says_at_its_end_when_it_alerted_and_what_the_score_means(capsys, here):
    rows = counts(here / "counts.csv")
    assert run(["detect", "counts.csv"]) == 0
    *_, number, alert, meaning = capsys.readouterr().err.splitlines()
    assert number == "1 alert in 4,030 values, with what is usual at that time and the score:"
    when, value = rows[4000]
    assert re.fullmatch(rf"  {when}  {value} where \d\.\d is usual  \(score 0\.\d\d\)", alert)
    assert meaning == "Scores: 0.5 comes about once a week, 0.8 once a month, 0.98 once a year."


def test_detect_as_json_says_the_same(capsys, here):
    rows = counts(here / "counts.csv")
    assert run(["detect", "counts.csv", "--json", "--alerts", "1 per day"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["timestamp"] for line in lines] == [when for when, _ in rows]
    assert all(set(line) == {"timestamp", "value", "expected", "score", "spike"} for line in lines)
    assert lines[4000]["spike"] == 1


def test_detect_reads_a_german_spreadsheet_and_says_how(capsys, here):
    text = "Datum;Anrufe\r\n22.11.2026 05:00;12,5\r\n22.11.2026 06:00;3\r\n"
    (here / "anrufe.csv").write_text(text, encoding="utf-8-sig", newline="")
    assert run(["detect", "anrufe.csv", "--columns", "timestamp=Datum,value=Anrufe"]) == 0
    out, err = capsys.readouterr()
    assert [line.split(",0.")[0] for line in out.splitlines()[1:]] == [
        '22.11.2026 05:00,"12,5",12.50',
        "22.11.2026 06:00,3,12.50",
    ]
    assert "anrufe.csv: numbers have a decimal comma: 12,5 is read as 12.5." in err
    assert "0 alerts in 2 values." in err


def test_detect_of_no_numbers_fails(capsys, stdin):
    stdin("timestamp,value\n2024-03-04,a\n")
    assert run(["detect", "-"]) == 1
    assert "not one value could be read" in capsys.readouterr().err


# Whoever reads us may leave, and people may press ctrl+c.


def test_a_reader_who_has_seen_enough_hears_no_complaint(here):
    counts(here / "counts.csv")
    with program("detect", "counts.csv") as running:
        assert running.stdout
        assert running.stderr
        assert running.stdout.readline() == b"timestamp,value,expected,score,spike\n"
        running.stdout.close()
        assert [line for line in running.stderr.read().splitlines() if not line.startswith(b"skipped: ")] == []


def test_a_reader_who_has_seen_enough_is_no_failure(here):
    counts(here / "counts.csv")
    with program("detect", "counts.csv") as running:
        assert running.stdout
        running.stdout.readline()
        running.stdout.close()
        running.communicate()
    assert running.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_ends_a_demo_with_130_and_leaves_nothing(tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with program("demo", "--headless", "--speed", "20000", env=environment, stdin=subprocess.DEVNULL) as running:
        assert running.stdout
        assert b"Reconstruction" in running.stdout.readline()
        running.stdout.readline()  # an incident: everything is at work
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (130, b"")
    assert list(temporary.glob("crisisdesk-*")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_while_waiting_for_input_is_as_quiet():
    with program("score", "-", stdin=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b"a post\n" * 1001)
        running.stdin.flush()
        # All of them, so that it waits for input and is not at work.
        lines = [running.stdout.readline() for _ in range(1001)]
        assert lines[-1].startswith(b'{"id":"1001"')
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=30)
    assert (running.returncode, errors) == (130, b"")


def test_playbook_check_of_a_folder_without_playbooks_says_so(tmp_path, capsys):
    assert run(["playbook", "check", str(tmp_path)]) == 2
    assert "There is no playbook in " in capsys.readouterr().err
    assert run(["playbook", "check", str(tmp_path / "README.md")]) == 2
    assert (
        "README.md is for people who write playbooks and is none itself; name another file." in capsys.readouterr().err
    )


def test_playbook_check_says_what_it_has_checked(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["playbook", "check"]) == 0
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("There is no folder playbooks/ here, so those that came along are checked;")
    number = len([path for path in folder("playbooks").glob("*.md") if path.name != "README.md"])
    assert last == f"No problems in {number} playbooks."
