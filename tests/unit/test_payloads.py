"""What the outside is promised about an incident, key by key."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from crisisdesk.clock import WallClock
from crisisdesk.errors import UsageError
from crisisdesk.mqtt import Broker
from crisisdesk.outputs.mqtt.output import MqttOutput
from crisisdesk.payloads.incident import incident_data, line
from crisisdesk.records import (
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
)

START = datetime(2008, 11, 15, 3, 40, 0, 123, tzinfo=UTC)
QUOTE = Quote(
    "p1", "file", START, "mum_of_2", "never again", 1200, None, 0.97, 3, 0.02, 0.01, "minilm@6f62", Chosen.WIDEST
)
INCIDENT = Incident(
    id="motrin-20081115t034000z",
    watch="Motrin",
    kind=Kind.SPIKE,
    state=State.ACKNOWLEDGED,
    severity=Severity.AMBER,
    opened=START,
    updated=START,
    numbers=Numbers(60, 12, 20, 1.51234567, 11, 2 / 3, 0.2, 1.23456e-7, 4.5678),
    why="12 negative posts by 11 people in 60 min, usual 1.5",
    evidence=Evidence(
        phrases=(Phrase("motrin moms", 9, 0.01),),
        posts=(QUOTE,),
        first=QUOTE,
        voices=(("mum_of_2", 1200),),
        languages=(("en", 12),),
        sources=(("file", 12),),
        unjudged=2,
        other_languages=(("fr", 20), ("es", 14)),
        signals=(QUOTE,),
        people=11,
        reach=4200,
    ),
    playbook=PlaybookRef("offensive-ad", "Offensive advertisement", "Read the ten posts"),
    acknowledged_by="Ann",
    why_de="12 negative Beiträge von 11 Menschen",
)
CHANGE = Change(INCIDENT.id, 2, Event.RAISED, START, Severity.RED)


def test_a_line_has_the_promised_keys_in_order():
    assert list(line(Notification(CHANGE, INCIDENT)).items()) == [
        ("event", "raised"),
        ("incident", "motrin-20081115t034000z"),
        ("watch", "Motrin"),
        ("kind", "spike"),
        ("time", "2008-11-15T03:40:00Z"),
        ("severity", "red"),
        ("window_minutes", 60),
        ("negative", 12),
        ("expected", 1.51235),
        ("authors", 11),
        ("negative_share", 0.666667),
        ("usual_share", 0.2),
        ("probability", 1.23e-07),
        ("surprise", 4.57),
        ("why", "12 negative posts by 11 people in 60 min, usual 1.5"),
        ("why_de", "12 negative Beiträge von 11 Menschen"),
    ]


def test_an_incident_has_the_promised_keys():
    quote = {
        "id": "p1",
        "source": "file",
        "time": "2008-11-15T03:40:00Z",
        "author": "mum_of_2",
        "text": "never again",
        "reach": 1200,
        "url": None,
        "negative": 0.97,
        "copies": 3,
        "neutral": 0.02,
        "positive": 0.01,
        "model": "minilm@6f62",
        "role": "widest",
    }
    assert incident_data(INCIDENT) == {
        "id": "motrin-20081115t034000z",
        "watch": "Motrin",
        "kind": "spike",
        "state": "acknowledged",
        "severity": "amber",
        "opened": "2008-11-15T03:40:00Z",
        "updated": "2008-11-15T03:40:00Z",
        "acknowledged_by": "Ann",
        "acknowledged_at": None,
        "assigned_to": None,
        "silenced_until": None,
        "silenced_by": None,
        "silenced_because": None,
        "called_at": None,
        "unanswered": False,
        "resolved_by": None,
        "verdict": None,
        "why": "12 negative posts by 11 people in 60 min, usual 1.5",
        "why_de": "12 negative Beiträge von 11 Menschen",
        "window_minutes": 60,
        "negative": 12,
        "expected": 1.51235,
        "authors": 11,
        "negative_share": 0.666667,
        "usual_share": 0.2,
        "probability": 1.23e-07,
        "surprise": 4.57,
        "evidence": {
            "phrases": [{"text": "motrin moms", "posts": 9, "usual": 0.01}],
            "posts": [quote],
            "first": quote,
            "signals": [quote],
            "people": 11,
            "reach": 4200,
            "voices": [{"author": "mum_of_2", "reach": 1200}],
            "languages": {"en": 12},
            "sources": {"file": 12},
            "unjudged": 2,
            "other_languages": {"fr": 20, "es": 14},
        },
        "playbook": {"id": "offensive-ad", "title": "Offensive advertisement", "next_step": "Read the ten posts"},
    }


def test_what_is_not_known_is_null():
    silence = Silence(START, "Ann", "known", Severity.AMBER)
    bare = replace(INCIDENT, playbook=None, evidence=Evidence(), acknowledged_by=None, silence=silence)
    bare = replace(bare, numbers=replace(bare.numbers, usual_share=float("nan"), expected=float("inf")))
    data = orjson.loads(orjson.dumps(incident_data(bare)))
    assert (data["playbook"], data["evidence"]["first"], data["acknowledged_by"]) == (None, None, None)
    assert (data["usual_share"], data["expected"]) == (None, None)
    assert data["silenced_until"] == "2008-11-15T03:40:00Z"


def test_of_a_post_from_before_all_probabilities_were_kept_the_others_are_null():
    old = replace(QUOTE, neutral=None, positive=None, model="")
    (data,) = incident_data(replace(INCIDENT, evidence=Evidence(posts=(old,))))["evidence"]["posts"]
    assert (data["negative"], data["neutral"], data["positive"], data["model"]) == (0.97, None, None, None)


@pytest.mark.parametrize("desk", ["", "a/b", "a+", "#", "a\0b", "a\nb"])
def test_a_desk_name_that_would_break_topics_is_refused(desk: str):
    with pytest.raises(UsageError, match="cannot be part of an MQTT topic"):
        MqttOutput(Broker("127.0.0.1"), desk=desk, clock=WallClock(), heartbeat=dict)


def test_a_password_is_never_printed():
    assert "secret" not in repr(Broker("127.0.0.1", username="desk", password="secret"))  # noqa: S106 - not one
