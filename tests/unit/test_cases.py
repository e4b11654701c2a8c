"""The Motrin case: generator and file agree, the targets hold, and the posts read like many people's."""

import gzip
import hashlib
import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from crisisdesk.cases import NOTICE, case, names
from crisisdesk.cases.motrin.file import PATH, content, packed
from crisisdesk.cases.motrin.story import Story
from crisisdesk.cases.motrin.targets import END, ORDINARY_NEGATIVE, OUTBREAK, START, ordinary, weekend
from crisisdesk.errors import UsageError
from crisisdesk.text import clean

MOTRIN = case("motrin")
TERM = re.compile(r"(?<!\w)(?:motrin|#motrinmoms|pain reliever)(?!\w)", re.IGNORECASE)
# People and handles of the real affair, as digests: the project must not spread them, not even in a test.
_DIGESTS = """
4da577b6983dfac5 532d25a08c2b6993 a298bcecdb5bac9c e3399e92960f3f6c 1128f44d9243b92b 166d18b69f72b170
c84debc1a463a9f0 ecb1c9d0d02593b8 4b0b5626cc36d2da ebdc4505abaa5142 d60e3d6fb2b43f5a 1645d47cc47b8f75
8097ce4397963964 686c36e422a10c5d 34c4ba8f5ba5f40e 47182e3279e6ca0e c45090affcebbec2 719d57adb601f31d
549c7f7b0798d9c0 3e98825bea60c85d 36719a61ff15b90f ba29a97728b7c72a 546dc3c8513d0ac1 6c64c7f1180249cd
2096483682ac4d77 3d453bd0a06dc9b4 2cd0ec0dc6223265 e083d5af9ab966bd 6407d2ed44cb39ca 5df30d02c6679832
094e145dc698b853 ad0a0c766f183f88 67fa7903c5a55d58 d7dbed1749ca898c 98c99ece36724070 49d0362db65423d0
ad7bb434232b218c ac2af25ac51b5e9d 61f4c10bb59dc6f8 cda57d555de988e2 935e3bc3fd61855d
"""
REAL = frozenset(_DIGESTS.split())


def digest(word):
    return hashlib.sha256(word.encode()).hexdigest()[:16]


@pytest.fixture(scope="module")
def drafts():
    return Story().tell()


@pytest.fixture(scope="module")
def posts():
    with gzip.open(MOTRIN.path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def when(post):
    return datetime.strptime(post["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def affair(drafts):
    return [draft for draft in drafts if draft.phase != "ordinary"]


def hour(draft):
    return draft.time.replace(minute=0, second=0)


def test_generator_and_file_agree_byte_for_byte(drafts):
    assert gzip.decompress(PATH.read_bytes()) == content(drafts)


def test_archive_carries_neither_time_nor_name():
    archive = PATH.read_bytes()
    assert archive[3:8] == bytes(5), "flags and time of packing must be empty"
    assert packed(b"a") == packed(b"a")


def test_file_says_that_it_is_a_reconstruction(posts):
    assert posts[0]["notice"] == NOTICE == MOTRIN.notice
    assert "Reconstruction" in NOTICE
    assert {post["source"] for post in posts} == {"reconstruction"}


def test_every_line_is_a_post(posts):
    for post in posts:
        assert post.keys() <= {
            "id",
            "source",
            "time",
            "text",
            "author",
            "lang",
            "reach",
            "repost",
            "reply_to",
            "notice",
        }
        assert 0 < len(post["text"]) <= 140
        assert clean(post["text"]) == post["text"]
        assert 3 <= post["reach"] <= 20_000
        assert START <= when(post) < END
    assert len({post["id"] for post in posts}) == len(posts)
    assert [post["time"] for post in posts] == sorted(post["time"] for post in posts)


def test_no_label_is_in_the_file(posts):
    assert not {"label", "negative", "phase", "sentiment"} & set().union(*posts)


def test_reposts_and_replies_follow_what_they_refer_to(posts):
    seen = {}
    reposts = replies = 0
    for post in posts:
        if "repost" in post:
            reposts += 1
            assert seen[post["repost"]]["author"] in post["text"]
        if "reply_to" in post:
            replies += 1
            assert post["text"].startswith(f"@{seen[post['reply_to']]['author']} ")
        seen[post["id"]] = post
    assert 0.1 < reposts / len(posts) < 0.3
    assert replies > 300


def test_hourly_targets_hold(drafts):
    totals = Counter(hour(draft) for draft in affair(drafts))
    negative = Counter(hour(draft) for draft in affair(drafts) if draft.negative)
    for target in weekend():
        assert (totals[target.start], negative[target.start]) == (target.total, target.negative), target


def test_no_hour_before_saturday_noon_has_more_than_15_complaints(drafts):
    noon = datetime(2008, 11, 15, 17, tzinfo=UTC)
    complaints = Counter(hour(draft) for draft in drafts if draft.negative and OUTBREAK <= draft.time < noon)
    assert sum(complaints.values()) > 40
    assert max(complaints.values()) <= 15


def test_the_peak_is_over_400_an_hour_on_sunday():
    top = max(weekend(), key=lambda target: target.total)
    assert top.total > 400
    assert top.start == datetime(2008, 11, 16, 19, tzinfo=UTC)


def test_a_good_third_of_the_weekend_is_negative(drafts):
    share = sum(draft.negative for draft in affair(drafts)) / len(affair(drafts))
    assert 0.33 <= share <= 0.37
    first = [draft for draft in affair(drafts) if draft.time < OUTBREAK + timedelta(hours=20)]
    assert sum(draft.negative for draft in first) / len(first) > 0.6


def test_ordinary_chatter_keeps_its_rhythm_for_three_weeks(drafts):
    chatter = [draft for draft in drafts if draft.phase == "ordinary"]
    assert timedelta(days=14) <= OUTBREAK - START
    expected = sum(posts for _, posts in ordinary())
    assert abs(len(chatter) / expected - 1) < 0.1
    night = sum(4 <= (draft.time.hour - 5) % 24 < 7 for draft in chatter)
    evening = sum(19 <= (draft.time.hour - 5) % 24 < 22 for draft in chatter)
    assert night * 3 < evening
    named = [draft for draft in chatter if TERM.search(draft.text)]
    assert 0.85 < len(named) / len(chatter) < 0.95
    assert abs(sum(draft.negative for draft in named) / len(named) - ORDINARY_NEGATIVE) < 0.06


def test_every_post_about_it_is_matched_by_the_watch(drafts):
    assert [draft.text for draft in affair(drafts) if not TERM.search(draft.text)] == []


def test_people_are_many_and_uneven(drafts):
    reach = sorted({draft.person.handle: draft.person.reach for draft in drafts}.values())
    assert len(reach) > 2000
    assert reach[len(reach) // 2] < 200
    assert reach[-1] > 8000
    first = affair(drafts)[0]
    assert 900 < first.person.reach < 1100
    assert first.negative


def test_hardly_a_text_comes_twice(posts):
    own = [post["text"].lower() for post in posts if "repost" not in post]
    assert 1 - len(set(own)) / len(own) < 0.015


def test_no_opening_is_a_template(drafts):
    for phase in {draft.phase for draft in drafts}:
        texts = [draft.text for draft in drafts if draft.phase == phase and not draft.repost]
        openings = Counter(tuple(re.findall(r"\w+", text.lower())[:5]) for text in texts)
        opening, count = openings.most_common(1)[0]
        assert count <= max(1, 0.02 * len(texts)), (phase, opening, count)


def test_fifty_in_a_row_repeat_no_thought(posts):
    own = [re.sub(r"@\w+|https?:\S+|#motrinmoms", "", post["text"].lower()) for post in posts if "repost" not in post]
    words = [frozenset(re.findall(r"[a-z']+", text)) for text in own]
    alike = [
        (own[earlier], own[later])
        for later in range(len(own))
        for earlier in range(max(0, later - 50), later)
        if len(words[later]) > 3 < len(words[earlier])
        and len(words[later] & words[earlier]) > 0.7 * len(words[later] | words[earlier])
    ]
    assert alike == []


def test_other_languages_turn_up(posts):
    languages = Counter(post["lang"] for post in posts)
    assert {"en", "es", "de", "fr", "pt", "nl", "ja"} <= set(languages)
    assert 0.01 < 1 - languages["en"] / len(posts) < 0.06


def test_nobody_real_is_named(posts):
    words = set()
    for post in posts:
        found = re.findall(r"\w+", f"{post['author']} {post['text']}".lower())
        words.update(found)
        words.update(first + second for first, second in pairwise(found))
    assert not {word for word in words if digest(word) in REAL}
    assert not re.search(r"https?://(?!example\.org/)", " ".join(post["text"] for post in posts))


def test_no_slot_is_left_open(posts):
    assert [post["text"] for post in posts if re.search(r"[{}|]|\[|\]", post["text"] + post["author"])] == []


def test_case_names_its_moments_in_order():
    assert names() == ("motrin",)
    assert (MOTRIN.watch, MOTRIN.terms) == ("Motrin", ("motrin", "#motrinmoms", "pain reliever"))
    times = [time for time, _ in MOTRIN.moments]
    assert times == sorted(times)
    assert START < MOTRIN.shown_from < OUTBREAK < MOTRIN.first_answer < END
    assert MOTRIN.path.is_file()


def test_unknown_case_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean motrin"):
        case("motrins")
    with pytest.raises(UsageError, match="there are: motrin"):
        case("xyz")
