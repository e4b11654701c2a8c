"""How fast the shipped model is beside what people would use instead, and how soon one post is judged.

The contestants take turns on the same two cores (ours, the large one, the unquantised one, ours, ...), so that other
work on the machine hits all alike. Nothing is asserted about time. CRISISDESK_BENCH_POSTS and CRISISDESK_BENCH_RUNS
make it shorter: the large one takes minutes.
"""

import json
import os
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from crisisdesk.cases import case
from crisisdesk.sources.file.reading import read_posts

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

POSTS = int(os.environ.get("CRISISDESK_BENCH_POSTS", "2000"))
RUNS = int(os.environ.get("CRISISDESK_BENCH_RUNS", "5"))
MOST_MEMORY = 350
TITLES = {
    "ours": "the shipped model, as the desk runs it",
    "roberta": "transformers.pipeline, RoBERTa base",
    "unquantised": "transformers.pipeline, our size in 32 bits",
    "six layers": "transformers.pipeline, half our layers in 32 bits",
}
QUIET = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "2"}


class Contestant:
    """A program that waits for orders in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert self._answer() == "ready"

    def ask(self, order: str) -> Any:
        assert self._process.stdin
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@contextmanager
def contestant(name: str, python: Path, posts: Path) -> Iterator[Contestant]:
    command = [python, Path(__file__).with_name("contestant.py"), name, posts]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": {**os.environ, **QUIET}}
    with subprocess.Popen(command, **pipes) as process:
        try:
            yield Contestant(process)
        finally:
            process.kill()


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """Distinct posts of the case in seeded order, and all others of it, from which words may be learnt."""
    found = read_posts([case("motrin").path], on_bad=lambda line: pytest.fail(str(line)))
    texts = list(dict.fromkeys(post.text for post in found))
    random.Random(2008).shuffle(texts)
    path = tmp_path / "posts.json"
    path.write_text(json.dumps([texts[:POSTS], texts[POSTS:]]), encoding="utf-8")
    return path


@pytest.fixture
def two_cores() -> Iterator[None]:
    """This process and all that it starts keep to two cores, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:2])
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.usefixtures("two_cores")
def test_posts_per_second_beside_transformers(
    posts: Path, torch_python: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pythons = {name: Path(sys.executable) if name == "ours" else torch_python for name in TITLES}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    with ExitStack() as stack:
        all_of_them = {name: stack.enter_context(contestant(name, pythons[name], posts)) for name in pythons}
        for _ in range(RUNS):
            for name, one in all_of_them.items():
                runs[name].append(one.ask("run"))
        lengths = {name: one.ask("lengths") for name, one in all_of_them.items()}
        alone = sorted(second * 1000 for second in all_of_them["ours"].ask("alone"))
        copies = all_of_them["ours"].ask("copies")
    report = [f"\n{POSTS:,} distinct posts of the Motrin case, medians of {RUNS}, two cores, a fresh start each time"]
    report += [line(name, runs[name], lengths[name]) for name in runs]
    report += [ratio(runs, name) for name in TITLES if name != "ours"]
    memory = runs["ours"][-1]["memory"]
    report.append(
        f"one post alone {statistics.median(alone):.1f} ms, 95 of 100 within {alone[len(alone) * 95 // 100]:.1f} ms; "
        f"copies {POSTS / copies['seconds']:,.0f} posts/s; "
        f"memory of the scoring process {memory or float('nan'):.0f} MB"
    )
    with capsys.disabled():
        sys.stdout.write("\n".join(report) + "\n")
    assert memory is None or memory < MOST_MEMORY


def line(name: str, runs: list[dict[str, float]], lengths: dict[str, float]) -> str:
    rates = [POSTS / run["seconds"] for run in runs]
    used = statistics.median(run["cpu"] for run in runs) / POSTS * 1000
    each = " ".join(f"{rate:.4g}" for rate in rates)
    return (
        f"{TITLES[name]:50} {statistics.median(rates):8,.1f} posts/s ({each}), {used:.2f} s of CPU per 1,000, "
        f"{lengths['tokens']:.1f} tokens a post, {lengths['run']:.1f} with padding"
    )


def ratio(runs: dict[str, list[dict[str, float]]], name: str) -> str:
    seconds, cpu = (
        statistics.median(run[key] for run in runs[name]) / statistics.median(run[key] for run in runs["ours"])
        for key in ("seconds", "cpu")
    )
    return f"{seconds:.1f} times the posts per second of {TITLES[name]}, {cpu:.1f} times less CPU"
