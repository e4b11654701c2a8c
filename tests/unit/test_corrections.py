"""What an author takes back or changes is so here too: on screen, in evidence, in what is owed, in the database."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hearsay import Words
from small_desk import ANGER, SAID, Network, anger, desk, in_files, quiet, quoted, say
from storms import END

from crisisdesk.engine.progress import Digests
from crisisdesk.records import TAKEN_BACK, Correction, Notification, Post
from crisisdesk.sentiment.base import Scores


async def test_what_is_taken_back_is_gone_everywhere(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        told: list[Notification] = []
        app.register.subscribe(told.append)
        (incident,) = app.register.incidents()
        assert quoted(incident)["gone"] == SAID
        assert ("madeleine", 9_000) in incident.evidence.voices
        before = incident.numbers
        await say(app, network, Correction("bsky", "gone"))
        (incident,) = app.register.incidents()
        assert quoted(incident)[""] == TAKEN_BACK
        assert "madeleine" not in str(incident)
        assert (told[-1].change.reason, told[-1].incident) == ("a post was taken back by its author", incident)
        picture = await app.desk.picture()
        assert all(one.post.id != "gone" for one in picture.mentions)
        after = Post("late", "bsky", END + timedelta(minutes=41), f"{ANGER} late", author="x", lang="en")
        await say(app, network, after)  # evidence is collected anew
        (incident,) = app.register.incidents()
        assert SAID not in str(incident)
        assert incident.numbers.negative >= before.negative
    assert in_files(tmp_path, "twins") == []
    assert in_files(tmp_path, "x.example") == []


async def test_with_a_post_the_reposts_of_it_go(tmp_path: Path):
    network = Network()
    repeated = Post(
        "r", "bsky", END + timedelta(minutes=40), SAID, author="x", lang="en", original="gone", reach=99_999
    )
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger(), repeated)
        assert SAID in str((await app.desk.picture()).mentions)
        await say(app, network, Correction("bsky", "gone"))
        assert SAID not in str((await app.desk.picture()).mentions)
        assert SAID not in str(app.register.incidents())
        await say(
            app, network, Post("late", "bsky", END + timedelta(minutes=46), f"{ANGER} late", author="y", lang="en")
        )
        assert SAID not in str(app.register.incidents())
    assert in_files(tmp_path, "twins") == []


async def test_what_was_changed_is_shown_as_it_reads_now(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        await say(app, network, Correction("bsky", "gone", "I was wrong about acme"))
        (incident,) = app.register.incidents()
        assert quoted(incident)["gone"] == "I was wrong about acme"
        assert (await app.desk.picture()).mentions[0].post.text == "I was wrong about acme"
    assert in_files(tmp_path, "twins") == []


async def test_a_post_of_an_incident_long_over_is_found_too(tmp_path: Path):
    first, again = Network(), Network()
    async with desk(tmp_path, first) as app:
        await say(app, first, *quiet(), *anger())
    assert in_files(tmp_path, "twins")
    async with desk(tmp_path, again) as app:
        app.progress._known = Digests()  # more has been said since than is remembered
        await say(app, again, Correction("bsky", "gone"), Correction("bsky", "nobody knows it"))
        (incident,) = app.register.incidents()
        assert quoted(incident)[""] == TAKEN_BACK
    assert in_files(tmp_path, "twins") == []


async def test_a_post_that_still_waits_for_the_model_is_never_shown(tmp_path: Path):
    class Held(Words):
        go = threading.Event()

        def score(self, texts: Sequence[str]) -> list[Scores]:
            assert self.go.wait(20)
            return super().score(texts)

    network, held = Network(), Held()
    async with desk(tmp_path, network, held) as app:
        network.said.put_nowait(Post("gone", "bsky", END, SAID, author="madeleine", lang="en"))
        network.said.put_nowait(Correction("bsky", "gone"))
        await network.said.join()
        assert app.left == 1
        held.go.set()
        await app.caught_up()
        assert app.tally.mentions["Acme"] == 1
        assert SAID not in str((await app.desk.picture()).mentions)
        assert "madeleine" not in str((await app.desk.picture()).mentions)


@pytest.mark.parametrize("then_well", [True, False])
async def test_a_disk_that_takes_no_correction_gets_it_later_or_is_told(tmp_path: Path, then_well: bool):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        await app.register.flush()
        await app.store.read(lambda database: database.execute("PRAGMA query_only = 1"))
        await say(app, network, Correction("bsky", "gone"))
        assert "What 1 author has taken back is not erased from it yet." in app.register.trouble
        assert quoted(app.register.incidents()[0])[""] == TAKEN_BACK
        if then_well:
            await app.store.read(lambda database: database.execute("PRAGMA query_only = 0"))
            await app.register.flush()
            assert app.register.trouble == ""
    assert (in_files(tmp_path, "twins") == []) is then_well
