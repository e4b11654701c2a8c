"""A campaign that was announced in the configuration, played to the desk as it is set up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from crisisdesk.cli.main import run

START = datetime(2025, 11, 28, 8, 0, tzinfo=UTC)
CONFIGURATION = """\
[desk]
name = "acme"

[[watch]]
name = "Acme"
terms = ["acme"]
usual = "20 posts a day"
"""
PLANNED = """
[[planned]]
watch = "Acme"
from = "2025-11-28 06:00"
to = "2025-12-01 00:00"
reason = "Black Friday campaign"
"""


@pytest.mark.parametrize(
    ("announced", "severity"), [("", "amber"), (PLANNED, "notice")], ids=["by surprise", "announced"]
)
def test_copies_of_a_campaign_that_was_announced_call_nobody(
    announced: str, severity: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    lines = [
        {
            "id": str(number),
            "time": (START + timedelta(seconds=10 * number)).isoformat(),
            "author": f"fan{number}",
            "text": "acme friday deals are a scam, everything is overpriced, shame on them",
            "lang": "en",
        }
        for number in range(80)
    ]
    (tmp_path / "posts.jsonl").write_bytes(b"\n".join(map(orjson.dumps, lines)))
    (tmp_path / "desk.toml").write_text(CONFIGURATION + announced)
    assert run(["replay", str(tmp_path / "posts.jsonl"), "-c", str(tmp_path / "desk.toml"), "--json"]) == 0
    told = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()][:-1]
    worst = max((one["severity"] for one in told if one["kind"] == "brigading"), key=["notice", "amber", "red"].index)
    assert worst == severity
    assert all("Black Friday campaign" in one["why"] for one in told if one["event"] == "opened") == bool(announced)
