"""[[source]] kind = "x": what may stand there, and what is said of what may not."""

from pathlib import Path

import pytest

from crisisdesk.cli import configured
from crisisdesk.clock import WallClock
from crisisdesk.errors import ConfigurationError
from crisisdesk.settings import XSource, load
from crisisdesk.sources.base import Foreseeing, Recalling
from crisisdesk.sources.x.source import X

DESK = '[desk]\nname = "acme"\n[[watch]]\nname = "Motrin"\nterms = ["motrin"]\naccounts = ["@Motrin@x.com"]\n'
SOURCE = '[[source]]\nkind = "x"\n'
TOKEN = 'token_env = "X_TOKEN"\n'  # noqa: S105


@pytest.fixture
def read(tmp_path: Path):
    def loaded(text: str) -> XSource:
        path = tmp_path / "crisisdesk.toml"
        path.write_text(DESK + SOURCE + text, encoding="utf-8")
        (source,) = load(path).sources
        assert isinstance(source, XSource)
        return source

    return loaded


def test_a_token_is_enough(read):
    source = read(TOKEN)
    assert (source.name, source.url, source.reposts, source.authors) == ("x", "https://api.x.com", False, True)
    assert (source.fill_gaps, source.history_hours, source.most_a_month) == (True, 0, None)
    assert (source.price_per_post, source.price_per_author) == (0.005, 0.01)
    assert source.token({"X_TOKEN": " secret\n"}) == "secret"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has neither 'token_env' nor 'token_file'; X answers only to apps: make one at https://console.x.com"),
        (TOKEN + 'token_file = "x"', "has both 'token_env' and 'token_file'"),
        (TOKEN + 'tokn_env = "x"', ":10: unknown key 'tokn_env' in [[source]] \"x\"; did you mean 'token_env'?"),
        (
            'token = "secret"',
            "unknown key 'token' in [[source]] \"x\"; name its place with 'token_env' or 'token_file'",
        ),
        (TOKEN + 'url = "http://api.x.com"', "must begin with https://, since the token goes there"),
        (TOKEN + 'url = "api.x.com"', "'api.x.com' is no address of a server; write it like \"https://api.x.com\""),
        (TOKEN + "most_a_month = 0", "'most_a_month'"),
        (TOKEN + "history_hours = 200", "'history_hours'"),
        (TOKEN + "backfill_minutes = 6", "'backfill_minutes'"),
        (TOKEN + "price_per_post = -1", "'price_per_post'"),
        (TOKEN + 'reposts = "yes"', "'reposts'"),
    ],
)
def test_a_mistake_is_told_with_its_cure(read, text, problem):
    with pytest.raises(ConfigurationError) as told:
        read(text)
    assert problem in str(told.value)


def test_the_source_looks_for_what_the_watches_do(read, tmp_path, monkeypatch):
    read(TOKEN + "history_hours = 24\nmost_a_month = 100")
    monkeypatch.setenv("X_TOKEN", "secret")
    (source,) = configured.sources(load(tmp_path / "crisisdesk.toml"), WallClock())
    assert isinstance(source, X)
    assert isinstance(source, Recalling)
    assert isinstance(source, Foreseeing)
    values = [rule.value for rule in source._rulebook.wanted]
    assert values == ["(motrin OR #motrin OR @motrin OR from:motrin) -is:retweet"]
    assert "secret" not in repr(source.status())


def test_without_authors_nobody_is_looked_for_by_name(read, tmp_path, monkeypatch):
    read(TOKEN + "authors = false")
    monkeypatch.setenv("X_TOKEN", "secret")
    (source,) = configured.sources(load(tmp_path / "crisisdesk.toml"), WallClock())
    assert isinstance(source, X)
    assert "from:" not in source._rulebook.wanted[0].value


def test_an_account_without_a_network_is_explained(read):
    with pytest.raises(ConfigurationError, match=r'for X "@motrin@x\.com"'):
        read(TOKEN + '[[watch]]\nname = "B"\nterms = ["b"]\naccounts = ["@motrin"]')
