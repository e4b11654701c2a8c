"""How politely feeds are asked, and to whom a password is told."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from yarl import URL

from crisisdesk.sources.feed.answer import Astray
from crisisdesk.sources.feed.pace import LONGEST, PATIENCE, until_next
from crisisdesk.sources.feed.request import Question, _headers, _target
from crisisdesk.sources.feed.trouble import shown

MONDAY = datetime(2026, 5, 25, 14, 30, tzinfo=UTC)
TEN = timedelta(minutes=10)


def until(*wishes: object) -> timedelta:
    return timedelta(seconds=until_next(MONDAY, TEN, *wishes))


def test_feeds_that_were_read_together_are_not_read_together_again():
    waits = {until() for _ in range(100)}
    assert len(waits) > 90
    assert all(TEN <= wait <= TEN * 1.1 for wait in waits)


@pytest.mark.parametrize(
    ("patience", "hours", "days", "earliest"),
    [
        (1_800.0, (), (), timedelta(minutes=30)),
        (86_400.0, (), (), PATIENCE),
        (0.0, (14, 15, 16), (), timedelta(hours=2, minutes=30)),
        (0.0, range(24), range(7), LONGEST),
        (0.0, (), (0,), timedelta(hours=9, minutes=30)),
    ],
)
def test_a_feed_is_read_when_it_may_have_something_new(patience, hours, days, earliest):
    for _ in range(50):
        assert earliest <= until(patience, hours, days) <= max(earliest * 1.1, earliest + TEN)


@pytest.mark.parametrize(
    ("address", "is_told"),
    [
        ("http://a.example/feed", True),
        ("http://a.example/other", True),
        ("https://a.example/feed", True),
        ("http://a.example:8080/feed", False),
        ("http://b.example/feed", False),
        ("https://a.example.evil.example/", False),
    ],
)
def test_a_password_is_told_to_its_own_server_only(address, is_told):
    question = Question(URL("http://a.example/feed"), URL("http://a.example/feed"), authorization="Basic eDp5")
    assert ("Authorization" in _headers(question, URL(address))) is is_told


def test_a_password_is_never_told_in_the_open():
    question = Question(URL("https://a.example/feed"), URL("https://a.example/feed"), authorization="Basic eDp5")
    assert "Authorization" not in _headers(question, URL("http://a.example/feed"))


def redirect(here: str, location: str) -> URL:
    return _target(SimpleNamespace(url=URL(here), headers={"Location": location}))


def test_a_redirect_is_followed_without_names_and_marks():
    assert redirect("http://a.example/x/y", "../z#top") == URL("http://a.example/z")
    assert redirect("http://a.example/", "https://me:secret@b.example/") == URL("https://b.example/")


def test_nobody_sends_us_from_https_to_http():
    with pytest.raises(Astray, match=r"from https to http \(b\.example\), where anybody could answer"):
        redirect("https://a.example/", "http://b.example/")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.example/", "a.example"),
        ("https://a.example:8443/feed.xml?token=5ecret", "a.example:8443/feed.xml"),
        (
            "https://www.reddit.com/search.rss?feed=5ecret&user=me&q=pain%20reliever",
            "www.reddit.com/search.rss?q=pain reliever",
        ),
        ("https://a.example/%1b%5b2J%e2%80%ae", "a.example/"),
    ],
)
def test_addresses_are_shown_without_keys_and_tricks(address, name):
    assert shown(URL(address)) == name
