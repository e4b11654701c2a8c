"""The tokens of people: made, found, revoked, and nobody let in by a file that is not what it should be."""

import hmac
import json
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crisisdesk.errors import StorageError
from crisisdesk.records import Role
from crisisdesk.server import token_file, tokens
from crisisdesk.server.tokens import Tokens

NOW = datetime(2026, 5, 25, 14, 2, tzinfo=UTC)


class SetClock:
    """Shows what it is set to."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    async def sleep_until(self, moment: datetime) -> None:
        self.moment = max(self.moment, moment)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def known(tmp_path: Path, clock: SetClock) -> Tokens:
    return Tokens(tmp_path / "acme.tokens", clock)


def another(known: Tokens, clock: SetClock | None = None) -> Tokens:
    """The same file, as another process knows it."""
    found = Tokens(known.path, clock or SetClock())
    found.look()
    return found


def test_a_token_is_found_by_whoever_reads_the_file(known):
    token, text = known.create("Anna Berg", Role.RESPONDER, by="root")
    assert text.startswith(f"cd_{token.id}_")
    assert another(known).find(text) == known.find(text) == token
    assert (token.person, token.role, token.created, token.by) == ("Anna Berg", Role.RESPONDER, NOW, "root")


def test_the_file_is_its_owners_alone_and_holds_no_token(known):
    _, text = known.create("Anna Berg", Role.VIEWER)
    assert stat.S_IMODE(known.path.stat().st_mode) == 0o600
    assert text.rpartition("_")[2] not in known.path.read_text()
    assert not list(known.path.parent.glob("*.new"))


@pytest.mark.parametrize("changed", [0, -1, 5])
def test_a_token_with_another_sign_is_none(known, changed):
    _, text = known.create("Anna Berg", Role.VIEWER)
    wrong = list(text)
    wrong[changed] = "A" if wrong[changed] != "A" else "B"
    assert known.find("".join(wrong)) is None


@pytest.mark.parametrize("text", ["", "cd_", "cd_abcdefgh_", "cd_abcdefgh_" + "ä" * 43, "x" * 100_000, "cd_\x00"])
def test_what_is_no_token_is_none(known, text):
    known.create("Anna Berg", Role.VIEWER)
    assert known.find(text) is None


def test_every_comparison_is_of_whole_digests_in_constant_time_also_of_ids_that_are_not_there(known, monkeypatch):
    token, text = known.create("Anna Berg", Role.VIEWER)
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append((len(one), other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(tokens.hmac, "compare_digest", compare)
    assert tokens.hmac is hmac
    monkeypatch.undo()
    monkeypatch.setattr(tokens, "hmac", type("Spy", (), {"compare_digest": staticmethod(compare)}))
    known.find(text)
    known.find("cd_aaaaaaaa_" + text.rpartition("_")[2][:1] * 43)
    assert compared == [(64, token.sha256), (64, tokens._NOBODYS)]


def test_a_revoked_token_is_gone_for_those_who_run_too_and_stays_in_the_history(known):
    running, (token, text) = another(known), known.create("Anna Berg", Role.EDITOR, by="root")
    running.look()
    assert running.find(text)
    assert known.revoke([token.id, "nosuchid"], by="ben") == (token,)
    running.look()
    assert running.find(text) is None
    assert [(one.what, one.token, one.by) for one in running.history] == [
        ("created", token.id, "root"),
        ("revoked", token.id, "ben"),
    ]
    assert running.required, "those who come without one are not let in again"


def test_the_history_is_kept_for_a_year(known, clock):
    token, _ = known.create("Anna Berg", Role.EDITOR)
    clock.moment += timedelta(days=400)
    known.create("Ben Cole", Role.EDITOR)
    assert [one.person for one in known.history] == ["Ben Cole"]
    assert token in known.all(), "the token itself is as good as before"


def test_an_expired_token_is_found_and_not_valid(known, clock):
    token, text = known.create("Anna Berg", Role.EDITOR, expires=NOW + timedelta(days=1))
    assert known.is_valid(token.id, clock.now())
    clock.moment += timedelta(days=1)
    assert known.find(text) == token
    assert not known.is_valid(token.id, clock.now())


async def test_a_desk_sees_a_new_token_at_once_and_looks_a_few_times_a_second_at_most(known, clock, monkeypatch):
    running = another(known, clock)
    assert not running.required
    _, text = known.create("Anna Berg", Role.VIEWER)
    await running.refresh()
    assert running.find(text) is None
    clock.moment += tokens.LOOK_EVERY
    await running.refresh()
    assert running.find(text)
    monkeypatch.setattr(running, "look", lambda: pytest.fail("looked again"))
    await running.refresh()


async def test_a_clock_that_is_set_back_does_not_keep_a_desk_from_looking(known, clock):
    running = another(known, clock)
    _, text = known.create("Anna Berg", Role.VIEWER)
    clock.moment -= timedelta(hours=1)
    await running.refresh()
    assert running.find(text)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        "null",
        "\0",
        '{"version": 2, "tokens": [], "history": []}',
        '{"version": 1, "tokens": [{"id": "abcdefgh"}], "history": []}',
    ],
)
def test_a_broken_file_locks_everybody_out_until_it_is_mended(known, content):
    _, text = known.create("Anna Berg", Role.VIEWER)
    whole, running = known.path.read_text(), another(known)
    known.path.write_text(content)
    running.look()
    assert running.find(text) is None
    assert running.required
    assert "it makes no sense" in running.trouble
    assert "put back a copy" in running.trouble
    assert another(known).required, "also for a desk that starts with it"
    known.path.write_text(whole)
    running.look()
    assert (running.trouble, bool(running.find(text))) == ("", True)


@pytest.mark.parametrize("role", ["owner", "root", 4, None])
def test_no_file_makes_somebody_the_owner(known, role):
    known.create("Anna Berg", Role.EDITOR)
    content = json.loads(known.path.read_text())
    content["tokens"][0]["role"] = role
    known.path.write_text(json.dumps(content))
    assert "it makes no sense at tokens.0.role" in another(known).trouble


@pytest.mark.parametrize("name", ["", "Anna\x1b[31m", " ", "a" * 201, "Anna\nBerg"])
def test_no_file_makes_a_name_that_cannot_be_shown(known, name):
    known.create("Anna Berg", Role.EDITOR)
    content = json.loads(known.path.read_text())
    content["tokens"][0]["person"] = name
    known.path.write_text(json.dumps(content))
    assert "it makes no sense at tokens.0.person" in another(known).trouble


def test_a_file_that_makes_no_sense_is_not_repeated(known):
    known.create("Anna Berg", Role.EDITOR)
    known.path.write_text(known.path.read_text().replace('"sha256": "', '"sha256": "s3cr3t'))
    assert "makes no sense at tokens.0.sha256" in another(known).trouble
    assert "s3cr3t" not in another(known).trouble


def test_a_removed_file_opens_nothing(known):
    _, text = known.create("Anna Berg", Role.VIEWER)
    running = another(known)
    known.path.unlink()
    running.look()
    assert running.find(text) is None
    assert running.required
    assert "are gone, so that nobody is let in" in running.trouble
    assert "restart the desk" in running.trouble
    assert not another(known).required
    _, text = known.create("Ben Cole", Role.VIEWER)
    running.look()
    assert (running.trouble, bool(running.find(text))) == ("", True)


def test_what_others_can_read_is_mended(known):
    _, text = known.create("Anna Berg", Role.VIEWER)
    known.path.chmod(0o644)
    assert another(known).find(text)
    assert stat.S_IMODE(known.path.stat().st_mode) == 0o600


def test_what_others_can_write_is_refused(known):
    _, text = known.create("Anna Berg", Role.VIEWER)
    running = another(known)
    known.path.chmod(0o620)
    running.look()
    assert running.find(text) is None
    assert f"`chmod 600 {known.path}`" in running.trouble
    known.path.chmod(0o600)
    running.look()
    assert running.find(text)


@pytest.mark.skipif(os.geteuid() == 0, reason="an administrator can read everything")
def test_a_file_that_cannot_be_read_locks_everybody_out(known):
    known.create("Anna Berg", Role.VIEWER)
    known.path.chmod(0)
    assert "permission denied" in another(known).trouble


def test_a_folder_in_its_place_locks_everybody_out(known):
    known.path.mkdir()
    running = another(known)
    assert running.required
    assert "is a directory" in running.trouble


def test_several_at_once_lose_nothing(known):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: another(known).create(f"person {number}", Role.VIEWER), range(24)))
    assert {token.id for token, _ in made} == {token.id for token in another(known).all()}
    assert all(another(known).find(text) == token for token, text in made)


def test_what_somebody_left_behind_when_they_were_killed_goes(known):
    left = known.path.with_name("acme.tokens.new")
    left.touch()
    os.utime(left, (NOW.timestamp() - 60,) * 2)
    assert known.create("Anna Berg", Role.VIEWER)
    assert not left.exists()


def test_somebody_who_changes_it_for_long_is_told_of(known, monkeypatch):
    monkeypatch.setattr(token_file, "WAIT_SECONDS", 0.1)
    left = known.path.with_name("acme.tokens.new")
    left.touch()
    os.utime(left, (NOW.timestamp(),) * 2)
    with pytest.raises(StorageError, match=r"Somebody else is changing the tokens .* try again"):
        known.create("Anna Berg", Role.VIEWER)
    assert left.exists()


def test_a_broken_file_is_not_overwritten(known):
    known.path.write_text("{")
    known.path.chmod(0o600)
    with pytest.raises(StorageError, match="makes no sense"):
        known.create("Anna Berg", Role.VIEWER)
    assert known.path.read_text() == "{"
    assert not list(known.path.parent.glob("*.new"))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is a folder in which nobody can write")
def test_where_nothing_can_be_written_it_says_so(clock):
    with pytest.raises(StorageError, match=r"cannot be written to /proc/acme.tokens: .*; nothing was changed"):
        Tokens(Path("/proc/acme.tokens"), clock).create("Anna Berg", Role.VIEWER)


def test_a_link_stays_a_link(known, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    known.path.symlink_to(tmp_path / "elsewhere" / "tokens")
    known.create("Anna Berg", Role.VIEWER)
    assert known.path.is_symlink()
    assert another(known).all() == known.all()


@pytest.mark.skipif(os.geteuid() != 0, reason="only an administrator can give files away")
def test_what_an_administrator_changes_stays_the_file_of_the_desks_user(known):
    os.chown(known.path.parent, 4711, 4712)
    known.create("Anna Berg", Role.VIEWER)
    known.create("Ben Cole", Role.VIEWER)
    status = known.path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (4711, 4712, 0o600)
