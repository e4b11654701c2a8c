"""How commands find a desk on their own machine: only while it runs, and only if its files are theirs."""

import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crisisdesk.errors import StorageError
from crisisdesk.server.presence import Presence, find, local_url, place, present
from crisisdesk.settings.server import Address

HERE = Presence("http://127.0.0.1:8080", "cd_thisdesk_s3cr3t", os.getpid(), datetime(2026, 5, 25, 14, 2, tzinfo=UTC))


def test_a_desk_is_found_while_it_runs(tmp_path):
    database = tmp_path / "acme.db"
    with present(database, HERE):
        assert find(database) == HERE
        assert place(database) == tmp_path / "acme.db.desk"
        assert stat.S_IMODE(place(database).stat().st_mode) == 0o600
    assert find(database) is None
    assert not list(tmp_path.iterdir())


def test_one_that_was_killed_is_not_found_and_makes_room(tmp_path):
    database = tmp_path / "acme.db"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    old = present(database, replace(HERE, pid=gone.pid))
    old.__enter__()
    place(database).chmod(0o644)
    assert find(database) is None
    with present(database, HERE):
        assert find(database) == HERE
        assert stat.S_IMODE(place(database).stat().st_mode) == 0o600


def test_what_a_later_run_has_written_stays(tmp_path):
    database = tmp_path / "acme.db"
    with present(database, replace(HERE, token="cd_thisdesk_other")):  # noqa: S106 - not one
        later = present(database, HERE)
        later.__enter__()
    assert find(database) == HERE


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"url": 1, "token": 2, "pid": "x", "started": 3}'])
def test_what_makes_no_sense_is_no_desk(tmp_path, content):
    place(tmp_path / "acme.db").write_bytes(content)
    assert find(tmp_path / "acme.db") is None


def test_where_it_cannot_be_written_it_is_told(tmp_path):
    with pytest.raises(StorageError, match="Commands on this machine cannot find the desk"):
        present(tmp_path / "nowhere" / "acme.db", HERE).__enter__()


def test_its_token_is_not_printed():
    assert "s3cr3t" not in repr(HERE)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "https://127.0.0.1:8443"),
        ("0.0.0.0", "https://127.0.0.1:8443"),  # noqa: S104 - that is the point
        ("::", "https://[::1]:8443"),
        ("192.168.7.1", "https://192.168.7.1:8443"),
        ("desk.example", "https://desk.example:8443"),
    ],
)
def test_where_this_machine_reaches_it(host, url):
    assert local_url(Address(host, 8443), encrypted=True) == url
    assert local_url(Address(host, 8443), encrypted=False) == url.replace("https", "http")


def test_the_database_may_be_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with present(Path("acme.db"), HERE):
        assert find(Path("acme.db")) == HERE
