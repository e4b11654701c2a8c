"""What comes next for an incident is foreseen by the same decisions that will be made."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.chain import Chain, Orders, Step
from crisisdesk.oncall.decide import Do
from crisisdesk.oncall.hours import Hours
from crisisdesk.oncall.prospect import foresee, known_people, on_call
from crisisdesk.oncall.rota import Rota, Shift
from crisisdesk.records import Calling, Incident, Kind, Numbers, Severity, Silence, State

NIGHT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
INCIDENT = Incident(
    "acme-1", "Acme", Kind.SPIKE, State.OPEN, Severity.AMBER, NIGHT, NIGHT, Numbers(60, 9, 9, 1.0, 9, 1.0, 0.1, 0.0), ""
)
CHAIN = Chain("all", (Step(("comms",), wait=5 * MINUTE), Step(("Ben Cole",), wait=5 * MINUTE)))
ORDERS = Orders(
    chains=(CHAIN,),
    rotas={"comms": Rota("comms", UTC, (Shift(("Anna Berg",), hours=Hours("22:00-08:00")),))},
    addresses=(Address("push", "Anna Berg"), Address("sms", "Anna Berg"), Address("push", "Ben Cole")),
)
CALLED = replace(INCIDENT, calling=Calling("all", 1, 1, 1, NIGHT), told=("push to Anna Berg", "sms to Anna Berg"))


def test_the_first_call_comes_after_the_grouping():
    seen = foresee(INCIDENT, ORDERS, NIGHT, NIGHT)
    assert (seen.do, seen.at, seen.to) == (Do.CALL, NIGHT + timedelta(seconds=30), "Anna Berg by push and sms")
    assert not seen.called


def test_without_an_answer_the_next_one_is_called_then_everybody():
    seen = foresee(CALLED, ORDERS, NIGHT + MINUTE, NIGHT)
    assert (seen.called, seen.do, seen.at, seen.to) == (
        "Anna Berg by push and sms", Do.CALL, NIGHT + 5 * MINUTE, "Ben Cole by push"
    )  # fmt: skip
    last = replace(CALLED, calling=Calling("all", 2, 1, 1, NIGHT + 5 * MINUTE))
    seen = foresee(last, ORDERS, NIGHT + 6 * MINUTE, NIGHT)
    assert (seen.do, seen.at) == (Do.GIVE_UP, NIGHT + 10 * MINUTE)


def test_a_silence_that_ends_in_quiet_hours_calls_when_these_are_over():
    quiet = replace(ORDERS, chains=(replace(CHAIN, quiet={Severity.AMBER: Hours("22:00-07:00")}),))
    silence = Silence(NIGHT + timedelta(hours=1), "Cem", "known", Severity.AMBER)
    seen = foresee(replace(CALLED, calling=None, silence=silence), quiet, NIGHT, NIGHT)
    assert (seen.do, seen.at) == (Do.CALL, NIGHT + timedelta(hours=4))
    assert seen.why == "silenced by Cem"


def test_what_somebody_has_lapses():
    held = replace(INCIDENT, state=State.ACKNOWLEDGED, acknowledged_by="Anna Berg", acted_at=NIGHT)
    seen = foresee(held, ORDERS, NIGHT + MINUTE, NIGHT)
    assert (seen.do, seen.at) == (Do.LAPSE, NIGHT + timedelta(hours=1))


@pytest.mark.parametrize(
    "incident",
    [
        replace(CALLED, calling=Calling("all", 2, 1, 1, NIGHT, exhausted=True)),
        replace(INCIDENT, state=State.RESOLVED),
        replace(INCIDENT, severity=Severity.NOTICE),
    ],
    ids=["nobody has answered", "over", "a notice"],
)
def test_nothing_comes_by_itself(incident):
    assert foresee(incident, ORDERS, NIGHT, NIGHT).at is None


def test_who_is_on_call_comes_first_and_nobody_is_said_to_be():
    assert on_call(ORDERS, NIGHT) == ("Anna Berg (comms)",)
    assert on_call(ORDERS, NIGHT + timedelta(hours=9)) == ("nobody (comms)",)
    assert known_people(ORDERS, NIGHT) == ("Anna Berg", "Ben Cole")
