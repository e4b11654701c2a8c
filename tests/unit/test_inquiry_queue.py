"""The answer queue of a running desk, on a real database: what comes together, what stays, what is forgotten."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crisisdesk.engine.answers import answer_queue
from crisisdesk.errors import StorageError, UsageError
from crisisdesk.inquiries.acts import TAKEN_FOR
from crisisdesk.inquiries.listing import ENDED_FOR, OTHERS, WAITS
from crisisdesk.inquiries.queue import MOST, Queue
from crisisdesk.match import WatchRule
from crisisdesk.records import TAKEN_BACK, Correction, Mention, Need, Post, Scored, Stage
from crisisdesk.storage.store import Store

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
RULES = [WatchRule("Acme", ("acme", "@acme"), accounts=("acme@x.com",)), WatchRule("Zenith", ("zenith",))]
numbers = count()


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)


def said(text: str, author: str | None = None, *, watches=("Acme",), now=NOW, negative=0.1, **details) -> Scored:
    number = next(numbers)
    who = author if author is not None else f"somebody{number}"
    post = Post(f"p{number}", "test", now, text, who)._replace(**details)
    return Scored(Mention(post, watches), negative, 0.9 - negative, 0.1, model="test")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        yield store


async def opened(store: Store, answered=("Acme", "Zenith"), rules=RULES) -> Queue:
    return await answer_queue(store, rules, answered, UTC)


@pytest.fixture
async def queue(store: Store) -> Queue:
    return await opened(store)


def texts(queue: Queue) -> list[str]:
    return [one.post.text for one in queue.inquiries()]


def everything_in(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


async def test_the_weightiest_comes_first_and_of_equals_the_oldest(queue: Queue):
    queue.hear(said("acme opens at nine or ten?"), NOW)
    queue.hear(said("@acme where is my red parcel?"), later(minutes=1))
    queue.hear(said("@acme where is the blue one that I ordered?"), later(minutes=2))
    queue.hear(said("@acme why so slow, asks half the town?", reach=50_000), later(minutes=3))
    assert [text.split()[1] for text in texts(queue)] == ["why", "where", "where", "opens"]
    assert [one.weight for one in queue.inquiries()] == [9.7, 5.0, 5.0, 2.0]
    assert queue.inquiries()[1].came == later(minutes=1)


async def test_what_needs_no_answer_does_not_come_in(queue: Queue):
    queue.hear(said("acme is awful", negative=0.9), NOW)
    queue.hear(said("@acme hello?", watches=("Other",)), NOW)
    assert queue.inquiries() == ()


async def test_each_watch_has_a_list_of_its_own(queue: Queue):
    queue.hear(said("does acme fit into a zenith?", watches=("Acme", "Zenith")), NOW)
    first, second = queue.inquiries()
    assert {first.watch, second.watch} == {"Acme", "Zenith"}
    await queue.answer(first.id, "Anna", NOW)
    assert {one.watch: one.waiting for one in queue.answering(NOW)} == {first.watch: 0, second.watch: 1}


async def test_one_person_is_one_inquiry_with_the_weightiest_post(queue: Queue):
    queue.hear(said("@acme hello", "mia"), NOW)
    queue.hear(said("@acme where is my parcel?", "mia"), later(minutes=1))
    for number in range(8):
        queue.hear(said(f"@acme hello for the {number} time", "mia"), later(minutes=2))
    (one,) = queue.inquiries()
    assert (one.post.text, one.posts, one.came) == ("@acme where is my parcel?", 10, NOW)
    assert len(one.others) == OTHERS
    assert one.others[0].text == "@acme hello for the 7 time"


async def test_who_has_taken_a_post_keeps_that_post(queue: Queue):
    queue.hear(said("@acme hello", "mia"), NOW)
    (one,) = queue.inquiries()
    await queue.take(one.id, "Anna", NOW)
    queue.hear(said("@acme where is my parcel?", "mia"), later(minutes=1))
    (one,) = queue.inquiries()
    assert (one.post.text, one.others[0].text, one.posts) == ("@acme hello", "@acme where is my parcel?", 2)


async def test_a_new_word_of_somebody_who_was_answered_waits_anew(queue: Queue):
    queue.hear(said("@acme where is my parcel?", "mia"), NOW)
    await queue.answer(queue.inquiries()[0].id, "Anna", NOW)
    queue.hear(said("@acme thanks, and the other one?", "mia"), later(minutes=9))
    assert [one.stage for one in queue.inquiries()] == [Stage.WAITING, Stage.ANSWERED]


async def test_copies_are_one_inquiry_also_after_it_was_answered(queue: Queue):
    copied = "@acme why do you poison the river behind the school of our children?"
    for number in range(30):
        queue.hear(said(f"{copied} {'!' * number} #river{number}"), later(minutes=number))
    (one,) = queue.inquiries()
    assert one.posts == 30
    await queue.answer(one.id, "Anna", later(hours=1))
    queue.hear(said(copied), later(hours=2))
    assert [(one.stage, one.posts) for one in queue.inquiries()] == [(Stage.ANSWERED, 31)]


async def test_two_people_who_say_little_are_two(queue: Queue):
    queue.hear(said("@acme help me?"), NOW)
    queue.hear(said("@acme help me?"), NOW)
    assert len(queue.inquiries()) == 2


async def test_a_post_that_is_delivered_again_is_the_same(queue: Queue):
    post = said("@acme where is my parcel?")
    queue.hear(post, NOW)
    queue.hear(post, later(minutes=1))
    assert [one.posts for one in queue.inquiries()] == [1]
    await queue.answer(queue.inquiries()[0].id, "Anna", later(minutes=2))
    queue.hear(post, later(minutes=3))
    assert [one.stage for one in queue.inquiries()] == [Stage.ANSWERED]


async def test_an_answer_to_a_post_of_the_brand_is_addressed_to_it(queue: Queue):
    own = said("acme has news", "@acme@x.com")
    queue.hear(own, NOW)
    queue.hear(said("and when does acme come to us", reply_to=own.post.id), NOW)
    assert [one.needs for one in queue.inquiries()] == [(Need.ADDRESSED,)]


async def test_posts_of_long_ago_do_not_come_in(queue: Queue):
    queue.hear(said("@acme where is my parcel?", time=NOW - WAITS), NOW)
    assert queue.inquiries() == ()


async def test_of_a_recording_each_post_comes_at_its_own_time(store: Store):
    queue = await answer_queue(store, RULES, ["Acme"], UTC, recorded=True)
    queue.hear(said("@acme where is my parcel?"), later(days=30))
    queue.hear(said("@acme and where is mine, please?", time=later(hours=5)), later(days=30))
    assert [one.came for one in queue.inquiries()] == [NOW, later(hours=5)]


async def test_the_least_weighty_falls_out_and_is_counted(queue: Queue):
    for number in range(MOST):
        queue.hear(said(f"@acme where is parcel number {number} of {number * 7}?"), later(seconds=number))
    taken = queue.inquiries()[0]
    await queue.take(taken.id, "Anna", NOW)
    queue.hear(said("acme opens when on sundays, anyone?"), later(minutes=5))
    queue.hear(said("@acme the famous singer asks why?", reach=10**6), later(minutes=6))
    found = queue.inquiries()
    assert len([one for one in found if one.stage is Stage.WAITING]) == MOST
    assert "famous singer" in found[0].post.text
    assert not any("sundays" in one.post.text for one in found)
    assert taken.id in [one.id for one in found]
    assert queue.answering(later(minutes=6))[0].missed == 1


async def test_where_fewer_may_wait_than_before_the_others_are_let_go(queue: Queue, store: Store):
    for number in range(MOST):
        queue.hear(said(f"@acme where is parcel number {number} of {number * 7}?"), NOW)
    await queue.flush()
    many = [*RULES, *(WatchRule(f"w{number}", (f"w{number}",)) for number in range(1_000))]
    again = await answer_queue(store, many, [rule.name for rule in many], UTC)
    again.hear(said("@acme why do you not answer anybody?"), NOW)
    assert len(again.inquiries()) == 10
    assert again.answering(NOW)[0].missed == MOST + 1 - 10


async def test_what_has_waited_for_days_is_let_go_and_counted(queue: Queue):
    queue.hear(said("@acme where is my parcel?"), NOW)
    queue.pass_time(NOW + WAITS - timedelta(minutes=1))
    assert len(queue.inquiries()) == 1
    queue.pass_time(NOW + WAITS)
    assert queue.inquiries() == ()
    assert [one.missed for one in queue.answering(NOW + WAITS)] == [1, 0]
    assert [one.missed for one in queue.answering(NOW + timedelta(days=20))] == [0, 0]


async def test_what_was_taken_and_forgotten_waits_again(queue: Queue):
    queue.hear(said("@acme where is my parcel?"), NOW)
    await queue.take(queue.inquiries()[0].id, "Anna", NOW)
    queue.pass_time(NOW + TAKEN_FOR)
    (one,) = queue.inquiries()
    assert (one.stage, one.had_by) == (Stage.WAITING, "Anna")
    assert (await queue.take(one.id, "Ben", NOW + TAKEN_FOR)).person == "Ben"


async def test_of_two_people_in_the_same_moment_one_is_first(queue: Queue):
    queue.hear(said("@acme where is my parcel?"), NOW)
    name = queue.inquiries()[0].id
    done = await asyncio.gather(
        *(queue.take(name, who, NOW) for who in ("Anna", "Ben", "Cleo")), return_exceptions=True
    )
    assert [getattr(one, "person", str(one)) for one in done] == [
        "Anna",
        *["Anna has taken this post 0 s ago; it has to be given back before somebody else can answer it."] * 2,
    ]


async def test_a_post_that_is_not_there_is_told(queue: Queue):
    with pytest.raises(UsageError, match="no post nothing in the answer queue"):
        await queue.take("nothing", "Anna", NOW)


async def test_figures(queue: Queue):
    for number in range(10):
        queue.hear(said(f"@acme where is parcel number {number} of {number * 7}?"), NOW)
    names = [one.id for one in queue.inquiries()]
    for minutes, name in enumerate(names[:6], 1):
        await queue.answer(name, "Anna", later(minutes=10 * minutes))
    await queue.pass_over(names[6], "Anna", later(hours=2), "troll")
    await queue.take(names[7], "Ben", later(hours=2))
    acme, zenith = queue.answering(later(hours=2))
    assert (acme.waiting, acme.taken, acme.answered_today, acme.oldest) == (2, 1, 6, NOW)
    assert (acme.median, acme.most) == (timedelta(minutes=30), timedelta(minutes=60))
    assert (zenith.watch, zenith.waiting, zenith.median, zenith.oldest) == ("Zenith", 0, None, None)
    (tomorrow, _) = queue.answering(later(days=1))
    assert (tomorrow.answered_today, tomorrow.median) == (0, timedelta(minutes=30))
    assert queue.answering(later(days=8))[0].median is None


async def test_a_restart_knows_everything(queue: Queue, store: Store):
    queue.hear(said("@acme where is my parcel?", "mia", reach=50, lang="en", url="https://a.example/1"), NOW)
    queue.hear(said("@acme and why so late?", "mia"), NOW)
    queue.hear(said("does acme ship to Norway?"), NOW)
    queue.hear(said("acme has news", "acme@x.com", id="own"), NOW)
    for number in range(MOST):
        queue.hear(said(f"@acme where is parcel number {number} of {number * 7}?"), NOW)
    await queue.take(queue.inquiries()[1].id, "Anna", NOW)
    await queue.answer(queue.inquiries()[2].id, "Anna", later(minutes=3))
    await queue.pass_over(queue.inquiries()[2].id, "Anna", later(minutes=4), "a troll")
    await queue.flush()
    again = await opened(store)
    assert again.inquiries() == queue.inquiries()
    assert again.answering(later(hours=1)) == queue.answering(later(hours=1))
    again.hear(said("yes but how", "zoe", reply_to="own"), NOW)
    assert any(one.post.author == "zoe" for one in again.inquiries())
    queue.hear(said("@acme and my parcel?", "mia"), NOW)
    again.hear(said("@acme and my parcel?", "mia"), NOW)
    assert again.inquiries()[0].posts == queue.inquiries()[0].posts == 3


async def test_what_ended_long_ago_is_forgotten(queue: Queue, store: Store):
    queue.hear(said("@acme where is my parcel?"), NOW)
    await queue.answer(queue.inquiries()[0].id, "Anna", NOW)
    queue.pass_time(NOW + ENDED_FOR)
    await queue.flush()
    assert (await opened(store)).inquiries() == queue.inquiries() == ()


async def test_a_watch_without_a_queue_hears_nothing_and_keeps_its_past(queue: Queue, store: Store):
    queue.hear(said("@acme where is my parcel?"), NOW)
    await queue.flush()
    off = await opened(store, answered=("Zenith",))
    off.hear(said("@acme hello?"), NOW)
    assert off.inquiries() == ()
    assert [one.watch for one in off.answering(NOW)] == ["Zenith"]
    with pytest.raises(UsageError):
        await off.take(queue.inquiries()[0].id, "Anna", NOW)
    await off.flush()
    assert len((await opened(store)).inquiries()) == 1


async def test_a_post_that_is_taken_back_leaves_the_queue_and_the_file(queue: Queue, store: Store):
    for text in ("open secret", "ended secret"):
        queue.hear(said(f"@acme {text} words?", f"author of {text}", id=text), NOW)
    ended = next(one for one in queue.inquiries() if "ended" in one.post.text)
    await queue.pass_over(ended.id, "Anna", NOW, "a secret reason")
    assert b"secret" in everything_in(store.path)
    for text in ("open secret", "ended secret"):
        correction = Correction("test", text)
        assert queue.holds(correction)
        await queue.correct(correction)
        assert not queue.holds(correction)
    (one,) = queue.inquiries()
    assert (one.id, one.stage, one.post.text, one.post.author, one.reason) == (
        ended.id, Stage.PASSED_OVER, TAKEN_BACK, None, "",
    )  # fmt: skip
    assert b"secret" not in everything_in(store.path)
    assert (await opened(store)).inquiries() == queue.inquiries()


async def test_a_post_that_is_changed_reads_as_now(queue: Queue, store: Store):
    post = said("@acme where is my secret parcel?", "mia")
    queue.hear(post, NOW)
    await queue.correct(Correction("test", post.post.id, "@acme where is my parcel?"))
    assert texts(queue) == texts(await opened(store)) == ["@acme where is my parcel?"]
    assert b"secret" not in everything_in(store.path)


async def test_of_a_person_who_takes_one_post_back_the_others_wait(queue: Queue):
    queue.hear(said("@acme my parcel is lost", "mia"), NOW)
    asked = said("@acme where is my parcel?", "mia")
    queue.hear(asked, NOW)
    await queue.correct(Correction("test", asked.post.id))
    assert [(one.post.text, one.posts) for one in queue.inquiries()] == [("@acme my parcel is lost", 1)]


async def test_what_somebody_asks_to_have_erased_is_nowhere(queue: Queue, store: Store):
    copied = "@acme why do you poison the river behind the school of our children?"
    for who in ("mia", "secret", "zoe"):
        queue.hear(said(copied, who), NOW)
    queue.hear(said("@acme my parcel?", "secret"), NOW)
    await queue.flush()
    assert await queue.erase(lambda post: post.author == "secret") == 2
    assert [(one.post.author, one.posts) for one in queue.inquiries()] == [("mia", 2)]
    assert b"secret" not in everything_in(store.path)


async def test_what_came_too_long_ago_can_be_forgotten(queue: Queue, store: Store):
    queue.hear(said("@acme where is my old parcel?"), NOW)
    queue.hear(said("@acme where is my new parcel?"), later(hours=3))
    queue.hear(said("does zenith ship to Norway?", watches=("Zenith",)), NOW)
    await queue.flush()
    assert await queue.forget_before("Acme", later(hours=1)) == 1
    assert await queue.forget_before("Nothing", later(hours=1)) == 0
    assert len(queue.inquiries()) == len((await opened(store)).inquiries()) == 2
    assert b"old parcel" not in everything_in(store.path)


async def test_on_a_disk_that_takes_nothing_it_goes_on_and_says_so(queue: Queue, store: Store):
    queue.hear(said("@acme where is my parcel?", "mia"), NOW)
    await queue.flush()
    await store.read(lambda database: database.execute("PRAGMA query_only = ON"))
    await queue.take(queue.inquiries()[0].id, "Anna", NOW)
    assert queue.inquiries()[0].person == "Anna"
    assert "change its permissions" in queue.trouble
    assert "goes on from memory" in queue.trouble
    with pytest.raises(StorageError, match="not saved"):
        await queue.erase(lambda post: post.author == "mia")
    assert queue.inquiries() == ()
    await store.read(lambda database: database.execute("PRAGMA query_only = OFF"))
    await queue.flush()
    assert queue.trouble == ""
    assert (await opened(store)).inquiries() == ()
    assert b"mia" not in everything_in(store.path)


async def test_a_damaged_row_is_told_and_takes_nothing_else_along(queue: Queue, store: Store):
    for number in range(2):
        queue.hear(said(f"@acme where is parcel number {number} of {number * 7}?"), NOW)
    await queue.flush()
    broken = queue.inquiries()[0].id

    def damage(database: sqlite3.Connection) -> None:
        database.execute("UPDATE inquiries SET record = '{' WHERE id = ?", (broken,))

    await store.write(damage)
    again = await opened(store)
    assert [one.id for one in again.inquiries()] == [queue.inquiries()[1].id]
    assert "1 post of the answer queue cannot be read" in again.trouble
    assert (await opened(store)).trouble == ""


POSTS = st.lists(
    st.tuples(
        st.sampled_from(["@acme", "acme", "@ben acme"]),
        st.text("abcdefgh ?!", max_size=40),
        st.integers(0, 40),
        st.floats(0, 0.9),
        st.sampled_from([0, 10, 20_000, 10**7]),
        st.integers(0, 3_600 * 24 * 9),
    ),
    max_size=120,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(storm=POSTS)
async def test_no_storm_makes_it_grow_without_bound(store: Store, storm):
    rules = [*RULES, *(WatchRule(f"w{number}", (f"w{number}",)) for number in range(1_000))]
    queue = await answer_queue(store, rules, [rule.name for rule in rules], UTC)  # ten of each may wait
    for start, words, author, negative, reach, seconds in sorted(storm, key=lambda one: one[-1]):
        now = later(seconds=seconds)
        queue.hear(said(f"{start} {words}", f"a{author}", negative=negative, reach=reach, time=now), now)
        waiting = [one for one in queue.inquiries() if one.stage is Stage.WAITING]
        assert len(waiting) <= 10
        assert len({one.post.author for one in waiting}) == len(waiting)
        assert all(one.came > now - WAITS - timedelta(minutes=1) for one in waiting)
        assert all(len(one.others) <= OTHERS for one in waiting)
        weights = [one.weight for one in waiting]
        assert weights == sorted(weights, reverse=True)


async def test_ten_thousand_angry_posts_are_a_short_list(queue: Queue):
    for number in range(10_000):
        to = "@acme" if number % 3 == 0 else "acme"
        text = f"{to} {number} is the awful {number * 7} of all {number * 13} and shame on {number * 17}"
        queue.hear(said(text, negative=0.95, reach=number % 500), later(seconds=number // 10))
    found = queue.inquiries()
    assert len(found) == MOST
    assert sum(one.posts for one in found) + queue.answering(later(hours=1))[0].missed == 3_334
