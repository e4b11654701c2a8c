"""From scored mentions to statements: people instead of posts, reasons, evidence, determinism."""

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from storms import ANGER, CHATTER, END, OTHER_WORDS, START, quiet, scored, spikes_of, storm, worst

from crisisdesk.detect.watch import WatchDetector
from crisisdesk.records import Chosen, Kind, Label, Mention, Post, Scored, Severity


@pytest.fixture
def watch() -> WatchDetector:
    detector = WatchDetector("Brand")
    assert worst(spikes_of(detector, quiet())) in (None, Severity.NOTICE)
    return detector


def test_a_storm_is_red_and_says_why(watch: WatchDetector):
    spikes = spikes_of(watch, storm(END))
    last = spikes[-1]
    assert worst(spikes) is Severity.RED
    assert 40 <= last.numbers.negative <= last.numbers.authors + 3 < 50
    assert last.numbers.negative_share > 0.8
    assert last.why.startswith(f"{last.numbers.negative} negative posts by {last.numbers.authors} people within ")
    assert last.why_de.startswith(f"{last.numbers.negative} negative Beiträge von {last.numbers.authors} Menschen ")
    assert 0 < last.numbers.probability < 1e-4


def test_the_evidence_names_first_post_phrases_and_voices(watch: WatchDetector):
    spikes_of(watch, storm(END))
    evidence = watch.advance(END + timedelta(minutes=45))[0].evidence
    assert evidence.first is not None
    assert evidence.first.author in {"angry0", "p1198", "p1199"}
    said = {word for phrase in evidence.phrases for word in phrase.text.split()}
    assert {"advert", "mothers", "insulting"} <= said
    assert not {"head", "aspirin"} & said, "what is always said sets nothing apart"
    assert evidence.voices[0] == ("angry39", 39)
    assert [q.reach for q in evidence.posts if q.role is Chosen.WIDEST] == [39, 38, 37]
    assert dict(evidence.languages)["en"] >= 40


def test_a_flood_of_copies_calls_nobody(watch: WatchDetector):
    assert worst(spikes_of(watch, storm(END, 300, text=ANGER))) in (None, Severity.NOTICE)


def test_one_author_weighs_little_however_often_they_post(watch: WatchDetector):
    assert worst(spikes_of(watch, storm(END, 55, author="troll"))) in (None, Severity.NOTICE)


def test_posts_without_author_count_as_people(watch: WatchDetector):
    anonymous = [
        Scored(Mention(Post(s.post.id, "x", s.post.time, s.post.text), ("Brand",)), 0.9, 0.05, 0.05, "m")
        for s in storm(END)
    ]
    assert worst(spikes_of(watch, anonymous)) is Severity.RED


def test_calm_is_said_once_and_on_every_look(watch: WatchDetector):
    for s in storm(END):
        watch.observe(s)
    assert [(one.kind, one.severity) for one in watch.advance(END + timedelta(hours=1))] == [(Kind.SPIKE, Severity.RED)]
    calm = watch.advance(END + timedelta(hours=30), flooded=True)
    assert [(one.kind, one.severity) for one in calm] == [(Kind.SPIKE, None), (Kind.BRIGADING, None)]


def test_late_posts_are_counted_where_they_belong_and_very_late_ones_are_reported(watch: WatchDetector):
    for s in storm(END):
        watch.observe(s)
    assert watch.late == 0
    watch.observe(scored("hello there my friends of old", END - timedelta(days=3), Label.NEGATIVE, author="late"))
    assert watch.late == 1


def test_a_restart_between_two_posts_changes_no_judgement(watch: WatchDetector):
    again = WatchDetector("Brand")
    again.restore(orjson.loads(orjson.dumps(watch.state())))
    posts = storm(END)
    for post in posts:
        now, then = watch.observe(post), again.observe(post)
        assert [one.severity for one in now] == [one.severity for one in then]
    assert again.hours() == watch.hours()


def test_the_chart_has_an_hour_for_every_hour(watch: WatchDetector):
    hours = watch.hours()
    assert [b.start - a.start for a, b in itertools.pairwise(hours)] == [timedelta(hours=1)] * (len(hours) - 1)
    assert sum(h.total for h in hours) == len(quiet())
    assert hours[-1].expected == pytest.approx(1.0, abs=0.5)
    assert hours[-1].high > hours[-1].expected


def test_a_post_with_a_wrong_date_leaves_a_gap_in_the_chart_not_decades_of_empty_hours():
    watch = WatchDetector("Brand", chart_hours=None)
    for n, at in enumerate((datetime(2006, 1, 1, tzinfo=UTC), START, START + timedelta(days=20))):
        watch.observe(scored(CHATTER.format(n), at, Label.NEUTRAL, author=f"p{n}"))
    hours = watch.hours()
    assert len(hours) < 100 * 24
    assert [hour.start.year for hour in hours if hour.total] == [2006, 2026, 2026]
    assert all(b.start - a.start == timedelta(hours=1) for a, b in itertools.pairwise(hours[1:])), "a silence is drawn"


def test_posts_in_other_languages_are_counted_beside_and_survive_a_restart(watch: WatchDetector):
    for minute in range(100):
        watch.observe_apart(END + timedelta(minutes=minute), "fr" if minute % 2 else "es")
    assert watch.last_hour()[:2] == (0, 0)
    assert dict(watch.last_hour_apart()) == {"fr": 30, "es": 30}
    again = WatchDetector("Brand")
    again.restore(orjson.loads(orjson.dumps(watch.state())))
    assert again.last_hour_apart() == watch.last_hour_apart()


def test_what_a_version_without_languages_wrote_can_be_read(watch: WatchDetector):
    state = orjson.loads(orjson.dumps(watch.state()))
    del state["apart"]
    again = WatchDetector("Brand")
    again.restore(state)
    assert (again.now, again.last_hour_apart()) == (watch.now, ())


def test_evidence_follows_what_is_said_in_other_languages(watch: WatchDetector):
    for s in storm(END):
        watch.observe(s)
    now = END + timedelta(minutes=40)
    for second in range(34):
        watch.observe_apart(now + timedelta(seconds=second), "fr" if second < 20 else "es")
    assert watch.advance(now + timedelta(minutes=6))[0].evidence.other_languages == (("fr", 20), ("es", 14))


def test_a_spike_says_since_when_nothing_was_as_large(watch: WatchDetector):
    last = [s for one in storm(END) for s in watch.observe(one)][-1]
    assert "last hour's 40 are the most negative posts in an hour ever since watching began (10 days)." in last.why
    assert "40 negative Beiträge, so viele wie in keiner anderen seit Beginn der Beobachtung (10 Tage)." in last.why_de
    again = [s for one in storm(END + timedelta(days=2)) for s in watch.observe(one)][-1]
    assert "most negative posts" not in again.why, "two days ago there were as many"


def test_while_a_source_cannot_be_heard_a_spike_says_that_there_may_be_more(watch: WatchDetector):
    watch.detector.hearing.missing = ("mastodon",)
    last = [s for one in storm(END) for s in watch.observe(one)][-1]
    assert last.why.endswith("mastodon cannot be heard at present, so there may be more.")
    assert last.why_de.endswith("mastodon ist zurzeit nicht zu hören, es können mehr sein.")


def test_a_wave_that_doubles_is_said_to_grow_and_red_comes_nearer(watch: WatchDetector):
    faster = [replace_time(one, END + timedelta(minutes=40 * (1 - 0.93**i))) for i, one in enumerate(storm(END))]
    spikes = [s for one in faster for s in watch.observe(one)]
    assert any("It is growing fast." in s.why for s in spikes if s.severity and s.severity >= Severity.AMBER)


def replace_time(item: Scored, time: datetime) -> Scored:
    post = item.post._replace(time=time)
    return replace(item, mention=replace(item.mention, post=post))


def wave(at: datetime, posts: int, *, every: float = 1.0, reach: int = 10, by: str = "a") -> list[Scored]:
    """Anger without a subject, everyone in other words."""
    rng, words = random.Random(by), OTHER_WORDS.split()
    return [
        scored(
            " ".join(rng.sample(words, 8)),
            at + timedelta(minutes=every * n),
            Label.NEGATIVE,
            author=f"{by}{n}",
            reach=reach,
            n=n,
        )
        for n in range(posts)
    ]


def test_how_far_an_old_story_reached_is_nothing_to_a_new_one():
    then = END + timedelta(days=3)
    far, near = wave(END, 30, reach=500_000), wave(then, 12, by="b")
    calm = [
        scored(
            CHATTER.format(n),
            START + timedelta(hours=n),
            Label.NEUTRAL if n % 8 else Label.NEGATIVE,
            author=f"q{n}",
        )
        for n in range(14 * 24)
    ]
    spikes = spikes_of(WatchDetector("Brand"), sorted([*calm, *far, *near], key=lambda one: one.post.time))
    assert any("followers" in one.why for one in spikes if one.time < then)
    assert any(one.severity is Severity.AMBER for one in spikes if one.time >= then)
    assert not [one.why for one in spikes if one.time >= then and "followers" in one.why]


RECORD = "most negative posts in an hour"


def test_a_record_names_its_own_number_beside_that_of_a_day(watch: WatchDetector):
    spikes = spikes_of(watch, wave(END, 300, every=4))
    told = [one for one in spikes if RECORD in one.why and one.numbers.window_minutes > 60]
    assert told
    assert all("The last hour's 15 are the" in one.why for one in told[-5:])
    assert all("In der letzten Stunde waren es 15 negative Beiträge" in one.why_de for one in told[-5:])


def test_a_wave_that_declines_claims_no_record(watch: WatchDetector):
    height, decline = wave(END, 120, every=0.5), wave(END + timedelta(hours=4), 20, every=6, by="b")
    assert RECORD in spikes_of(watch, height)[-1].why
    assert not [one.why for one in spikes_of(watch, decline) if RECORD in one.why]


def test_sixty_minutes_are_compared_with_sixty_minutes_not_with_hours_of_the_clock(watch: WatchDetector):
    around = wave(END + timedelta(minutes=40), 40)  # twenty before the full hour, twenty behind it
    spikes_of(watch, around)
    again = spikes_of(watch, wave(END + timedelta(days=2, minutes=10), 30, by="b"))
    assert not [one.why for one in again if RECORD in one.why]


def test_what_the_detector_flags_is_neither_in_the_weeks_nor_learnt_as_usual_words(watch: WatchDetector):
    slow = wave(END + timedelta(hours=3), 60, every=9)
    flagged, heard = set(), [int(one.post.time.timestamp() // 3600) for one in quiet()]
    for item in sorted([*quiet(13)[1_200:], *slow], key=lambda one: one.post.time):
        watch.observe(item)
        heard.append(number := int(item.post.time.timestamp() // 3600))
        flagged |= {hour for hour in range(number - 30, number + 1) if watch.detector.flagged(hour)}
    assert sum(week.left_out for week in watch.weeks()) == len(flagged) > 9
    counted = sum(hour not in flagged and hour < heard[-1] for hour in heard)
    assert sum(week.total for week in watch.weeks()) == counted
    assert watch._memory.usual.posts["midwife"] == 0, "not even what was said before the call"
