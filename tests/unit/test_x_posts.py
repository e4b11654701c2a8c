"""X's posts become the desk's; what is hostile or broken in them does no harm."""

from datetime import timedelta

import pytest
from fuzz_x import fuzz
from xs import NOW, START, post_id, tweet, user

from crisisdesk.errors import InputError
from crisisdesk.sources.x.cost import Bill, Estimate, Prices, usd
from crisisdesk.sources.x.place import id_at, moment_of
from crisisdesk.sources.x.posts import Included, Said, said_in, text_of

NOBODY = Included({}, {})


def said(data: dict, *, is_new: bool = True, **included: dict) -> Said:
    return said_in(data, Included(included.get("users", {}), included.get("posts", {})), NOW, is_new=is_new)


def test_a_post():
    one = said(tweet(3, "Never again"), users={"2003": user(3)})
    post = one.post
    assert (post.id, post.source, post.text, post.lang) == (post_id(3), "x", "Never again", "en")
    assert (post.author, post.reach) == ("@author3@x.com", 43)
    assert post.time == START + timedelta(seconds=3)
    assert (post.original, post.reply_to, post.tags) == (None, None, ())
    assert not one.is_edit


def test_a_real_id_tells_its_time():
    assert f"{moment_of(1_460_323_737_035_677_698):%Y-%m-%dT%H:%M:%S}" == "2021-11-15T19:08:05"
    assert moment_of(id_at(START)) == START
    assert moment_of(20) is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"text": "a &amp; b &lt;c&gt; &amp;lt; &copy; &amp;amp;"}, "a & b <c> &lt; &copy; &amp;"),
        ({"text": "short…", "note_tweet": {"text": "the whole &amp; all of it"}}, "the whole & all of it"),
        ({"text": "short", "note_tweet": {}}, "short"),
        ({"text": "see https://t.co/abc and https://t.co/def https://t.co/ghi", "entities": {"urls": [
            {"url": "https://t.co/abc", "expanded_url": "https://motrin.com/sorry"},
            {"url": "https://t.co/def", "expanded_url": "https://x.com/a/status/1/photo/1", "media_key": "3_1"}]}},
         "see https://motrin.com/sorry and https://t.co/ghi"),
        ({"text": "x", "note_tweet": {"text": "long https://t.co/abc", "entities": {"urls": [
            {"url": "https://t.co/abc", "expanded_url": "https://a.example/"}]}}}, "long https://a.example/"),
        ({"text": "a\x1b]52;c;aGk=\x07b\u202ec\nd"}, "abc d"),
        ({"text": 5}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_what_a_post_says(data, text):
    assert text_of(data) == text


def test_a_reply_a_quote_and_a_repost():
    answer = said(tweet(5, referenced_tweets=[{"type": "replied_to", "id": "11"}, {"type": "quoted", "id": "12"}])).post
    assert (answer.reply_to, answer.original) == ("11", None)
    repost = tweet(9, "RT @a: cut…", referenced_tweets=[{"type": "retweeted", "id": post_id(2)}])
    alone = said(repost).post
    assert (alone.text, alone.original) == ("RT @a: cut…", post_id(2))
    original = tweet(2, "the whole", edit_history_tweet_ids=[post_id(1), post_id(2)])
    whole = said(repost, posts={post_id(2): original}).post
    assert (whole.text, whole.original) == ("the whole", post_id(1))


def test_an_edited_post_keeps_its_first_id_and_time():
    edited = said(tweet(50, edit_history_tweet_ids=[post_id(1), post_id(20), post_id(50)]))
    assert edited.is_edit
    assert (edited.post.id, edited.version) == (post_id(1), int(post_id(50)))
    assert edited.post.time == START + timedelta(seconds=1)


@pytest.mark.parametrize("history", [[], [post_id(1)], "x", [5, post_id(50)]])
def test_a_history_that_is_none_is_passed_over_or_bad(history):
    try:
        assert said(tweet(50, edit_history_tweet_ids=history)).post.id == post_id(50)
    except InputError as error:
        assert "its id" in str(error)  # noqa: PT017  both are right, a crash is not


@pytest.mark.parametrize(("mark", "language"), [("de", "de"), ("und", None), ("in", "id"), ("iw", "he"), ("qme", None)])
def test_languages_are_read_as_x_names_them(mark, language):
    assert said(tweet(1, lang=mark)).post.lang == language


def test_what_was_found_by_a_search_keeps_its_time():
    old = tweet(-200_000)
    assert said(old, is_new=False).post.time == START - timedelta(seconds=200_000)
    assert said(old).post.time == NOW


@pytest.mark.parametrize("name", ["a b", "x" * 16, "", 5, "a\u202eb", None])
def test_a_name_that_is_none_is_not_shown(name):
    post = said(tweet(1), users={"2001": {"username": name}}).post
    assert post.author == "2001"
    assert post.url == f"https://x.com/i/status/{post_id(1)}"


def test_a_bill_counts_each_once_a_day():
    bill = Bill(Prices(0.005, 0.01))
    bill.read(["1", "2", "1"], ["a"], NOW.date())
    bill.read(["2", "3"], ["a", "b"], NOW.date())
    assert (bill.posts, bill.authors, round(bill.spent, 3)) == (3, 2, 0.035)
    bill.read(["3"], ["a"], NOW.date() + timedelta(days=1))
    assert (bill.posts, bill.authors) == (4, 3)
    assert bill.told() == ""


@pytest.mark.parametrize(("posts", "told"), [(150, ""), (210, "1.00"), (700, "2.00"), (1_100, "5.00"), (9_000, "20")])
def test_what_was_read_is_told_roughly(posts, told):
    bill = Bill(Prices(0.005, 0.0), posts=posts)
    assert bill.told() == (f"More than {told} USD were read since the start." if told else "")


def test_an_estimate_says_what_a_month_will_cost():
    estimate = Estimate(2_800, Prices(0.005, 0.01), timedelta(hours=24))
    assert estimate.posts_a_month == 12_175
    assert estimate.told() == (
        "About 12,175 posts a month match, by the last 7 days: 61 USD for the posts and up to 122 USD for their "
        "authors; for new watches once up to 6.00 USD, for the 1 d before."
    )
    assert Estimate(7, Prices(0.005, 0.0)).told() == "About 30 posts a month match, by the last 7 days: 0.15 USD."
    assert usd(1_234.5) == "1,234 USD"


async def test_broken_lines_do_no_harm():
    assert (await fuzz(4_000, seed=7))["bad"] > 500
