"""`crisisdesk doctor` as an operator calls it, over real sockets and files."""

import asyncio
import contextlib
import io
import json
import re
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock

import pytest
from kills import Numbered, free_port, served
from receivers import certificate, says, serving

from crisisdesk.cli import doctor
from crisisdesk.cli.main import run
from crisisdesk.doctor import Verdict, answer_queue, encryption, examined
from crisisdesk.settings.model import WatchSettings
from crisisdesk.storage.store import Store

DESK = '[desk]\nname = "acme"\ndatabase = "desk.db"\n[[watch]]\nname = "Acme"\nterms = ["acme"]\n'


class Judge:
    """A model that is loaded at once."""

    name, digest, languages = "judge", "0001", ("en", "de")

    def score(self, texts: list[str]) -> list[tuple[float, float, float]]:
        return [(0.9, 0.1, 0.0)] * len(texts)


async def as_a_program(folder: Path, *arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "crisisdesk", *arguments]
    doctor = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, told = await asyncio.wait_for(doctor.communicate(), 50)
    return doctor.returncode or 0, out.decode(), told.decode()


async def here(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """The same in this process, without the shipped model, which takes seconds to load."""
    out, told = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.object(doctor, "load_shipped_model", Judge),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(told),
    ):
        code = await asyncio.to_thread(run, arguments)
    return code, out.getvalue(), told.getvalue()


async def findings(folder: Path, sources: str, *options: str, call=here) -> tuple[int, dict[str, tuple[str, str]], str]:
    """Exit code, what was found by part, and what stands on stderr."""
    (folder / "desk.toml").write_text(DESK + sources)
    code, out, told = await call(folder, "doctor", "-c", "desk.toml", "--json", "--seconds", "2", *options)
    lines = [json.loads(line) for line in out.splitlines()]
    return code, {one["part"]: (one["verdict"], one["said"]) for one in lines}, told


def bluesky(url: str) -> str:
    return f'[[source]]\nkind = "bluesky"\nurl = "{url}"\n'


async def test_a_desk_in_order(tmp_path: Path):
    posts = tmp_path / "posts.jsonl"
    posts.write_text(json.dumps({"time": "2026-01-01T00:00:00Z", "text": "acme"}) + "\n")
    async with served(Numbered(10, None, 0.0, faults=False, said_now=True)) as stream:
        sources = bluesky(stream.url) + f'[[source]]\nkind = "file"\nname = "log"\npath = "{posts}"\n'
        sources += f'[[source]]\nkind = "webhook"\nname = "suite"\n[server]\nlisten = "127.0.0.1:{free_port()}"\n'
        code, found, told = await findings(tmp_path, sources, call=as_a_program)
    assert (code, found["source bluesky"][0], found["source log"][0]) == (0, "ok", "ok")
    assert found["source suite"] == ("ok", found["source suite"][1])
    assert "which may be as it should" in found["source suite"][1]
    assert found["database"] == ("ok", "desk.db will be made at the first start.")
    assert not (tmp_path / "desk.db").exists()
    assert found["model"][1].endswith("judges posts in en, de.")
    nobody = 'Nobody is called: no [[output]] with kind = "notify"; incidents show on consoles'
    assert found["calls"] == ("warning", f"{nobody} only.")
    assert told.endswith("1 part wants a look.\n")


async def test_everything_that_can_be_wrong_is_named_with_its_cure(tmp_path: Path):
    (tmp_path / "desk.db").write_bytes(b"no database, though long enough to be looked at " * 30)
    (tmp_path / "empty.jsonl").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sources = bluesky(f"ws://127.0.0.1:{free_port()}/subscribe")
        sources += f'[[source]]\nkind = "webhook"\nname = "suite"\n[server]\nlisten = "127.0.0.1:{port}"\n'
        sources += '[[source]]\nkind = "file"\nname = "empty"\npath = "empty.jsonl"\n'
        code, found, told = await findings(tmp_path, sources)
    assert code == 1
    assert found["database"][0] == "error"
    assert "not a database" in found["database"][1]
    assert found["source bluesky"][0] == "error"
    assert "no connection to 127.0.0.1" in found["source bluesky"][1]
    assert found["source suite"][0] == "error"
    assert "another programme has it" in found["source suite"][1]
    assert found["source empty"] == ("warning", "holds no post that can be read.")
    assert told.endswith("3 parts do not work; mend what is named.\n")


async def test_a_clock_that_differs_from_the_networks_is_told(tmp_path: Path):
    stream = Numbered(10, None, 0.0, faults=False, said_now=True)
    stream.begin = datetime.now(UTC) + timedelta(hours=1)
    stream.frames = [json.dumps(stream._event(number)) for number in range(10)]
    async with served(stream):
        code, found, _ = await findings(tmp_path, bluesky(stream.url))
    assert code == 0
    assert found["source bluesky"][0] == "warning"
    assert found["source bluesky"][1].endswith("behind; set it right.")


async def test_a_desk_that_is_running_is_not_disturbed(tmp_path: Path):
    async with (
        await Store.open(tmp_path / "desk.db"),
        served(Numbered(10, None, 0.0, faults=False, said_now=True)) as stream,
    ):
        code, found, _ = await findings(tmp_path, bluesky(stream.url))
    assert code == 0
    assert found["database"] == ("ok", "desk.db is in use: a desk is running with it.")


@pytest.mark.parametrize(
    ("missing", "said"), [("", "It has no [[source]]; add one."), ('[[source]]\nkind = "mail"\n', "'mail'")]
)
async def test_a_configuration_that_cannot_be_used_is_explained(tmp_path: Path, missing: str, said: str):
    (tmp_path / "desk.toml").write_text(DESK + missing)
    code, out, told = await here(tmp_path, "doctor", "-c", "desk.toml")
    assert code == (2 if missing else 1)
    assert said in out + told


async def test_an_output_that_cannot_be_reached_and_a_source_without_its_token_are_named(tmp_path: Path):
    posts = tmp_path / "posts.jsonl"
    posts.write_text(json.dumps({"time": "2026-01-01T00:00:00Z", "text": "acme"}) + "\n")
    sources = f'[[source]]\nkind = "file"\nname = "log"\npath = "{posts}"\n'
    sources += '[[source]]\nkind = "mastodon"\nserver = "https://social.example"\ntoken_env = "NOT_THERE"\n'
    sources += f'[[output]]\nkind = "mqtt"\nhost = "127.0.0.1"\nport = {free_port()}\n'
    code, found, told = await findings(tmp_path, sources)
    assert (code, found["source log"][0]) == (1, "ok")
    verdict, said = found["source mastodon"]
    assert verdict == "error"
    assert re.fullmatch(r'.*\.toml:\d+: \[\[source\]\] "mastodon": the environment has no NOT_THERE; set it\.', said)
    assert found["output mqtt"][0] == "error"
    assert "start it, or mend host, port" in found["output mqtt"][1]
    assert told.endswith("2 parts do not work; mend what is named.\n")


async def test_whom_nobody_would_call_is_told(tmp_path: Path):
    (tmp_path / "push").write_text("json://127.0.0.1:9/secret")
    (tmp_path / "posts.jsonl").write_text(json.dumps({"time": "2026-01-01T00:00:00Z", "text": "acme"}) + "\n")
    push = '[[output]]\nkind = "notify"\nname = "push"\nurl_file = { "Anna Berg" = "push" }\n'
    chain = '[[chain]]\nname = "amber"\nseverities = "amber"\n[[chain.step]]\ntell = "Anna Berg"\n'
    code, found, _ = await findings(tmp_path, f'[[source]]\nkind = "file"\npath = "posts.jsonl"\n{push}{chain}')
    said = "No [[chain]] is for a red incident: nobody is called; add one, or widen one."
    assert (code, found["calls"]) == (1, ("error", said))


async def test_a_certificate_is_looked_at(tmp_path: Path):
    certificate(tmp_path, "desk.example", days=30)
    server = '[server]\nlisten = "127.0.0.1:8443"\ntls_certificate = "pem"\ntls_key = "key"\n'
    _, found, _ = await findings(tmp_path, server)
    verdict, said = found["encryption"]
    assert (verdict, said.partition(", from ")[0]) == ("ok", "pem is for desk.example")
    now, pem, key = datetime.now(UTC), tmp_path / "pem", tmp_path / "key"
    for ahead, expected, words in (
        (timedelta(days=17), "warning", "it is over in 12 d 23 h; renew it."),
        (timedelta(days=31), "error", "it is over, and nobody trusts it any more; renew it."),
        (-timedelta(days=1), "error", "not yet; look at this machine's clock"),
    ):
        verdict, said = encryption(pem, key, now + ahead)
        assert (verdict, words in said) == (expected, True), said
    certificate(tmp_path, days=0)  # it is over in the second in which it is made
    verdict, said = encryption(pem, key, now + timedelta(days=1))
    assert (verdict, said.startswith(f"{pem} is for 127.0.0.1, ")) == ("error", True)
    key.write_text("no key")
    finding = examined("encryption", partial(encryption, pem, key, now))
    assert finding.verdict == "error"
    assert "cannot be used (they do not fit together, are no PEM, or the key has a passphrase)" in finding.said


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
@pytest.mark.parametrize(
    ("extension", "said"),
    [
        ("subjectAltName=DNS:desk.example", "ok: pem is for desk.example, from "),
        ("keyUsage=digitalSignature", "error: pem names nobody as subjectAltName"),
        ("extendedKeyUsage=clientAuth", "error: Whoever comes will not trust pem: unsuitable certificate purpose; "),
    ],
)
def test_a_certificate_that_consoles_would_not_trust_is_told(tmp_path: Path, monkeypatch, extension: str, said: str):
    monkeypatch.chdir(tmp_path)
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-keyout", "key", "-out", "pem", "-days", "90", "-subj", "/CN=desk.example", "-addext", extension]
    subprocess.run([*make, *named], check=True, capture_output=True)
    now = datetime.now(UTC) + timedelta(minutes=1)
    finding = examined("encryption", partial(encryption, Path("pem"), Path("key"), now))
    assert f"{finding.verdict}: {finding.said}".startswith(said)


async def test_a_receiver_is_looked_at_and_told_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET", "correct horse battery staple")
    async with serving(says(404), says(405)) as server:
        posts = tmp_path / "posts.jsonl"
        posts.write_text(json.dumps({"time": "2026-01-01T00:00:00Z", "text": "acme"}) + "\n")
        sources = f'[[source]]\nkind = "file"\nname = "log"\npath = "{posts}"\n'
        hook = f'[[output]]\nkind = "webhook"\nurl = "{server.url}"\nsecret_env = "SECRET"\n'
        code, found, told = await findings(tmp_path, f'{sources}{hook}name = "a"\n{hook}name = "b"\n')
    assert [(got.method, got.body) for got in server.got] == [("OPTIONS", b"")] * 2
    assert (code, found["output a"][0], found["output b"][0], found["calls"][0]) == (0, "warning", "ok", "ok")
    assert found["calls"][1].endswith("incidents show on consoles and go out by webhook.")
    assert "knows no such address (HTTP 404); check the address of this output" in found["output a"][1]
    assert found["output b"][1].endswith("answers; whether it takes alerts shows when the desk runs.")
    assert told.endswith("1 part wants a look.\n")


def watch(**details: object) -> WatchSettings:
    return WatchSettings.model_validate({"name": "Acme", "terms": ["acme"], **details})


def test_that_nobody_can_be_known_to_speak_to_a_brand_is_told():
    said = "who speaks to Acme is known only with 'accounts' or an @name"
    assert said in answer_queue([watch()])[1]
    assert said not in answer_queue([watch(accounts=["@acme@social.example"]), watch(terms=["@acme"])])[1]
    assert answer_queue([watch(answers=False)]) == (Verdict.OK, "no watch has one.")
