"""A person sees the console before the model is there and can use it; a model that never comes is explained."""

import json
import os
from pathlib import Path

import pytest
from terminal import Terminal

PROGRAM = """
import json, os, sys, threading
from crisisdesk.cli import recorded
from crisisdesk.cli.main import main
from crisisdesk.errors import ModelError

class Words:
    name, digest, languages = "words", "0001", ("en", "de")

    def score(self, texts):
        return [(0.9, 0.05, 0.05) if "insult" in text else (0.1, 0.8, 0.1) for text in texts]

def load():
    heavy = ("onnxruntime", "transformers", "tokenizers", "numpy", "torch", "PIL")
    found = [name for name in heavy if name in sys.modules]
    with open(os.environ["FOUND"], "w") as file:
        json.dump({"modules": found, "main": threading.current_thread() is threading.main_thread()}, file)
    with open(os.environ["GO"]) as pipe:
        if pipe.read() == "fail":
            raise ModelError("The model is broken; restore its folder.")
    return Words()

recorded.load_shipped_model = load
main(["demo", "--speed", "100000"])
"""
QUIT = "\x11"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def go(tmp_path: Path) -> Path:
    """A pipe: what is written into it ends the loading."""
    path = tmp_path / "go"
    os.mkfifo(path)
    return path


@pytest.fixture
def console(tmp_path: Path, go: Path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    places = {"GO": str(go), "FOUND": str(tmp_path / "found"), "TMPDIR": str(temporary)}
    with Terminal("-c", PROGRAM, env=places, cwd=tmp_path) as terminal:
        yield terminal
    assert list(temporary.glob("crisisdesk-*")) == []


def test_the_console_is_there_and_takes_keys_while_the_model_is_being_loaded(
    console: Terminal, go: Path, tmp_path: Path
):
    console.until("loading the model")
    console.press("?")
    console.until("End the console at once")
    console.press("\x1b")
    go.write_text("go")
    console.until("words@0001")
    console.press(QUIT)
    code, last = console.end()
    assert code == 0
    assert "Traceback" not in last
    # Loading begins when the first frame is on the screen, in a thread; until then nothing heavy was imported.
    assert json.loads((tmp_path / "found").read_text()) == {"modules": [], "main": False}


def test_a_model_that_cannot_be_loaded_ends_the_console_with_its_message(console: Terminal, go: Path):
    console.until("loading the model")
    go.write_text("fail")
    code, last = console.end()
    assert code == 1
    assert last.rstrip().endswith("The model is broken; restore its folder.")
    assert "Traceback" not in last


def test_quitting_before_the_model_is_there_is_no_failure(console: Terminal, go: Path):
    console.until("loading the model")
    console.press(QUIT)
    go.write_text("go")
    code, last = console.end()
    assert (code, "Traceback" in last) == (0, False)


LIVE = """
import json, os, sys
from crisisdesk.cli import configured
from crisisdesk.cli.main import main
from crisisdesk.console.app import Console

def load():
    open(os.environ["GO"]).read()

ready = Console.on_ready

def on_ready(self):
    with open(os.environ["FOUND"], "w") as file:
        json.dump([name for name in ("py3langid", "numpy") if name in sys.modules], file)
    ready(self)

Console.on_ready = on_ready
configured.load_shipped_model = load
main(["run", "-c", "desk.toml"])
"""


@pytest.fixture
def live(tmp_path: Path, go: Path):
    """A live desk whose three posts have no mark of their language, and wait for the model."""
    rows = [{"id": str(n), "time": "2024-03-04T10:00:00Z", "text": "acme made me so very angry"} for n in range(3)]
    (tmp_path / "posts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "desk.toml").write_text(
        '[desk]\nname = "acme"\ndatabase = "acme.db"\n[[watch]]\nname = "Acme"\nterms = ["acme"]\n'
        '[[source]]\nkind = "file"\npath = "posts.jsonl"\n'
    )
    with Terminal("-c", LIVE, env={"GO": str(go), "FOUND": str(tmp_path / "found")}, cwd=tmp_path) as terminal:
        yield terminal


def test_a_live_desk_that_is_quit_before_the_model_is_there_says_what_it_leaves(live: Terminal, tmp_path: Path):
    live.until("ended")
    live.press(QUIT)
    code, last = live.end(10)
    assert code == 0
    left = "3 posts that had come did not go through: the sentiment model was not loaded yet. They come again"
    assert left in " ".join(last.split())
    assert "Traceback" not in last
    # What reads languages is as heavy as the model, and comes after the first frame, too.
    assert json.loads((tmp_path / "found").read_text()) == []
