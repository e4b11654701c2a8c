"""A flood through the whole desk: an incident of its own that calls nobody, and that hides no crisis."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hearsay import ANGRY, CALM, Words

from crisisdesk.app import App, Plan
from crisisdesk.cli.account import Account
from crisisdesk.cli.terminal import event_line
from crisisdesk.clock import ReplayClock
from crisisdesk.desk import Picture
from crisisdesk.detect.standard import Standard
from crisisdesk.match import WatchRule
from crisisdesk.payloads.incident import incident_data, line
from crisisdesk.records import EPOCH, Kind, Notification, Severity
from crisisdesk.resources import folder
from crisisdesk.sources.file.reading import read_posts
from crisisdesk.sources.file.replay import Pace, Replay

START = datetime(2024, 3, 4, tzinfo=UTC)
EVENING = START + timedelta(days=2, hours=20)
COPIED = "acme is awful and lies to all of us about what is in the bottle"


def post(when: datetime, text: str, author: str, **more: object) -> dict[str, Any]:
    return {"time": when.isoformat(), "text": text, "author": author, "lang": "en", **more}


def quiet(days: int = 4) -> list[dict[str, Any]]:
    """Six posts an hour about "acme", one in six of them negative."""
    chance = random.Random(1)
    return [
        post(
            START + timedelta(minutes=10 * n, seconds=chance.randrange(600)),
            f"{' '.join(chance.sample(CALM, 5))} acme {'today' if chance.random() < 5 / 6 else 'awful'} {n}",
            f"u{chance.randrange(400)}",
        )
        for n in range(days * 24 * 6)
    ]


def flood(accounts: int, copies: int = 300, minutes: int = 30) -> list[dict[str, Any]]:
    """Copies of one text, each with something else appended, the accounts taking turns."""
    junk = ("", " x{0}k9", " 😡", " https://example.org/{0}", " #acme{0}")
    return [
        post(
            EVENING + timedelta(seconds=n * minutes * 60 / copies),
            COPIED + junk[n % len(junk)].format(n),
            f"bot{n % accounts}",
            reach=n % accounts,
        )
        for n in range(copies)
    ]


def crisis(people: int = 80, minutes: int = 60) -> list[dict[str, Any]]:
    chance = random.Random(2)
    return [
        post(
            EVENING + timedelta(minutes=10 + n * minutes / people),
            f"{' '.join(chance.sample(ANGRY, 5))} acme awful {n}",
            f"angry{n}",
        )
        for n in range(people)
    ]


async def told(
    tmp_path: Path, posts: list[dict[str, Any]], last: Callable[[Picture], None] = lambda _: None
) -> list[Notification]:
    """What the desk tells of these posts; `last` gets the picture when all have gone through."""
    posts = sorted(posts, key=lambda one: one["time"])
    file = tmp_path / "posts.jsonl"
    file.write_text("".join(json.dumps({"id": f"p{n}", **one}) + "\n" for n, one in enumerate(posts)), encoding="utf-8")
    clock, heard, bad = ReplayClock(EPOCH), list[Notification](), list[object]()
    source = Replay("replay", read_posts([file], on_bad=bad.append), clock, Pace(clock))
    plan = Plan(
        {WatchRule("Acme", ("acme",)): Standard()}, [source], tmp_path / "desk.db", folder("playbooks"), clock, Words
    )
    async with App(plan) as app:
        app.register.subscribe(heard.append)
        await app.run()
        last(await app.desk.picture())
    assert not bad
    return heard


def calls(heard: list[Notification], kind: Kind) -> set[str]:
    return {str(one.change.severity) for one in heard if one.incident.kind is kind} - {"notice"}


def called_at(heard: list[Notification]) -> datetime:
    return next(one.change.time for one in heard if one.change.severity > Severity.NOTICE)


async def test_a_flood_of_copies_is_shown_and_calls_nobody(tmp_path: Path):
    heard = await told(tmp_path, quiet() + flood(accounts=9))
    floods = [one for one in heard if one.incident.kind is Kind.BRIGADING]
    assert [one.change.event for one in floods] == ["opened", "resolved"]
    assert not calls(heard, Kind.SPIKE) | calls(heard, Kind.BRIGADING)
    first, last = floods[0].incident, floods[-1].incident
    assert first.opened - EVENING < timedelta(minutes=5)
    assert last.why.startswith("300 copies by 9 accounts in 30 minutes")
    assert last.why_de.startswith("300 Kopien von 9 Konten")
    assert (last.numbers.negative, last.numbers.authors) == (300, 9)
    assert 300 <= last.numbers.total < 320
    assert [(quote.text, quote.copies) for quote in last.evidence.posts] == [(COPIED, 300)]
    assert [author for author, _ in last.evidence.voices] == ["bot4", "bot3", "bot2", "bot1", "bot0"]
    assert line(floods[0])["kind"] == incident_data(first)["kind"] == "brigading"
    assert "brigading" in first.id
    assert " NOTICE Acme BRIGADING 2" in event_line(floods[0])


async def test_many_people_who_repeat_one_text_are_told_in_words_of_their_own_and_are_no_spike(tmp_path: Path):
    heard = await told(tmp_path, quiet() + flood(accounts=280))
    floods = [one for one in heard if one.incident.kind is Kind.BRIGADING]
    assert [one.change.event for one in floods] == ["opened", "raised", "subsided", "resolved"]
    assert (calls(heard, Kind.SPIKE), calls(heard, Kind.BRIGADING)) == (set(), {"amber"})
    last = floods[-1].incident
    assert last.why.startswith("280 people repeat one text within 30 minutes (300 copies), counted as one voice")
    assert last.why_de.startswith("280 Menschen wiederholen innerhalb von 30 Minuten einen Text (300 Kopien)")
    assert [quote.copies for quote in last.evidence.posts] == [300]
    assert [reach for _, reach in last.evidence.voices] == [279, 278, 277, 276, 275]


async def test_a_crisis_in_the_midst_of_a_flood_is_called_all_the_same(tmp_path: Path):
    heard = await told(tmp_path, quiet() + flood(accounts=9) + crisis())
    assert {one.change.event for one in heard if one.incident.kind is Kind.BRIGADING} == {"opened", "resolved"}
    assert "red" in calls(heard, Kind.SPIKE)
    numbers = [one.incident.numbers for one in heard if one.incident.kind is Kind.SPIKE]
    assert max(one.authors - one.expected for one in numbers) <= 80 + 9, (
        "the flood's accounts are not among the angry people"
    )
    alone = tmp_path / "alone"
    alone.mkdir()
    assert called_at(heard) - called_at(await told(alone, quiet() + crisis())) < timedelta(minutes=5)


async def test_a_watch_shows_its_flood_while_nothing_worse_is_there(tmp_path: Path):
    pictures: list[Picture] = []
    before = [one for one in quiet() if datetime.fromisoformat(one["time"]) < EVENING]
    await told(tmp_path, before + flood(accounts=9), pictures.append)
    assert [one.kind for one in pictures[0].incidents if one.is_open] == [Kind.BRIGADING]
    assert [watch.severity for watch in pictures[0].watches] == [Severity.NOTICE]


async def test_good_news_repeated_is_no_flood(tmp_path: Path):
    advert = [{**one, "text": one["text"].replace("awful", "cheap")} for one in flood(accounts=3)]
    heard = await told(tmp_path, quiet() + advert)
    assert not [one for one in heard if one.incident.kind is Kind.BRIGADING]


async def test_a_replay_tells_at_the_end_of_a_flood_what_it_came_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    account = Account(as_json=False, evidence=True)
    for one in await told(tmp_path, quiet() + flood(accounts=9)):
        account(one)
    said = capsys.readouterr().out
    assert "At its height: 300 copies by 9 accounts in 30 minutes; on most days there is no such flood. Lasted" in said
    assert [story.flood[:23] for story in account.stories.floods()] == ["300 copies by 9 account"]
