"""Whether somebody is called now, whom, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk.oncall.addresses import Address, spoken
from crisisdesk.oncall.audience import audience
from crisisdesk.oncall.chain import Chain, Orders, Step
from crisisdesk.oncall.decide import Do, decide
from crisisdesk.oncall.hours import Hours
from crisisdesk.records import (
    Calling,
    Cause,
    Change,
    Event,
    Incident,
    Kind,
    Numbers,
    Severity,
    Silence,
    State,
)

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RED = Incident(
    "motrin-1",
    "Motrin",
    Kind.SPIKE,
    State.OPEN,
    Severity.RED,
    NOW,
    NOW,
    Numbers(60, 84, 100, 6.0, 71, 0.8, 0.2, 1e-9),
    "",
)
ANNA, ANNA_SMS, BEN, ROOM = Address("push", "Anna"), Address("sms", "Anna"), Address("push", "Ben"), Address("slack")
CHAIN = Chain(
    "all",
    (Step(("Anna",), ("push",), 5 * MINUTE, times=2), Step(("Ben", "Anna"), wait=10 * MINUTE), Step(("slack",))),
    rounds=2,
)
ORDERS = Orders((CHAIN,), addresses=(ANNA, ANNA_SMS, BEN, ROOM))


def called(step: int, time: int = 1, round: int = 1, *, ago: timedelta = timedelta(0)) -> Incident:  # noqa: A002
    told = ("push to Anna",)
    return replace(RED, calling=Calling("all", step, time, round, NOW - ago), told=told)


def test_what_is_new_is_grouped_before_the_first_call():
    waiting = decide(RED, ORDERS, NOW, NOW)
    assert (waiting.do, waiting.until) == (Do.WAIT, NOW + timedelta(seconds=30))
    due = decide(RED, ORDERS, NOW + timedelta(seconds=30), NOW)
    assert (due.do, due.to) == (Do.CALL, ("push to Anna",))
    assert due.reason == "Anna by push: it is new (step 1 of 3, round 1)"


def test_who_was_told_already_is_not_kept_waiting_when_it_gets_worse():
    worse = replace(RED, told=("push to Anna",), cause=Cause.WORSE)
    assert decide(worse, ORDERS, NOW, NOW).reason.startswith("Anna by push: it has got worse")


def test_the_ladder_from_the_first_step_to_nobody_has_answered():
    incident, told, now = RED, [], NOW + MINUTE
    while (decision := decide(incident, ORDERS, now, NOW)).do is not Do.GIVE_UP:
        if decision.do is Do.CALL:
            told.append((round((now - NOW) / MINUTE), decision.to))
            incident = replace(incident, calling=decision.calling, told=("push to Anna",))
        else:
            assert decision.until is not None
            now = decision.until
    first, second, room = ("push to Anna",), ("push to Anna", "sms to Anna", "push to Ben"), ("slack",)
    one_round = [(1, first), (6, first), (11, second), (21, room)]
    assert told == one_round + [(minute + 25, to) for minute, to in one_round]
    assert round((now - NOW) / MINUTE) == 51
    assert decision.to == ("push to Anna", "sms to Anna", "push to Ben", "slack"), "everybody is told"
    assert decision.reason == "nobody has answered; the chain “all” has ended"
    over = replace(incident, calling=decision.calling)
    assert decide(over, ORDERS, now + timedelta(days=1), NOW).do is Do.NOTHING


@pytest.mark.parametrize(
    ("incident", "reason"),
    [
        (replace(RED, state=State.RESOLVED), "it is over"),
        (replace(RED, severity=Severity.NOTICE), "a notice calls nobody"),
        (replace(RED, watch="Other"), "no chain is for it"),
    ],
)
def test_who_is_not_called_and_why(incident: Incident, reason: str):
    orders = replace(ORDERS, chains=(replace(CHAIN, watches=frozenset({"Motrin"})),))
    decision = decide(incident, orders, NOW + MINUTE, NOW)
    assert (decision.do, decision.reason, decision.until) == (Do.NOTHING, reason, None)


def test_nobody_is_called_while_somebody_has_it_until_nothing_is_done():
    held = replace(RED, state=State.ACKNOWLEDGED, acknowledged_by="Anna", acknowledged_at=NOW, acted_at=NOW)
    waiting = decide(held, ORDERS, NOW + 59 * MINUTE, NOW)
    assert (waiting.do, waiting.until) == (Do.WAIT, NOW + timedelta(hours=1))
    lapse = decide(held, ORDERS, NOW + 60 * MINUTE, NOW)
    assert (lapse.do, lapse.reason) == (Do.LAPSE, "Anna has it, and nothing was done for 1 h")
    worked = replace(held, acted_at=NOW + 30 * MINUTE)
    assert decide(worked, ORDERS, NOW + 60 * MINUTE, NOW).do is Do.WAIT
    eased = replace(held, severity=Severity.NOTICE)
    assert decide(eased, ORDERS, NOW + timedelta(days=1), NOW).do is Do.NOTHING


def test_a_silence_holds_until_its_end_and_not_for_what_is_worse():
    silence = Silence(NOW + timedelta(hours=4), "Anna", "agency is on it", Severity.AMBER)
    amber = replace(RED, severity=Severity.AMBER, silence=silence)
    waiting = decide(amber, ORDERS, NOW + MINUTE, NOW)
    assert (waiting.do, waiting.until, waiting.reason) == (Do.WAIT, silence.until, "silenced by Anna")
    assert decide(amber, ORDERS, silence.until, NOW).do is Do.CALL
    assert decide(replace(amber, severity=Severity.RED), ORDERS, NOW + MINUTE, NOW).do is Do.CALL


def test_quiet_hours_put_off_and_do_not_forget():
    quiet = replace(CHAIN, quiet={Severity.AMBER: Hours("22:00-07:00")})
    orders, amber = replace(ORDERS, chains=(quiet,)), replace(RED, severity=Severity.AMBER)
    waiting = decide(amber, orders, NOW + MINUTE, NOW)
    assert (waiting.do, waiting.until) == (Do.WAIT, NOW.replace(hour=7))
    assert decide(amber, orders, NOW.replace(hour=7), NOW).do is Do.CALL
    assert decide(RED, orders, NOW + MINUTE, NOW).do is Do.CALL, "red is not amber"


def test_a_step_that_reaches_nobody_is_passed_over():
    chain = Chain("thin", (Step(("Nobody",)), Step(("Ben",), ("sms",)), Step(("Ben",))))
    decision = decide(RED, replace(ORDERS, chains=(chain,)), NOW + MINUTE, NOW)
    assert (decision.to, decision.calling and decision.calling.step) == (("push to Ben",), 3)
    nobody = replace(ORDERS, chains=(Chain("void", (Step(("Nobody",)),)),))
    gone = decide(RED, nobody, NOW + MINUTE, NOW)
    assert (gone.do, gone.reason) == (
        Do.GIVE_UP,
        "nobody could be reached: nobody is on call; the chain “void” has ended",
    )


def test_a_chain_that_was_shortened_or_renamed_meanwhile_goes_on_somewhere():
    short = replace(ORDERS, chains=(replace(CHAIN, steps=CHAIN.steps[:1], rounds=1),))
    assert decide(called(3, ago=20 * MINUTE), short, NOW, NOW).do is Do.CALL, (
        "the step that is left, for the second time"
    )
    renamed = replace(ORDERS, chains=(replace(CHAIN, name="new"),))
    assert decide(called(3, ago=MINUTE), renamed, NOW, NOW).do is Do.WAIT


def test_whom_a_change_is_told_besides():
    incident = replace(RED, told=("push to Anna", "push to Ben", "slack"))
    taken = replace(incident, state=State.ACKNOWLEDGED, acknowledged_by="anna")
    change = Change("motrin-1", 4, Event.ACKNOWLEDGED, NOW, Severity.RED, "anna")
    assert audience(change, incident, taken, ORDERS) == incident.told
    over = replace(change, event=Event.RESOLVED, person=None)
    assert audience(over, incident, replace(incident, told=()), ORDERS) == incident.told
    handed = replace(change, event=Event.ASSIGNED, person="anna")
    assert audience(handed, incident, replace(incident, assigned_to="Ben"), ORDERS) == ("push to Ben",)
    noted = replace(change, event=Event.NOTED)
    assert audience(noted, incident, incident, ORDERS) == ()


def test_who_is_asked_to_take_it_hears_that_they_need_not():
    incident = replace(RED, assigned_to="ben", told=("push to Anna", "push to Ben"))
    change = Change("motrin-1", 4, Event.RESOLVED, NOW, Severity.RED, "Cem")
    over = replace(incident, state=State.RESOLVED, assigned_to=None, told=())
    assert audience(change, incident, over, ORDERS) == ("push to Anna", "push to Ben")
    assert audience(change, replace(incident, told=()), over, ORDERS) == ("push to Ben",)


def test_whoever_has_it_hears_that_it_is_as_bad_again():
    held = replace(RED, state=State.ACKNOWLEDGED, acknowledged_by="Ben")
    change = Change("motrin-1", 4, Event.RAISED, NOW, Severity.RED)
    assert audience(change, held, held, ORDERS) == ("push to Ben",)
    assert audience(change, held, replace(RED, told=held.told), ORDERS) == (), "it calls"


def test_whom_is_said_in_words():
    assert spoken((ANNA, ANNA_SMS, BEN, ROOM)) == "Anna by push and sms, Ben by push, slack"
