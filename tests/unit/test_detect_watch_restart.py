"""A watch that is stopped and goes on: it knows who has spoken, what it flagged and what it was told before."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from storms import ANGER, END, OTHER_WORDS, quiet, scored, spikes_of, storm

from crisisdesk.detect.watch import WatchDetector
from crisisdesk.incidents.lifecycle import Rules, witness
from crisisdesk.records import Incident, Kind, Label, Scored, Severity, Spike


@pytest.fixture(scope="module")
def ten_days() -> bytes:
    watch = WatchDetector("Brand")
    for item in quiet():
        watch.observe(item)
    return kept(watch)


def kept(watch: WatchDetector) -> bytes:
    return orjson.dumps(watch.state())


def resumed(state: bytes | dict[str, Any]) -> WatchDetector:
    watch = WatchDetector("Brand")
    watch.restore(orjson.loads(state) if isinstance(state, bytes) else state)
    return watch


def loud_few(accounts: int = 5, hours: int = 12) -> Iterator[Scored]:
    """A few accounts that say what counts, two posts an hour each, ever in other words."""
    rng = random.Random(3)
    for n in range(accounts * 2 * hours):
        at = END + timedelta(minutes=30 * n / accounts)
        text = " ".join(rng.sample(OTHER_WORDS.split(), 9))
        yield scored(text, at, Label.NEGATIVE, author=f"loud{n % accounts}", n=n)


def test_a_day_after_a_post_out_of_order_what_is_kept_can_be_read(ten_days: bytes):
    watch = resumed(ten_days)
    for n, minute in enumerate((100, 95, 95 + 1_440 + 1)):
        watch.observe(scored(ANGER.format(n), END + timedelta(minutes=minute), Label.NEGATIVE, author=f"a{n}"))
    again = WatchDetector("Brand")
    assert (again.restore(orjson.loads(kept(watch))), again.now) == ((), watch.now)


def test_after_a_restart_in_a_spike_a_few_loud_accounts_are_still_few(ten_days: bytes):
    watch = resumed(ten_days)
    before = spikes_of(watch, loud_few())[-1]
    after = resumed(kept(watch)).advance(watch.now + timedelta(seconds=10))[0]
    assert (after.severity, after.numbers.authors) == (before.severity, before.numbers.authors)
    assert after.numbers.authors < after.numbers.negative / 4


def test_a_spike_that_has_ended_over_a_restart_is_said_to_be_over(ten_days: bytes):
    watch = resumed(ten_days)
    spikes_of(watch, storm(END))
    praise = scored("a lovely day with tea and no headache", END + timedelta(days=3), Label.POSITIVE, author="kind")
    said = resumed(kept(watch)).observe(praise)
    assert [(one.kind, one.severity) for one in said] == [(Kind.SPIKE, None)]


def test_how_far_a_story_reaches_is_known_after_a_restart(ten_days: bytes):
    watch = resumed(ten_days)
    far = [replace_reach(item, 20_000) for item in storm(END)]
    before = spikes_of(watch, far)[-1]
    after = resumed(kept(watch)).advance(watch.now + timedelta(seconds=10))[0]
    assert before.severity is after.severity is Severity.RED
    told = "Those who speak have 800,000 followers together."
    assert (told in before.why, told in after.why) == (True, True)


def incident_of(spikes: Iterable[Spike], incident: Incident | None = None) -> Incident:
    """What the desk has made of these."""
    for spike in spikes:
        step = witness(incident, spike, Rules(), 0)
        incident = step.incident if step else incident
    assert incident is not None
    return incident


def test_the_first_posts_after_a_restart_do_not_stand_for_the_crowd_before_it(ten_days: bytes):
    watch, posts = resumed(ten_days), [replace_reach(item, 100) for item in storm(END, 220)]
    before = incident_of(spikes_of(watch, posts[:40]))
    assert before.evidence.people > 30
    watch = resumed(kept(resumed(kept(watch))))  # twice, with nothing said between
    after = incident_of(spikes_of(watch, posts[40:44]), before)
    assert after.numbers.authors == 44
    assert after.evidence == before.evidence
    assert before.evidence.phrases[0].text in after.why
    later = incident_of(spikes_of(watch, posts[44:]), after)
    assert later.evidence.people > 100, "new posts are shown as soon as there are enough of them"


def test_a_story_that_nobody_was_told_of_before_a_restart_opens_with_its_posts(ten_days: bytes):
    watch, posts = resumed(ten_days), storm(END)
    first = next(n for n, item in enumerate(posts) if spikes_of(watch, [item]))
    for cut_off in range(max(first - 3, 0), first + 1):
        watch = resumed(ten_days)
        assert not spikes_of(watch, posts[:cut_off])
        opened = incident_of(spikes_of(resumed(kept(watch)), posts[cut_off:])[:1])
        assert opened.evidence.posts


def test_how_far_a_story_of_the_morning_reached_is_nothing_to_one_of_the_evening_after_a_restart(ten_days: bytes):
    rng = random.Random(4)
    waves = [
        scored(
            " ".join(rng.sample(OTHER_WORDS.split(), 9)),
            END + timedelta(hours=hours, minutes=every * n),
            Label.NEGATIVE,
            author=f"q{hours}-{n}",
            reach=reach,
            n=n,
        )
        for hours, every, reach, posts in ((0, 1, 30_000, 12), (7, 3, 5, 40))
        for n in range(posts)
    ]
    watch = resumed(ten_days)
    assert any("followers" in one.why for one in spikes_of(watch, waves[:12]))
    restarted = resumed(kept(watch))
    told = [
        [(one.severity, "followers" in one.why) for one in spikes_of(each, waves[12:])] for each in (watch, restarted)
    ]
    assert told[1] == told[0]
    assert not any(followers for _, followers in told[1])


def test_what_is_said_in_a_storm_is_not_learnt_though_the_desk_was_restarted_in_it(ten_days: bytes):
    watch = resumed(ten_days)
    posts = storm(END)
    spikes_of(watch, posts[:20])
    watch = resumed(kept(watch))
    for item in posts[20:]:
        watch.observe(item)
    watch.advance(END + timedelta(days=4))
    assert watch._memory.usual.negative["insulting"] == 0


def test_what_a_source_delivers_again_is_no_flood_and_no_copy(ten_days: bytes):
    watch, rng = resumed(ten_days), random.Random(1)
    posts = [
        scored(
            " ".join(rng.sample(OTHER_WORDS.split(), 9)),
            END + timedelta(seconds=30 * n),
            Label.NEGATIVE,
            author=f"u{n % 30}",
            n=n,
        )
        for n in range(60)
    ]
    once = [spike for item in posts for spike in watch.observe(item)]
    assert {one.kind for one in once if one.severity} == {Kind.SPIKE}
    again = resumed(kept(watch))
    twice = [spike for item in posts for spike in again.observe(item)]
    assert {one.kind for one in twice if one.severity} == {Kind.SPIKE}
    assert twice[-1].numbers.negative == once[-1].numbers.negative
    shown = again.advance(again.now + timedelta(minutes=6))[0].evidence
    assert {quote.copies for quote in shown.posts} == {1}


@pytest.mark.parametrize(
    "unknown", [("speakers",), ("earned", "severity", "dossier"), ("weeks", "records"), ("crowd", "apart")]
)
def test_what_an_older_version_kept_can_be_read(ten_days: bytes, unknown: tuple[str, ...]):
    state = orjson.loads(ten_days)
    for key in unknown:
        del state[key]
    assert max(spike.severity or 0 for spike in spikes_of(resumed(state), storm(END))) is Severity.RED


def replace_reach(item: Scored, reach: int) -> Scored:
    return replace(item, mention=replace(item.mention, post=item.post._replace(reach=reach)))


def cut(state: dict[str, Any], *path: str) -> None:
    """Half of a list is missing."""
    *parts, last = path
    for part in parts:
        state = state[part]
    state[last] = state[last][: len(state[last]) // 2]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda state: cut(state, "weeks", "weeks"), "the weeks"),
        (lambda state: cut(state, "records", "rolling"), "the largest hours"),
        (lambda state: state["crowd"]["texts"].update(parts=[]), "which posts were heard"),
        (lambda state: state["crowd"]["texts"].update(parts=[[[7, "twice"]]]), "which posts were heard"),
        (lambda state: state["speakers"].update(minutes=[]), "who has spoken"),
        (lambda state: state["brigading"].update(days=["many"]), "the loudest accounts"),
        (lambda state: state["brigading"].update(posts=[[0, ["a"], 1]]), "the loudest accounts"),
        (lambda state: state["memory"].update(heard=-1), "the usual words"),
        (lambda state: state["memory"].update(usual={"head": "often"}), "the usual words"),
        (lambda state: state["hours"].append([0.0]), "the chart"),
        (lambda state: state["dossier"].update(reach="far"), "what was known of the present story"),
        (lambda state: state.update(apart=[[1, "fr", "many"]]), "posts in other languages"),
        (lambda state: state.update(severity=9), "how bad things were"),
    ],
)
def test_a_damaged_part_is_told_at_once_costs_no_other_and_breaks_nothing_later(
    ten_days: bytes, damage: Callable[[dict[str, Any]], None], told: str
):
    state = orjson.loads(ten_days)
    damage(state)
    watch = WatchDetector("Brand")
    assert watch.restore(state) == (told,)
    known = resumed(ten_days)
    assert watch.detector.state() == known.detector.state()
    later = [*storm(END), *storm(END + timedelta(days=2))]
    found = [[(one.severity, one.numbers) for one in spikes_of(each, later)] for each in (watch, known)]
    assert max(severity or 0 for severity, _ in found[0]) is Severity.RED
    assert found[0][0] == found[1][0]
    assert watch.hours()
    assert watch.weeks()
    assert watch.restore(orjson.loads(kept(watch))) == ()


@pytest.mark.parametrize("part", ["now", "detector"])
def test_without_what_is_usual_all_the_rest_is_refused(ten_days: bytes, part: str):
    state = orjson.loads(ten_days)
    state[part] = "never"
    with pytest.raises((KeyError, TypeError, ValueError)):
        resumed(state)
