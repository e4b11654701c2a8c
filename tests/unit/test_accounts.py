"""The brand's own accounts, as they are written in the configuration."""

from pathlib import Path

import pytest

from crisisdesk import settings
from crisisdesk.cli.configured import rules
from crisisdesk.errors import ConfigurationError

FILE = '[desk]\nname = "acme"\n[[watch]]\nname = "Acme"\nterms = ["acme"]\naccounts = [{}]\n'


def load(folder: Path, accounts: str) -> settings.Settings:
    path = folder / "crisisdesk.toml"
    path.write_text(FILE.format(accounts), encoding="utf-8")
    return settings.load(path)


def test_they_are_known_as_posts_name_their_authors(tmp_path: Path):
    configured = load(tmp_path, '"did:plc:abc123", "@Acme@Social.example", "acme_press"')
    (rule,) = rules(configured)
    assert rule.accounts == ("did:plc:abc123", "acme@social.example", "acme_press")


def test_nobody_need_name_any(tmp_path: Path):
    (rule,) = rules(load(tmp_path, ""))
    assert rule.accounts == ()


@pytest.mark.parametrize(
    ("account", "cure"),
    [
        ("", "did:plc:…"),
        ("@", "did:plc:…"),
        ("the press office", "did:plc:…"),
        ("https://bsky.app/profile/acme", "did:plc:…"),
        ("@acme.bsky.social", "resolveHandle?handle=acme.bsky.social"),
    ],
)
def test_what_is_no_account_names_line_and_cure(tmp_path: Path, account: str, cure: str):
    with pytest.raises(ConfigurationError) as problem:
        load(tmp_path, f'"{account}"')
    assert "crisisdesk.toml:6" in str(problem.value)
    assert cure in str(problem.value)
