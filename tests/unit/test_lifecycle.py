"""What evidence, time and people do to an incident."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.errors import UsageError
from crisisdesk.incidents import acts, lifecycle
from crisisdesk.incidents.lifecycle import Rules, incident_id, turned_back, witness
from crisisdesk.incidents.step import Step
from crisisdesk.records import (
    Cause,
    Change,
    Event,
    Evidence,
    Incident,
    Kind,
    Numbers,
    Quote,
    Severity,
    Spike,
    State,
    Verdict,
)

START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)
RULES = Rules()
NOTICE, AMBER, RED = Severity.NOTICE, Severity.AMBER, Severity.RED


def spike(minutes: float = 0, severity: Severity | None = AMBER, negative: int = 12, watch: str = "Motrin") -> Spike:
    numbers = Numbers(60, negative, 20, 1.5, 11, 0.6, 0.2, 1e-6)
    return Spike(
        watch, Kind.SPIKE, START + timedelta(minutes=minutes), severity, numbers, f"{negative} negative", Evidence()
    )


class Life:
    """One watch's incident and its timeline, driven step by step."""

    def __init__(self) -> None:
        self.incident: Incident | None = None
        self.changes: list[Change] = []

    def see(self, minutes: float, severity: Severity | None, negative: int = 12) -> tuple[Event, ...]:
        return self.take(witness(self.incident, spike(minutes, severity, negative), RULES, self.sequence))

    def take(self, step: Step | None) -> tuple[Event, ...]:
        if step is None:
            return ()
        if self.incident is None or step.incident.id != self.incident.id:
            self.changes = []
        self.incident = step.incident
        self.changes.extend(step.changes)
        return tuple(change.event for change in step.changes)

    def silence(self, minutes: float = 0, hours: float = 8) -> tuple[Event, ...]:
        now = START + timedelta(minutes=minutes)
        until = now + timedelta(hours=hours)
        return self.take(acts.silence(self.now, "Ann", now, self.sequence, until=until, reason="it is known"))

    @property
    def sequence(self) -> int:
        return len(self.changes)

    @property
    def now(self) -> Incident:
        assert self.incident is not None
        return self.incident


def test_calm_opens_nothing():
    assert witness(None, spike(severity=None), RULES, 0) is None


def test_a_spike_opens_with_its_reason():
    life = Life()
    assert life.see(0, AMBER) == (Event.OPENED,)
    assert (life.now.state, life.now.severity, life.now.opened) == (State.OPEN, AMBER, START)
    assert life.changes[0].reason == "12 negative"
    assert life.changes[0].id == "motrin-20081115t034000z-1"


def test_more_of_the_same_only_moves_the_figures():
    life = Life()
    life.see(0, AMBER)
    assert life.see(1, AMBER, negative=14) == ()
    assert life.now.numbers.negative == 14


def test_a_raise_calls_again_whoever_had_it():
    life = Life()
    life.see(0, AMBER)
    life.take(acts.acknowledge(life.now, "Ann", START, life.sequence))
    assert life.see(5, RED) == (Event.RAISED,)
    assert (life.now.state, life.now.acknowledged_by, life.now.severity) == (State.OPEN, None, RED)


def test_whoever_has_it_is_not_called_for_each_better_hour_that_ends():
    life = Life()
    life.see(0, RED)
    life.take(acts.acknowledge(life.now, "Ann", START, life.sequence))
    wave = ((1, AMBER), (61, AMBER), (62, RED))
    events = [event for n in range(8) for minutes, severity in wave for event in life.see(n * 62 + minutes, severity)]
    assert events == [Event.SUBSIDED, Event.RAISED] * 8
    assert (life.now.state, life.now.severity, life.now.acknowledged_by) == (State.ACKNOWLEDGED, RED, "Ann")


def test_whoever_took_it_when_it_was_better_is_called_again_though_it_was_as_bad_before():
    life = Life()
    life.see(0, RED)
    life.see(1, AMBER)
    life.see(61, AMBER)
    life.take(acts.acknowledge(life.now, "Ann", START + timedelta(minutes=61), life.sequence))
    assert life.see(70, RED) == (Event.RAISED,)
    assert (life.now.state, life.now.acknowledged_severity) == (State.OPEN, None)


def test_posts_that_come_hours_late_end_it_though_people_do_something_about_it_all_the_time():
    life = Life()
    life.see(0, AMBER)
    for minutes in range(1, 250):
        note = acts.note(life.now, "Ann", "still at it", START + timedelta(hours=2, minutes=minutes), life.sequence)
        life.take(note)
        life.see(minutes, None, negative=0)
    assert life.now.state is State.RESOLVED
    times = [change.time for change in life.changes]
    assert times == sorted(times)


@pytest.mark.parametrize("resolved", [False, True])
def test_after_the_clock_was_set_back_evidence_counts_again(resolved: bool):
    life = Life()
    life.see(0, AMBER)
    if resolved:
        life.take(acts.resolve(life.now, "Ann", Verdict.REAL, START, life.sequence))
    back = START - timedelta(hours=5)
    life.incident = turned_back(life.now, back)
    assert turned_back(life.now, START) is life.now
    severities = [AMBER if resolved and minutes > 61 else None for minutes in range(240)]
    seen = [event for minutes, severity in enumerate(severities) for event in life.see(minutes - 299, severity)]
    assert seen == ([Event.REOPENED] if resolved else [Event.SUBSIDED, Event.RESOLVED])


def test_a_raise_breaks_a_silence_and_the_same_level_does_not():
    life = Life()
    life.see(0, AMBER)
    life.silence(hours=8)
    life.see(5, AMBER)
    assert life.now.is_silent(START + timedelta(minutes=5))
    life.see(6, RED)
    assert life.now.silence is None


def test_it_subsides_to_the_strongest_evidence_of_the_hold_and_not_before():
    life = Life()
    life.see(0, RED, negative=400)
    assert life.see(10, AMBER, negative=30) == ()
    assert life.see(69, None, negative=0) == ()
    assert life.see(70, None, negative=0) == (Event.SUBSIDED,)
    assert life.now.severity is AMBER
    assert life.now.numbers.negative == 400, "the figures of the worst moment stay while it calms down"
    assert life.changes[-1].reason == "weaker for 1 h"


def test_strong_evidence_ends_the_wait():
    life = Life()
    life.see(0, RED)
    life.see(10, None)
    life.see(60, RED)
    assert life.see(75, None) == ()
    assert life.now.severity is RED


def test_flapping_between_two_levels_calls_once():
    life = Life()
    events = [event for minute in range(600) for event in life.see(minute, AMBER if minute % 2 else NOTICE)]
    assert events == [Event.OPENED, Event.RAISED]


def test_calm_subsides_then_resolves_by_itself():
    life = Life()
    life.see(0, RED)
    seen = {minute: events for minute in range(1, 300) if (events := life.see(minute, None))}
    assert seen == {61: (Event.SUBSIDED,), 181: (Event.RESOLVED,)}
    assert life.now.resolved_at == START + timedelta(minutes=181)
    assert life.changes[-1].reason == "calm for 3 h"
    assert life.changes[-1].person is None


def test_weak_evidence_keeps_it_open():
    life = Life()
    life.see(0, RED)
    assert {event for minute in range(1, 1000) for event in life.see(minute, NOTICE)} == {Event.SUBSIDED}
    assert life.now.is_open


def ended(life: Life) -> None:
    life.see(0, AMBER)
    life.see(1, None)
    assert life.see(181, None) == (Event.RESOLVED,)


def test_it_reopens_within_the_window_under_the_same_id():
    life = Life()
    ended(life)
    first = life.now.id
    assert life.see(181 + 719, NOTICE) == (Event.REOPENED,)
    assert (life.now.id, life.now.state, life.now.severity, life.now.resolved_at) == (first, State.OPEN, NOTICE, None)
    assert [change.sequence for change in life.changes] == [1, 2, 3][: len(life.changes)]


def test_time_in_which_nothing_could_be_heard_is_no_calm():
    life = Life()
    life.see(0, AMBER)
    life.see(10, None)
    life.see(40, None)
    life.incident = lifecycle.unheard(life.now, START + timedelta(minutes=40), START + timedelta(minutes=400))
    assert life.see(400, None) == ()
    assert life.see(400 + 149, None) == (Event.SUBSIDED,)
    assert life.see(400 + 150, None) == (Event.RESOLVED,)


def test_a_persons_word_holds_over_time_in_which_nothing_could_be_heard():
    life = Life()
    life.see(0, AMBER)
    life.take(acts.resolve(life.now, "Ann", Verdict.REAL, START + timedelta(minutes=5), life.sequence))
    life.see(10, AMBER)
    life.incident = lifecycle.unheard(life.now, START + timedelta(minutes=20), START + timedelta(minutes=120))
    assert life.see(125, AMBER) == ()
    assert life.see(190, AMBER) == (Event.REOPENED,)


def test_after_the_window_it_is_a_new_incident():
    life = Life()
    ended(life)
    first = life.now.id
    assert life.see(181 + 721, AMBER) == (Event.OPENED,)
    assert life.now.id != first
    assert life.changes[0].sequence == 1


def test_a_persons_word_is_not_undone_by_the_same_wave():
    life = Life()
    life.see(0, AMBER)
    life.take(acts.resolve(life.now, "Ann", Verdict.FALSE_ALARM, START + timedelta(minutes=5), life.sequence))
    assert life.see(6, AMBER) == ()
    assert life.see(7, RED) == (Event.REOPENED,)
    assert life.now.verdict is None, "it is worse than what was judged"


def test_a_persons_word_does_not_hold_for_twice_the_people():
    """Red cannot rise; that somebody said too early that it is over must not leave the worst of it unheard."""
    life = Life()
    life.take(witness(None, crowd(0, 60), RULES, 0))
    life.take(acts.resolve(life.now, "Ann", Verdict.REAL, START + timedelta(minutes=5), life.sequence))
    assert life.now.resolved_by == "Ann"
    assert life.take(witness(life.now, crowd(10, 119), RULES, life.sequence)) == ()
    assert life.take(witness(life.now, crowd(12, 120), RULES, life.sequence)) == (Event.REOPENED,)
    assert (life.now.cause, life.now.verdict, life.now.resolved_by) == (Cause.BACK, None, None)
    assert life.now.numbers.authors == 120


def crowd(minutes: float, people: int) -> Spike:
    one = spike(minutes, RED, negative=people)
    return replace(one, numbers=replace(one.numbers, authors=people, surprise=5.0))


def test_a_persons_word_holds_while_weaker_evidence_goes_on():
    life = Life()
    life.see(0, RED)
    for minute in range(1, 60):
        life.see(minute, AMBER)
    life.take(acts.resolve(life.now, "Ann", Verdict.REAL, START + timedelta(minutes=59), life.sequence))
    assert [event for minute in range(60, 300) for event in life.see(minute, AMBER)] == []


def test_a_wave_that_goes_on_after_a_persons_word_calls_again_after_the_window():
    life = Life()
    life.see(0, AMBER)
    life.take(acts.resolve(life.now, "Ann", Verdict.PLANNED, START + timedelta(minutes=5), life.sequence))
    seen = {minute: events for minute in range(6, 900, 10) if (events := life.see(minute, AMBER))}
    assert seen == {726: (Event.OPENED,)}


def test_after_a_persons_word_a_second_wave_reopens():
    life = Life()
    life.see(0, AMBER)
    life.take(acts.resolve(life.now, "Ann", Verdict.REAL, START + timedelta(minutes=5), life.sequence))
    assert life.see(30, AMBER) == ()
    assert life.see(89, AMBER) == (), "59 minutes after the last evidence it is still the same wave"
    assert life.see(149, AMBER) == (Event.REOPENED,), "an hour of quiet, even one that nobody reported, ends a wave"


def test_late_evidence_is_harmless_unless_it_is_worse():
    life = Life()
    life.see(100, AMBER, negative=20)
    before = life.now
    assert life.see(10, None) == ()
    assert life.see(20, AMBER, negative=3) == ()
    assert life.now == before
    assert life.see(30, RED) == (Event.RAISED,)
    assert life.now.updated == before.updated
    assert life.changes[-1].time == before.updated


def test_who_was_first_is_named():
    life = Life()
    life.see(0, AMBER)
    life.take(acts.acknowledge(life.now, "Ann", START + timedelta(minutes=2), life.sequence))
    with pytest.raises(UsageError, match=r"already acknowledged by Ann, 1 min ago"):
        acts.acknowledge(life.now, "Bob", START + timedelta(minutes=3), life.sequence)


def test_who_knows_who_has_it_can_take_it_over():
    life = Life()
    life.see(0, AMBER)
    at = START + timedelta(minutes=2)
    life.take(acts.acknowledge(life.now, "Ann", at, life.sequence))
    with pytest.raises(UsageError, match="already acknowledged by Ann"):
        acts.acknowledge(life.now, "Bob", at, life.sequence, instead_of="Cem")
    with pytest.raises(UsageError, match="already acknowledged by Ann"):
        acts.acknowledge(life.now, "Ann", at, life.sequence, instead_of="Ann")
    step = acts.acknowledge(life.now, "Bob", at, life.sequence, instead_of="ann")
    assert (step.incident.acknowledged_by, step.changes[0].reason) == ("Bob", "instead of Ann")


def test_what_is_over_can_be_noted_but_not_ended_again():
    life = Life()
    life.see(0, AMBER)
    life.take(acts.resolve(life.now, "Ann", Verdict.PLANNED, START, life.sequence))
    with pytest.raises(UsageError, match="already resolved as planned"):
        acts.resolve(life.now, "Bob", Verdict.REAL, START, life.sequence)
    with pytest.raises(UsageError, match="already resolved"):
        acts.acknowledge(life.now, "Bob", START, life.sequence)
    assert life.take(acts.note(life.now, "Bob", "told\x1b[31m the agency", START, life.sequence)) == (Event.NOTED,)
    assert life.changes[-1].reason == "told the agency"


@pytest.mark.parametrize("person", ["", "  ", "\u202e"])
def test_somebody_has_to_be_named(person: str):
    life = Life()
    life.see(0, AMBER)
    with pytest.raises(UsageError, match="Nobody is named"):
        acts.acknowledge(life.now, person, START, life.sequence)


def test_an_empty_note_is_refused():
    life = Life()
    life.see(0, AMBER)
    with pytest.raises(UsageError, match="empty note"):
        acts.note(life.now, "Ann", " \u200b ", START, life.sequence)


@given(st.text(max_size=80))
def test_ids_are_safe_in_topics_and_addresses(watch: str):
    name = incident_id(spike(watch=watch))
    assert re.fullmatch(r"[a-z0-9-]{1,70}", name)
    assert name == incident_id(spike(watch=watch))


@pytest.mark.parametrize(
    ("one", "other"),
    [("C", "C++"), ("#motrin", "motrin"), ("Müller", "M ller"), ("東京", "大阪"), ("a" * 50, "a" * 51)],
)
def test_two_watches_never_share_an_id(one: str, other: str):
    assert incident_id(spike(watch=one)) != incident_id(spike(watch=other))


EVIDENCE = st.tuples(st.just("see"), st.sampled_from([None, NOTICE, AMBER, RED]))
ACTION = st.tuples(st.sampled_from(["acknowledge", "note", "resolve"]), st.none())
TIMES = st.integers(min_value=-20, max_value=400)


@given(st.lists(st.tuples(st.one_of(EVIDENCE, EVIDENCE, ACTION), TIMES), max_size=60))
def test_any_life_keeps_the_promises(script):
    """Any evidence, in any order of time, mixed with what people do."""
    life, minutes, seen = Life(), 0.0, 0
    for (what, severity), passed in script:
        minutes = max(0.0, minutes + passed)
        before, history = life.incident, list(life.changes)
        now = START + timedelta(minutes=minutes)
        if what == "see":
            seen = max(seen, severity or 0)
            life.see(minutes, severity)
        elif before is not None:
            _act(life, what, now)
        if life.incident is not None:
            _check(life, before, history, seen)


def _act(life: Life, what: str, now: datetime) -> None:
    actions = {
        "acknowledge": lambda: acts.acknowledge(life.now, "Ann", now, life.sequence),
        "note": lambda: acts.note(life.now, "Ann", "said so", now, life.sequence),
        "resolve": lambda: acts.resolve(life.now, "Ann", Verdict.REAL, now, life.sequence),
    }
    try:
        life.take(actions[what]())
    except UsageError:
        return


def _check(life: Life, before: Incident | None, history: list[Change], seen: int) -> None:
    incident, changes = life.now, life.changes
    assert [change.sequence for change in changes] == list(range(1, len(changes) + 1))
    assert [change.event for change in changes].count(Event.OPENED) == 1
    assert {change.incident for change in changes} == {incident.id}
    times = [change.time for change in changes]
    assert times == sorted(times)
    assert incident.severity <= seen
    assert (incident.state is State.RESOLVED) == (incident.resolved_at is not None)
    assert (incident.state is State.ACKNOWLEDGED) <= (incident.acknowledged_by is not None)
    assert incident.easing is None or (incident.calm_since is not None and incident.easing < incident.severity)
    if before is None or before.id != incident.id:
        assert before is None or not before.is_open, "one open incident a watch"
        return
    assert incident.opened == before.opened
    assert incident.updated >= before.updated
    new = [change.event for change in changes[len(history) :]]
    moved = (incident.severity, incident.state) != (before.severity, before.state)
    assert bool(new) or not moved, "nothing that people see moves without a line in the timeline"
    if Event.REOPENED in new:
        assert not before.is_open
    if incident.severity > before.severity:
        assert new[0] in {Event.RAISED, Event.REOPENED}


def test_a_restart_in_a_crisis_keeps_the_evidence_and_the_first_post():
    first = Quote("1", "x", START, "a", "the first complaint", 10, None, 0.9)
    later = replace(first, id="2", text="a later one")
    opened = witness(None, replace(spike(), evidence=Evidence(posts=(first,), first=first)), Rules(), 0)
    assert opened is not None
    forgotten = witness(opened.incident, replace(spike(5), evidence=Evidence()), Rules(), 1)
    assert forgotten is not None
    assert forgotten.incident.evidence == opened.incident.evidence
    told = witness(forgotten.incident, replace(spike(10), evidence=Evidence(posts=(later,), first=later)), Rules(), 1)
    assert told is not None
    assert told.incident.evidence == Evidence(posts=(later,), first=first)


def test_the_first_signals_that_were_told_with_a_call_stay_the_first():
    quotes = [Quote(str(n), "x", START + timedelta(minutes=n), "a", f"{n}", 10, None, 0.9) for n in range(6)]
    everyday, *wave = quotes
    opened = witness(None, replace(spike(), evidence=Evidence(posts=(everyday,), first=everyday)), Rules(), 0)
    assert opened is not None
    told = opened.incident
    for found in ((wave[2], wave[3]), (wave[1], wave[2]), (wave[4],)):
        step = witness(
            told, replace(spike(5), evidence=Evidence(posts=found, first=found[0], signals=found)), Rules(), 1
        )
        assert step is not None
        told = step.incident
    assert told.evidence.signals == (wave[2], wave[3], wave[4])
    assert told.evidence.first == wave[2], "what was taken for the first before anything was known began nothing"


def test_what_ended_by_itself_can_be_judged_afterwards():
    life = Life()
    life.see(0, AMBER)
    with pytest.raises(UsageError, match="is still open; resolve it"):
        acts.judge(life.now, "Ann", Verdict.REAL, START, life.sequence)
    life.see(10, None)
    assert life.see(190, None) == (Event.RESOLVED,)
    assert life.now.verdict is None
    morning = START + timedelta(hours=9)
    assert life.take(acts.judge(life.now, "Ann", Verdict.FALSE_ALARM, morning, life.sequence)) == (Event.NOTED,)
    assert (life.now.verdict, life.now.state) == (Verdict.FALSE_ALARM, State.RESOLVED)
    assert (life.changes[-1].person, life.changes[-1].reason) == ("Ann", "verdict: false alarm")
    with pytest.raises(UsageError, match="the verdict “false alarm” already"):
        acts.judge(life.now, "Ben", Verdict.FALSE_ALARM, morning, life.sequence)
    life.take(acts.judge(life.now, "Ben", Verdict.REAL, morning, life.sequence))
    assert life.now.verdict is Verdict.REAL


def test_what_was_red_once_stays_red_at_its_worst_when_it_returns_as_amber():
    life = Life()
    life.see(0, RED)
    life.take(acts.resolve(life.now, "Ann", Verdict.REAL, START + timedelta(minutes=5), life.sequence))
    assert life.see(6 * 60, AMBER) == (Event.REOPENED,)
    assert (life.now.severity, life.now.worst) == (AMBER, RED)


def test_a_later_verdict_does_not_keep_the_second_wave_from_calling():
    life = Life()
    life.see(0, AMBER)
    life.see(10, None)
    life.see(190, None)
    life.take(acts.judge(life.now, "Ann", Verdict.REAL, START + timedelta(hours=5), life.sequence))
    assert life.see(6 * 60, AMBER) == (Event.REOPENED,)
    assert life.now.verdict is Verdict.REAL


def test_an_incident_remembers_how_bad_and_how_surprising_it_was():
    life = Life()
    for minutes, severity, surprise in [
        (0, AMBER, 3.2),
        (5, RED, 4.1),
        (6, RED, 3.9),
        (10, AMBER, 3.1),
        (75, AMBER, 3),
    ]:
        one = spike(minutes, severity)
        one = replace(one, numbers=replace(one.numbers, surprise=surprise))
        life.take(witness(life.incident, one, RULES, life.sequence))
    assert (life.now.severity, life.now.worst, life.now.surprise) == (AMBER, RED, 4.1)


def test_who_was_asked_may_take_it_however_they_spell_their_name():
    life = Life()
    life.see(0, RED)
    life.take(acts.acknowledge(life.now, "Ann", START, life.sequence))
    life.take(acts.assign(life.now, "Ann", "Jörg Weiß", START, life.sequence))
    with pytest.raises(UsageError, match="already acknowledged by Ann"):
        acts.acknowledge(life.now, "Jana Weiß", START, life.sequence)
    assert life.take(acts.acknowledge(life.now, "joerg weiss", START, life.sequence)) == (Event.ACKNOWLEDGED,)
