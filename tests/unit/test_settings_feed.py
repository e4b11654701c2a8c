"""[[source]] kind = "feed": what can be set, and what is said of mistakes."""
# ruff: noqa: E501  (messages stand here as people see them, in one line)

from datetime import timedelta
from pathlib import Path

import pytest

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings import FeedSource, load

DESK = '[desk]\nname = "acme"\n[[source]]\nkind = "feed"\n'
URL = 'url = "https://a.example/feed"\n'


def source(tmp_path: Path, more: str) -> FeedSource:
    path = tmp_path / "crisisdesk.toml"
    path.write_text(f"{DESK}{more}\n", encoding="utf-8")
    (only,) = load(path).sources
    assert isinstance(only, FeedSource)
    return only


def told(tmp_path: Path, more: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        source(tmp_path, more)
    return str(caught.value).replace(f"{tmp_path}/crisisdesk.toml:", "")


def test_the_smallest_one(tmp_path):
    found = source(tmp_path, URL)
    assert (found.url, found.name, found.every) == (("https://a.example/feed",), "feed", timedelta(minutes=10))
    assert (found.user_agent, found.authorization({})) == (None, "")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"10 minutes"', 600),
        ('"1 minute"', 60),
        ('"every 2 hours"', 7200),
        ('"hour"', 3600),
        ('"90 s"', 90),
        ('"1.5 h"', 5400),
        ('"1 day"', 86_400),
        ('"alle 15 Minuten"', 900),
        ("300", 300),
        ("90.5", 90.5),
    ],
)
def test_how_often_as_people_say_it(tmp_path, written, meant):
    assert source(tmp_path, f"{URL}every = {written}").every == timedelta(seconds=meant)


def test_a_password_is_looked_up(tmp_path):
    found = source(tmp_path, URL + 'username = "jörg"\npassword_env = "FEED_PASSWORD"')
    assert found.authorization({"FEED_PASSWORD": "geheim"}) == "Basic asO2cmc6Z2VoZWlt"
    with pytest.raises(ConfigurationError, match="the environment has no FEED_PASSWORD; set it"):
        found.authorization({})


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ("", '3: [[source]] "feed" has no \'url\'; add url = "https://example.org/feed"'),
        ("url = 7", '5: \'url\' in [[source]] "feed" must be an address in quotes such as "https://example.org/feed", or a list of them in brackets'),
        ("url = []", '5: \'url\' in [[source]] "feed" must be an address in quotes such as "https://example.org/feed", or a list of them in brackets'),
        ('url = "a.example/feed"', "5: 'url' in [[source]] \"feed\": 'a.example/feed' is no address of a feed; write it like \"https://example.org/feed\""),
        ('url = "feed://a.example/"', "5: 'url' in [[source]] \"feed\": 'feed://a.example/' is no address of a feed; write it like \"https://example.org/feed\""),
        ('url = "https://[a/"', "5: 'url' in [[source]] \"feed\": 'https://[a/' is no address"),
        ('url = "https://a/?q=pain reliever"', "5: 'url' in [[source]] \"feed\": 'https://a/?q=pain reliever' holds blanks; write them as %20"),
        ('url = "https://me:secret@a/"', "5: 'url' in [[source]] \"feed\": 'https://…@a/' holds a name or a password; write 'username' and 'password_env' instead"),
        ('url = "https://me:s@cr@t@a/"', "5: 'url' in [[source]] \"feed\": 'https://…@a/' holds a name or a password; write 'username' and 'password_env' instead"),
        ('url = "https://me:s/cret@a/"', "5: 'url' in [[source]] \"feed\": 'https://…@a/' is no address"),
        ('url = "ftp://a.example/feed/@user"', "5: 'url' in [[source]] \"feed\": 'ftp://a.example/feed/@user' is no address of a feed; write it like \"https://example.org/feed\""),
        ('url = ["https://a/", "https://a/"]', "5: 'url' in [[source]] \"feed\" names 'https://a/' twice; take one out"),
        (URL + 'every = "30 s"', "6: 'every' in [[source]] \"feed\": '30 s' is not between a minute and a day: servers shut out those who ask too often"),
        (URL + "every = nan", "6: 'every' in [[source]] \"feed\": 'nan' is not between a minute and a day: servers shut out those who ask too often"),
        (URL + 'every = "often"', "6: 'every' in [[source]] \"feed\": 'often' does not say how often; write it like \"10 minutes\""),
        (URL + "every = true", "6: 'every' in [[source]] \"feed\" must be a time in quotes or a number of seconds; write it like \"10 minutes\""),
        (URL + 'user_agent = "a\\nb"', '6: \'user_agent\' in [[source]] "feed" must be printable, without accents, like "linux:acme-desk:1.0 (by /u/yourname)"'),
        (URL + 'username = "a"', "3: [[source]] \"feed\" has a 'username' but no 'password_env'; add it"),
        (URL + 'password_env = "A"', "3: [[source]] \"feed\" has a password but no 'username'; add it"),
        (URL + 'password = "A"', "6: unknown key 'password' in [[source]] \"feed\"; name its place with 'password_env' or 'password_file' instead"),
        (URL + 'ervery = "1 h"', "6: unknown key 'ervery' in [[source]] \"feed\"; did you mean 'every'?"),
        ('url = ["https://a/", "https://b/"]\nusername = "x"\npassword_env = "A"', "3: [[source]] \"feed\" would tell its password to several servers; write a [[source]] for each, with a 'name' of its own"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_line_and_its_cure(tmp_path, more, what):
    assert told(tmp_path, more).split("\n")[0] == what


def test_too_many_feeds(tmp_path):
    urls = ", ".join(f'"https://a.example/{number}"' for number in range(201))
    assert told(tmp_path, f"url = [{urls}]").endswith(
        "names more than 200 feeds; share them out among several [[source]]"
    )
