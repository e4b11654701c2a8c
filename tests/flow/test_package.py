"""What people install: wheel and sdist are built, and the wheel is used from another folder, away from the checkout."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = 1_000_000
NEEDED = (
    "console/console.tcss",
    "detect/calibration.json",
    "cases/motrin/posts.jsonl.gz",
    "_data/models/README.md",
    "_data/models/e5-posts-v2/model.onnx",
    "_data/models/e5-posts-v2/tokenizer.json",
    "_data/models/e5-posts-v2/tokenizer_config.json",
    "_data/models/e5-posts-v2/config.json",
    "_data/playbooks/README.md",
    "_data/playbooks/general.md",
    "_data/playbooks/offensive-ad.md",
    "_data/playbooks/product-harm.md",
    "_data/playbooks/outage.md",
)

pytestmark = pytest.mark.timeout(600)


def build(source: Path, out: Path, kind: str) -> Path:
    """Build a distribution with the backend that is installed here; no network."""
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(out), str(source)]
    done = subprocess.run(command, capture_output=True, check=False, cwd=out)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    (built,) = (one for one in out.iterdir() if one.suffix == (".whl" if kind == "wheel" else ".gz"))
    return built


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("dist")


@pytest.fixture(scope="module")
def wheel(out) -> Path:
    return build(ROOT, out, "wheel")


@pytest.fixture(scope="module")
def sdist(out) -> Path:
    return build(ROOT, out, "sdist")


@pytest.fixture(scope="module")
def unpacked(sdist, tmp_path_factory) -> Path:
    """The folder of the sdist."""
    with tarfile.open(sdist) as archive:
        base = tmp_path_factory.mktemp("unpacked sdist")
        archive.extractall(base, filter="data")
    (folder,) = base.iterdir()
    return folder


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_what_the_desk_needs_and_nothing_else(wheel):
    names = list(contents(wheel))
    assert [name for name in NEEDED if f"crisisdesk/{name}" not in names] == []
    tops = {PurePosixPath(name).parts[0] for name in names}
    assert tops == {"crisisdesk", "crisisdesk-0.1.0.dist-info"} or len(tops) == 2
    assert [name for name in names if "training" in name or "/test" in name.lower() or ".pyc" in name] == []
    assert [name for name in names if name.endswith((".db", ".toml", ".log", ".tsv", ".tsv.gz"))] == []
    assert wheel.stat().st_size < 40 * MEGABYTE


def test_every_module_is_in_the_wheel(wheel):
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "crisisdesk").rglob("*.py")}
    assert ours == {name for name in contents(wheel) if name.endswith(".py")}


def test_the_wheel_carries_licence_command_and_dependencies(wheel):
    held = contents(wheel)
    (info,) = {name.split("/")[0] for name in held if ".dist-info/" in name}
    assert f"{info}/licenses/LICENSE" in held
    assert f"{info}/licenses/NOTICE" in held
    assert b"crisisdesk = crisisdesk.cli:main" in held[f"{info}/entry_points.txt"]
    metadata = held[f"{info}/METADATA"].decode()
    required = re.findall(
        r"(?m)^Requires-Dist: ([\w-]+)(?![^;\n]*; extra)", re.sub(r"(?m)^.*extra ==.*$", "", metadata)
    )
    assert {"transformers", "aiomqtt", "onnxruntime", "textual"} <= set(required)
    assert "torch" not in required


def test_the_sdist_holds_the_tests_and_the_training_and_stays_small(sdist, unpacked):
    tests = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")}
    assert [name for name in tests if not (unpacked / name).is_file()] == []
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE", "Makefile", "requirements.lock"):
        assert (unpacked / name).is_file(), name
    assert (unpacked / "tests" / "requirements.lock").is_file()
    assert (unpacked / "models" / "training" / "train.py").is_file()
    assert sdist.stat().st_size < 40 * MEGABYTE


def test_the_sdist_builds_the_same_wheel(unpacked, wheel, tmp_path):
    again = contents(build(unpacked, tmp_path, "wheel"))
    first = contents(wheel)
    assert sorted(again) == sorted(first)
    assert [name for name in first if first[name] != again[name]] == []


class Installed:
    """The wheel, unpacked, with the libraries of the environment that runs the tests, but without the checkout."""

    def __init__(self, base: Path, wheel: Path) -> None:
        self.site, self.work = base / "site", base / "some where else"
        self.work.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.site)  # noqa: S202 - built a moment ago from our own files

    def __call__(self, *arguments: str, code: int = 0, stdin: bytes = b"") -> str:
        """Run a command, as `-S` lets no path file bring the checkout back; what it printed."""
        libraries = sysconfig.get_paths()
        start = "import sys; from crisisdesk.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-S", "-c", start, *arguments],
            cwd=self.work,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CRISISDESK"))},
                "PYTHONPATH": os.pathsep.join([str(self.site), libraries["purelib"], libraries["platlib"]]),
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": str(self.work),
            },
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == code, done.stderr.decode()
        assert b"Traceback" not in done.stderr
        return done.stdout.decode()


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_the_installed_model_is_that_of_the_wheel(installed):
    known = json.loads(installed("model", "info", "--json"))
    assert Path(known["folder"]) == installed.site / "crisisdesk" / "_data" / "models" / known["name"]


def test_the_installed_desk_scores(installed):
    posts = b'{"text": "This is disgusting, I am furious."}\n{"text": "I love it, thank you so much!"}\n'
    lines = [json.loads(line) for line in installed("score", "-", stdin=posts).splitlines()]
    assert [(line["id"], line["label"]) for line in lines] == [("1", "negative"), ("2", "positive")]


def test_the_installed_playbooks_are_in_order(installed):
    out = installed("playbook", "check")
    assert ": error: " not in out
    books = installed.site / "crisisdesk" / "_data" / "playbooks"
    text = (books / "general.md").read_text(encoding="utf-8")
    (installed.work / "mine.md").write_text(re.sub(r"(?m)^owner:.*\n", "", text), encoding="utf-8")
    assert 'mine.md:1: error: the key "owner" is missing' in installed("playbook", "check", "mine.md", code=1)


def test_the_installed_desk_replays(installed):
    post = '{{"time": "2024-03-04T{:02}:00:00Z", "text": "acme number {}", "author": "a{}"}}\n'
    (installed.work / "p.jsonl").write_text("".join(post.format(n, n, n) for n in range(20)), encoding="utf-8")
    out = installed("replay", "p.jsonl", "--watch", "Acme=acme", "--json")
    summary = json.loads(out.splitlines()[-1])
    assert (summary["posts"], summary["watches"]["Acme"]["posts"]) == (20, 20)


def test_the_installed_case_and_console_are_at_hand(installed):
    command = [sys.executable, "-S", "-c"]
    look = (
        "from crisisdesk.cases import case; from crisisdesk.console.app import Console; import crisisdesk; "
        "print(crisisdesk.__file__); print(case('motrin').path.stat().st_size > 10_000); "
        "print(all(path.is_file() for path in Console(None, 'x').css_path))"
    )
    paths = os.pathsep.join([str(installed.site), sysconfig.get_path("purelib")])
    done = subprocess.run(
        [*command, look], cwd=installed.work, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False
    )
    assert done.stdout.decode().splitlines() == [
        str(installed.site / "crisisdesk" / "__init__.py"),
        "True",
        "True",
    ], done.stderr.decode()


def call(command: Sequence[str | Path], work: Path, stdin: bytes = b"") -> str:
    done = subprocess.run(
        command, cwd=work, env={**os.environ, "LC_ALL": "C"}, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.proof
def test_the_wheel_works_in_an_empty_environment(wheel, tmp_path):
    """As a stranger installs it: with its dependencies from the index, run from a folder of theirs."""
    home, work = tmp_path / "an empty environment", tmp_path / "some where else"
    work.mkdir()
    venv.create(home, with_pip=True)
    binaries = home / ("Scripts" if sys.platform == "win32" else "bin")
    python, command = binaries / "python", binaries / "crisisdesk"
    call([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel], work)
    where = call([python, "-c", "import crisisdesk; print(crisisdesk.__file__)"], work)
    assert Path(where.strip()).is_relative_to(home)
    last = call([command, "demo", "--headless"], work).splitlines()[-1]
    assert re.fullmatch(r"first amber 2008-\S+Z, first red 2008-\S+Z, company answered 2008-11-17T01:00:00Z: .+", last)
    assert json.loads(call([command, "score", "-"], work, b"I hate this so much\n"))["label"] == "negative"
    assert ": error: " not in call([command, "playbook", "check"], work)
    assert "torch" not in {path.name for path in home.rglob("site-packages/torch")}
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file() and not path.is_symlink())
    assert size < 500 * MEGABYTE
