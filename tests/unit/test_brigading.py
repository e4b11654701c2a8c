"""What a watch says of a flood, beside what it says of the public; and that a restart changes neither."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from crisisdesk.detect.watch import WatchDetector
from crisisdesk.records import Kind, Label, Mention, Post, Scored, Severity, Spike

START = datetime(2026, 3, 2, tzinfo=UTC)
END = START + timedelta(days=3)
TEXT = "this brand lies to all of us about what is in the bottle"


def scored(text: str, at: datetime, author: str | None, label: Label = Label.NEGATIVE, **more: str) -> Scored:
    post = Post(f"{at.timestamp()} {author}", "x", at, text, author=author, **more)
    chances = ((0.9 if one is label else 0.05) for one in (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE))
    return Scored(Mention(post, ("Brand",), "en"), *chances, "m")


def flood(posts: int, accounts: int, at: datetime = END) -> list[Scored]:
    """One text, six posts a minute, the accounts taking turns."""
    return [scored(TEXT, at + timedelta(seconds=10 * n), f"bot{n % accounts}") for n in range(posts)]


@pytest.fixture
def watch() -> WatchDetector:
    """Three days of five posts an hour, a fifth of them negative."""
    detector, chance = WatchDetector("Brand"), random.Random(1)
    for n in range(3 * 24 * 5):
        label = Label.NEGATIVE if chance.random() < 0.2 else Label.NEUTRAL
        detector.observe(
            scored(f"{n} times I drank from a bottle today", START + timedelta(minutes=12 * n), f"p{n}", label)
        )
    return detector


def told(watch: WatchDetector, posts: Iterable[Scored]) -> list[Spike]:
    return [spike for post in posts for spike in watch.observe(post)]


def test_a_flood_is_told_once_it_is_one_and_no_spike(watch: WatchDetector):
    watch.observe(scored("a bottle of it stands here on my desk", END, "calm", Label.NEUTRAL))
    said = told(watch, flood(300, 9))
    assert {one.severity for one in said if one.kind is Kind.SPIKE} <= {None, Severity.NOTICE}
    floods = [one for one in said if one.kind is Kind.BRIGADING]
    assert len(floods) > 250
    assert floods[0].why.startswith("21 copies by 7 accounts")
    assert {one.severity for one in floods} == {Severity.NOTICE}
    last = floods[-1]
    assert last.why.startswith("300 copies by 9 accounts in 50 minutes")
    assert (last.numbers.negative, last.numbers.authors, last.numbers.window_minutes) == (300, 9, 60)
    assert 0.99 < last.numbers.negative_share < 1
    assert 0 < last.numbers.probability < 1


def test_a_flood_is_told_as_it_was_at_its_height_and_then_as_over(watch: WatchDetector):
    told(watch, flood(300, 9))
    height = watch.advance(END + timedelta(minutes=80))[1]
    assert height.severity is Severity.NOTICE
    assert height.why.startswith("300 copies by 9 accounts in 50 minutes")
    assert [quote.copies for quote in height.evidence.posts] == [300]
    assert watch.advance(END + timedelta(minutes=115))[1].severity is None
    again = told(watch, flood(50, 2, END + timedelta(hours=5)))[-1]
    assert again.why.startswith("50 copies by 2 accounts")
    assert [quote.copies for quote in again.evidence.posts] == [50], "nothing of the first flood"


def test_its_evidence_folds_the_copies_and_names_the_loudest(watch: WatchDetector):
    troll = [scored(f"the brand is {n} times a liar", END + timedelta(minutes=n), "troll") for n in range(30)]
    told(watch, sorted(flood(100, 4) + troll, key=lambda one: one.post.time))
    evidence = watch.advance(END + timedelta(minutes=31))[1].evidence
    assert (evidence.posts[0].text, evidence.posts[0].copies) == (TEXT, 100)
    assert evidence.posts[1].copies == 1
    assert {author for author, _ in evidence.voices} == {"bot0", "bot1", "bot2", "bot3", "troll"}
    assert (evidence.people, dict(evidence.sources), dict(evidence.languages)) == (5, {"x": 130}, {"en": 130})


@pytest.mark.parametrize("name", ["reader{}", None])
def test_reposts_by_many_are_told_as_many_people_who_repeat_one_text(watch: WatchDetector, name: str | None):
    posts = [
        scored(f"RT @angry: {TEXT}", END + timedelta(seconds=10 * n), name and name.format(n), original="")
        for n in range(280)
    ]
    said = told(watch, posts)
    assert {one.severity for one in said if one.kind is Kind.SPIKE} <= {None, Severity.NOTICE}
    last = [one for one in said if one.kind is Kind.BRIGADING][-1]
    assert last.why.startswith("280 people repeat one text within 47 minutes, counted as one voice")
    assert last.severity is Severity.AMBER
    assert (last.numbers.negative, last.numbers.authors, last.numbers.window_minutes) == (280, 280, 180)
    watch.advance(END + timedelta(minutes=50))
    evidence = watch.advance(END + timedelta(minutes=50))[1].evidence
    assert [quote.copies for quote in evidence.posts] == [280]


def test_a_post_that_is_shared_now_and_then_is_no_flood(watch: WatchDetector):
    posts = [
        scored(f"RT @angry: {TEXT}", END + timedelta(minutes=20 * n), f"reader{n}", original="") for n in range(40)
    ]
    assert not [one for one in told(watch, posts) if one.kind is Kind.BRIGADING]


def test_copies_without_an_author_are_told_though_nobody_knows_whose_they_are(watch: WatchDetector):
    posts = [scored(TEXT, END + timedelta(seconds=n), None) for n in range(40)]
    assert told(watch, posts)[-1].why.startswith("40 copies by unknown accounts in 1 minute;")


def test_late_copies_of_hours_ago_are_no_flood_of_now(watch: WatchDetector):
    watch.advance(END + timedelta(hours=6))
    assert not [one for one in told(watch, flood(300, 9)) if one.kind is Kind.BRIGADING]


def test_a_restart_in_the_midst_of_a_flood_forgets_nobody(watch: WatchDetector):
    posts = flood(300, 9)
    told(watch, posts[:150])
    again = WatchDetector("Brand")
    again.restore(orjson.loads(orjson.dumps(watch.state())))
    last, same = (told(one, posts[150:])[-1] for one in (watch, again))
    assert (same.why, same.numbers, same.severity) == (last.why, last.numbers, last.severity)
    assert again.last_hour() == watch.last_hour(), "no copy counts again"


def test_what_a_version_without_floods_wrote_can_be_read(watch: WatchDetector):
    state = orjson.loads(orjson.dumps(watch.state()))
    del state["crowd"], state["brigading"]
    again = WatchDetector("Brand")
    again.restore(state)
    assert told(again, flood(30, 2))[-1].kind is Kind.BRIGADING
