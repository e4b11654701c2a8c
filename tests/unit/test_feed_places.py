"""How far feeds were read, as it is kept."""

import pytest

from crisisdesk.settings.feed import MOST_FEEDS
from crisisdesk.sources.feed.document import MAX_ENTRIES
from crisisdesk.sources.feed.entry import Entry
from crisisdesk.sources.feed.place import MAX_CURSOR, FeedPlace, cursor_of, parse_cursor

URL = "https://a.example/feed?key=5ecret"


def entry(number: int, text: str = "words") -> Entry:
    return Entry(f"urn:{number}", text)


def read(*entries: Entry, place: FeedPlace | None = None, moved: str = "") -> FeedPlace:
    return (place or FeedPlace()).after(entries, etag='"1"', modified="Mon", moved=moved)


def test_what_was_read_is_known_and_so_is_how_it_read():
    place = read(entry(1), entry(2))
    assert place.knows(entry(1, "other"))
    assert place.has_changed(entry(1, "other"))
    assert not place.has_changed(entry(1))
    assert not place.knows(entry(3))


def test_what_says_the_same_at_the_same_time_is_known_whatever_its_id():
    place = read(Entry("urn:1", "words", "anna", published=5), Entry("urn:2", "Re: Motrin"))
    assert place.knows(Entry("urn:3", "words", "anna", published=5))
    assert not place.has_changed(Entry("urn:3", "words", "anna", published=5))
    assert not place.knows(Entry("urn:3", "words", "anna", published=6))
    assert not place.knows(Entry("urn:3", "words", "ben", published=5))
    assert not place.knows(Entry("urn:3", "Re: Motrin")), "without a date, many say the same"


def test_a_cursor_brings_it_all_back_and_tells_no_address():
    places = {URL: read(entry(1), entry(2), moved="https://b.example/"), "https://c.example/": FeedPlace()}
    cursor = cursor_of(places)
    assert parse_cursor(cursor, places) == {URL: places[URL]}
    assert "5ecret" not in cursor


def test_a_feed_that_is_set_to_where_it_moved_keeps_its_place():
    old = read(entry(1), moved="https://b.example/")
    found = parse_cursor(cursor_of({URL: old}), ["https://b.example/"])["https://b.example/"]
    assert found.knows(entry(1))
    assert found.moved == ""


def test_of_the_entries_those_seen_last_are_kept():
    place = read(*(entry(number) for number in range(MAX_ENTRIES)))
    place = read(entry(0), *(entry(number) for number in range(1_000, 1_010)), place=place)
    assert len(place.known) == MAX_ENTRIES
    assert place.knows(entry(0))
    assert not place.knows(entry(1))


def test_a_cursor_is_no_larger_than_it_may_be():
    place = FeedPlace().after((entry(n) for n in range(2_000)), etag="x" * 500, modified="x" * 500, moved="x" * 2_000)
    size = len(cursor_of({f"https://a.example/{number}": place for number in range(MOST_FEEDS)}))
    assert size < MAX_CURSOR * 2 / 3


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "null",
        "[]",
        "{",
        '{"a": 5}',
        '{"a": {}}',
        '{"a": {"known": "", "etag": "", "modified": "", "moved": 5}}',
        '{"a": {"known": "ü", "etag": "", "modified": "", "moved": ""}}',
        '{"a": {"known": "0RR9", "etag": "", "modified": "", "moved": ""}}',
        '{"a": {"known": "", "etag": "a\\r\\nb", "modified": "", "moved": ""}}',
        '{"a": {"known": "", "etag": "", "modified": "", "moved": "http://[a"}}',
        f'{{"a": {{"known": "{"0" * 7_000}", "etag": "", "modified": "", "moved": ""}}}}',
        '{"a": ' + "[" * 5_000,
        "x" * (MAX_CURSOR + 1),
    ],
)
def test_a_damaged_cursor_is_told(damage):
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        parse_cursor(damage, [URL])
