"""What a webhook reads of a body, whatever somebody has posted."""

import gzip
from datetime import UTC, datetime, timedelta

import pytest
from fuzz_webhook import fuzz

from crisisdesk.net.rate import Rate
from crisisdesk.sources.webhook import posted
from crisisdesk.sources.webhook.posted import Reader, check_form
from crisisdesk.sources.webhook.refusals import Refusals, Refused
from crisisdesk.sources.webhook.signature import Head

NOW = datetime(2026, 5, 25, 14, 2, tzinfo=UTC)
FORM = Head("application/x-www-form-urlencoded; charset=utf-8")


def form(content: bytes, reader: Reader | None = None, now: datetime = NOW):
    return (reader or Reader("suite", 10_000)).read(FORM, content, now)


def test_broken_bodies():
    found = fuzz(8_000, seed=3)
    assert min(found["with posts"], found["without"], found["refused"]) > 50, "all ways out are taken"


def test_the_fields_of_a_form_are_those_of_a_post():
    (post,) = form(
        b"id=5&source=kiosk&time=2026-05-25T12%3A00&text=na+ja&author=%C3%84nne&lang=de&url=https%3A%2F%2Fa.example%2F"
        b"&reach=12&repost=true&reply_to=4&tags=Acme%2C+Motrin&colour=red"
    ).posts
    assert post.key == "kiosk:5"
    assert post.time == datetime(2026, 5, 25, 12, 0, tzinfo=UTC), "without a zone it is UTC"
    assert (post.author, post.reach, post.original, post.tags) == ("Änne", 12, "", ("Acme", "Motrin"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "text: is missing"),
        (b"text=&author=anna", "text: is missing"),
        (b"text=x&time=tomorrow", "time: 'tomorrow' is not a date with a time of day"),
        (b"text=%00%1b", "text: is empty"),
        (b"&".join([b"a=b"] * 201), "has more than 200 fields; a form is one post"),
    ],
)
def test_a_form_that_is_no_post_says_why(content, reason):
    ((_, told),) = form(content).bad
    assert told.startswith(reason)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"text=caf%E9+%93so%94", "café “so”"),  # as pages in Windows-1252 send it
        (b"text=caf\xe9", "café"),
        ("text=café".encode(), "café"),
        (b"text=caf%C3%A9+%F0%9F", "café �"),  # UTF-8 that was cut within an emoji
        (b"text=%81%8d", "��"),
    ],
)
def test_a_form_is_read_in_the_letters_in_which_it_was_written(content, text):
    assert form(content).posts[0].text == text


def test_the_same_words_by_the_same_person_are_a_second_post_after_ten_minutes():
    reader = Reader("suite", 10_000)

    def key(content: bytes, minutes: float) -> str:
        return form(content, reader, NOW + timedelta(minutes=minutes)).posts[0].key

    assert key(b"text=bad", 0) == key(b"text=bad", 9) == key(b"text=bad&button=send", 10)
    assert key(b"text=bad", 0) != key(b"text=bad", 11)
    assert key(b"text=bad", 11) != key(b"text=bad&author=anna", 11)


def test_a_form_that_is_sent_again_by_one_whose_clock_is_behind_is_the_same_post():
    reader = Reader("suite", 10_000)
    keys = {reader.read(FORM, b"text=bad", NOW, NOW - timedelta(seconds=late)).posts[0].key for late in (0, 20)}
    assert len(keys) == 1


def test_forms_are_remembered_in_bounds(monkeypatch):
    monkeypatch.setattr(posted, "MAX_REPEATED", 10)
    reader = Reader("suite", 10_000)
    for number in range(100):
        form(b"text=%d" % number, reader)
    assert len(reader._first) == 10


def test_a_clock_that_is_set_back_does_no_harm():
    reader = Reader("suite", 10_000)
    form(b"text=bad", reader)
    (post,) = form(b"text=bad", reader, NOW - timedelta(hours=1)).posts
    assert post.time == NOW - timedelta(hours=1)


def test_a_packed_body_may_be_as_large_as_an_unpacked_one_and_no_larger():
    text = b'{"time": "2026-05-25T12:00:00Z", "text": "' + b"x" * 955 + b'"}'
    assert len(text) == 999
    head = Head("application/json", "gzip")
    assert Reader("suite", 999).read(head, gzip.compress(text), NOW).posts
    with pytest.raises(Refused, match="more than 998 bytes unpacked"):
        Reader("suite", 998).read(head, gzip.compress(text), NOW)


@pytest.mark.parametrize(
    "kind", ["", "application/json", "application/vnd.suite+json; v=2", "text/plain", "Application/JSON"]
)
def test_kinds_of_content_that_are_read(kind):
    check_form(Head(kind))


def test_a_kind_of_content_is_never_repeated_as_it_came():
    with pytest.raises(Refused) as caught:
        check_form(Head("text/\x1b]52;c;aGk=\x07" + "x" * 1_000))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 250


def test_a_rate_holds_in_the_long_run_and_lets_a_minute_come_at_once():
    rate = Rate(60)
    assert [rate.wait(NOW) for _ in range(60)] == [0.0] * 60
    assert rate.wait(NOW) == 1.0
    assert rate.wait(NOW + timedelta(seconds=1)) == 0.0
    assert rate.wait(NOW - timedelta(hours=1)) > 0, "a clock that is set back gives nothing"
    assert sum(rate.wait(NOW + timedelta(hours=1)) == 0.0 for _ in range(100)) == 60


def test_refusals_are_told_by_kind_roughly_and_for_an_hour():
    refusals = Refusals("/ingest/suite")
    assert refusals.told(NOW) == ""
    for minute in range(30):
        refusals.note("twice a day", f"cure {minute}", NOW + timedelta(minutes=minute))
    told = refusals.told(NOW + timedelta(minutes=30))
    assert told == "somebody posts to /ingest/suite twice a day (30 times or more since 14:02 UTC); cure 0"
    refusals.note("once", "no cure", NOW + timedelta(minutes=40))
    assert "once or twice since 14:42 UTC" in refusals.told(NOW + timedelta(minutes=41))
    assert refusals.told(NOW + timedelta(hours=2)) == ""
    refusals.note("twice a day", "cure", NOW + timedelta(hours=2))
    assert "(once or twice since 16:02 UTC)" in refusals.told(NOW + timedelta(hours=2))
