"""`crisisdesk forget` on the database of a desk that does not run, and of one that does."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from small_desk import SAID, Network, anger, desk, in_files, quiet, say
from storms import END

from crisisdesk.cli.main import run
from crisisdesk.cli.serving import listening, serving
from crisisdesk.clock import ReplayClock
from crisisdesk.privacy.key import KeyFile
from crisisdesk.records import ERASED, Correction, Evidence, Post, Stage
from crisisdesk.server.presence import find
from crisisdesk.settings import load
from crisisdesk.storage.inquiries import KeptInquiries
from crisisdesk.storage.store import Store

WHO, WHAT = "madeleine", "twins"


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """Of a desk that has run and been stopped."""
    network = Network()
    async with desk(tmp_path, network) as app:
        await say(app, network, *quiet(), *anger())
    assert in_files(tmp_path, WHO) == ["desk.db"]
    return tmp_path / "desk.db"


def forget(database: Path, *words: str) -> int:
    return run(["forget", "--database", str(database), "--as", "Eva Data", *words])


async def off_the_loop(database: Path, *words: str) -> int:
    """Commands have a loop of their own."""
    return await asyncio.to_thread(forget, database, *words)


async def test_an_author_is_erased_and_a_record_kept(database: Path, capsys: pytest.CaptureFixture[str]):
    assert await off_the_loop(database, "--author", f"@{WHO}", "--yes") == 0
    told = capsys.readouterr().out
    assert "erased by Eva Data: evidence of incidents: 1 post" in told
    assert WHO not in told
    assert in_files(database.parent, WHO) == in_files(database.parent, WHAT) == []
    assert await off_the_loop(database, "--author", WHO, "--yes", "--json") == 0
    heard = capsys.readouterr()
    assert orjson.loads(heard.out)["found"] == {}
    assert "resolveHandle" in heard.err  # perhaps the network has another name for them
    assert await off_the_loop(database, "--list") == 0
    person = KeyFile(database).needed().person(WHO)
    lines = capsys.readouterr().out.splitlines()
    assert [person in line for line in lines] == [True, True]
    assert lines[1].endswith("nothing was found")


async def test_what_is_kept_of_somebody_is_shown_and_stays(database: Path, capsys: pytest.CaptureFixture[str]):
    assert await off_the_loop(database, "--author", WHO, "--show") == 0
    shown = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one.get("text") for one in shown] == [SAID, None]
    assert {one["place"] for one in shown} == {"evidence of incidents"}
    assert await off_the_loop(database, "--post", "https://x.example/1", "--show") == 0
    assert orjson.loads(capsys.readouterr().out)["id"] == "gone"
    assert await off_the_loop(database, "--author", "nobody", "--show") == 0
    assert "Nothing of it is in" in capsys.readouterr().err
    assert in_files(database.parent, WHO) == ["desk.db"]


async def test_what_is_owed_of_somebody_is_shown_also_where_the_incident_quotes_them_no_more(
    database: Path, capsys: pytest.CaptureFixture[str]
):
    async with await Store.open(database) as store:
        ((incident, _),) = await store.load_incidents()
        change = (await store.timeline(incident.id))[0]
        await store.save(incident, (replace(change, sequence=99),), ["mqtt"])
        await store.save(replace(incident, evidence=Evidence()))
    assert await off_the_loop(database, "--author", WHO, "--show") == 0
    shown = [orjson.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["place"] for one in shown} == {"owed to outputs"}
    assert SAID in [one.get("text") for one in shown]


async def test_of_the_answer_queue_what_others_wrote_stays_and_the_figures_of_what_was_answered(tmp_path: Path):
    network = Network()
    asked = [
        Post(who, "bsky", END, f"acme where is it {WHAT if who == WHO else who}?", author=who, lang="en")
        for who in (WHO, "anna", "ben")
    ]
    async with desk(tmp_path, network) as app:
        await say(app, network, *asked)
        mine, hers, _ = sorted((await app.desk.picture()).inquiries, key=lambda one: one.post.id != WHO)
        await app.desk.answer(mine.id, "Anna Berg")
    async with await Store.open(tmp_path / "desk.db") as store:
        kept = KeptInquiries(store)
        hers = replace(hers, others=(mine.post,), posts=2)  # as of a near-copy
        await kept.save({hers.id: hers}, {}, {})
    assert await off_the_loop(tmp_path / "desk.db", "--author", WHO, "--yes") == 0
    assert in_files(tmp_path, WHO) == in_files(tmp_path, WHAT) == []
    async with await Store.open(tmp_path / "desk.db") as store:
        left = {one.id: one for one in (await KeptInquiries(store).load()).inquiries}
    assert len(left) == 3
    assert left[hers.id] == replace(hers, others=(), posts=1)
    assert (left[mine.id].stage, left[mine.id].post.text) == (Stage.ANSWERED, ERASED)


async def test_a_lost_key_is_told_before_another_is_made(database: Path, capsys: pytest.CaptureFixture[str]):
    await off_the_loop(database, "--author", WHO, "--yes")
    assert "is gone" not in capsys.readouterr().err
    KeyFile(database).path.unlink()
    assert await off_the_loop(database, "--author", WHO, "--yes") == 0
    assert f"{KeyFile(database).path} is gone" in " ".join(capsys.readouterr().err.split())


async def test_after_a_restore_the_list_says_what_to_erase_again(database: Path, capsys: pytest.CaptureFixture[str]):
    copy = database.with_name("copy.old")
    shutil.copy(database, copy)
    await off_the_loop(database, "--author", WHO, "--yes")
    await off_the_loop(database, "--post", "bsky:a3", "--yes")
    capsys.readouterr()
    await off_the_loop(database, "--list", "--json")
    (listed := database.with_name("erasures.jsonl")).write_text(capsys.readouterr().out)
    copy.replace(database)
    assert in_files(database.parent, WHO)
    assert await off_the_loop(database, "--again", str(listed), "--yes") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert in_files(database.parent, WHO) == in_files(database.parent, WHAT) == []
    listed.write_text("no list")
    assert await off_the_loop(database, "--again", str(listed), "--yes") == 2
    assert "erasures.jsonl:1: is no record of an erasure" in capsys.readouterr().err
    KeyFile(database).path.unlink()
    listed.write_text("")
    assert await off_the_loop(database, "--again", str(listed), "--yes") == 1
    assert "nobody knows whom the records mean" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "who"),
    [(("--post", "https://x.example/1"), WHO), (("--author", "did:plc:repeated"), "did:plc:repeated")],
)
async def test_also_a_post_that_was_named_by_its_address_and_what_others_repeat_of_an_author(
    database: Path, capsys: pytest.CaptureFixture[str], asked: tuple[str, str], who: str
):
    repost = Post("r", "bsky", END, "acme", author="ben", original="at://did:plc:repeated/app.bsky.feed.post/1")
    async with await Store.open(database) as store:
        await store.post("bsky", {1: repost})
    copy = database.with_name("copy.old")
    shutil.copy(database, copy)
    await off_the_loop(database, *asked, "--yes")
    capsys.readouterr()
    await off_the_loop(database, "--list", "--json")
    (listed := database.with_name("erasures.jsonl")).write_text(capsys.readouterr().out)
    copy.replace(database)
    assert in_files(database.parent, who)
    assert await off_the_loop(database, "--again", str(listed), "--yes") == 0
    assert in_files(database.parent, who) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Give one of these"),
        (("--list", "--author", "a"), "Give one of these"),
        (("--author", "a"), "add --yes"),
        (("--post", "nothing", "--yes"), "is no post that the desk could know"),
    ],
)
async def test_what_is_unclear_is_refused_and_nothing_is_erased(
    database: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
):
    assert await off_the_loop(database, *words) == 2
    assert told in capsys.readouterr().err
    assert in_files(database.parent, WHO)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert forget(tmp_path / "none.db", "--author", "a", "--yes") == 2
    assert "There is no database" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


async def test_a_database_from_before_finds_what_it_keeps_of_an_author(database: Path):
    """Its rows know posts by their keys, and nobody by name."""
    with closing(sqlite3.connect(database)) as old, old:
        old.execute("DELETE FROM migrations WHERE name = 'm010_privacy'")
        old.execute("DELETE FROM quotes")
        old.execute("DROP INDEX incidents_by_names")
        old.execute("DROP INDEX incidents_by_words")
        old.execute("ALTER TABLE incidents DROP COLUMN plain_from")
        old.execute("ALTER TABLE incidents DROP COLUMN words_from")
        old.execute("DROP TABLE erasures")
    network = Network()
    async with desk(database.parent, network) as app:
        await say(app, network, Correction("bsky", author=WHO))
        assert in_files(database.parent, WHO) == in_files(database.parent, WHAT) == []


async def test_a_running_desk_is_asked_and_forgets_also_what_it_has_in_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    settings = tmp_path / "crisisdesk.toml"
    settings.write_text('[desk]\nname = "acme"\ndatabase = "desk.db"\n')
    configured, clock, network = load(settings), ReplayClock(END + timedelta(hours=1)), Network()
    service = serving(configured, listening(configured), clock)
    async with desk(tmp_path, network, clock=clock, service=service) as app:
        await say(app, network, *quiet(), *anger())
        while find(tmp_path / "desk.db") is None:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)
        assert await off_the_loop(tmp_path / "desk.db", "--author", WHO, "--yes", "--json") == 0
        erased = orjson.loads(capsys.readouterr().out)
        assert erased["person"] == "Eva Data"
        assert {"feed", "memory of the detectors", "evidence of incidents"} <= erased["found"].keys()
        assert WHO not in str(await app.desk.picture())
        assert in_files(tmp_path, WHO) == in_files(tmp_path, WHAT) == []
        assert await off_the_loop(tmp_path / "desk.db", "--list") == 0
        assert "erased by Eva Data" in capsys.readouterr().out
