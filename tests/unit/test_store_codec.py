"""What is written to disk comes back as it was."""

import math
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.records import (
    Calling,
    Cause,
    Change,
    Chosen,
    Event,
    Evidence,
    Incident,
    Kind,
    Notification,
    Numbers,
    Phrase,
    PlaybookRef,
    Quote,
    Severity,
    Silence,
    State,
    Verdict,
)
from crisisdesk.storage import codec

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIME = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
COUNT = st.integers(0, 10**9)
REAL = st.floats(0, 1e6)
COUNTS = st.lists(st.tuples(TEXT, COUNT), max_size=2).map(tuple)
NUMBERS = st.builds(Numbers, COUNT, COUNT, COUNT, REAL, COUNT, REAL, REAL, REAL, REAL)
QUOTE = st.builds(
    Quote,
    TEXT,
    TEXT,
    TIME,
    st.none() | TEXT,
    TEXT,
    COUNT,
    st.none() | TEXT,
    REAL,
    COUNT,
    st.none() | REAL,
    st.none() | REAL,
    TEXT,
    st.none() | st.sampled_from(Chosen),
)
EVIDENCE = st.builds(
    Evidence,
    st.lists(st.builds(Phrase, TEXT, COUNT, REAL), max_size=2).map(tuple),
    st.lists(QUOTE, max_size=2).map(tuple),
    st.none() | QUOTE,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNT,
    COUNTS,
    st.lists(QUOTE, max_size=2).map(tuple),
    COUNT,
    COUNT,
)
INCIDENT = st.builds(
    Incident,
    id=TEXT,
    watch=TEXT,
    kind=st.sampled_from(Kind),
    state=st.sampled_from(State),
    severity=st.sampled_from(Severity),
    opened=TIME,
    updated=TIME,
    numbers=NUMBERS,
    why=TEXT,
    evidence=EVIDENCE,
    playbook=st.none() | st.builds(PlaybookRef, TEXT, TEXT, TEXT, TEXT),
    acknowledged_by=st.none() | TEXT,
    acknowledged_at=st.none() | TIME,
    acknowledged_severity=st.none() | st.sampled_from(Severity),
    resolved_at=st.none() | TIME,
    verdict=st.none() | st.sampled_from(Verdict),
    calm_since=st.none() | TIME,
    easing=st.none() | st.sampled_from(Severity),
    why_de=TEXT,
    eased_from=st.none() | st.sampled_from(Severity),
    surprise=REAL,
    resolved_by=st.none() | TEXT,
    assigned_to=st.none() | TEXT,
    acted_at=st.none() | TIME,
    silence=st.none() | st.builds(Silence, TIME, TEXT, TEXT, st.sampled_from(Severity)),
    cause=st.sampled_from(Cause),
    calling=st.none() | st.builds(Calling, TEXT, COUNT, COUNT, COUNT, TIME, st.booleans()),
    witnessed=st.none() | TIME,
    told=st.lists(TEXT, max_size=3).map(tuple),
)
CHANGE = st.builds(
    Change,
    TEXT,
    COUNT,
    st.sampled_from(Event),
    TIME,
    st.sampled_from(Severity),
    st.none() | TEXT,
    TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
)


@given(INCIDENT, CHANGE)
def test_records_come_back_as_they_were(incident: Incident, change: Change):
    assert codec.incident(codec.encode(incident)) == incident
    assert codec.change(codec.encode(change)) == change
    both = Notification(change, incident)
    assert codec.notification(codec.encode(both)) == both


def test_a_record_from_before_a_field_existed_takes_its_default():
    old = (
        '{"id":"a-1","watch":"a","kind":"spike","state":"open","severity":2,"opened":"2008-11-15T03:40:00+00:00",'
        '"updated":"2008-11-15T03:40:00+00:00","why":"","evidence":{},"numbers":{"window_minutes":60,"negative":1,'
        '"total":1,"expected":0.1,"authors":1,"negative_share":1,"usual_share":null,"probability":0}}'
    )
    incident = codec.incident(old)
    assert (incident.severity, incident.easing, incident.evidence) == (Severity.AMBER, None, Evidence())
    assert incident.why_de == ""
    assert (incident.worst, incident.surprise, incident.numbers.surprise) == (Severity.AMBER, 0.0, 0.0)
    assert math.isnan(incident.numbers.usual_share)


def test_a_post_from_before_its_probabilities_were_kept_can_be_read():
    old = codec._quote(
        {"id": "p1", "source": "x", "time": "2008-11-15T03:40:00+00:00", "author": None, "text": "never again",
         "reach": 3, "url": None, "negative": 0.97, "copies": 2}
    )  # fmt: skip
    assert (old.negative, old.copies, old.neutral, old.positive, old.model) == (0.97, 2, None, None, "")
    assert old.role is None
