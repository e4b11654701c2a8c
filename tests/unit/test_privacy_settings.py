"""What can be set of privacy, and who may read the files: said with its cure."""

from datetime import timedelta
from pathlib import Path

import pytest

from crisisdesk.cli.configured import terms
from crisisdesk.doctor import Verdict, files
from crisisdesk.errors import ConfigurationError, StorageError
from crisisdesk.privacy.files import closed
from crisisdesk.privacy.key import KeyFile
from crisisdesk.settings import load
from crisisdesk.settings.privacy import secret_files

DAY = timedelta(days=1)
DESK = '[desk]\nname = "acme"\n'
WATCH = '[[watch]]\nname = "Acme"\nterms = ["acme"]\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "crisisdesk.toml"
    file.write_text(text)
    return file


def test_without_a_word_posts_stay_a_month_and_words_two_years(tmp_path: Path):
    found = terms(load(written(tmp_path, DESK + WATCH)))
    assert (found.keeps("Acme"), found.evidence, found.pseudonyms) == (30 * DAY, 730 * DAY, False)


@pytest.mark.parametrize(
    ("text", "kept"), [("2 weeks", 14), ("60 days", 60), ("3 Monate", 90), ("1 year", 365), ("2 Jahre", 730)]
)
def test_each_watch_says_how_long_its_posts_stay(tmp_path: Path, text: str, kept: int):
    settings = load(written(tmp_path, f'{DESK}{WATCH}keep_posts = "{text}"\n[privacy]\npseudonyms = true\n'))
    assert terms(settings).keeps("Acme") == kept * DAY
    assert terms(settings).pseudonyms


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (f'{WATCH}keep_posts = "1 day"\n', ":6: 'keep_posts' in [[watch]] \"Acme\": '1 day' must be between 2 days"),
        (f"{WATCH}keep_posts = 30\n", "write it with its unit"),
        ('[privacy]\nkeep_evidence = "for ever"\n', "'for ever' is no length of time"),
        ("[privacy]\npseudonym = true\n", "pseudonyms"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, table: str, told: str):
    with pytest.raises(ConfigurationError) as refused:
        load(written(tmp_path, DESK + table))
    assert told in str(refused.value)


def test_files_with_secrets_are_found_wherever_they_are_named(tmp_path: Path):
    settings = load(
        written(
            tmp_path,
            f"{DESK}{WATCH}"
            '[server]\ntls_certificate = "desk.pem"\ntls_key = "desk.key"\n'
            '[[source]]\nkind = "mastodon"\nserver = "https://m.example"\ntoken_file = "m.token"\n'
            'streams = ["public"]\n'
            '[[output]]\nkind = "mqtt"\nhost = "127.0.0.1"\nusername = "desk"\npassword_file = "mqtt.secret"\n'
            '[[output]]\nkind = "notify"\nname = "push"\nurl_file = { "Anna Berg" = "anna.secret" }\n',
        )
    )
    assert {path.name for path in secret_files(settings)} == {"desk.key", "m.token", "mqtt.secret", "anna.secret"}


def test_the_doctor_names_what_others_can_read(tmp_path: Path):
    database, secret = tmp_path / "desk.db", tmp_path / "mqtt.secret"
    for path in (database, secret):
        path.write_text("hidden")
        path.chmod(0o600)
    assert files(database, [secret])[0] is Verdict.OK
    for path in (database, secret):
        path.chmod(0o604)
    verdict, said = files(database, [secret])
    assert verdict is Verdict.WARNING
    assert f"Others can read {database}" in said
    assert f"chmod 600 {secret}" in said
    assert "hidden" not in said
    KeyFile(database).needed()
    KeyFile(database).path.chmod(0o640)
    with pytest.raises(StorageError, match="chmod 600"):
        files(database, [])


def test_closing_what_is_closed_says_nothing(tmp_path: Path):
    database = tmp_path / "desk.db"
    assert closed(database) == ""
    database.touch(0o600)
    assert closed(database) == ""
    database.chmod(0o666)
    assert "now only their owner can" in closed(database)
    assert database.stat().st_mode & 0o777 == 0o600
