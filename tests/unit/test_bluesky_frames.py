"""Jetstream frames become posts, or are bad, and never fail otherwise."""

import copy
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk.errors import InputError
from crisisdesk.records import Post
from crisisdesk.sources.frames import created_in

ARRIVAL = datetime(2026, 5, 25, 14, 30, tzinfo=UTC)
EVENT = {
    "did": "did:plc:aaaa1111",
    "time_us": 1779719009157119,
    "kind": "commit",
    "commit": {
        "rev": "3mmoojpaqkn2z",
        "operation": "create",
        "collection": "app.bsky.feed.post",
        "rkey": "3mmoojp4cd223",
        "record": {
            "$type": "app.bsky.feed.post",
            "createdAt": "1999-05-25T14:23:28.757Z",
            "langs": ["EN", "en-GB"],
            "reply": {
                "parent": {"cid": "bafy1", "uri": "at://did:plc:bbbb/app.bsky.feed.post/3mm1"},
                "root": {"cid": "bafy2", "uri": "at://did:plc:cccc/app.bsky.feed.post/3mm0"},
            },
            "text": "my head\u202e hurts,\nbadly",
        },
        "cid": "bafy3",
    },
    "cursor": 12345,
}

DELETE = (
    b'{"did":"did:plc:a","time_us":1779719009157119,"kind":"commit",'
    b'"commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":"3"}}'
)


def changed(*path: str, to: object) -> bytes:
    event = copy.deepcopy(EVENT)
    inner = event
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = to
    return orjson.dumps(event)


def test_a_created_post():
    created = created_in(orjson.dumps(EVENT), ARRIVAL)
    assert created is not None
    assert created.time_us == 1779719009157119
    assert created.post == Post(
        id="at://did:plc:aaaa1111/app.bsky.feed.post/3mmoojp4cd223",
        source="bluesky",
        time=datetime(2026, 5, 25, 14, 23, 29, 157119, tzinfo=UTC),
        text="my head hurts, badly",
        author="did:plc:aaaa1111",
        lang="en",
        url="https://bsky.app/profile/did:plc:aaaa1111/post/3mmoojp4cd223",
        reply_to="at://did:plc:bbbb/app.bsky.feed.post/3mm1",
    )


def test_a_time_after_the_arrival_is_not_believed():
    created = created_in(changed("time_us", to=1879719009157119), ARRIVAL)
    assert created is not None
    assert created.post.time == ARRIVAL


@pytest.mark.parametrize(
    "record",
    [{"text": "a"}, {"text": "a", "langs": None, "reply": None}, {"text": "a", "langs": [], "reply": {}},
     {"text": "a", "langs": [5], "reply": {"parent": {}}}, {"text": "a", "langs": "en", "reply": {"parent": None}}],
)  # fmt: skip
def test_ornaments_may_be_missing_or_broken(record):
    created = created_in(changed("commit", "record", to=record), ARRIVAL)
    assert created is not None
    assert (created.post.text, created.post.lang, created.post.reply_to) == ("a", None, None)


@pytest.mark.parametrize(
    "frame",
    [
        b'{"did":"did:plc:a","time_us":1779719009157119,"kind":"identity","identity":{"did":"did:plc:a","seq":1,"time":"x"}}',
        b'{"did":"did:plc:a","time_us":1779719009157119,"kind":"account","account":{"active":false,"did":"did:plc:a","seq":2}}',
        DELETE,
        changed("commit", "operation", to="update"),
        changed("commit", "collection", to="app.bsky.feed.like"),
        b'{"kind":"account","note":"\\"create\\" \\"app.bsky.feed.post\\""}',
    ],
)
def test_other_events_are_nothing(frame):
    assert created_in(frame, ARRIVAL) is None


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"null",
        b'{"did":"did:plc:a","ti',
        b'{"commit" ' + orjson.dumps(EVENT)[1:],
        orjson.dumps(EVENT).replace(b"hurts", b"h\xff"),
        changed("commit", "record", to=None),
        changed("commit", "record", to={}),
        changed("commit", "record", "text", to=5),
        changed("commit", "rkey", to=None),
        changed("did", to=[]),
        changed("time_us", to="soon"),
        changed("time_us", to=0),
        changed("time_us", to=10**18),
    ],
)
def test_bad_frames_say_why(frame):
    with pytest.raises(InputError, match=r"^a frame is not "):
        created_in(frame, ARRIVAL)


@settings(deadline=None)
@given(st.data())
def test_mutated_frames_are_posts_nothing_or_bad(data):
    frame = bytearray(orjson.dumps(EVENT))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(frame) - 1))
        frame[at : at + data.draw(st.integers(0, 30))] = data.draw(
            st.sampled_from([b"", b"0", b"null", b'"', b"{}", b"[", b"\xff"])
        )
        if not frame:
            break
    try:
        created = created_in(bytes(frame), ARRIVAL)
    except InputError:
        return
    assert created is None or created.post.time <= ARRIVAL
