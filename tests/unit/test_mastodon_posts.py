"""What the Mastodon source makes of statuses, ids and events, and of their broken kin."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from fuzz_mastodon import fuzz
from mastodons import START, event, frame, status, status_id

from crisisdesk.errors import InputError
from crisisdesk.sources.mastodon.events import MAX_EVENT, ComplaintError, Event, GiantError, Reader, event_in
from crisisdesk.sources.mastodon.place import AHEAD, REWIND, Place, is_later, moment_of, rewound
from crisisdesk.sources.mastodon.posts import author_of, id_of, post_of, time_of, words_of

ARRIVAL = START + timedelta(minutes=30)
AUTHOR = status(1)["account"]


async def test_broken_events():
    found = await fuzz(4_000, seed=3)
    assert min(found["posts"], found["corrections"], found["bad"]) > 200, "all ways out are taken"


class TestPosts:
    def test_a_content_warning_belongs_to_the_words(self):
        assert words_of(status(1, "it is <i>awful</i>", spoiler_text="A &amp; b")) == "A &amp; b it is awful"
        assert words_of(status(1, None, content=None, spoiler_text=5)) == ""

    def test_the_answers_of_a_poll_belong_to_the_words(self):
        poll = {"options": [{"title": "Motrin"}, {"title": "\x07neither"}, {"title": 5}, None]}
        assert words_of(status(1, "Which hurts?", poll=poll)) == "Which hurts? Motrin neither"
        assert [words_of(status(1, "a", poll=poll)) for poll in ("x", {}, {"options": 5})] == ["a"] * 3

    def test_a_quote_is_its_authors_own_words(self):
        text = '<p class="quote-inline">RE: <a href="https://b.example/@c/1">b.example/@c/1</a></p><p>so true</p>'
        assert words_of(status(1, None, content=text, quote={"quoted_status": status(2, "motrin")})) == "so true"

    def test_what_people_see_of_links_tags_and_names(self):
        text = (
            '<p><span class="h-card"><a href="https://a.example/@acme">@<span>acme</span></a></span> why '
            '<a href="https://a.example/tags/fail" class="mention hashtag" rel="tag">#<span>fail</span></a> '
            '<a href="https://www.b.example/long/path"><span class="invisible">https://www.</span>'
            '<span class="ellipsis">b.example/lo</span><span class="invisible">ng/path</span></a></p>'
        )
        assert words_of(status(1, None, content=text)) == "@acme why #fail b.example/lo…"

    def test_the_same_person_is_one_on_all_servers(self):
        assert author_of(status(1, account=AUTHOR | {"acct": "anna"}), "home.example") == "@anna@home.example"
        assert author_of(status(1, account=AUTHOR | {"acct": "anna@home.example"}), "b.example") == "@anna@home.example"
        assert author_of(status(1, account=AUTHOR | {"acct": ""}), "home.example") is None
        assert author_of(status(1, account=None), "home.example") is None

    def test_the_same_post_is_one_on_all_servers(self):
        assert id_of(status(1), "home.example") == "https://away.example/users/author1/statuses/1"
        assert id_of(status(1, uri=None), "home.example") == "https://away.example/@author1/1"
        bare = {"uri": "javascript:alert(1)", "url": "https://a.example/" + "a" * 200}
        assert id_of(status(1, **bare), "home.example") == f"home.example/{status_id(1)}"

    def test_an_automatic_account_is_one_like_others(self):
        post = post_of(status(1, account=AUTHOR | {"bot": True}), "a", ARRIVAL, "home.example")
        assert (post.author, post.reach) == ("@author1@away.example", 41)

    def test_an_answer_names_what_it_answers(self):
        post = post_of(status(2, in_reply_to_id="7"), "a", ARRIVAL, "home.example")
        assert (post.reply_to, post.original) == ("home.example/7", None)

    @pytest.mark.parametrize(
        ("claim", "is_new", "taken"),
        [
            ("2026-05-25T14:00:00.123Z", True, START + timedelta(milliseconds=123)),
            ("2026-05-25T16:00:00+02:00", True, START),
            ("2026-05-24T15:00:00Z", True, START - timedelta(hours=23)),
            ("2026-05-24T13:00:00Z", True, ARRIVAL),
            ("2026-05-24T13:00:00Z", False, START - timedelta(hours=25)),
            ("2026-05-25T14:31:00Z", False, ARRIVAL),
            ("1970-01-01T00:00:00Z", False, ARRIVAL),
            ("9999-12-31T23:59:59Z", False, ARRIVAL),
            (None, False, ARRIVAL),
        ],
    )
    def test_a_time_is_believed_where_it_can_be(self, claim, is_new, taken):
        assert time_of(status(1, created_at=claim), ARRIVAL, is_new=is_new) == taken


class TestPlaces:
    def test_ids_grow_with_time(self):
        assert is_later(status_id(10), status_id(9))
        assert is_later("1000", "999")
        assert moment_of(status_id(60)) == START + timedelta(minutes=1)
        assert moment_of("12345") is None
        assert moment_of("01HZX3V8Q0V7C8G8J8J8J8J8J8") is None

    def test_one_goes_on_a_little_before(self):
        assert moment_of(rewound(status_id(600))) == START + timedelta(minutes=10) - REWIND
        assert rewound("01HZX3V8Q0V7C8G8J8J8J8J8J8") == "01HZX3V8Q0V7C8G8J8J8J8J8J8"
        assert rewound("0") == "0"

    def test_what_was_there_before_the_first_start_is_not_asked_for(self):
        place = Place()
        place.begin(status_id(600))
        assert place.start() == status_id(600)

    def test_live_posts_say_nothing_of_a_gap_until_it_is_closed(self):
        place = Place(status_id(1))
        place.came(status_id(100), ARRIVAL)
        place.filled(status_id(50), ARRIVAL)
        assert place.sent_to == status_id(50)
        place.close()
        assert place.sent_to == status_id(100)
        place.came(status_id(90), ARRIVAL)
        assert place.sent_to == status_id(100)
        place.open()
        place.came(status_id(200), ARRIVAL)
        assert place.sent_to == status_id(100)

    def test_a_server_whose_clock_is_ahead_does_not_move_the_place(self):
        place = Place(status_id(1))
        place.close()
        ahead = status_id(5, ARRIVAL + AHEAD + timedelta(seconds=1))
        place.came(ahead, ARRIVAL)
        place.filled(ahead, ARRIVAL)
        assert place.sent_to == status_id(1)


class TestEvents:
    def test_events_come_in_any_pieces(self):
        whole = (
            ":)\n" + event("update", '{"id":"1"}') + ":thump\n: x\r\nevent:delete\r\ndata:7\r\n\r\n"
            "event: update\ndata: {\ndata: }\n\nevent: filters_changed\ndata: undefined\n\ndata: x\n\nevent: kill\n\n"
        ).encode()
        wanted = [("update", b'{"id":"1"}'), ("delete", b"7"), ("update", b"{\n}"), ("filters_changed", b"undefined")]
        for size in (1, 2, 3, 7, len(whole)):
            reader = Reader("public")
            events = [one for at in range(0, len(whole), size) for one in reader.feed(whole[at : at + size])]
            assert events == [Event("public", *one) for one in [*wanted, ("kill", b"")]]

    @pytest.mark.parametrize(
        "piece",
        [b"x" * 65_536, b"data: " + b"x" * 65_529 + b"\n", b"data:\n" * 10_000],
        ids=["line", "lines", "empty lines"],
    )
    def test_a_giant_is_not_collected(self, piece):
        reader = Reader("public")
        with pytest.raises(GiantError):
            for _ in range(MAX_EVENT):
                reader.feed(piece)

    def test_a_frame_is_taken_apart(self):
        assert event_in(frame("delete", "7", ["hashtag", "Motrin"]).encode()) == Event("hashtag:motrin", "delete", "7")
        assert event_in(frame("delete", "7", ["public:local"]).encode()) == Event("public:local", "delete", "7")
        assert event_in(b'{"event":"update","payload":null,"stream":[5]}') == Event("", "update", "")

    def test_a_complaint_is_told(self):
        with pytest.raises(ComplaintError) as complaint:
            event_in(orjson.dumps({"error": "Missing\x1b[31m access token", "status": 401}))
        assert (complaint.value.status, complaint.value.reason) == (401, "Missing access token")

    @pytest.mark.parametrize("broken", [b"", b"5", b"[]", b"{}", b'{"event":[]}', b"\xff", b"[" * 500])
    def test_what_is_none_is_refused(self, broken):
        with pytest.raises(InputError):
            event_in(broken)


def test_ids_are_read_as_mastodon_makes_them():
    assert moment_of("109276000000000000") == datetime(2022, 11, 2, 20, 3, 53, 593_000, tzinfo=UTC)
