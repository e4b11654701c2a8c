"""A live desk collects the posts that need an answer; it tells nobody of them, and forgets none by a restart."""

import asyncio
from pathlib import Path

import pytest
from disks import Machine
from small_desk import Network, desk, in_files, say
from storms import END

from crisisdesk.app import App
from crisisdesk.errors import UsageError
from crisisdesk.match import WatchRule
from crisisdesk.records import Correction, Need, Post, Stage

RULE = WatchRule("Acme", ("acme", "@acme"), accounts=("acmehelp@x.com",))
ASKED = Post("1", "net", END, "@acme where is my awful parcel of last week?", "mia", "en")
WORDS = ("parcel", "ticket", "bottle", "garden", "winter", "coffee", "dinner", "bicycle", "kitchen", "morning")


async def stages(app: App) -> list[Stage]:
    return [one.stage for one in (await app.desk.picture()).inquiries]


def copy(base: Path, to: Path) -> Path:
    """What a crash at this moment would leave."""
    to.mkdir()
    for file in base.glob("desk.db*"):
        (to / file.name).write_bytes(file.read_bytes())
    return to


async def test_people_see_take_and_answer_a_post_and_so_it_is_after_a_restart(tmp_path: Path):
    network, again = Network(), Network()
    async with desk(tmp_path, network, rule=RULE) as app:
        await say(app, network, ASKED, ASKED._replace(id="2", text="acme is awful, says everybody", author="ben"))
        before = await app.desk.picture()
        (one,) = before.inquiries
        assert one.needs == (Need.ADDRESSED, Need.QUESTION, Need.NEGATIVE)
        assert [(watch.watch, watch.waiting) for watch in before.answering] == [("Acme", 1)]
        await app.desk.take(one.id, "Anna")
        async with asyncio.timeout(5):
            await app.desk.changed(before)
        with pytest.raises(UsageError, match="Anna has taken this post"):
            await app.desk.answer(one.id, "Ben")
        assert (await app.desk.answer(one.id, "anna")).stage is Stage.ANSWERED
    async with desk(tmp_path, again, rule=RULE) as app:
        assert await stages(app) == [Stage.ANSWERED]
        await app.desk.give_back(one.id, "Ben")
        assert (await app.desk.pass_over(one.id, "Ben", "a troll")).reason == "a troll"
        await say(app, again, ASKED)  # the network sends it once more
        assert await stages(app) == [Stage.PASSED_OVER]


async def test_what_was_not_saved_by_a_crash_is_taken_in_again(tmp_path: Path):
    network, again = Network(), Network()
    async with desk(tmp_path, network, rule=RULE) as app:
        await app.rounds.save()
        await say(app, network, ASKED)
        left = copy(tmp_path, tmp_path.with_name("crash"))
    async with desk(left, again, rule=RULE) as app:
        assert await stages(app) == []
        await say(app, again, ASKED)
        assert await stages(app) == [Stage.WAITING]


async def test_nobody_is_told_of_posts_that_wait(tmp_path: Path):
    network, machine = Network(), Machine()
    async with desk(tmp_path, network, rule=RULE, outputs=lambda _: [machine]) as app:
        texts = [
            f"@acme when do you open {WORDS[n % 10]} {WORDS[n // 10 % 10]} {'in the ' * (n // 100)}{n}?"
            for n in range(300)
        ]
        await say(
            app, network, *(ASKED._replace(id=f"q{n}", text=text, author=f"a{n}") for n, text in enumerate(texts))
        )
        await app.rounds.save()
        assert len(await stages(app)) > 50
        assert app.register.incidents() == ()
    assert machine.got == []


async def test_what_the_author_takes_back_leaves_the_queue_and_the_database(tmp_path: Path):
    network, again = Network(), Network()
    async with desk(tmp_path, network, rule=RULE) as app:
        await say(app, network, ASKED)
        await app.rounds.save()
        assert in_files(tmp_path, "awful parcel")
    async with desk(tmp_path, again, rule=RULE) as app:
        await say(app, again, Correction("net", "1"))
        assert await stages(app) == []
    assert in_files(tmp_path, "awful parcel") == []


async def test_a_switched_off_queue_takes_nothing_in(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network, rule=RULE, answers=()) as app:
        await say(app, network, ASKED)
        picture = await app.desk.picture()
        assert (picture.inquiries, picture.answering) == ((), ())
