"""What people are told of incidents, in English and in German."""
# ruff: noqa: E501  (texts stand here as people see them)

from dataclasses import replace
from datetime import timedelta

import pytest
from calls import ENGLISH, GERMAN, LINK, MOTRIN, NIGHT, another, quote, told

from crisisdesk.incidents import acts
from crisisdesk.outputs.people.texts import Message, Reader, Space, Tone, message, trial
from crisisdesk.records import (
    Calling,
    Cause,
    Change,
    Event,
    Evidence,
    Incident,
    Kind,
    Notification,
    Numbers,
    Severity,
    Silence,
    State,
    Verdict,
)
from crisisdesk.storage import codec

ROOM = Space()
SMS = Space(0, 160)
TITLE = "RED Motrin: 84 negative posts by 71 people in 60 min, usual 6"
HELD = replace(MOTRIN, state=State.ACKNOWLEDGED, acknowledged_by="Ben Cole", acknowledged_at=NIGHT)
OVER = replace(MOTRIN, state=State.RESOLVED, resolved_at=NIGHT, verdict=Verdict.FALSE_ALARM)
BLIND = replace(
    MOTRIN,
    watch="bluesky",
    kind=Kind.BLIND,
    severity=Severity.AMBER,
    numbers=Numbers(200, 0, 0, 300.0, 0, 0.0, 0.0, 1e-4),
    why="bluesky has been silent since 04:45 EST; usually there is no pause.",
    why_de="",
    evidence=Evidence(),
    playbook=None,
)


def said(event: Event = Event.CALLED, incident: Incident = MOTRIN, reader: Reader = ENGLISH, **more: object) -> Message:
    return message([told(event, incident, **more)], reader, ROOM)


def test_a_call_in_english():
    found = said()
    assert found.title == "RED Motrin: 84 negative posts by 71 people in 60 min, usual 6"
    assert found.tone is Tone.ALARM
    assert (
        found.body
        == """\
This is new, and nobody has it yet. Open since 08:05 EST.

84 negative posts by 71 people within one hour, where 6 are usual.

Said most often: “wearing your baby” (41), “#motrinmoms” (33)

– mom9.bsky.social (10,800 followers): “This ad is offensive to every mother out there.”
https://bsky.app/profile/mom9/post/9

– mom3.bsky.social (3,600 followers, 12 copies): “Just saw the ad. Wow.”
https://bsky.app/profile/mom3/post/3

– mom1.bsky.social (1,200 followers): “I carry my baby because I love her, not as a fashion statement.”
https://bsky.app/profile/mom1/post/1

Playbook: Offensive advertisement. Next step: Take the advertisement down everywhere.

Acknowledge it on the console (key a); until then others may be called, too.
https://desk.example/incidents/motrin-1"""
    )


def test_a_call_in_german():
    found = said(reader=GERMAN)
    assert found.title == "ROT Motrin: 84 negative Beiträge von 71 Personen in 60 Min., üblich 6"
    assert (
        found.body
        == """\
Das ist neu, und noch kümmert sich niemand darum. Offen seit 14:05 MEZ.

84 negative Beiträge von 71 Menschen innerhalb einer Stunde, üblich sind 6.

Am häufigsten genannt: „wearing your baby“ (41), „#motrinmoms“ (33)

– mom9.bsky.social (10.800 Follower): „This ad is offensive to every mother out there.“
https://bsky.app/profile/mom9/post/9

– mom3.bsky.social (3.600 Follower, 12 Kopien): „Just saw the ad. Wow.“
https://bsky.app/profile/mom3/post/3

– mom1.bsky.social (1.200 Follower): „I carry my baby because I love her, not as a fashion statement.“
https://bsky.app/profile/mom1/post/1

Playbook: Offensive advertisement. Nächster Schritt: Take the advertisement down everywhere.

Bitte an der Konsole übernehmen (Taste a); bis dahin werden vielleicht auch andere alarmiert.
https://desk.example/incidents/motrin-1"""
    )


@pytest.mark.parametrize(
    ("cause", "english", "german"),
    [
        (Cause.NEW, "This is new, and nobody has it yet.", "Das ist neu, und noch kümmert sich niemand darum."),
        (Cause.WORSE, "It has got worse.", "Es ist schlimmer geworden."),
        (Cause.BACK, "It was over and is back.", "Es war vorbei und ist wieder da."),
        (Cause.UNANSWERED, "Nobody has answered so far.", "Bisher hat niemand reagiert."),
        (Cause.LAPSED, "Ben Cole had it, but nothing has been done since.", "Ben Cole hatte es übernommen, aber seither ist nichts geschehen."),
        (Cause.SILENCE_OVER, "The silence is over, the incident is not.", "Die Stummschaltung ist vorbei, der Vorfall nicht."),
    ],
)  # fmt: skip
def test_why_somebody_is_called_comes_first(cause, english, german):
    incident = replace(MOTRIN, cause=cause, had_by="Ben Cole")
    assert said(incident=incident).body.startswith(f"{english} Open since")
    assert said(incident=incident, reader=GERMAN).body.startswith(f"{german} Offen seit")


def test_who_had_it_is_known_after_a_restart_too():
    lapsed = acts.lapse(HELD, "Ben Cole has it, and nothing was done for 1 h", NIGHT, 3).incident
    kept = codec.incident(codec.encode(lapsed))
    assert said(incident=kept).body.startswith("Ben Cole had it, but nothing has been done since. Open since")


def test_that_nobody_has_answered_is_loud():
    calling = Calling("all", 1, 3, 2, NIGHT, exhausted=True)
    incident = replace(MOTRIN, severity=Severity.AMBER, cause=Cause.UNANSWERED, calling=calling)
    english, german = (said(Event.UNANSWERED, incident, reader) for reader in (ENGLISH, GERMAN))
    assert english.tone is german.tone is Tone.ALARM
    assert english.title.startswith("NOBODY HAS ANSWERED: AMBER Motrin: 84 negative posts")
    assert german.title.startswith("NIEMAND HAT REAGIERT: GELB Motrin: 84 negative Beiträge")
    assert english.body.startswith(
        "NOBODY HAS ANSWERED. All were called as agreed, and no further call will follow: whoever can, please take it."
    )
    assert "Acknowledge it on the console (key a).\n" in english.body


def test_that_nobody_could_be_called_is_not_told_as_nobody_answering():
    english, german = (said(Event.UNANSWERED, MOTRIN, reader) for reader in (ENGLISH, GERMAN))
    assert english.title.startswith("NOBODY IS ON CALL: RED Motrin: 84")
    assert english.body.startswith("NOBODY IS ON CALL. There was nobody to call, and no further call will follow: ")
    assert german.title.startswith("NIEMAND HAT BEREITSCHAFT: ROT Motrin: 84")
    assert german.body.startswith("NIEMAND HAT BEREITSCHAFT. Es war niemand zu alarmieren, weitere Alarme folgen nicht")


def test_who_has_it_hears_that_it_has_got_worse():
    assert said(Event.RAISED, HELD).body.startswith("It has got worse. Open since 08:05 EST.")


@pytest.mark.parametrize(
    ("event", "incident", "person", "english", "german"),
    [
        (Event.ACKNOWLEDGED, HELD, "Ben Cole", "Motrin: Ben Cole has it (since 08:10 EST).", "Motrin: Ben Cole kümmert sich darum (seit 14:10 MEZ)."),
        (Event.SILENCED, replace(MOTRIN, silence=Silence(NIGHT + timedelta(hours=20), "Ben Cole", "Board meets.", Severity.RED)), "Ben Cole", "Motrin: Ben Cole has silenced it until Sun 04:10 EST: Board meets.", "Motrin: Ben Cole hat es bis So 10:10 MEZ stummgeschaltet: Board meets."),
        (Event.SILENCED, MOTRIN, "Ben Cole", "Motrin: Ben Cole has ended the silence; calls go out again.", "Motrin: Ben Cole hat die Stummschaltung aufgehoben; es wird wieder alarmiert."),
        (Event.RESOLVED, OVER, "Ben Cole", "Motrin: over since 08:10 EST; it was a false alarm (Ben Cole).", "Motrin: vorbei seit 14:10 MEZ; es war ein Fehlalarm (Ben Cole)."),
        (Event.RESOLVED, replace(OVER, verdict=None), None, "Motrin: over since 08:10 EST.", "Motrin: vorbei seit 14:10 MEZ."),
    ],
)  # fmt: skip
def test_the_all_clear_is_a_line(event, incident, person, english, german):
    for reader, line in ((ENGLISH, english), (GERMAN, german)):
        found = said(event, incident, reader, person=person)
        first, about, link = found.body.split("\n")
        assert (found.title, first, link) == (line.rstrip("."), line, "https://desk.example/incidents/motrin-1")
        assert "84 negative" in about
        assert found.tone is (Tone.ALL_CLEAR if event is Event.RESOLVED else Tone.NEWS)


def test_a_hand_over_names_who_asks_and_what_they_left():
    incident = replace(HELD, assigned_to="Anna Berg")
    own = said(Event.ASSIGNED, incident, person="Ben Cole", reason="to Anna Berg: Draft is on the desk: sign it.")
    assert own.title.startswith("Ben Cole hands over to you: RED Motrin: 84")
    assert own.body.startswith("Ben Cole hands it over to you: Draft is on the desk: sign it.\n\nOpen since 08:05 EST.")
    assert "Next step: Take the advertisement down everywhere." in own.body
    room = said(Event.ASSIGNED, incident, replace(GERMAN, person=None), person="Ben Cole", reason="to Anna Berg")
    assert room.body.startswith("Ben Cole übergibt an Anna Berg.\n")


@pytest.mark.parametrize(
    ("incident", "english", "german"),
    [
        (BLIND, "AMBER bluesky: silent for 3 h 20 min", "GELB bluesky: schweigt seit 3 Std. 20 Min."),
        (replace(MOTRIN, kind=Kind.BRIGADING), "RED Motrin: flood of 84 posts by 71 accounts, usual 6", "ROT Motrin: Flut von 84 Beiträgen von 71 Konten, üblich 6"),
        (replace(MOTRIN, numbers=Numbers(720, 1, 1, 0.4, 1, 1.0, 0.3, 0.1)), "RED Motrin: 1 negative post by 1 person in 12 h, usual 0.4", "ROT Motrin: 1 negativer Beitrag von 1 Person in 12 Std., üblich 0,4"),
        (replace(MOTRIN, numbers=Numbers(1440, 12_345, 20_000, 1_234.5, 9_876, 0.6, 0.3, 0.1)), "RED Motrin: 12,345 negative posts by 9,876 people in 1 d, usual 1,234", "ROT Motrin: 12.345 negative Beiträge von 9.876 Personen in 1 Tag, üblich 1.234"),
        (replace(MOTRIN, numbers=Numbers(30, 9, 9, 0.0, 0, 1.0, 0.3, 0.1)), "RED Motrin: 9 negative posts in 30 min, usual hardly any", "ROT Motrin: 9 negative Beiträge in 30 Min., üblich kaum einer"),
    ],
)  # fmt: skip
def test_the_title_says_what_kind_of_trouble_it_is_in_figures(incident, english, german):
    assert said(incident=incident).title == english
    assert said(incident=incident, reader=GERMAN).title == german


def test_where_there_is_no_german_reason_the_english_one_is_told():
    assert "bluesky has been silent since 04:45 EST" in said(incident=BLIND, reader=GERMAN).body


def test_a_post_that_was_taken_back_is_not_told():
    gone = quote(1, "(taken back by its author)", author=None, url=None, reach=0)
    incident = replace(MOTRIN, evidence=Evidence(posts=(gone,)))
    assert "– unbekannt: (vom Verfasser zurückgenommen)" in said(incident=incident, reader=GERMAN).body


def test_without_a_link_or_a_playbook_nothing_is_made_up():
    found = said(incident=replace(MOTRIN, playbook=None), reader=replace(ENGLISH, link=None))
    assert "Playbook" not in found.body
    assert found.body.endswith("(key a); until then others may be called, too.")


# All that waits, in one message.


def test_of_one_incident_the_state_after_the_last_change_is_told():
    found = message([told(), told(Event.ACKNOWLEDGED, HELD, 2, person="Ben Cole")], ENGLISH, ROOM)
    assert (found.tone, found.title) == (Tone.NEWS, "Motrin: Ben Cole has it (since 08:10 EST)")


def test_whoever_has_it_is_told_that_it_is_as_bad_again_and_not_asked_to_take_it():
    found = said(Event.RAISED, HELD)
    assert found.title == "RED Motrin: 84 negative posts by 71 people in 60 min, usual 6"
    assert found.tone is Tone.NEWS
    assert "Ben Cole has it." in found.body
    assert "Acknowledge" not in found.body


def test_a_call_that_somebody_has_answered_meanwhile_is_told_as_news():
    assert said(Event.CALLED, HELD).title == "Motrin: Ben Cole has it (since 08:10 EST)"
    over = said(Event.CALLED, replace(OVER, resolved_at=NIGHT - timedelta(hours=1)))
    assert (over.tone, over.title) == (Tone.ALL_CLEAR, "Motrin: over since 07:10 EST; it was a false alarm")


def test_what_came_and_went_unheard_is_told_in_a_line_with_its_figures():
    gone = [told(incident=another(1)), told(Event.RESOLVED, another(1, state=State.RESOLVED), 2)]
    found = message([*gone, told()], ENGLISH, ROOM)
    assert found.title == "RED Motrin: 84 negative posts by 71 people in 60 min, usual 6 (and 1 more)"
    last = found.body.split("\n")[-1]
    assert last == "– AMBER Brand 1: 84 negative posts by 71 people in 60 min, usual 6: over since 13:10 UTC."


def test_the_worst_is_told_in_full_and_the_others_in_a_line_each():
    ambers = [told(incident=another(number)) for number in range(14)]
    found = message([*ambers[:7], told(), *ambers[7:]], ENGLISH, ROOM)
    assert found.title == "RED Motrin: 84 negative posts by 71 people in 60 min, usual 6 (and 14 more)"
    full, _, others = found.body.partition("\n\nAlso:\n")
    assert "Next step: Take the advertisement down everywhere." in full
    assert others.count("\n– AMBER Brand") == 9
    assert others.endswith("\n… and 4 more")


def test_nobody_answering_comes_before_a_red_one():
    found = message([told(), told(Event.UNANSWERED, another(1, cause=Cause.UNANSWERED))], GERMAN, ROOM)
    assert found.title.startswith("NIEMAND HAT REAGIERT: GELB Brand 1")
    assert found.title.endswith("(und 1 weiterer)")


def test_news_of_several_incidents_is_a_list():
    news = [told(Event.RESOLVED, another(number, state=State.RESOLVED)) for number in range(12)]
    found = message(news, ENGLISH, ROOM)
    assert (found.title, found.tone) == ("News of 12 incidents", Tone.ALL_CLEAR)
    assert found.body.count("– Brand") == 10
    assert found.body.endswith("… and 2 more")
    held = told(Event.ACKNOWLEDGED, HELD, person="Ben Cole")
    assert message([*news, held], GERMAN, ROOM).tone is Tone.NEWS


# Where there is little room.


def test_a_text_message_says_what_why_and_where_to_look():
    assert message([told()], ENGLISH, SMS) == Message(
        "",
        "RED Motrin: 84 negative posts by 71 people in 60 min, usual 6. This is new, and nobody has it yet. https://desk.example/incidents/motrin-1",
        Tone.ALARM,
        "motrin-1",
    )
    worse = message([told(Event.RAISED, HELD)], ENGLISH, SMS).body
    assert worse == f"{TITLE}. It has got worse. https://desk.example/incidents/motrin-1"
    handed = told(
        Event.ASSIGNED, replace(HELD, assigned_to="Anna Berg"), person="Ben Cole", reason="to Anna Berg: sign it"
    )
    text = message([handed], ENGLISH, Space(0, 200)).body
    assert text == f"Ben Cole hands over to you: {TITLE}. sign it https://desk.example/incidents/motrin-1"
    many = [told(), *(told(incident=another(number)) for number in range(12))]
    text = message(many, GERMAN, SMS).body
    assert text.startswith("ROT Motrin: 84 negative Beiträge von 71 Personen in 60 Min., üblich 6.")
    assert text.endswith("(und 12 weitere) https://desk.example/incidents/motrin-1")


def test_the_link_of_a_text_message_is_whole_or_not_there():
    far = replace(ENGLISH, link="https://desk.example/" + "x" * 80 + "/{incident}")
    incident = replace(MOTRIN, watch="Brand " * 20)
    for room in range(60, 400):
        text = message([told(incident=incident)], far, Space(0, room)).body
        assert len(text) <= room
        assert text.startswith("RED Brand Brand")
        assert "https" not in text or text.endswith("/motrin-1")


def test_the_shorter_the_room_the_less_is_told_but_always_how_to_answer():
    kept = []
    for room in (740, 640, 500):
        body = message([told()], ENGLISH, Space(250, room)).body
        assert len(body) <= room
        assert body.endswith(LINK.replace("{incident}", "motrin-1"))
        kept.append(
            [
                part in body
                for part in ("nobody has it", "84 negative", "Next step", "mom9", "mom3", "mom1", "Said most often")
            ]
        )
    assert kept[0] == [True] * 6 + [False]
    assert kept[-1] == [True] * 3 + [True, False, False, False]
    assert [sum(row) for row in kept] == sorted((sum(row) for row in kept), reverse=True)


def test_a_test_message_asks_nothing_of_anybody():
    found = trial("push to Anna Berg", GERMAN, NIGHT, ROOM)
    assert found == Message(
        "Probe von crisisdesk: alles in Ordnung",
        "Das ist eine Probe von „push to Anna Berg“, gesendet um 14:10 MEZ. Alarme kommen ebenso an; jetzt ist nichts zu tun.",
        Tone.TRIAL,
        "crisisdesk-test",
    )
    short = trial("push to Anna Berg", ENGLISH, NIGHT, SMS)
    assert (short.title, len(short.body) <= 160) == ("", True)


def test_an_older_change_names_the_day():
    late = Notification(Change("motrin-1", 2, Event.CALLED, NIGHT + timedelta(days=9), Severity.RED), MOTRIN)
    assert "Open since 15 Nov 08:05 EST." in message([late], ENGLISH, ROOM).body
    assert "Offen seit 15. Nov. 14:05 MEZ." in message([late], GERMAN, ROOM).body
