"""A planned event: the number of posts calls nobody, the mood does, and nothing of it becomes the usual."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from storms import scored

from crisisdesk.console.times import Times
from crisisdesk.console.widgets.watch import watch_details
from crisisdesk.console.widgets.watch_row import watch_line
from crisisdesk.desk import WatchPicture
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.judgement import Window, judge
from crisisdesk.detect.learning import Learning
from crisisdesk.detect.planned import Calendar, Planned, nothing
from crisisdesk.detect.severity import Extent, Ruling, SeverityRules, severity_of
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.detect.windows import WINDOWS
from crisisdesk.engine.intake import Tally
from crisisdesk.engine.observation import Observation
from crisisdesk.engine.overview import Pictures
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.records import Kind, Label, Scored, Severity, Spike
from crisisdesk.storage.store import Store

START = datetime(2026, 3, 2, tzinfo=UTC)
"""Of what is heard before."""
BEGIN = START + timedelta(days=15)
"""Of the event."""
CAMPAIGN = Planned("Brand", BEGIN, BEGIN + timedelta(days=2), "Black Friday campaign")
WORDS = """
price basket voucher queue parcel shoes lamp kettle colour size friend sister weekend train window coffee
"""
ADVERT = "half price on all kettles with the voucher"


def planned(*events: Planned) -> Calendar:
    return lambda: events


def posts(at: datetime, hours: float, an_hour: float, share: float, seed: int = 1) -> Iterator[Scored]:
    """Everyone in other words, evenly spread."""
    rng = random.Random(f"{at} {seed}")
    for n in range(int(hours * an_hour)):
        label = Label.NEGATIVE if rng.random() < share else Label.NEUTRAL
        text = f"{' '.join(rng.sample(WORDS.split(), 7))} {rng.randrange(1000)}"
        yield scored(text, at + timedelta(hours=n / an_hour), label, author=f"{seed} {at} {n}", n=seed)


@cache
def fortnight(share: float) -> bytes:
    """What fifteen days at twenty posts an hour leave behind."""
    watch = WatchDetector("Brand")
    for post in posts(START, 15 * 24, 20, share):
        watch.observe(post)
    return orjson.dumps(watch.state())


def known(calendar: Calendar = nothing, share: float = 0.2) -> WatchDetector:
    watch = WatchDetector("Brand", planned=calendar)
    watch.restore(orjson.loads(fortnight(share)))
    return watch


@cache
def knows(share: float) -> Learning:
    return known(share=share).detector.known


def told(watch: WatchDetector, some: Iterator[Scored] | Sequence[Scored], kind: Kind = Kind.SPIKE) -> list[Spike]:
    return [spike for post in some for spike in watch.observe(post) if spike.kind is kind and spike.severity]


def worst(spikes: Sequence[Spike]) -> Severity:
    return max((one.severity for one in spikes if one.severity), default=Severity.NOTICE)


def test_an_event_is_of_whole_minutes_and_its_end_is_no_part_of_it():
    minute = int(BEGIN.timestamp() // 60)
    event = Planned("Brand", BEGIN, BEGIN + timedelta(minutes=10), "launch")
    assert (event.first, event.last) == (minute, minute + 9)
    assert not event.touches(minute - 60, minute - 1)
    assert event.touches(minute - 60, minute)
    assert event.touches(minute + 9, minute + 60)
    assert not event.touches(minute + 10, minute + 60)
    assert replace(event, end=event.end + timedelta(seconds=1)).last == minute + 10


def test_a_crowd_that_was_announced_calls_nobody_where_one_that_was_not_does():
    """Of a brand that is always scolded, a crowd alone is a spike, since its mood can hardly become worse."""
    crowd = list(posts(BEGIN, 3, 400, 0.7))
    assert worst(told(known(share=0.7), crowd)) is Severity.RED
    assert worst(told(known(planned(CAMPAIGN), 0.7), crowd)) is Severity.NOTICE


@pytest.mark.parametrize("times", [3, 10, 30])
def test_a_campaign_in_the_usual_mood_calls_nobody(times: int):
    assert worst(told(known(planned(CAMPAIGN)), posts(BEGIN, 6, 20 * times, 0.2))) is Severity.NOTICE


def test_a_campaign_that_goes_wrong_calls_at_once_and_says_what_was_expected():
    watch = known(planned(CAMPAIGN))
    told(watch, posts(BEGIN, 6, 200, 0.2))
    spikes = told(watch, posts(BEGIN + timedelta(hours=6), 1, 200, 0.5))
    first = next(one for one in spikes if one.severity is not None and one.severity >= Severity.AMBER)
    assert first.time - BEGIN < timedelta(hours=6, minutes=30)
    assert worst(spikes) is Severity.RED
    assert (
        "This is during the planned event “Black Friday campaign”: the number of posts is expected, the mood is not."
        in first.why
    )
    assert "in das geplante Ereignis „Black Friday campaign“" in first.why_de


def test_an_incident_that_is_open_when_it_begins_goes_on_while_the_mood_does():
    watch, hour = known(planned(CAMPAIGN)), timedelta(hours=1)
    assert worst(told(watch, posts(BEGIN - 2 * hour, 2, 60, 0.7))) is Severity.RED
    crowd = told(watch, posts(BEGIN, 1, 200, 0.5))
    assert {one.severity for one in crowd} == {Severity.RED}
    told(watch, posts(BEGIN + hour, 12, 200, 0.2))
    assert watch.advance(BEGIN + 13 * hour)[0].severity in {None, Severity.NOTICE}, "many posts alone keep up nothing"


def first_called(event: Planned | None, crowd: int, *, fresh: bool = False) -> int:
    """Negative ones from which on an hour of so many posts, or fresh posts, is amber; three of fifteen are usual."""
    all_of_it = Window(WINDOWS.index(60), 0, 60, crowd, 0, 0, 0, 15.0, (0, 0), event)
    usual = Window(WINDOWS.index(60), 0, 60, 3000, 600, crowd, 0, 15.0, (0, 0), event)
    windows = (replace(usual, fresh_negative=n) if fresh else replace(all_of_it, negative=n) for n in range(crowd + 1))
    amber = Thresholds.for_budget(1).amber
    return next(n for n, window in enumerate(windows) if judge(window, knows(0.2), amber).surprise >= amber)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("crowd", [100, 500])
def test_the_number_adds_nothing_to_a_share_that_does_not_surprise_by_itself(crowd: int, fresh: bool):
    surprised, foreseen = (first_called(event, crowd, fresh=fresh) for event in (None, CAMPAIGN))
    assert surprised < foreseen < 0.8 * crowd


@settings(deadline=None)
@given(st.data(), st.integers(0, len(WINDOWS) - 1), st.integers(1, 5000), st.floats(0.1, 1000.0), st.booleans())
def test_nothing_calls_during_an_event_that_would_not_call_without(data, index, total, usual, scolded):
    share = 0.7 if scolded else 0.2
    negative, fresh = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    fresh_negative = data.draw(st.integers(0, min(negative, fresh)))
    window = Window(index, 0, WINDOWS[index], total, negative, fresh, fresh_negative, usual, (0, 0))
    expected, other = (judge(replace(window, planned=event), knows(share), 2.8) for event in (CAMPAIGN, None))
    assert expected.surprise <= other.surprise + 1e-9
    assert expected.number <= other.number
    assert expected.probability >= other.probability


def test_an_event_of_another_watch_and_one_that_is_over_change_nothing():
    others = planned(
        replace(CAMPAIGN, watch="Other"), replace(CAMPAIGN, start=START, end=BEGIN - timedelta(days=2, hours=1))
    )
    some = [*posts(BEGIN, 2, 20, 0.2), *posts(BEGIN + timedelta(hours=2), 2, 200, 0.5)]
    assert told(known(others), some) == told(known(), some)


def test_it_may_be_announced_and_called_off_while_the_desk_runs():
    events: list[Planned] = []
    watch, some = known(lambda: events, 0.7), list(posts(BEGIN, 3, 400, 0.7))
    events.append(CAMPAIGN)
    assert worst(told(watch, some[:600])) is Severity.NOTICE
    events.clear()
    assert worst(told(watch, some[600:])) is Severity.RED


def test_windows_that_reach_back_into_it_know_of_it_when_it_is_over():
    short, calm = replace(CAMPAIGN, end=BEGIN + timedelta(hours=2)), list(posts(BEGIN + timedelta(hours=2), 6, 20, 0.7))
    for calendar, severity in ((nothing, Severity.RED), (planned(short), Severity.NOTICE)):
        watch = known(calendar, 0.7)
        told(watch, posts(BEGIN, 2, 300, 0.7))
        assert worst(told(watch, calm)) is severity


def test_nothing_of_it_becomes_the_usual():
    event = replace(CAMPAIGN, end=BEGIN + timedelta(days=9))  # longer than a spike that is believed in the end
    watch = known(planned(event))
    dispersion = watch.detector.spread.dispersion[-1]
    for post in chain(posts(BEGIN, 8 * 24, 20, 0.2), posts(event.end - timedelta(days=1), 24, 100, 0.2)):
        watch.observe(post)
    watch.pass_time(event.end)
    assert watch.detector.flagged(int(event.end.timestamp() // 3600) - 1)
    assert watch.detector.baseline.hours == 15 * 24, "all before it, the last of them a day later as ever"
    for post in posts(event.end, 2 * 24, 20, 0.2):
        watch.observe(post)
    assert 15 * 24 < watch.detector.baseline.hours <= 16 * 24
    assert watch.detector.baseline.level == pytest.approx(20, rel=0.1)
    assert watch.detector.spread.dispersion[-1] == pytest.approx(dispersion, rel=0.1)


def test_a_crisis_after_it_is_called_as_if_it_had_not_been():
    watch, day = known(planned(CAMPAIGN)), CAMPAIGN.end + timedelta(days=1)
    told(watch, posts(BEGIN, 48, 60, 0.2))
    assert worst(told(watch, posts(CAMPAIGN.end, 24, 20, 0.2))) is Severity.NOTICE
    spikes = told(watch, posts(day, 2, 60, 0.6))
    assert worst(spikes) >= Severity.AMBER
    assert "planned" not in spikes[-1].why


def test_a_watch_that_begins_with_a_launch_learns_from_it_and_calls():
    watch = WatchDetector("Brand", planned=planned(CAMPAIGN))
    assert worst(told(watch, posts(BEGIN, 12, 200, 0.2))) is Severity.NOTICE
    assert worst(told(watch, posts(BEGIN + timedelta(hours=12), 3, 200, 0.6))) is Severity.RED


def test_a_restart_in_the_middle_of_it_changes_nothing():
    watch = known(planned(CAMPAIGN))
    told(watch, posts(BEGIN, 12, 100, 0.2))
    again = WatchDetector("Brand", planned=planned(CAMPAIGN))
    again.restore(orjson.loads(orjson.dumps(watch.state())))
    later = [*posts(BEGIN + timedelta(hours=12), 12, 60, 0.2), *posts(CAMPAIGN.end, 36, 20, 0.2)]
    assert [one.severity for one in told(again, later)] == [one.severity for one in told(watch, later)]
    assert again.detector.baseline.state() == watch.detector.baseline.state()


def test_what_was_planned_is_known_when_it_stands_in_no_configuration_any_more():
    watch = known(planned(CAMPAIGN))
    told(watch, posts(BEGIN, 12, 60, 0.2))
    watch.pass_time(CAMPAIGN.end)
    again = WatchDetector("Brand")
    again.restore(orjson.loads(orjson.dumps(watch.state())))
    told(again, posts(CAMPAIGN.end, 24, 20, 0.2))
    assert again.detector.baseline.hours == 15 * 24


def test_what_an_older_version_kept_is_still_good():
    state: dict[str, Any] = orjson.loads(fortnight(0.2))
    del state["detector"]["known"]["planned"]
    assert WatchDetector("Brand").restore(state) == ()


def copies(people: int, at: datetime = BEGIN) -> list[Scored]:
    return [scored(ADVERT, at + timedelta(seconds=5 * n), Label.NEGATIVE, author=f"fan{n}", n=n) for n in range(people)]


def test_copies_of_what_was_planned_are_a_notice_at_most():
    unforeseen = told(known(), copies(300), Kind.BRIGADING)
    foreseen = told(known(planned(CAMPAIGN)), copies(300), Kind.BRIGADING)
    assert worst(unforeseen) is Severity.AMBER
    assert {one.severity for one in foreseen} == {Severity.NOTICE}
    assert "during the planned event “Black Friday campaign”, which may explain it." in foreseen[-1].why
    assert "das geplante Ereignis „Black Friday campaign“" in foreseen[-1].why_de


def test_copies_of_what_was_planned_are_no_measure_of_later_floods():
    event = replace(CAMPAIGN, end=BEGIN + timedelta(days=4))  # most days are usual, two loud ones are not
    watch = known(planned(event))
    for day in range(4):
        told(watch, copies(250, BEGIN + timedelta(days=day, hours=1)))
    watch.pass_time(event.end + timedelta(days=1))
    later = told(watch, copies(300, event.end + timedelta(days=1)), Kind.BRIGADING)
    assert worst(later) is Severity.AMBER
    assert "planned" not in later[-1].why


def test_speed_reach_networks_and_a_crowd_bring_red_no_nearer():
    usual = Standard()
    thresholds = known().detector.thresholds
    wide = Extent(people=500, hours=1.0, expected=5.0, growth=4.0, reach=10**7, sources=3)
    assert severity_of(Severity.AMBER, thresholds.amber, thresholds, wide, usual.severity).severity is Severity.RED
    expected = severity_of(Severity.AMBER, thresholds.amber, thresholds, replace(wide, planned=True), SeverityRules())
    assert expected == Ruling(Severity.AMBER)
    few = replace(wide, people=9, planned=True)
    assert severity_of(Severity.RED, 9.0, thresholds, few, SeverityRules()).severity is Severity.AMBER


async def test_the_console_is_told_until_when(tmp_path):
    events = [CAMPAIGN]
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        register = Register(store, Rules(), lambda _: None, ())
        await register.load()
        desk = Observation(
            register, {"Brand": Standard(), "Other": Standard()}, Tally(), lambda _: None, planned=lambda: events
        )
        pictures = Pictures(desk, register, (), None)
        await desk.tick(BEGIN)
        assert [one.planned for one in pictures.now()] == [CAMPAIGN, None]
        events.clear()
        assert [one.planned for one in pictures.now()] == [None, None]
        events.append(CAMPAIGN)
        await desk.tick(CAMPAIGN.end)
        assert [one.planned for one in pictures.now()] == [None, None]


def test_the_console_says_it():
    watch = WatchPicture("Brand", None, False, 84, 400, 6.0, 0.2, 0.2, planned=CAMPAIGN)
    row, details = (
        "\n".join(line.plain for line in page.fit(110))
        for page in (watch_line(watch, BEGIN, Times(UTC)), watch_details(watch, BEGIN, Times(UTC)))
    )
    assert row.endswith("planned event · calm")
    assert "Planned: “Black Friday campaign” until Thu 19 Mar 00:00 UTC." in details
