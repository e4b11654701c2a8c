"""What a running desk forgets, looked for everywhere: on screen, in memory, and in the bytes of its files."""

import asyncio
import contextlib
import gc
import os
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hearsay import Words
from small_desk import ANGER, SAID, Network, anger, desk, in_files, quiet, say
from storms import END

from crisisdesk.app import App
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.phrases import is_telling
from crisisdesk.errors import StorageError, UsageError
from crisisdesk.match import WatchRule
from crisisdesk.privacy.key import KeyFile
from crisisdesk.privacy.terms import Terms
from crisisdesk.records import ERASED, Correction, Notification, OutputStatus, Post, Quote, Verdict
from crisisdesk.sentiment.base import Scores
from crisisdesk.storage import privacy

DAY = timedelta(days=1)
WHO, WHAT, WHERE = "madeleine", "twins", "x.example"


async def shown(app: App) -> str:
    """Everything that a console, a machine or a detector could still tell."""
    picture = await app.desk.picture()
    told = [await app.desk.timeline(one.id) for one in picture.incidents]
    detectors = app.observation.detectors.values()
    return f"{picture} {told} {[*app.observation.posts()]} {[one._dossier.evidence for one in detectors]}"


async def assert_gone(app: App, base: Path, *words: str) -> None:
    everything = await shown(app)
    for one in words:
        assert one not in everything
        assert in_files(base, one) == []  # while it runs: also in the log beside the database


async def pass_time(app: App, clock: ReplayClock, span: timedelta) -> None:
    clock.restart(clock.now() + span, None)
    await app.rounds.look(clock.now())


async def test_an_author_is_erased_everywhere_at_once(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network) as app:
        question = Post("asked", "bsky", END, "acme why did my twins get hurt?", author=WHO, lang="en")
        await say(app, network, *quiet(), question, *anger())
        await app.rounds.save()
        assert [one.post for one in (await app.desk.picture()).inquiries] == [question]
        assert in_files(tmp_path, WHO)
        erased = await app.desk.forget("Eva Data", author="@Madeleine")
        places = {"evidence of incidents": 1, "feed": 2, "memory of the detectors": 2, "answer queue": 1}
        assert dict(erased.found) == places
        await assert_gone(app, tmp_path, WHO, WHAT, WHERE)
        assert ERASED in await shown(app)
        (incident,) = app.register.incidents()
        assert (await app.desk.timeline(incident.id))[-1].reason == "posts were erased because somebody asked for it"


async def test_nothing_that_went_through_stays_behind_in_memory(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), Post("1", "bsky", END, "acme met quetzals", author="quetzal", lang="en"))
        await say(app, network, Correction("bsky", author="quetzal"))
        gc.collect()
        left = [str(one) for one in gc.get_objects() if isinstance(one, Post | Quote)]
        assert [one for one in left if "quetzal" in one] == []
        assert is_telling.cache_info().currsize
        await app.forgetting.look(END + timedelta(hours=2))
        assert not is_telling.cache_info().currsize  # words, whoever said them


async def test_whom_somebody_answers_is_not_kept_with_the_answer(tmp_path: Path):
    network = Network()
    asked = Post("asked", "bsky", END, "@acme why so?", author="anna", lang="en", reply_to=f"at://did:plc:{WHO}/x/1")
    async with desk(tmp_path, network, rule=WatchRule("Acme", ("acme", "@acme"))) as app:
        await say(app, network, *quiet(), asked)
        await app.rounds.save()
        assert [one.post.id for one in (await app.desk.picture()).inquiries] == ["asked"]
        await assert_gone(app, tmp_path, WHO)


async def test_erasing_again_finds_nothing_and_both_are_recorded_without_the_name(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        await app.desk.forget("Eva Data", author=WHO)
        again = await app.desk.forget("Eva Data", author=WHO, source="bsky")
        assert again.found == ()
        first, second = await app.store.read(privacy.records)
        assert first.name == second.name == again.name == KeyFile(tmp_path / "desk.db").needed().person(WHO)
        assert (first.person, first.kind, second.source) == ("Eva Data", "author", "bsky")
        assert first.found
        assert in_files(tmp_path, WHO) == []


@pytest.mark.parametrize("named", ["bsky:gone", "https://x.example/1"])
async def test_a_post_is_erased_by_its_key_or_its_address(tmp_path: Path, named: str):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        erased = await app.desk.forget("Eva Data", post=named)
        assert dict(erased.found)["evidence of incidents"] == 1
        await assert_gone(app, tmp_path, WHO, WHAT, WHERE)


async def test_what_was_erased_does_not_come_back_as_new(tmp_path: Path):
    network, again = Network(), Network()
    (gone,) = [post for post in anger() if post.id == "gone"]
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        await app.desk.forget("Eva Data", author=WHO)
        await say(app, network, gone)
        assert app.tally.repeated == 1
        await assert_gone(app, tmp_path, WHO, WHAT)
    async with desk(tmp_path, again) as app:
        await say(app, again, gone)
        assert app.tally.repeated == 1
        await assert_gone(app, tmp_path, WHO, WHAT)


async def test_what_waits_for_the_model_and_in_the_mailbox_is_erased_too(tmp_path: Path):
    class Held(Words):
        go = threading.Event()

        def score(self, texts: Sequence[str]) -> list[Scores]:
            assert self.go.wait(20)
            return super().score(texts)

    network, held = Network(), Held()
    network.resumes = False
    async with desk(tmp_path, network, held) as app:
        network.said.put_nowait(Post("gone", "bsky", END, SAID, author=WHO, lang="en", url="https://x.example/1"))
        await network.said.join()
        while not in_files(tmp_path, WHO):
            await app.reception.edges["network"].write_down()
        erased = await app.desk.forget("Eva Data", author=WHO)
        assert dict(erased.found) == {"mailbox": 1, "under way": 1}
        held.go.set()
        await app.caught_up()
        assert app.tally.mentions["Acme"] == 1
        await app.rounds.save()
        await assert_gone(app, tmp_path, WHO, WHAT, WHERE)
    assert in_files(tmp_path, WHO) == []


class Dead:
    """An output that never takes anything."""

    name = "dead"

    def session(self) -> contextlib.nullcontext[None]:
        return contextlib.nullcontext()

    async def ready(self) -> None:
        await asyncio.Event().wait()

    async def deliver(self, notification: Notification) -> None: ...

    def status(self) -> OutputStatus:
        return OutputStatus(self.name, "retrying")


async def test_what_is_owed_to_an_output_that_is_down_is_erased_too(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network, outputs=lambda _: [Dead()]) as app:
        await say(app, network, *quiet(), *anger())
        await app.desk.acknowledge(app.register.incidents()[0].id, "Anna")
        quoting = [row for row, one in await app.store.owed("dead") if WHO in str(one)]
        assert quoting
        await app.store.failed("dead", quoting[0], f"refused: {SAID} is too long")  # some say back what they were sent
        erased = await app.desk.forget("Eva Data", author=WHO)
        assert dict(erased.found)["owed to outputs"] > 0
        owed = await app.store.owed("dead")
        assert owed
        assert WHO not in str(owed)
        await assert_gone(app, tmp_path, WHO, WHAT, WHERE)


class Slow(Dead):
    """An output that takes its time with each change, and begins when there are several."""

    def __init__(self) -> None:
        self.may, self.began, self.goes_on = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.told: list[Notification] = []

    async def ready(self) -> None:
        await self.may.wait()

    async def deliver(self, notification: Notification) -> None:
        self.told.append(notification)
        self.began.set()
        await self.goes_on.wait()

    def status(self) -> OutputStatus:
        return OutputStatus(self.name, "live")


async def test_what_is_erased_while_others_go_out_does_not_follow_them(tmp_path: Path):
    network, slow = Network(), Slow()
    async with desk(tmp_path, network, outputs=lambda _: [slow]) as app:
        await say(app, network, *quiet(), *anger())
        await app.desk.acknowledge(app.register.incidents()[0].id, "Anna")
        owed = len(await app.store.owed("dead"))
        slow.may.set()
        await slow.began.wait()
        await app.desk.forget("Eva Data", author=WHO)
        slow.goes_on.set()
    assert len(slow.told) >= owed > 1  # an orderly stop lets all of it go out
    assert WHO not in str(slow.told[1:])


@pytest.mark.parametrize("has_original", [True, False])
async def test_with_an_author_go_the_reposts_of_others_who_repeat_her_words(tmp_path: Path, has_original: bool):
    network, name = Network(), f"https://s.example/users/{WHO}/statuses/1"
    hers = Post(name, "mastodon", END, SAID, author=f"@{WHO}@s.example", lang="en")
    reposts = [Post(f"r{n}", "mastodon", END, SAID, author=f"ben{n}", lang="en", original=name) for n in range(3)]
    other = Post("x", "elsewhere", END, "acme again", author="carl", lang="en", original="y")
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *([hers] if has_original else ()), *reposts, other)
        erased = await app.desk.forget("Eva Data", author=f"@{WHO}@s.example")
        assert dict(erased.found)["feed"] == len(reposts) + has_original
        await assert_gone(app, tmp_path, WHO, WHAT)
        assert "acme again" in await shown(app)


async def test_with_an_account_all_its_posts_go_however_old(tmp_path: Path):
    network, again = Network(), Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
    async with desk(tmp_path, again) as app:  # this run has heard nothing of it
        await say(app, again, Correction("elsewhere", author=WHO), Correction("bsky", author="nobody"))
        assert WHO in await shown(app)
        await say(app, again, Correction("bsky", author=WHO))
        await assert_gone(app, tmp_path, WHO, WHAT, WHERE)
        (incident,) = app.register.incidents()
        reasons = [change.reason for change in await app.desk.timeline(incident.id)]
        assert reasons[-1] == "the posts of an account that is gone were erased"


async def test_after_a_month_names_are_pseudonyms_and_the_network_can_still_take_back(tmp_path: Path):
    network, clock = Network(), ReplayClock(END + timedelta(hours=1))
    async with desk(tmp_path, network, clock=clock) as app:
        await say(app, network, *quiet(), *anger())
        await pass_time(app, clock, 29 * DAY)
        assert in_files(tmp_path, WHO)
        await pass_time(app, clock, 2 * DAY)
        await assert_gone(app, tmp_path, WHO, WHERE, "angry3")
        (incident,) = app.register.incidents()
        person = KeyFile(tmp_path / "desk.db").needed().person(WHO)
        assert (person, 9_000) in incident.evidence.voices
        assert SAID in [one.text for one in incident.evidence.quotes]
        picture = await app.desk.picture()
        assert (picture.mentions, picture.inquiries) == ((), ())
        assert not any(post.id for post in app.observation.posts())
        await say(app, network, Correction("bsky", "gone"))
        await assert_gone(app, tmp_path, WHAT, person)


async def test_a_post_that_nobody_answered_leaves_the_files_when_it_is_let_go(tmp_path: Path):
    network, clock = Network(), ReplayClock(END + timedelta(hours=1))
    async with desk(tmp_path, network, clock=clock) as app:
        await say(app, network, Post("asked", "bsky", END, "acme why so?", author=WHO, lang="en"))
        await app.rounds.save()
        assert in_files(tmp_path, WHO)
        await pass_time(app, clock, 4 * DAY)
        await app.rounds.save()
        assert in_files(tmp_path, WHO) == []


async def test_what_was_counted_is_not_left_in_the_log(tmp_path: Path):
    network, clock = Network(), ReplayClock(END + timedelta(hours=1))
    network.resumes = False
    async with desk(tmp_path, network, clock=clock, answers=[]) as app:
        await pass_time(app, clock, timedelta(minutes=2))
        await say(app, network, Post("7", "bsky", END, "acme is here", author=WHO, lang="en"))
        await app.rounds.save()
        assert in_files(tmp_path, WHO) == ["desk.db-wal"]
        await pass_time(app, clock, timedelta(minutes=50))
        await pass_time(app, clock, timedelta(minutes=50))
        assert in_files(tmp_path, WHO) == []


async def test_a_restart_years_later_keeps_figures_and_no_words(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        (before,) = app.register.incidents()
    async with desk(tmp_path, Network(), clock=ReplayClock(END + 800 * DAY)) as app:
        await assert_gone(app, tmp_path, WHO, WHAT, WHERE, ANGER)
        (after,) = app.register.incidents()
        assert after.numbers == before.numbers
        assert after.evidence.phrases == before.evidence.phrases


async def test_incidents_that_are_not_in_memory_and_of_watches_that_are_gone_age_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("crisisdesk.storage.store.RESOLVED_LOADED", 0)
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
        incident = await app.desk.resolve(app.register.incidents()[0].id, "Anna", Verdict.REAL)
        await app.store.save(replace(incident, id="newer", opened=incident.opened + 20 * DAY))
    other = WatchRule("Other", ("other",))
    again = Network()
    async with desk(tmp_path, again, clock=ReplayClock(END + 31 * DAY), rule=other) as app:
        assert [one.id for one in app.register.incidents()] == ["newer"]
        await assert_gone(app, tmp_path, WHO, WHERE, "angry3")
        kept = await app.store.incidents_of(["newer", incident.id])
        assert all(SAID in str(one) for one in kept.values())
        assert "watch Acme" not in await app.store.names()  # what it had learnt: phrases, and digests of people
        await say(app, again, Correction("bsky", "gone"))  # by its pseudonym
        await assert_gone(app, tmp_path, WHAT)


async def test_a_watch_may_keep_its_posts_for_longer_or_shorter(tmp_path: Path):
    network, clock = Network(), ReplayClock(END + timedelta(hours=1))
    async with desk(tmp_path, network, clock=clock, privacy=Terms({"Acme": 3 * DAY})) as app:
        await say(app, network, *quiet(), *anger())
        await pass_time(app, clock, 4 * DAY)
        await assert_gone(app, tmp_path, WHO, WHERE)


async def test_an_open_incident_tells_everybody_that_its_names_are_gone(tmp_path: Path):
    network, clock = Network(), ReplayClock(END + timedelta(hours=1))
    async with desk(tmp_path, network, clock=clock) as app:
        await say(app, network, *quiet(), *anger())
        told: list[Notification] = []
        app.register.subscribe(told.append)
        await app.forgetting.look(clock.now() + 31 * DAY)
        assert app.register.incidents()[0].is_open
        assert "stand without names" in told[-1].change.reason
        assert WHO not in str(told[-1])


async def test_with_pseudonyms_no_name_is_ever_kept(tmp_path: Path):
    network, again = Network(), Network()
    rule = WatchRule("Acme", ("acme",), accounts=("acme_official",))
    own = Post("own", "bsky", END, "acme says sorry", author="acme_official", lang="en")
    terms = Terms(pseudonyms=True)
    async with desk(tmp_path, network, rule=rule, privacy=terms) as app:
        await say(app, network, *quiet(), *anger(), own)
        await app.rounds.save()
        await assert_gone(app, tmp_path, WHO, WHERE, "angry3", '"gone"')
        (incident,) = app.register.incidents()
        assert incident.numbers.authors > 30  # people are told apart all the same
        assert "acme_official" in await shown(app)  # which is no other person
        await say(app, network, anger()[-1])
        assert app.tally.repeated == 1
    async with desk(tmp_path, again, rule=rule, privacy=terms) as app:
        assert WHAT in await shown(app)
        await say(app, again, Correction("bsky", "gone"))
        await assert_gone(app, tmp_path, WHAT)
        await say(app, again, Correction("bsky", author="angry39"), Correction("bsky", author="angry38"))
        erased = await app.desk.forget("Eva Data", author="angry37")
        assert erased.kind == "author"


async def test_with_pseudonyms_an_answer_to_the_brand_is_known_as_one(tmp_path: Path):
    network = Network()
    rule = WatchRule("Acme", ("acme",), accounts=("did:plc:acme",))
    ours = "at://did:plc:acme/app.bsky.feed.post/1"
    said = [
        Post(ours, "bluesky", END, "acme news", author="did:plc:acme", lang="en"),
        Post("own", "forum", END, "acme news", author="did:plc:acme", lang="en"),
        Post("2", "bluesky", END, "acme is where", author="did:plc:anna", lang="en", reply_to=ours),
        Post("3", "forum", END, "acme is there", author="ben", lang="en", reply_to="own"),
    ]
    async with desk(tmp_path, network, rule=rule, privacy=Terms(pseudonyms=True)) as app:
        await say(app, network, *said)
        inquiries = (await app.desk.picture()).inquiries
        assert {one.post.text for one in inquiries} == {"acme is where", "acme is there"}
        assert "anna" not in str(inquiries)


def write_key(path: Path, key: str) -> None:
    path.touch(0o600)
    path.write_text(key)


@pytest.mark.parametrize("another", [None, "ab" * 32])
async def test_a_key_that_is_lost_or_another_is_told(tmp_path: Path, another: str | None):
    network, clock = Network(), ReplayClock(END + timedelta(hours=1))
    async with desk(tmp_path, network, clock=clock) as app:
        await say(app, network, *quiet(), *anger())
        await pass_time(app, clock, 31 * DAY)
        assert "is gone" not in " ".join(app.troubles())
    async with desk(tmp_path, Network(), clock=clock) as app:
        await pass_time(app, clock, timedelta(minutes=2))
        assert "is gone" not in " ".join(app.troubles())
    (path := KeyFile(tmp_path / "desk.db").path).unlink()
    if another:
        write_key(path, another)
    async with desk(tmp_path, Network(), clock=clock) as app:
        await pass_time(app, clock, timedelta(minutes=2))
        assert f"The key {tmp_path / 'desk.db.key'} is gone" in " ".join(app.troubles())


async def test_a_key_that_others_can_read_stops_a_desk_that_needs_it(tmp_path: Path):
    KeyFile(tmp_path / "desk.db").needed()
    (tmp_path / "desk.db.key").chmod(0o644)
    with pytest.raises(StorageError, match="can be read by others"):
        async with desk(tmp_path, Network(), privacy=Terms(pseudonyms=True)):
            pass


async def test_a_disk_that_takes_nothing_is_told_and_tried_again(tmp_path: Path):
    network, clock = Network(), ReplayClock(END + timedelta(hours=1))
    async with desk(tmp_path, network, clock=clock) as app:
        await say(app, network, *quiet(), *anger())
        await app.register.flush()
        await app.store.read(lambda database: database.execute("PRAGMA query_only = 1"))
        await pass_time(app, clock, 31 * DAY)
        assert "kept for longer than they should be" in " ".join(app.troubles())
        with pytest.raises(StorageError):
            await app.desk.forget("Eva Data", author=WHO)
        await app.store.read(lambda database: database.execute("PRAGMA query_only = 0"))
        await pass_time(app, clock, timedelta(minutes=2))
        assert "kept for longer" not in " ".join(app.troubles())
        await assert_gone(app, tmp_path, WHO, WHERE)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "Say what is to be erased"),
        ({"author": "@ "}, "Say what is to be erased"),
        ({"author": "a", "post": "x:1"}, "Say what is to be erased"),
        ({"post": "x:1", "source": "x"}, "--source belongs to --author"),
        ({"post": "something"}, "is no post that the desk could know"),
    ],
)
async def test_what_means_nobody_is_refused(tmp_path: Path, asked: dict[str, str], told: str):
    async with desk(tmp_path, Network()) as app:
        with pytest.raises(UsageError, match=told):
            await app.desk.forget("Eva Data", **asked)


def folders(base: Path) -> list[str]:
    return [path.name for path in base.iterdir() if path.is_dir()]


async def test_copies_that_killed_commands_left_behind_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, age in (("left", 7200), ("in_use", 60)):
        (folder := tmp_path / f".crisisdesk-{name}").mkdir()
        (folder / "desk.db").write_text(WHO)
        os.utime(folder, (time.time() - age,) * 2)
    async with desk(tmp_path, Network()) as app:
        await app.forgetting.look(END + timedelta(hours=2))
    assert folders(tmp_path) == [".crisisdesk-in_use"]


async def test_files_that_others_could_read_are_closed_and_it_is_told(tmp_path: Path):
    network = Network()
    async with desk(tmp_path, network):
        pass
    (tmp_path / "desk.db").chmod(0o644)
    secret = tmp_path / "mqtt.secret"
    secret.write_text("hidden")
    secret.chmod(0o640)
    async with desk(tmp_path, Network(), secrets=[secret]) as app:
        assert (tmp_path / "desk.db").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "desk.db-wal").stat().st_mode & 0o777 == 0o600
        told = " ".join(app.troubles())
        assert "Others could read desk.db" in told
        assert f"chmod 600 {secret}" in told
        assert "hidden" not in told
        secret.chmod(0o600)
        KeyFile(tmp_path / "desk.db").needed()
        (tmp_path / "desk.db.key").chmod(0o640)
        await app.forgetting.look(END + timedelta(hours=2))
        told = " ".join(app.troubles())
        assert str(secret) not in told
        assert f"chmod 600 {tmp_path / 'desk.db.key'}" in told
