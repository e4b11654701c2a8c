"""What the Mastodon source has to tell of the time before it began."""

from datetime import timedelta

import orjson
import pytest
from edges import Taken
from mastodons import START, TAGGED, body, refuse, source_of, status

from crisisdesk.errors import SourceError
from crisisdesk.sources.base import Recalling


def past_of(home, *streams: str, since: int = 0, until: int = 1_800):
    return source_of(home, *streams).recall(START + timedelta(seconds=since), START + timedelta(seconds=until))


async def test_what_was_said_between_two_moments_is_sent_oldest_first(home):
    home.statuses = [status(number) for number in range(0, 1_500, 10)]
    edge = Taken()

    await past_of(home, since=100, until=1_400).run(edge)

    assert edge.texts == [f"post {number}" for number in range(100, 1_400, 10)]
    assert [int(post.time.timestamp()) for post in edge.posts] == sorted(
        int(post.time.timestamp()) for post in edge.posts
    )
    assert len(home.read) == 4, "no page is read that lies before"


async def test_only_what_concerns_a_new_watch_and_is_for_everybody_is_sent_once(home):
    home.statuses = [
        status(1, "motrin #motrin", **TAGGED),
        status(2, "nothing"),
        status(3, "motrin", visibility="private"),
        status(4, "motrin", created_at="yesterday"),
        status(5, "motrin"),
    ]
    edge = Taken(terms=["motrin"])

    await past_of(home, "public", "hashtag:motrin").run(edge)

    assert [post.id[-1] for post in edge.posts] == ["1", "5"]


async def test_nothing_is_sent_of_what_is_more_than_is_read(home, monkeypatch):
    monkeypatch.setattr("crisisdesk.sources.mastodon.past.MAX_PAGES", 4)
    monkeypatch.setattr("crisisdesk.sources.mastodon.past.SAMPLE", 2)
    home.statuses = [status(number) for number in range(1_800)]
    edge = Taken()

    with pytest.raises(SourceError) as told:
        await past_of(home).run(edge)
    assert len(home.read) == 2, "the first pages let expect it"

    home.statuses = [status(number) for number in (*range(0, 400, 2), *range(400, 1_800, 20))]  # it was busier before
    with pytest.raises(SourceError):
        await past_of(home).run(edge)
    assert (len(home.read), edge.posts) == (6, [])

    home.statuses = [status(number) for number in (*range(0, 1_750, 50), *range(1_750, 1_800))]  # no more than a burst
    await past_of(home).run(edge)
    assert len(edge.posts) == 85
    assert str(told.value) == (
        f"More was said on {home.url[7:]} in 30 min than is read (4 pages); set 'history_hours' of the source to less, "
        "or to 0."
    )


async def test_what_fails_is_tried_again_unless_it_is_refused(home):
    home.statuses = [status(number) for number in range(100)]
    home.timelines = [home.page, refuse(503), refuse(429, Retry_After="0"), body(b"<html>")]
    edge = Taken()

    await past_of(home).run(edge)
    assert len(edge.posts) == 100

    home.timelines = [refuse(403, "This action is not allowed")]
    with pytest.raises(SourceError, match=r"said in public cannot be read: .* HTTP 403"):
        await past_of(home).run(edge)


async def test_a_server_that_does_not_page_back_is_told(home):
    home.timelines = [body(orjson.dumps([status(number) for number in range(60, 100)]))] * 2

    with pytest.raises(SourceError, match="cannot be read back"):
        await past_of(home).run(Taken())


async def test_the_past_is_read_as_far_back_as_the_settings_say(home):
    assert isinstance(source_of(home), Recalling)
    assert not source_of(home).history, "and not at all where they say nothing of it"
    assert source_of(home, history=timedelta(hours=3)).history == timedelta(hours=3)
