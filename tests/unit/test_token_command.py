"""`crisisdesk token` and `crisisdesk audit`, as whoever runs a desk uses them, and how a desk starts without tokens."""

import asyncio
import json
import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crisisdesk import settings
from crisisdesk.cli import token as command
from crisisdesk.cli.configured import desk_plan
from crisisdesk.cli.main import run
from crisisdesk.clock import WallClock
from crisisdesk.doctor import access
from crisisdesk.errors import ConfigurationError
from crisisdesk.records import Role
from crisisdesk.server.tokens import Tokens
from crisisdesk.storage.audit import Audit, Entry
from crisisdesk.storage.store import Store

CONFIGURATION = """\
[desk]
name = "acme"
database = "acme.db"
[[watch]]
name = "Motrin"
terms = ["motrin"]
[[source]]
kind = "bluesky"
[[output]]
kind = "notify"
name = "push"
url_env = { "Anna Berg" = "ANNA_PUSH" }
"""
SHARED = '[server]\nlisten = "0.0.0.0:8099"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ANNA_PUSH", "json://127.0.0.1:9")
    path = tmp_path / "desk.toml"
    path.write_text(CONFIGURATION)
    return path


@pytest.fixture
def known(config: Path) -> Tokens:
    """As a running desk knows them."""
    return Tokens(config.parent / "acme.tokens", WallClock())


def test_a_token_is_shown_once_on_stdout_and_works(config, known, capfd):
    assert run(["token", "create", "Anna Berg", "--role", "editor", "--expires", "90 days", "-c", str(config)]) == 0
    said = capfd.readouterr()
    known.look()
    token = known.find(said.out.strip())
    assert (token.person, token.role) == ("Anna Berg", Role.EDITOR)
    assert abs(token.expires - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=1)
    assert token.by
    assert (
        f"This is the token of Anna Berg, editor until {token.expires:%Y-%m-%d %H:%M} UTC. It is shown this" in said.err
    )
    assert "from now on everybody needs one" in said.err
    assert said.out.strip() not in said.err


def test_the_second_one_changes_nothing_for_others(config, known, capfd):
    known.create("Ben Cole", Role.VIEWER)
    assert run(["token", "create", "Anna Berg", "-c", str(config)]) == 0
    assert "everybody needs one" not in capfd.readouterr().err
    assert [(one.person, one.role) for one in known_after(known)] == [
        ("Ben Cole", Role.VIEWER),
        ("Anna Berg", Role.RESPONDER),
    ]


def known_after(known: Tokens) -> tuple:
    known.look()
    return known.all()


def test_a_name_is_spelt_as_those_who_are_called_are_and_an_unknown_one_is_told(config, known, capfd):
    assert run(["token", "create", "anna berg", "-c", str(config)]) == 0
    assert run(["token", "create", "Zoe", "-c", str(config)]) == 0
    assert (
        "NAME: 'Zoe' is in no output and no rota (there are 'Anna Berg'); it is taken as it" in capfd.readouterr().err
    )
    assert run(["token", "create", "Anna Burg", "-c", str(config)]) == 2
    assert "did you mean 'Anna Berg'?" in capfd.readouterr().err
    assert [one.person for one in known_after(known)] == ["Anna Berg", "Zoe"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["create", ""], "NAME: it has to be a name of one line"),
        (["create", "a\x1b[31mb"], "NAME: it has to be a name of one line"),
        (["create", "a" * 101], "at most 100 printable characters"),
        (
            ["create", "Anna Berg", "--expires", "soon"],
            "--expires: 'soon' is no length of time; write it like \"90 days\".",
        ),
        (["create", "Anna Berg", "--expires", "0 days"], "is not between a moment and ten years"),
        (["create", "Anna Berg", "--expires", "9999999999 days"], "is not between a moment and ten years"),
        (["create", "Anna Berg", "--role", "owner"], "'owner' is not one of 'viewer', 'responder', 'editor'"),
        (["revoke", "nobody"], "No token has the id or the name 'nobody'; there is none."),
    ],
)
def test_a_mistake_is_explained_and_makes_nothing(config, known, capfd, arguments, told):
    assert run(["token", *arguments, "-c", str(config)]) == 2
    said = capfd.readouterr()
    assert told in said.err
    assert said.out == ""
    assert not known.path.exists()


def test_the_list_shows_who_has_one_and_no_secret(config, known, capfd):
    assert run(["token", "list", "-c", str(config)]) == 0
    said = capfd.readouterr()
    assert (said.out, "There are no tokens" in said.err) == ("", True)
    ben, text = known.create("Ben Cole", Role.VIEWER, by="root", expires=datetime.now(UTC) - timedelta(days=1))
    anna, _ = known.create("Anna Berg", Role.EDITOR)
    assert run(["token", "list", "-c", str(config)]) == 0
    heading, first, second = capfd.readouterr().out.splitlines()
    assert heading.split() == ["id", "name", "role", "created", "expires", "by"]
    assert first.split() == [anna.id, "Anna", "Berg", "editor", f"{anna.created:%Y-%m-%d}", "never"]
    assert second.startswith(f"{ben.id}  Ben Cole   viewer  ")
    assert "(expired)" in second
    assert run(["token", "list", "--json", "-c", str(config)]) == 0
    said = capfd.readouterr().out
    assert [json.loads(line)["expired"] for line in said.splitlines()] == [False, True]
    assert text.rpartition("_")[2] not in said
    assert ben.sha256 not in said


def test_one_is_revoked_by_its_id_and_one_of_several_is_asked_for(config, known, capfd, monkeypatch):
    made = [known.create(name, Role.VIEWER)[0] for name in ("Anna Berg", "Anna Berg", "Anna Berg", "Ben Cole")]
    assert run(["token", "revoke", made[0].id, "-c", str(config)]) == 0
    assert f"Revoked: the token {made[0].id} of Anna Berg (viewer)." in capfd.readouterr().err
    assert run(["token", "revoke", "anna berg", "-c", str(config)]) == 2
    assert f"Anna Berg has 2 tokens ({made[1].id}, {made[2].id}); name one by its id, or add" in capfd.readouterr().err
    monkeypatch.setattr(command.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(command.typer, "confirm", lambda *_, **__: False)
    assert run(["token", "revoke", "Anna Berg", "-c", str(config)]) == 2
    assert "Nothing was revoked" in capfd.readouterr().err
    assert len(known_after(known)) == 3
    assert run(["token", "revoke", "Anna Berg", "--yes", "-c", str(config)]) == 0
    assert run(["token", "revoke", "ben", "-c", str(config)]) == 2
    assert "did you mean 'Ben Cole'?" in capfd.readouterr().err
    assert run(["token", "revoke", "Ben Cole", "-c", str(config)]) == 0
    assert "Nobody has a token now, so that a running desk lets nobody in." in capfd.readouterr().err
    assert known_after(known) == ()
    assert known.required


@pytest.mark.parametrize("what", [["list"], ["create", "Anna Berg"], ["revoke", "Anna Berg"]])
def test_a_broken_list_is_told_with_its_cure_and_left_as_it_is(config, known, capfd, what):
    known.path.write_text("{")
    known.path.chmod(0o600)
    assert run(["token", *what, "-c", str(config)]) == 1
    assert "it makes no sense; put back a copy of it." in capfd.readouterr().err
    assert known.path.read_text() == "{"


def test_the_list_may_be_elsewhere(config, capfd):
    config.write_text(CONFIGURATION + '[server]\ntokens = "people.json"\n')
    assert run(["token", "create", "Anna Berg", "-c", str(config)]) == 0
    assert (config.parent / "people.json").exists()
    capfd.readouterr()


def test_a_desk_that_others_reach_does_not_start_without_tokens(config, known, capfd):
    config.write_text(CONFIGURATION + SHARED)
    with pytest.raises(ConfigurationError) as caught:
        desk_plan(config)
    assert str(caught.value) == (
        f"{config}: other machines reach 0.0.0.0:8099 ('listen' under [server]), and nobody has a token to be "
        f"known by. Make one with `crisisdesk token create NAME --role responder -c {config}`, or listen on "
        "127.0.0.1:8099."
    )
    token, _ = known.create("Anna Berg", Role.RESPONDER)
    desk_plan(config)
    assert "warning: What goes to and from 0.0.0.0:8099 is not encrypted" in capfd.readouterr().err
    known.revoke([token.id])
    with pytest.raises(ConfigurationError):
        desk_plan(config)


def test_a_desk_of_this_machine_starts_without_a_word(config, capfd):
    desk_plan(config)
    assert capfd.readouterr().err == ""


def test_one_that_encrypts_starts_without_a_word(config, known, capfd):
    config.write_text(CONFIGURATION + SHARED + 'tls_certificate = "desk.pem"\ntls_key = "desk.key"\n')
    known.create("Anna Berg", Role.RESPONDER)
    desk_plan(config)
    assert capfd.readouterr().err == ""


def test_a_desk_whose_list_is_broken_starts_and_lets_nobody_in(config, known):
    config.write_text(CONFIGURATION + SHARED)
    known.path.write_text("{")
    desk_plan(config)
    assert known_after(known) == ()
    assert known.required


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("per_minute = 0", "per_minute"),
        ("streams = 1000", "streams"),
        ('per_minute = "many"', "per_minute"),
        ("tokens = 7", "must be a path in quotes"),
        ("token = 7", "tokens"),
    ],
)
def test_what_cannot_be_set_is_told_by_its_key(config, server, message):
    config.write_text(f"{CONFIGURATION}[server]\n{server}\n")
    with pytest.raises(ConfigurationError, match=message):
        settings.load(config)


def test_the_doctor_looks_who_is_let_in(config, known):
    now = datetime.now(UTC)

    def looked(more: str = "") -> tuple[str, str]:
        config.write_text(CONFIGURATION + more)
        verdict, said = access(settings.load(config).server, known, config, now)
        return str(verdict), said

    assert looked() == (
        "ok",
        "127.0.0.1:8080: nobody has a token, so only this machine is let in: crisisdesk token create NAME.",
    )
    with pytest.raises(ConfigurationError, match="nobody has a token"):
        looked(SHARED)
    known.create("Anna Berg", Role.VIEWER)
    assert looked() == ("ok", "127.0.0.1:8080: 1 person has 1 token.")
    known.create("Ben Cole", Role.VIEWER, expires=now + timedelta(days=3))
    known.create("Ben Cole", Role.VIEWER, expires=now - timedelta(days=3))
    verdict, said = looked(SHARED)
    assert verdict == "warning"
    assert re.search(
        r"2 people have 3 tokens\. 1 token has expired\. That of Ben Cole expires on .* not encrypted", said
    )


def test_the_audit_shows_who_did_what_and_also_what_the_desk_has_not_taken_over(config, known, capfd):
    token, _ = known.create("Anna Berg", Role.RESPONDER, by="root")
    now = datetime.now(UTC)

    async def keep() -> None:
        async with await Store.open(config.parent / "acme.db", durable=False) as store:
            act = Entry(now, "POST /act/{incident}", "Anna Berg", token.id, "responder", "10.0.0.1", "motrin-1", 200)
            old = Entry(now - timedelta(days=30), "POST /old", "Ben Cole")
            await Audit(store).note(act, Entry(now, "GET /act", address="10.0.0.2", status=401, times=10), old)

    assert run(["audit", "-c", str(config)]) == 0, "before the desk has run"
    assert "created for Anna Berg (responder)" in capfd.readouterr().out
    asyncio.run(keep())
    assert run(["audit", "-c", str(config)]) == 0
    created, act, attempt = capfd.readouterr().out.splitlines()
    assert re.fullmatch(rf"20\S+ \S+  root +token {token.id} created for Anna Berg \(responder\)", created)
    assert act.endswith("  Anna Berg (responder)  10.0.0.1  POST /act/{incident} motrin-1 200")
    assert attempt.endswith("  a stranger             10.0.0.2  GET /act 401  10x")
    assert run(["audit", "--person", "anna berg", "--json", "-c", str(config)]) == 0
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line) == {
        "time": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "person": "Anna Berg",
        "token": token.id,
        "role": "responder",
        "address": "10.0.0.1",
        "what": "POST /act/{incident}",
        "incident": "motrin-1",
        "status": 200,
        "times": 1,
    }
    assert run(["audit", "--since", "60d", "--person", "Ben Cole", "-c", str(config)]) == 0
    assert "POST /old" in capfd.readouterr().out
    assert run(["audit", "--person", "Ben Cole", "-c", str(config)]) == 0
    assert capfd.readouterr().err == "Nothing of the last 7 days is written down of Ben Cole.\n"


def test_the_audit_tells_what_was_erased(config, capfd):
    async def begin() -> None:
        await (await Store.open(config.parent / "acme.db", durable=False)).close()

    asyncio.run(begin())
    assert run(["forget", "--author", "did:plc:anna", "--yes", "--as", "Anna Berg", "-c", str(config)]) == 0
    capfd.readouterr()
    assert run(["audit", "-c", str(config)]) == 0
    said = capfd.readouterr().out
    assert re.fullmatch(r"20\S+ \S+  Anna Berg +erased author \S+: nothing was found\n", said)
    assert "did:plc:anna" not in said


def test_the_audit_explains_mistakes(config, capfd):
    assert run(["audit", "--since", "yesterday", "-c", str(config)]) == 2
    assert "--since: 'yesterday' is no length of time" in capfd.readouterr().err
    assert run(["audit", "-c", str(config)]) == 1
    assert "name that of a desk that has run" in capfd.readouterr().err


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has one zone for all programmes")
def test_moments_are_utc_wherever_the_command_runs(config, known, capfd, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        token, _ = known.create("Anna Berg", Role.VIEWER)
        assert run(["audit", "-c", str(config)]) == 0
        assert capfd.readouterr().out.startswith(f"{token.created:%Y-%m-%d %H:%M:%S}")
    finally:
        os.environ.pop("TZ")
        time.tzset()
