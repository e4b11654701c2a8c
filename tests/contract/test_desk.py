"""What every desk does, whether it is in this process or elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from attached import attached, same, seen, until
from desks import NOW, Served, served

from crisisdesk.desk import Desk
from crisisdesk.errors import UsageError
from crisisdesk.records import Event, Inquiry, Post, Severity, Stage, State, Verdict

ANNA, BEN = "Anna Berg", "Ben Cole"


@dataclass
class Room:
    """A desk, and two people at it."""

    served: Served
    desk: Desk
    other: Desk


@pytest.fixture(params=["in process", "over HTTP"])
async def room(request, tmp_path) -> AsyncIterator[Room]:
    async with served(tmp_path, watches=("Acme", "Zenith"), answers=("Acme",)) as running:
        if request.param == "in process":
            yield Room(running, running.app.desk, running.app.desk)
            return
        async with attached(running, ANNA) as desk, attached(running, BEN) as other:
            yield Room(running, desk, other)


async def test_a_picture_shows_all_that_there_is(room):
    incident = await room.served.incident()
    found = await until(room.desk, lambda picture: picture.incidents == (incident,))
    assert same(found, await room.served.app.desk.picture())
    assert [watch.name for watch in found.watches] == ["Acme", "Zenith"]
    assert found.sources[0].state == "live"
    assert found.lost is None
    assert found.barred == ""


async def test_time_goes_on_between_changes(room):
    first = await room.desk.picture()
    await asyncio.sleep(0.3)
    second = await room.desk.picture()
    assert timedelta(seconds=0.2) < second.now - first.now < timedelta(seconds=2)
    assert abs(second.now - room.served.clock.now()) < timedelta(seconds=2)


async def test_a_change_wakes_whoever_waits_and_only_then(room):
    picture = await room.desk.picture()
    waiting = [asyncio.create_task(desk.changed(picture)) for desk in (room.desk, room.desk)]
    await asyncio.sleep(0.05)
    assert not any(one.done() for one in waiting)
    await room.served.incident()
    async with asyncio.timeout(3):
        await asyncio.gather(*waiting)
        await room.desk.changed(picture)  # for one who has not looked since, it is over
    assert (await until(room.desk, lambda picture: picture.incidents)).number != picture.number


async def test_it_is_acknowledged(room):
    incident = await room.served.incident()
    await seen(room.desk, incident)
    after = await room.desk.acknowledge(incident.id, ANNA)
    assert (after.state, after.acknowledged_by) == (State.ACKNOWLEDGED, ANNA)
    assert await seen(room.desk, after) == await seen(room.other, after)


async def test_two_who_acknowledge_in_the_same_moment_both_see_who_was_first(room):
    incident = await room.served.incident()
    await seen(room.desk, incident)
    await seen(room.other, incident)
    ends = await asyncio.gather(
        room.desk.acknowledge(incident.id, ANNA), room.other.acknowledge(incident.id, BEN), return_exceptions=True
    )
    first, late = sorted(ends, key=lambda end: isinstance(end, Exception))
    assert isinstance(late, UsageError)
    assert f"already acknowledged by {first.acknowledged_by}" in str(late)
    for desk in (room.desk, room.other):
        assert (await seen(desk, first)).acknowledged_by == first.acknowledged_by


async def test_it_is_taken_over_by_one_who_knows_who_has_it(room):
    incident = await room.served.incident()
    await room.desk.acknowledge(incident.id, ANNA)
    after = await room.other.acknowledge(incident.id, BEN, instead_of=ANNA)
    assert after.acknowledged_by == BEN
    assert (await room.desk.timeline(incident.id))[-1].reason == f"instead of {ANNA}"
    with pytest.raises(UsageError, match=f"already acknowledged by {BEN}"):  # of two who do so, one is first
        await room.desk.acknowledge(incident.id, ANNA, instead_of="somebody who had it long ago")


async def test_it_is_handed_over_with_a_word(room):
    incident = await room.served.incident()
    after = await room.desk.assign(incident.id, ANNA, BEN, "the agency calls back at nine “sharp”")
    assert after.assigned_to == BEN
    changes = await room.other.timeline(incident.id)
    assert (changes[-1].event, changes[-1].person) == (Event.ASSIGNED, ANNA)
    assert "the agency calls back at nine “sharp”" in changes[-1].reason
    assert (await room.desk.assign(incident.id, ANNA, BEN)).assigned_to == BEN


async def test_it_is_silenced_and_that_is_lifted(room):
    incident = await room.served.incident()
    until_then = NOW + timedelta(hours=3)
    after = await room.desk.silence(incident.id, ANNA, until_then, "statement goes out at nine")
    assert after.silence is not None
    assert (after.silence.until, after.silence.person) == (until_then, ANNA)
    assert (after.silence.reason, after.silence.severity) == ("statement goes out at nine", Severity.AMBER)
    assert (await room.desk.lift(incident.id, ANNA)).silence is None


async def test_notes_stand_in_the_timeline(room):
    incident = await room.served.incident()
    assert [change.event for change in await room.desk.timeline(incident.id)] == [Event.OPENED]
    await room.desk.note(incident.id, ANNA, "called the agency [b]now[/b] 😡")
    changes = await room.desk.timeline(incident.id)
    assert changes == await room.served.app.desk.timeline(incident.id)
    assert (changes[-1].event, changes[-1].reason) == (Event.NOTED, "called the agency [b]now[/b] 😡")
    assert changes[-1].person == ANNA


async def test_it_is_ended_and_judged(room):
    incident = await room.served.incident()
    after = await room.desk.resolve(incident.id, ANNA, Verdict.FALSE_ALARM)
    assert (after.state, after.verdict, after.resolved_by) == (State.RESOLVED, Verdict.FALSE_ALARM, ANNA)
    judged = await room.desk.judge(incident.id, ANNA, Verdict.REAL)
    assert judged.verdict is Verdict.REAL
    assert (await seen(room.other, judged)).verdict is Verdict.REAL


async def test_the_playbook_is_the_one_in_its_file(room):
    incident = await room.served.incident()
    found = await room.desk.playbook(incident.id)
    assert found is not None
    assert found == await room.served.app.desk.playbook(incident.id)
    assert incident.playbook is not None
    assert found.id == incident.playbook.id


async def asked(room: Room, number: int) -> Inquiry:
    """Somebody asks the brand something, and everybody has seen it."""
    text = f"acme, where is my order {number}?"
    post = Post(f"q{number}", "quiet", room.served.clock.now(), text, f"karen{number}", "en")
    while (edge := room.served.source.edge) is None:  # noqa: ASYNC110 - it is there in a moment
        await asyncio.sleep(0.01)
    await edge.send(post)
    found = [
        await until(desk, lambda picture: any(one.post.id == post.id for one in picture.inquiries))
        for desk in (room.desk, room.other)
    ]
    return next(one for one in found[0].inquiries if one.post.id == post.id)


async def shown(desk: Desk, inquiry: Inquiry) -> None:
    await until(desk, lambda picture: inquiry in picture.inquiries)


async def test_posts_are_answered_by_one_person_each(room):
    one, two, three = [await asked(room, number) for number in range(3)]
    taken = await room.desk.take(one.id, ANNA)
    assert (taken.stage, taken.person) == (Stage.TAKEN, ANNA)
    with pytest.raises(UsageError, match=ANNA):
        await room.other.take(one.id, BEN)
    assert (await room.desk.give_back(one.id, ANNA)).stage is Stage.WAITING
    assert (await room.other.take(one.id, BEN)).person == BEN
    answered = await room.other.answer(one.id, BEN)
    assert answered.stage is Stage.ANSWERED
    passed = await room.desk.pass_over(two.id, ANNA, "a joke")
    assert (passed.stage, passed.reason) == (Stage.PASSED_OVER, "a joke")
    assert (await room.desk.pass_over(three.id, ANNA)).reason == ""
    for desk in (room.desk, room.other):
        await shown(desk, answered)
        await shown(desk, passed)
    with pytest.raises(UsageError):
        await room.desk.take("nothing", ANNA)


async def test_what_an_author_wants_forgotten_is_forgotten_everywhere(room):
    inquiry = await asked(room, 7)
    if room.desk is not room.served.app.desk:  # which is for editors
        with pytest.raises(UsageError, match="editor"):
            await room.desk.forget(ANNA, author="karen7")
        async with attached(room.served, "Edda") as editor:
            erased = await editor.forget("Edda", author="karen7")
    else:
        erased = await room.desk.forget("Edda", author="karen7")
    assert (erased.person, erased.kind) == ("Edda", "author")
    assert erased.found
    await until(room.desk, lambda picture: inquiry.id not in {one.id for one in picture.inquiries})
    with pytest.raises(UsageError):
        await room.served.app.desk.forget("Edda")


Act = Callable[[Desk, str], Awaitable[object]]
NEVER: dict[str, Act] = {
    "acknowledge": lambda desk, one: desk.acknowledge(one, ANNA),
    "assign": lambda desk, one: desk.assign(one, ANNA, BEN),
    "silence": lambda desk, one: desk.silence(one, ANNA, NOW + timedelta(hours=1), "why"),
    "lift": lambda desk, one: desk.lift(one, ANNA),
    "note": lambda desk, one: desk.note(one, ANNA, "text"),
    "resolve": lambda desk, one: desk.resolve(one, ANNA, Verdict.REAL),
    "judge": lambda desk, one: desk.judge(one, ANNA, Verdict.REAL),
    "timeline": lambda desk, one: desk.timeline(one),
    "playbook": lambda desk, one: desk.playbook(one),
}


async def test_what_is_not_there_cannot_be_acted_on(room):
    await room.served.incident()
    for name in ("nothing-1", "../../me", "ümlaut/ 😡?x=1#y", "a" * 300):
        for act in NEVER.values():
            with pytest.raises(UsageError, match="There is no"):
                await act(room.desk, name)


async def test_what_makes_no_sense_is_refused_in_a_sentence(room):
    incident = await room.served.incident()
    desk, one, now = room.desk, incident.id, room.served.clock.now()
    await desk.acknowledge(one, ANNA)
    for deed, said in (
        (desk.acknowledge(one, ANNA), "already acknowledged by Anna Berg"),
        (desk.assign(one, ANNA, ANNA), "Anna Berg has"),
        (desk.assign(one, ANNA, "  "), "."),
        (desk.silence(one, ANNA, now - timedelta(hours=1), "why"), "later than now"),
        (desk.silence(one, ANNA, now + timedelta(days=300), "why"), "within 31 days"),
        (desk.silence(one, ANNA, now + timedelta(hours=1), ""), "reason"),
        (desk.lift(one, ANNA), "is not silent"),
        (desk.note(one, ANNA, " "), "note"),
        (desk.judge(one, ANNA, Verdict.REAL), "still open"),
    ):
        with pytest.raises(UsageError, match=said):
            await deed
    await desk.resolve(one, ANNA, Verdict.REAL)
    for deed, said in (
        (desk.acknowledge(one, ANNA), "over|resolved"),
        (desk.resolve(one, ANNA, Verdict.REAL), "over|resolved"),
        (desk.judge(one, ANNA, Verdict.REAL), "already"),
    ):
        with pytest.raises(UsageError, match=said):
            await deed
