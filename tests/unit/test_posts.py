"""The shape of posts from outside (design 4b)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk.errors import InputError
from crisisdesk.records import Post
from crisisdesk.settings.columns import FIELDS
from crisisdesk.sources.posts import post_from

TIME = "2008-11-15T03:40:00Z"
AT = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)


def made(**fields: object) -> Post:
    return post_from({"time": TIME, "text": "my head hurts"} | fields, "file")


def test_all_fields_arrive():
    post = post_from(
        {
            "id": "x:1",
            "source": "x",
            "time": TIME,
            "text": "RT @a: not funny",
            "author": "anna",
            "lang": "EN",
            "url": "https://example.org/1",
            "reach": 1000,
            "repost": "x:0",
            "reply_to": "x:9",
            "tags": ["Motrin", "Pain relief"],
            "likes": 3,
        },
        "file",
    )
    assert post == Post(
        id="x:1",
        source="x",
        time=AT,
        text="RT @a: not funny",
        author="anna",
        lang="en",
        url="https://example.org/1",
        reach=1000,
        original="x:0",
        reply_to="x:9",
        tags=("Motrin", "Pain relief"),
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2008-11-15T03:40:00Z", AT),
        ("2008-11-15T03:40:00", AT),
        ("2008-11-15 03:40:00", AT),
        (" 2008-11-15 03:40 ", AT),
        ("2008-11-14t22:40:00-05:00", AT),
        ("2008-11-15 05:40:00 +0200", AT),
        ("2008-11-15 03:40:00 UTC", AT),
        ("2008-11-15T03:40:00.25z", AT.replace(microsecond=250_000)),
        ("2008-11-15T03:40:00.123456789Z", AT.replace(microsecond=123_456)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_times(written, meant):
    assert made(time=written).time == meant


@pytest.mark.parametrize(
    "written",
    ["2008-99-01", "2008-99-01T00:00:00Z", "yesterday", "2008-11-15", "20081115T034000Z", 1226720400, True, [],
     "2008-11-15T25:00:00Z", "2008-11-15T03:40:00+99:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
     "1969-12-31T23:59:59Z", "٢٠٠٨-11-15T03:40:00Z"],
)  # fmt: skip
def test_a_wrong_time_is_shown_with_its_cure(written):
    with pytest.raises(InputError, match=r"^time: '.*' .*; write it like 2008-11-15T03:40:00Z$") as caught:
        made(time=written)
    assert str(written) in str(caught.value)


@pytest.mark.parametrize("field", ["time", "text"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_time_and_text_are_required(field, nothing):
    with pytest.raises(InputError, match=rf"^{field}: is (missing|empty); "):
        made(**{field: nothing})


@pytest.mark.parametrize("text", [5, ["a"], {"a": 1}, True, "\u200b\x1b[2J\n"])
def test_what_is_no_text(text):
    with pytest.raises(InputError, match=r"^text: "):
        made(text=text)


def test_a_message_cannot_steer_the_terminal_that_shows_it():
    with pytest.raises(InputError) as caught:
        made(time="\x1b]52;c;aGk=\x07soon" + "x" * 5000)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_every_text_is_cleaned():
    dirty = "a\x1b[31mb\u202ec"
    post = made(
        text=dirty, author=dirty, id=dirty, source=dirty, lang=dirty, reply_to=dirty, repost=dirty, tags=[dirty]
    )
    assert {post.text, post.author, post.id, post.source, post.reply_to, post.original, *post.tags} == {"abc"}
    assert post.lang is None


def test_null_and_empty_count_as_missing():
    assert made(**dict.fromkeys(FIELDS[4:], None)) == made() == made(**dict.fromkeys(FIELDS[4:], ""))
    assert made(id=None, source=None) == made()
    assert made().source == "file"


@pytest.mark.parametrize(
    ("repost", "original"),
    [(True, ""), ("true", ""), ("TRUE", ""), ("1", ""), (1, ""), (False, None),
     ("false", None), (0, None), (None, None),
     ("x:7", "x:7"), (418157151946035200, "418157151946035200")],
)  # fmt: skip
def test_reposts(repost, original):
    assert made(repost=repost).original == original


@pytest.mark.parametrize(
    ("reach", "people"),
    [(7, 7), ("7", 7), (7.0, 7), ("1.000", 1000), ("100,000", 100_000), ("1234.0", 1234),
     (-1, 0), ("-1", 0), ("many", 0), (True, 0), (float("inf"), 0), (float("nan"), 0),
     ([], 0), (10**30, 10**11), ("²", 0)],
)  # fmt: skip
def test_a_reach_that_is_none_does_not_cost_the_post(reach, people):
    assert made(reach=reach).reach == people


@pytest.mark.parametrize(
    ("tags", "names"),
    [(["A", "B", "A"], ("A", "B")), ("A, B;C|D", ("A", "B", "C", "D")), ('["A, B"]', ("A, B",)), ("[A", ()),
     ([1, None, "A"], ("1", "A")),
     ({"A": 1}, ()), ("", ())],
)  # fmt: skip
def test_tags(tags, names):
    assert made(tags=tags).tags == names


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "https://", "ftp://a", "motrin.com", 5])
def test_only_links_to_the_web_are_kept(url):
    assert made(url=url).url is None


def test_language_unknown_to_the_network_is_unknown_here():
    assert made(lang="und").lang is None


def test_a_missing_id_is_stable_and_keeps_equal_lines_apart():
    fields = {"time": TIME, "text": "ouch"}
    first, again = post_from(fields, "file", line=1), post_from(fields, "file", line=1)
    assert first.id == again.id
    assert post_from(fields, "file", line=2).id != first.id
    assert post_from(fields, "hook").id == post_from(fields, "hook").id
    assert post_from(fields | {"author": "b"}, "hook").id != post_from(fields, "hook").id


def test_nothing_is_posted_later_than_it_came():
    arrival = datetime(2008, 11, 15, 3, 0, tzinfo=UTC)
    assert post_from({"time": TIME, "text": "a"}, "hook", arrival).time == arrival
    assert post_from({"time": TIME, "text": "a"}, "hook", datetime(2009, 1, 1, tzinfo=UTC)).time == AT


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), ANYTHING), st.sampled_from([None, TIME]))
def test_whatever_comes_is_a_post_or_bad_input(fields, time):
    try:
        post = post_from(fields | ({"time": time, "text": "a"} if time else {}), "file", line=1)
    except InputError as error:
        assert str(error).startswith(("time: ", "text: "))  # noqa: PT017
    else:
        assert post.text
        assert post.id
        assert post.time.tzinfo is UTC
        assert 0 <= post.reach <= 10**11
