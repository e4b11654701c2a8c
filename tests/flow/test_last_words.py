"""However a live desk ends: what has come goes through, and what does not is told with the reason."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terminal import Terminal

POSTS = 600
PROGRAM = """
import os, sys
from crisisdesk.cli import configured, running
from crisisdesk.cli.main import main
from crisisdesk.errors import ModelError

class Held:
    name, digest, languages = "held", "0001", ("en",)
    read = 0

    def score(self, texts):
        if not Held.read:
            with open(os.environ["GO"]) as pipe:
                pipe.read()
        Held.read += len(texts)
        return [(0.1, 0.8, 0.1)] * len(texts)

def broken():
    with open(os.environ["GO"]) as pipe:
        pipe.read()
    raise ModelError("The model is broken; restore its folder.")

async def finish(app, work, finish=running._finish):
    open(os.environ["BEGUN"], "w").close()
    await finish(app, work)
    with open(os.environ["READ"], "w") as file:
        file.write(str(Held.read))

running._finish = finish
configured.load_shipped_model = broken if sys.argv[1] == "broken" else Held
main(["run", "-c", "desk.toml", *sys.argv[2:]])
"""
QUIT = "\x11"
BROKEN = (
    f"{POSTS} posts that had come did not go through: the sentiment model could not be loaded. "
    "They come again after the next start. The model is broken; restore its folder."
)

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform == "win32", reason="terminals and signals of Unix"),
]


@pytest.fixture
def places(tmp_path: Path) -> dict[str, str]:
    """A desk with posts to read; the end of GO lets the model go on, BEGUN ends when the desk
    begins to finish, READ tells how many posts were judged when it had finished."""
    row = '{{"id": "{0}", "time": "2024-03-04T10:00:00Z", "lang": "en", "text": "acme number {0}"}}\n'
    (tmp_path / "posts.jsonl").write_text("".join(row.format(n) for n in range(POSTS)))
    (tmp_path / "desk.toml").write_text(
        '[desk]\nname = "acme"\ndatabase = "acme.db"\n[[watch]]\nname = "Acme"\nterms = ["acme"]\n'
        '[[source]]\nkind = "file"\npath = "posts.jsonl"\n'
    )
    for pipe in ("go", "begun"):
        os.mkfifo(tmp_path / pipe)
    return {name.upper(): str(tmp_path / name) for name in ("go", "begun", "read")}


@pytest.fixture
def desk(places: dict[str, str]):
    """A desk whose model holds all posts up."""
    with Terminal("-c", PROGRAM, "held", env=places, cwd=Path(places["GO"]).parent) as terminal:
        terminal.until("ended")
        yield terminal


def test_a_lost_terminal_stops_the_desk_in_order(desk: Terminal, places: dict[str, str]):
    with Path(places["GO"]).open("w"):  # the model is there and has been asked
        desk.hang_up()
        assert Path(places["BEGUN"]).read_text() == ""
    desk.process.wait(50)
    assert Path(places["READ"]).read_text() == str(POSTS)


def test_ctrl_c_while_the_desk_finishes_says_what_it_leaves(desk: Terminal, places: dict[str, str]):
    with Path(places["GO"]).open("w"):
        desk.press(QUIT)
        assert Path(places["BEGUN"]).read_text() == ""
        desk.until(f"Finishing: {POSTS} posts still to go through.")
        desk.process.send_signal(signal.SIGINT)
        desk.until(f"{POSTS} posts that had come did not go through: the desk was cut off.")
    assert desk.end()[0] == 130


def test_ctrl_c_pressed_again_and_again_changes_nothing(desk: Terminal, places: dict[str, str]):
    with Path(places["GO"]).open("w"):  # the model is at work all the time
        desk.press(QUIT)
        assert Path(places["BEGUN"]).read_text() == ""
        desk.until("Finishing")
        for _ in range(8):
            desk.process.send_signal(signal.SIGINT)
            time.sleep(0.1)
    code, last = desk.end()
    assert code == 130
    assert " ".join(last.split()).endswith("the desk was cut off. They come again after the next start.")


def test_a_model_that_cannot_be_loaded_leaves_nothing_unsaid_on_the_console(places: dict[str, str]):
    with Terminal("-c", PROGRAM, "broken", env=places, cwd=Path(places["GO"]).parent) as desk:
        desk.until("ended")
        Path(places["GO"]).write_text("go")
        code, last = desk.end()
    assert code == 1
    assert " ".join(last.split()).endswith(BROKEN)


def test_a_model_that_cannot_be_loaded_leaves_nothing_unsaid_without_a_console(places: dict[str, str]):
    """Here a pipe is listened to as well, which cannot be read again: what came through it is in the mailbox."""
    with (Path(places["GO"]).parent / "desk.toml").open("a") as configuration:
        configuration.write('[[source]]\nkind = "file"\nname = "piped"\npath = "-"\n')
    command = [sys.executable, "-c", PROGRAM, "broken", "--headless"]
    options = {"env": {**os.environ, **places}, "cwd": Path(places["GO"]).parent, "text": True}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **options) as desk:
        assert desk.stderr
        assert any("ended" in line for line in desk.stderr)
        Path(places["GO"]).write_text("go")
        last = desk.stderr.read()
    assert desk.returncode == 1
    assert " ".join(last.split()).endswith(BROKEN)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_desk_without_a_console_says_what_it_watches_and_that_it_has_stopped(places: dict[str, str], how: int):
    command = [sys.executable, "-c", PROGRAM, "held", "--headless"]
    options = {"env": {**os.environ, **places}, "cwd": Path(places["GO"]).parent, "text": True}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **options) as desk:
        assert desk.stderr
        assert any(line.startswith("Watching Acme. Incidents are printed here") for line in desk.stderr)
        assert any("ended" in line for line in desk.stderr)
        with Path(places["GO"]).open("w"):  # the model has been asked, so the desk has something to finish
            desk.send_signal(how)
            assert Path(places["BEGUN"]).read_text() == ""
        *_, last = desk.stderr
    assert desk.returncode == 0
    assert last == "Stopped. What happened and what was learnt is in acme.db; start again to go on.\n"


def test_a_desk_that_is_stopped_while_its_model_is_loaded_ends_well(places: dict[str, str]):
    """The library that runs the model has threads of its own, which abort a program that ends meanwhile."""
    folder = Path(places["GO"]).parent
    command = [sys.executable, "-m", "crisisdesk", "run", "--headless", "-c", "desk.toml"]
    for patience in (0.1, 0.4, 0.7):
        desk = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert desk.stdout
        assert any("being loaded" in line for line in desk.stdout)
        time.sleep(patience)
        desk.send_signal(signal.SIGTERM)
        told = desk.stdout.read()
        desk.stdout.close()
        assert (desk.wait(30), told.count("Stopped.")) == (0, 1), told


def test_messages_that_nobody_reads_any_more_cost_no_result():
    speak = "from crisisdesk.cli.terminal import put, say; say('a message'); say('another'); put('a result')"
    unread, messages = os.pipe()
    os.close(unread)
    done = subprocess.run([sys.executable, "-c", speak], stdout=subprocess.PIPE, stderr=messages, check=False)
    os.close(messages)
    assert done.stdout == b"a result\n"
