"""Posts in the bytes of one request or message."""

from datetime import UTC, datetime

import pytest

from crisisdesk.sources.bodies import MAX_BODY, MAX_POSTS, posts_in

NOW = datetime(2008, 11, 16, 12, 0, tzinfo=UTC)
POST = b'{"id": "7", "time": "2008-11-15T03:40:00Z", "text": "never again"}'
OTHER = b'{"id": "8", "time": "2008-11-15T03:41:00Z", "text": "me neither", "source": "forum"}'


def keys(body: bytes) -> list[str]:
    return [post.key for post in posts_in(body, "form", NOW).posts]


@pytest.mark.parametrize(
    "body",
    [
        b"[" + POST + b"," + OTHER + b"]",
        b"\xef\xbb\xbf [\n" + POST + b",\n" + OTHER + b"\n]\n",
        POST + b"\n" + OTHER,
        POST + b"\r\n\r\n" + OTHER + b"\r\n",
    ],
)
def test_an_array_and_lines_hold_several_posts(body):
    assert keys(body) == ["form:7", "forum:8"]
    assert posts_in(body, "form", NOW).bad == ()


def test_one_post_may_stand_over_several_lines():
    assert keys(POST.replace(b", ", b",\n  ")) == ["form:7"]


def test_a_bad_post_costs_the_others_nothing_and_is_named():
    found = posts_in(b"[" + POST + b', 5, {"text": "when?"}, ' + OTHER + b"]", "form", NOW)
    assert [post.id for post in found.posts] == ["7", "8"]
    (second, number), (third, undated) = found.bad
    assert (second, third) == (2, 3)
    assert number.startswith("is not a post; write each as an object")
    assert undated.startswith("time: is missing; write it like 2008-11-15T03:40:00Z")


def test_a_bad_line_is_named_by_its_number():
    found = posts_in(b"\n" + POST + b'\n{"time": \n' + OTHER, "form", NOW)
    assert [post.id for post in found.posts] == ["7", "8"]
    ((line, reason),) = found.bad
    assert line == 3
    assert reason.startswith("is not JSON (unexpected end of data, character ")


def test_one_broken_post_over_several_lines_is_one_complaint():
    ((number, reason),) = posts_in(b'{"time": "2008-11-15T03:40:00Z",\n"text": "x",\n}', "form", NOW).bad
    assert number == 0
    assert "trailing comma is not allowed, line 2, character 12" in reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is empty; send a post"),
        (b" \r\n ", "is empty; send a post"),
        (b"time=now&text=hello", "is not JSON"),
        (b"\xff\xfe\x00\x01", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"a":' * 100_000, "is not JSON"),
        (b" " * MAX_BODY + POST, "is larger than 1,048,576 bytes; send fewer posts at once"),
        (b"[" + b"0," * MAX_POSTS + b"0]", "holds more than 5,000 posts; send fewer at once"),
        (b"{}\n" * (MAX_POSTS + 1), "holds more than 5,000 posts; send fewer at once"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_read_at_all_says_why(body, reason):
    found = posts_in(body, "form", NOW)
    assert found.posts == ()
    ((number, told),) = found.bad
    assert number == 0
    assert told.startswith(reason)


def test_nothing_to_report_is_no_mistake():
    assert posts_in(b"[]", "form", NOW) == posts_in(b" [ ] ", "form", NOW)
    assert posts_in(b"[]", "form", NOW).bad == ()


def test_a_text_cut_within_an_emoji_is_read():
    (post,) = posts_in(POST.replace(b"again", b"again \\ud83d"), "form", NOW).posts
    assert post.text == "never again �"


def test_a_time_to_come_is_the_arrival():
    (post,) = posts_in(POST.replace(b"2008", b"2108"), "form", NOW).posts
    assert post.time == NOW


def test_what_comes_twice_without_an_id_is_one_post():
    nameless = POST.replace(b'"id": "7", ', b"")
    assert keys(nameless) == keys(b"[" + nameless + b"]")
