"""The Mastodon source against a server that speaks the real protocol over real sockets: what it hears."""

from datetime import timedelta

import pytest
from edges import Taken, running, until
from mastodons import START, TAGGED, frame, new, play, refuse, source_of, status, status_id

from crisisdesk.records import Correction


async def test_posts_come_over_a_websocket(home):
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await home.until_listened()
        await home.publish(status(5, "I hate it, <b>Motrin</b>!<br>Never again"))
        await edge.until(lambda: len(edge.posts) == 1)

    (post,) = edge.posts
    assert post.id == "https://away.example/users/author5/statuses/5"
    assert post.source == "mastodon"
    assert post.text == "I hate it, Motrin! Never again"
    assert post.author == "@author5@away.example"
    assert post.time == START + timedelta(seconds=5)
    assert (post.lang, post.reach, post.url) == ("en", 45, "https://away.example/@author5/5")
    assert home.subscribed == [{"type": "subscribe", "stream": "public"}]
    seen = source.status()
    assert (seen.state, seen.events, seen.posts, seen.bad, seen.trouble) == ("live", 1, 1, 0, "")


async def test_several_streams_share_one_websocket(home):
    source, edge = source_of(home, "public:remote", "hashtag:motrin"), Taken()

    async with running(source, edge):
        await home.until_listened(2)
        await home.publish(status(1, **TAGGED))
        await edge.until(lambda: len(edge.posts) == 1)

    assert len(home.asked) == 1
    assert home.subscribed[1] == {"type": "subscribe", "stream": "hashtag", "tag": "motrin"}
    assert {request.path_qs.split("?")[0] for request in home.read} == {
        "/api/v1/timelines/public",
        "/api/v1/timelines/tag/motrin",
    }
    assert any(request.query.get("remote") == "true" for request in home.read)


async def test_server_sent_events_have_a_connection_for_each_stream(home):
    source, edge = source_of(home, "public", "hashtag:motrin", websocket=False), Taken()

    async with running(source, edge):
        await home.until_listened(2)
        await home.publish(status(1))
        await home.publish(status(2, **TAGGED))
        await edge.until(lambda: len(edge.posts) == 2)

    assert sorted(edge.texts) == ["post 1", "post 2"], "what comes in two streams is one post"
    assert sorted(request.path_qs for request in home.asked) == [
        "/api/v1/streaming/hashtag?tag=motrin",
        "/api/v1/streaming/public",
    ]


@pytest.mark.parametrize("refusal", [400, 401, 404, 426])
async def test_where_a_websocket_is_refused_events_are_asked_for(home, refusal):
    home.answers = [refuse(refusal)]
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await home.until_listened()
        await home.publish(status(1))
        await edge.until(lambda: len(edge.posts) == 1)

    assert [request.path for request in home.asked] == ["/api/v1/streaming", "/api/v1/streaming/public"]
    assert source.status().trouble == ""


async def test_what_concerns_nobody_is_counted_and_left(home):
    source, edge = source_of(home), Taken(terms=["motrin"])

    async with running(source, edge):
        await home.until_listened()
        for number in range(5):
            await home.publish(status(number))
        await home.publish(status(6, "motrin"))
        await edge.until(lambda: len(edge.posts) == 1)

    assert source.status().posts == 6


async def test_what_is_not_for_everybody_is_left(home):
    home.answers = [
        play(new(1, visibility="private"), new(2, visibility="direct"), new(3, visibility="unlisted"), new(4))
    ]
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)

    assert edge.texts == ["post 3", "post 4"]


async def test_a_post_without_words_is_asked_for_by_its_author(home):
    class Asked(Taken):
        authors: list[str | None] = []  # noqa: RUF012

        def concerns(self, text: str, author: str | None = None) -> tuple[str, ...]:
            self.authors.append(author)
            return super().concerns(text, author)

    source, edge = source_of(home), Asked()

    async with running(source, edge):
        await home.until_listened()
        silent = status(1)
        await home.publish(silent | {"content": "", "account": silent["account"] | {"acct": "brand"}})
        await until(lambda: source.status().posts)

    assert edge.authors == ["@brand@home.example"]
    assert edge.posts == []
    assert source.status().bad == 0


async def test_what_is_taken_back_or_changed_is_corrected(home):
    changed = status(2, "new words", edited_at="2026-05-25T14:10:00.000Z")
    home.answers = [
        play(
            new(1), new(2), frame("delete", status_id(1)), frame("status.update", changed),
            frame("delete", status_id(99)), new(3),
        )
    ]  # fmt: skip
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 3)

    assert edge.corrections == [
        Correction("mastodon", status(1)["uri"]),
        Correction("mastodon", status(2)["uri"], "new words"),
    ]
    assert source.status().posts == 3


async def test_a_correction_that_overtakes_its_post_holds(home):
    changed = status(2, "new words")
    home.answers = [
        play(
            frame("delete", status_id(1)), frame("status.update", changed), new(1), new(2, "old words"),
            frame("status.update", status(1, "it comes late")), new(3),
        )
    ]  # fmt: skip
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await edge.until(lambda: len(edge.posts) == 2)

    assert edge.texts == ["new words", "post 3"]
    assert [correction.text for correction in edge.corrections] == ["new words"]


async def test_a_boost_that_is_taken_back_leaves_the_original(home):
    boost = status(2, "", uri="https://away.example/users/author2/statuses/2/activity", reblog=status(1))
    home.answers = [play(frame("update", boost), frame("delete", status_id(2)))]
    source, edge = source_of(home), Taken()

    async with running(source, edge):
        await edge.until(lambda: len(edge.corrections) == 1)

    (post,) = edge.posts
    assert (post.original, post.text, post.reach) == (status(1)["uri"], "post 1", 42)
    assert (post.author, post.url) == ("@author2@away.example", status(1)["url"])
    assert edge.corrections == [Correction("mastodon", boost["uri"])]
