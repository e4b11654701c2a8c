"""`crisisdesk console`: how one gets in, what one sees, how one leaves, on a real terminal and a real desk."""

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest
from desks import Served, served
from terminal import Terminal

from crisisdesk.records import Severity

pytestmark = [
    pytest.mark.timeout(90),
    pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix"),
]
QUIT = "\x11"
WRONG = {"CRISISDESK_TOKEN": "cd_wrong_wrong"}


def console(base: Path, *arguments: str, **env: str) -> Terminal:
    own = {"HOME": str(base), "XDG_CONFIG_HOME": str(base / "own"), "PYTHON_KEYRING_BACKEND": ""}
    return Terminal("-m", "crisisdesk", "console", *arguments, cwd=base, env=own | env)


async def until(terminal: Terminal, words: str, seconds: float = 20) -> None:
    await asyncio.to_thread(terminal.until, words, seconds)


async def seen(terminal: Terminal, words: str, times: int) -> None:
    while terminal.seen.count(words) < times:
        assert await asyncio.to_thread(terminal._read, 20), terminal.seen[-500:]


async def leave(terminal: Terminal) -> None:
    terminal.press(QUIT)
    code, _ = await asyncio.to_thread(terminal.end, 20)
    assert code == 0


async def ends(terminal: Terminal) -> tuple[int, str]:
    code, said = await asyncio.to_thread(terminal.end, 30)
    return code, " ".join(said.split())


async def acknowledged(desk: Served) -> str | None:
    async with asyncio.timeout(10):
        while True:
            found = desk.app.register.open_for("Acme")
            if found is not None and found.acknowledged_by:
                return found.acknowledged_by
            await asyncio.sleep(0.05)


async def test_the_desk_of_the_configuration_is_found_and_acted_on(tmp_path):
    async with served(tmp_path, {}) as desk:
        await desk.incident(severity=Severity.RED)
        with console(tmp_path, "-c", "crisisdesk.toml", "--as", "Anna Berg") as terminal:
            await until(terminal, "Acme")
            await until(terminal, "12 negative posts")
            terminal.press("a")
            assert await acknowledged(desk) == "Anna Berg"
            await until(terminal, "You have Acme")
            await leave(terminal)
        assert desk.app.register.open_for("Acme") is not None  # the desk goes on


async def test_a_token_is_asked_for_where_nobody_sees_it_and_kept_where_nobody_else_reads_it(tmp_path):
    async with served(tmp_path) as desk:
        await desk.incident()
        token = desk.secrets["Anna Berg"]
        with console(tmp_path, desk.url) as terminal:
            await seen(terminal, "Your token for", times=1)
            terminal.press("correct horse battery\n")
            await seen(terminal, "Your token for", times=2)  # what is typed before it asks is thrown away
            assert "What you typed holds no token; one begins with cd_" in terminal.seen
            terminal.press(f"{token}x\n")
            await seen(terminal, "Your token for", times=3)
            assert "not known here, or was revoked" in terminal.seen
            assert "Keep it" not in terminal.seen  # it has not been tried, or lets nobody in
            terminal.press(f"{token}\n")
            await seen(terminal, "Keep it", times=1)
            assert token not in terminal.seen
            terminal.press("y\n")
            await until(terminal, "It is kept in")
            await until(terminal, "Acme")
            await until(terminal, "Anna Berg")
            await leave(terminal)
        (kept,) = [path for path in (tmp_path / "own").rglob("*") if path.is_file()]
        assert kept.read_text().strip() == token
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        with console(tmp_path, desk.url) as terminal:
            await until(terminal, "12 negative posts")
            await leave(terminal)


async def test_a_token_that_is_none_is_refused_before_anything_opens(tmp_path):
    async with served(tmp_path) as desk:
        with console(tmp_path, desk.url, **WRONG) as terminal:
            code, said = await ends(terminal)
        assert code == 2
        assert "not known here, or was revoked" in said
        assert "$CRISISDESK_TOKEN" in said


async def test_a_viewer_is_told_before_a_window_opens(tmp_path):
    async with served(tmp_path) as desk:
        await desk.incident()
        (tmp_path / "mine").write_text(desk.secrets["Vera"])
        with console(tmp_path, desk.url, "--token-file", "mine") as terminal:
            await until(terminal, "12 negative posts")
            terminal.press("n")
            await until(terminal, "not act on it")
            await leave(terminal)


async def test_a_lost_desk_is_said_and_is_there_again_after_its_restart(tmp_path):
    async with served(tmp_path, {}) as desk:
        await desk.incident()
        terminal = console(tmp_path, "-c", "crisisdesk.toml", "--as", "Anna Berg")
        await until(terminal, "12 negative posts")
    try:
        await until(terminal, "lost")
        await until(terminal, "Trying again")
        async with served(tmp_path, {}) as desk:  # with another token of its own, and on another port
            async with asyncio.timeout(20):
                while not desk.app.register.incidents()[0].acknowledged_by:
                    terminal.press("a")  # it says that nothing was done until the desk is there
                    await asyncio.sleep(0.5)
            assert desk.app.register.incidents()[0].acknowledged_by == "Anna Berg"
            await leave(terminal)
    finally:
        terminal.__exit__(None, None, None)


async def test_who_names_no_desk_is_asked_for_the_address_they_were_given(tmp_path):
    with console(tmp_path) as terminal:
        code, said = await ends(terminal)
    assert code == 2
    assert said.startswith("Which desk? crisisdesk console https://desk.example:8443, with the address you were given.")


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["-c", "crisisdesk.toml"], "No desk with the database", 2),
        (["http://desk.example:8443"], "must begin with https://", 2),
        (["https://desk.example/some/path"], "is no address of a server", 2),
        (["127.0.0.1:1"], "127.0.0.1:1 cannot be reached", 1),
        (["http://127.0.0.1:1", "--token-file", "nowhere"], "nowhere cannot be read", 2),
        (["https://127.0.0.1:1", "--ca", "crisisdesk.toml"], "it is no certificate in PEM", 2),
    ],
)
async def test_what_cannot_be_is_said_in_a_sentence(tmp_path, arguments, said, code):
    (tmp_path / "crisisdesk.toml").write_text(
        f'[desk]\nname = "acme"\ndatabase = "{os.devnull}x"\n[[watch]]\nname = "A"\nterms = ["a"]\n'
    )
    with console(tmp_path, *arguments) as terminal:
        ended, told = await ends(terminal)
    assert said in told
    assert "Traceback" not in told
    assert ended == code
