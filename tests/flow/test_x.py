"""The X source against a server that speaks the protocol over a real socket."""

from edges import Taken, running, until
from xs import BEAT, MOTRIN, NOW, RULE, Counted, frame, line, new, play, post_id, source_of, tweet, user

from crisisdesk.records import Correction
from crisisdesk.sources.x.rules import Topic


async def test_what_is_said_now_is_heard(network):
    source, edge = source_of(network), Taken()

    async with running(source, edge):
        await network.until_listened()
        await network.publish(frame(1), frame(2, "Never again Motrin &amp; co 😡"))
        await edge.until(lambda: len(edge.posts) == 2)
        seen = source.status()

    assert edge.texts == ["motrin 1", "Never again Motrin & co 😡"]
    first = edge.posts[0]
    assert (first.id, first.source, first.author, first.reach) == (post_id(1), "x", "@author1@x.com", 41)
    assert first.url == f"https://x.com/author1/status/{post_id(1)}"
    assert (first.time - edge.posts[1].time).total_seconds() == -1.0
    assert (seen.state, seen.posts, seen.bad, seen.trouble, seen.last_event) == ("live", 2, 0, "", NOW)


async def test_x_is_asked_for_what_a_post_needs_and_no_more(network):
    async with running(source_of(network), Taken()):
        await network.until_listened()
    (asked,) = network.asked
    assert asked.query["expansions"] == "author_id"
    assert asked.query["user.fields"] == "public_metrics,username"
    assert "edit_history_tweet_ids" in asked.query["tweet.fields"]
    assert asked.headers["Accept-Encoding"] == "identity"
    assert asked.headers["User-Agent"].startswith("crisisdesk/")
    assert "backfill_minutes" not in asked.query


async def test_without_authors_nobody_is_billed_for_them(network):
    network.answers = [play(line({"data": tweet(1)}))]
    source, edge = source_of(network, authors=False, backfill_minutes=2), Taken()
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
    assert "expansions" not in network.asked[0].query
    assert "user.fields" not in network.asked[0].query
    assert network.asked[0].query["backfill_minutes"] == "2"
    assert edge.posts[0].author == "2001"
    assert edge.posts[0].url == f"https://x.com/i/status/{post_id(1)}"


async def test_only_what_concerns_a_watch_is_sent(network):
    network.answers = [play(new(1, "motrin"), new(2, "quotes it"), new(3, "motrin again"))]
    source, edge = source_of(network), Taken(["motrin"])
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)
    assert edge.texts == ["motrin", "motrin again"]
    assert source.status().posts == 3


async def test_who_quotes_a_match_is_heard_in_their_own_words(network):
    """X sends it, and bills it; what the watch has thrown out by its own words stays out."""
    quotes = {"referenced_tweets": [{"type": "quoted", "id": post_id(1)}]}
    foreign = frame(3, "of another programme", **quotes) | {"matching_rules": [{"id": "9", "tag": "theirs"}, 5]}
    network.answers = [
        play(
            new(2, "shameless", **quotes),
            new(4, "Win some Motrin!", **quotes),
            line(foreign),
            new(5, "an answer", referenced_tweets=[{"type": "replied_to", "id": post_id(1)}]),
            new(6, "thank you, says the brand", **quotes),
            new(7, "motrinmoms and shameless", **quotes),
        )
    ]
    brand = Topic("Motrin", ("motrin", "pain reliever"), ("@author6@x.com",))
    source, edge = source_of(network, brand, Topic("Advil", ("advil",))), Counted(["nothing"])
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)
    assert edge.counted == [("shameless", ("Motrin",)), ("motrinmoms and shameless", ("Motrin",))]
    assert source.status().posts == 6


async def test_what_comes_twice_or_in_disorder_is_sent_once(network):
    network.answers = [play(new(3), new(1), new(3), new(2), then="cut"), play(new(1), new(2), new(4))]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 4)
    assert edge.texts == ["motrin 3", "motrin 1", "motrin 2", "motrin 4"]


async def test_an_edited_post_is_the_same_post(network):
    history = [post_id(1), post_id(20)]
    edited = tweet(20, "motrin is fine", edit_history_tweet_ids=history)
    network.answers = [play(new(1, "motrin is bad"), line({"data": edited}), new(1, "motrin is bad"), new(30))]
    source, edge = source_of(network), Taken()
    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)
    assert edge.corrections == [Correction("x", post_id(1), "motrin is fine")]
    assert [post.id for post in edge.posts] == [post_id(1), post_id(30)]


async def test_an_edit_of_what_was_never_heard_is_heard(network):
    history = [post_id(1), post_id(20)]
    edited = tweet(20, "now motrin", edit_history_tweet_ids=history)
    network.answers = [play(new(1, "nothing"), line({"data": edited, "includes": {"users": [user(20)]}}))]
    source, edge = source_of(network), Taken(["motrin"])
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
    (post,) = edge.posts
    assert (post.id, post.text) == (post_id(1), "now motrin")
    assert post.url == f"https://x.com/author20/status/{post_id(20)}"
    assert (NOW - post.time).total_seconds() == 30 * 60 - 1, "it was written when it was first"


async def test_reposts_are_left_out_unless_they_are_asked_for(network):
    repeated = tweet(1, "A long original about motrin", author_id="2001")
    repost = tweet(9, "RT @author1: A long orig…", referenced_tweets=[{"type": "retweeted", "id": post_id(1)}])
    said = {"data": repost, "includes": {"users": [user(9), user(1)], "tweets": [repeated]}}
    network.answers = [play(line(said))]
    source, edge = source_of(network, reposts=True), Taken()
    async with running(source, edge):
        await edge.until(lambda: bool(edge.posts))
    (post,) = edge.posts
    assert (post.text, post.original, post.author) == ("A long original about motrin", post_id(1), "@author9@x.com")
    assert network.asked[0].query["expansions"] == "author_id,referenced_tweets.id"
    assert network.rules[0]["value"] == RULE.removesuffix(" -is:retweet").strip("()")


async def test_signs_of_life_are_no_posts(network):
    network.answers = [play(BEAT, BEAT, then="beat")]
    source = source_of(network, silence=2.0)
    async with running(source, Taken()):
        await until(lambda: network.asked)
        await until(lambda: source.cursor)
        seen = source.status()
    assert len(network.asked) == 1
    assert (seen.state, seen.events, seen.posts, seen.last_event) == ("live", 0, 0, None)


async def test_two_topics_have_rules_of_their_own(network):
    other = Topic("Advil", ("advil",))
    async with running(source_of(network, MOTRIN, other), Taken()):
        await network.until_listened()
    assert [(rule["value"], rule["tag"]) for rule in network.rules] == [
        (RULE, "crisisdesk/acme/Motrin"),
        ("(advil OR #advil OR @advil) -is:retweet", "crisisdesk/acme/Advil"),
    ]
