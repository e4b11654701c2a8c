"""What Jetstream sends becomes events and posts, or is bad, and never fails otherwise."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from jetstreams import POSTS, account, commit, delete, error, identity, info, post, v1, v2
from mutations import judged
from yarl import URL

from crisisdesk.errors import InputError
from crisisdesk.records import Post
from crisisdesk.sources.bluesky.frames import NOTHING, StreamError, dialect_of, number_of, read, time_of
from crisisdesk.sources.bluesky.place import Place
from crisisdesk.sources.bluesky.posts import post_of, subject_of, uri_of, words_of

ARRIVAL = datetime(2026, 5, 25, 14, 30, tzinfo=UTC)
EVENT: dict[str, Any] = {
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
BOTH = pytest.mark.parametrize("frame", [v1, v2], ids=["v1", "v2"])


def changed(*path: str, to: object) -> dict[str, Any]:
    event = copy.deepcopy(EVENT)
    inner = event
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = to
    return event


def post_in(frame: str) -> Post:
    event = read(frame.encode())
    return post_of(event, words_of(event[1]["record"]), ARRIVAL)


@BOTH
def test_a_created_post(frame):
    who, what = read(frame(EVENT).encode())
    assert (what["operation"], what["collection"]) == ("create", POSTS)
    assert time_of(who) == 1779719009157119
    assert number_of(who) == (0 if frame is v1 else 1009)
    assert post_in(frame(EVENT)) == Post(
        id="at://did:plc:aaaa1111/app.bsky.feed.post/3mmoojp4cd223",
        source="bluesky",
        time=datetime(2026, 5, 25, 14, 23, 29, 157119, tzinfo=UTC),
        text="my head hurts, badly",
        author="did:plc:aaaa1111",
        lang="en",
        url="https://bsky.app/profile/did:plc:aaaa1111/post/3mmoojp4cd223",
        reply_to="at://did:plc:bbbb/app.bsky.feed.post/3mm1",
    )


@BOTH
def test_a_time_after_the_arrival_is_not_believed(frame):
    assert post_in(frame(changed("time_us", to=1879719009157119))).time == ARRIVAL


@pytest.mark.parametrize(
    ("event", "time_us"),
    [
        ({"time_us": 1779719009157119}, 1779719009157119),
        ({"time_us": 0}, 0),
        ({"time_us": -1}, 0),
        ({"time_us": 10**18}, 0),
        ({"time_us": "soon"}, 0),
        ({"time_us": 1.7e15}, 0),
        ({"time": "2026-05-25T14:23:29.157119Z"}, 1779719009157119),
        ({"time": "1970-01-01T00:00:00Z", "witnessedAt": "2026-05-25T14:23:29.157119Z"}, 1779719009157119),
        ({"time": "2026-05-25T14:23:29.157119"}, 1779719009157119),
        ({"time": "1970-01-01T00:00:00Z"}, 0),
        ({"time": "yesterday"}, 0),
        ({"time": 5}, 0),
        ({}, 0),
    ],
)
def test_times_that_cannot_be_are_none(event, time_us):
    assert time_of(event) == time_us


@pytest.mark.parametrize("number", [0, -1, 10**15, "7", 7.5, True, None, []])
def test_numbers_that_cannot_be_are_none(number):
    assert number_of({"seq": number}) == 0


@pytest.mark.parametrize(
    "record",
    [{"text": "a"}, {"text": "a", "langs": None, "reply": None}, {"text": "a", "langs": [], "reply": {}},
     {"text": "a", "langs": [5], "reply": {"parent": {}}}, {"text": "a", "langs": "en", "reply": {"parent": None}},
     {"text": "a", "langs": ["en", "de"], "reply": {"parent": {"uri": "no address\n"}}},
     {"text": "a", "tags": None, "reply": []}, {"text": "a", "tags": [5, "", "\u200b", {}]}],
)  # fmt: skip
def test_ornaments_may_be_missing_or_broken(record):
    found = post_in(v1(changed("commit", "record", to=record)))
    assert (found.text, found.lang, found.reply_to) == ("a", None, None)


@pytest.mark.parametrize(
    ("text", "tags", "said"),
    [
        ("my head", ["MotrinMoms"], "my head #MotrinMoms"),
        ("my head #motrinmoms", ["MotrinMoms", "pain"], "my head #motrinmoms #pain"),
        ("", ["#pain"], "#pain"),
        ("no #painkiller, #Pain!", ["pain", "kill"], "no #painkiller, #Pain! #kill"),
        ("no #painkiller", ["pain"], "no #painkiller #pain"),
        ("a", [f"t{n}" for n in range(20)], "a " + " ".join(f"#t{n}" for n in range(8))),
        ("a", ["x\x1b[2J\u202ey"], "a #xy"),
    ],
)
def test_hashtags_beside_the_text_are_part_of_what_is_said(text, tags, said):
    assert words_of({"text": text, "tags": tags}) == said


@pytest.mark.parametrize(
    ("text", "whole", "said"),
    [
        ("my head […]", "<p>my head hurts,<br>motrin &amp; all</p>", "my head hurts, motrin & all"),
        ("my head hurts", "<p>my head hurts, as it did</p>", "my head hurts"),
        ("my head hurts, so …", "<p>my</p>", "my head hurts, so …"),
        ("my head […]", None, "my head […]"),
        ("my head […]", "<script>" * 400, "my head […]"),
    ],
)
def test_what_a_bridge_has_cut_off_is_read_in_full(text, whole, said):
    assert words_of({"text": text, "bridgyOriginalText": whole}) == said
    assert words_of({"text": text, "bridgyOriginalText": whole, "tags": ["a"]}) == f"{said} #a"


def test_pictures_and_linked_pages_are_not_what_is_said():
    card = {"uri": "https://motrin.com", "title": "Motrin", "description": "Motrin"}
    image = {"alt": "a box of Motrin"}
    for embed in ({"external": card}, {"images": [image]}, {"record": {"uri": "at://did:plc:a/x/motrin"}}):
        assert words_of({"text": "look", "embed": embed}) == "look"


@BOTH
@pytest.mark.parametrize("event", [identity(1), {"did": "did:plc:a", "time_us": 1, "kind": "x", "x": {}}])
def test_other_events_are_nothing(frame, event):
    assert read(frame(event).encode()) == NOTHING


@BOTH
def test_deletes_accounts_and_reposts_are_events(frame):
    assert uri_of(read(frame(delete(5, post(3))).encode())) == f"at://did:plc:author3/{POSTS}/k3"
    assert read(frame(account(5, "did:plc:a", "deleted")).encode())[1]["account"]["status"] == "deleted"
    shared = commit(5, {"subject": {"uri": "at://did:plc:b/x/y"}})
    assert subject_of(read(frame(shared).encode())[1]["record"]) == "at://did:plc:b/x/y"


def test_v2_speaks_of_the_stream_itself():
    assert read(info("OutdatedCursor").encode())[1]["name"] == "OutdatedCursor"
    with pytest.raises(StreamError, match=r"^ConsumerTooSlow: too slow$"):
        read(error("ConsumerTooSlow", "too \x1b[2Jslow").encode())
    with pytest.raises(InputError):
        read(b'{"$type":"error"}')


@pytest.mark.parametrize(
    "frame",
    [b"", b"null", b"[]", b"5", b'"x"', b'{"did":"did:plc:a","ti', b'{"commit":"operation"}', b'{"commit":[5]}',
     b'{"payload":"operation"}', b'{"payload":{"$type":5}}', v1(EVENT).encode().replace(b"hurts", b"h\xff")],
)  # fmt: skip
def test_bad_frames_say_why(frame):
    with pytest.raises(InputError, match=r"^a frame is not "):
        read(frame)


@pytest.mark.parametrize(
    "event",
    [
        changed("commit", "record", to=None),
        changed("commit", "record", to={}),
        changed("commit", "record", "text", to=5),
        changed("commit", "record", "text", to=["a"]),
        changed("commit", "rkey", to=None),
        changed("commit", "rkey", to="\x1b[2J"),
        changed("commit", "rkey", to="x" * 1_000),
        changed("did", to=[]),
        changed("did", to="dïd"),
    ],
)
def test_bad_posts_say_why(event):
    with pytest.raises(InputError, match=r"^a frame is not "):
        post_in(v1(event))


@pytest.mark.parametrize(
    ("address", "asks"),
    [
        ("wss://jetstream2.us-east.bsky.network/subscribe", "wantedCollections"),
        ("ws://127.0.0.1:6008/subscribe", "wantedCollections"),
        ("wss://jetstream.us-east.bsky.network/xrpc/network.bsky.jetstream.subscribeEvents", "collections"),
    ],
)
def test_the_address_says_which_version_is_spoken(address, asks):
    assert asks in dialect_of(URL(address)).asks


def test_a_place_survives_being_written_down():
    place = Place()
    place.move(1779719009157119, 4711, "jetstream.example:443", 1779719009157119)
    again = Place.parse(str(place), 1779719019157119)
    assert str(again) == "1779719009157119 jetstream.example:443 4711"
    assert again.asked_of("jetstream.example:443") == 4711
    assert again.asked_of("jetstream.example") == 1779719004157119


async def test_mutated_frames_are_posts_nothing_or_bad():
    counts = await judged(10_000, seed=None)
    assert counts["bad"] > 1_000
    assert counts["posts"] > 500
