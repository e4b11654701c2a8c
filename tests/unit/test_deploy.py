"""What `docs/deployment.md` and the files in `docs/deploy/` promise is so: names of metrics, commands, times."""

import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer.main
from prometheus_client.parser import text_string_to_metric_families

from crisisdesk.cli.main import commands
from crisisdesk.cli.running import STOP_SECONDS
from crisisdesk.records import OutputStatus, SourceStatus
from crisisdesk.server.metrics import exposition
from crisisdesk.server.vitals import Vitals

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
DEPLOY = ROOT / "docs" / "deploy"
UNIT = DEPLOY / "crisisdesk.service"
NOW = datetime(2024, 3, 4, tzinfo=UTC)


async def names_told() -> dict[str, frozenset[str]]:
    """The metrics of a desk with a source and an output, each with its labels."""
    outputs = {"hook": [OutputStatus("hook")]}
    vitals = Vitals(NOW, [SourceStatus("sky", last_event=NOW)], outputs, {"posts": 0}, judged_until=NOW)
    told = text_string_to_metric_families((await exposition(vitals)).decode())
    return {
        one.name + ("_total" if one.type == "counter" else ""): frozenset(
            label for sample in one.samples for label in sample.labels if label != "le"
        )
        for one in told
        if one.name.startswith("crisisdesk_")
    }


async def test_the_page_names_every_metric_with_its_labels_and_no_other():
    described: dict[str, frozenset[str]] = {}
    for row in re.findall(r"^\| (`[a-z_`, {}]+`) \|", PAGE, re.MULTILINE):
        *names, last = re.findall(r"`([^`]+)`", row)
        labels = frozenset(re.findall(r"\w+", last)) if last.startswith("{") else frozenset[str]()
        described |= {f"crisisdesk_{name}": labels for name in (*names, *([] if labels else [last]))}
    assert described == await names_told()


async def test_the_rules_ask_for_metrics_that_there_are():
    rules = (DEPLOY / "crisisdesk-alerts.yml").read_text(encoding="utf-8")
    asked = {
        name for expression in re.findall(r"expr: (.+)", rules) for name in re.findall(r"crisisdesk_\w+", expression)
    }
    assert asked
    assert asked <= set(await names_told())
    assert set(re.findall(r"labels\.(\w+)", rules)) <= {"source", "output"}


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_takes_the_rules():
    subprocess.run(["promtool", "check", "rules", DEPLOY / "crisisdesk-alerts.yml"], check=True, capture_output=True)


def settings_of(unit: Path) -> dict[str, str]:
    """The last value of each key."""
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_unit_gives_the_desk_time_to_stop():
    assert float(settings_of(UNIT)["TimeoutStopSec"]) > 2 * STOP_SECONDS
    (patience,) = re.findall(r"--stop-timeout (\d+)", PAGE)
    assert float(patience) > 2 * STOP_SECONDS


def test_the_unit_calls_the_desk_by_options_that_it_has(tmp_path: Path):
    _, *call = shlex.split(settings_of(UNIT)["ExecStart"])
    call[-1] = str(tmp_path / "none.toml")
    done = subprocess.run([sys.executable, "-m", "crisisdesk", *call], capture_output=True, text=True, check=False)
    assert done.returncode == int(settings_of(UNIT)["RestartPreventExitStatus"])
    assert "none.toml" in done.stderr
    assert done.stderr.startswith('{"time": ')


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path):
    text = UNIT.read_text(encoding="utf-8").replace("/opt/crisisdesk/bin/crisisdesk", "/bin/true")
    unit = tmp_path / UNIT.name
    unit.write_text(text, encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_container_has_what_the_lock_names_and_no_privileges():
    lines = (DEPLOY / "Containerfile").read_text(encoding="utf-8").splitlines()
    images = {line.split()[1] for line in lines if line.startswith("FROM")}
    assert len(images) == 1  # what is built in one runs in the other
    assert any("--require-hashes --requirement /src/requirements.lock" in line for line in lines)
    last = max(number for number, line in enumerate(lines) if line.startswith("RUN"))
    assert "USER 10001" in lines[last:]
    assert "STOPSIGNAL SIGTERM" in lines


def test_the_page_calls_commands_that_there_are():
    known = set(typer.main.get_command(commands).commands)
    called = set(re.findall(r"(?:bin/crisisdesk|desk crisisdesk) ([a-z]+)", PAGE))
    called |= set(re.findall(r"`crisisdesk ([a-z]+)", PAGE))
    assert {"init", "doctor", "backup", "forget", "token", "oncall"} <= called <= known


def test_every_file_that_the_page_and_the_files_speak_of_is_there():
    spoken = set(re.findall(r"docs/deploy/[\w.-]+|deploy/[\w.-]+\.\w+", PAGE))
    assert {path.rpartition("/")[2] for path in spoken} <= {one.name for one in DEPLOY.iterdir()}
    assert {one.name for one in DEPLOY.iterdir()} <= {path.rpartition("/")[2] for path in spoken}
