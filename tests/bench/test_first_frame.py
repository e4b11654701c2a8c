"""How soon a person sees the console, and how soon the model is there; asserts nothing about time."""

import os
import statistics
from pathlib import Path

import pytest
from terminal import Terminal

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

RUNS = 3


def cpu_seconds(process: int) -> float:
    """What a process has computed so far, whatever else the machine does (Linux)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_from_the_start_to_the_first_frame_and_to_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    frames, models, work = [], [], []
    for _ in range(RUNS):
        with Terminal("-m", "crisisdesk", "demo") as console:
            frames.append(console.until("Reconstruction"))
            work.append(cpu_seconds(console.process.pid))
            models.append(console.until("model e5-posts"))
            console.press("\x11")
            assert console.end()[0] == 0
    with capsys.disabled():
        print(f"\nfirst frame of the demo: {statistics.median(frames):.2f} s after the start, from {min(frames):.2f}")
        print(f"  of which computing:    {statistics.median(work):.2f} s")
        print(f"the model is there:      {statistics.median(models):.2f} s after the start, from {min(models):.2f}")
