"""Posts in other languages: read by the real library, shown and counted, and no reason to call anybody."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crisisdesk.app import App, Plan
from crisisdesk.cli import recorded
from crisisdesk.cli.main import run
from crisisdesk.cli.outputs import heartbeat
from crisisdesk.clock import ReplayClock
from crisisdesk.desk import Picture
from crisisdesk.detect.standard import Standard
from crisisdesk.engine import intake
from crisisdesk.language import Reader, load
from crisisdesk.match import WatchRule
from crisisdesk.payloads.incident import line
from crisisdesk.records import EPOCH, Incident, Notification, Post
from crisisdesk.resources import folder
from crisisdesk.sentiment.base import Scores
from crisisdesk.sources.file.replay import Pace, Replay

START = datetime(2024, 3, 4, tzinfo=UTC)
STORM = START + timedelta(days=9, hours=20)
END = STORM + timedelta(hours=2)
ACME = WatchRule("Acme", ("acme",))

CALM = (
    ("my", "the", "her", "our"),
    ("new", "old", "small", "red"),
    ("acme headphones", "acme kettle", "acme bag", "acme lamp"),
    ("came in the mail today", "is still on my desk", "went with us to the lake", "was half the price last week"),
)
ANGER = {
    "de": (
        ("ganz ehrlich,", "mir reicht es,", "leute,", "also wirklich,", "ich bin sprachlos,", "nein,"),
        ("die Werbung von acme ist abscheulich", "was acme über Mütter sagt ist abscheulich",
         "so ein Film von acme ist abscheulich", "wie acme mit uns redet ist abscheulich"),
        ("und ich kaufe dort nie wieder", "das nehmt ihr sofort zurück", "wer hat das bloß erlaubt",
         "und eine Entschuldigung fehlt auch noch", "das vergessen wir euch nicht"),
    ),
    "fr": (
        ("franchement,", "j'en ai assez,", "dites donc,", "mais enfin,", "je suis sans voix,", "non,"),
        ("la publicité de acme est abominable", "ce que acme dit des mères est abominable",
         "un tel film de acme est abominable", "la façon dont acme nous parle est abominable"),
        ("et je n'achète plus jamais chez eux", "retirez cela tout de suite", "qui a donc permis cela",
         "et il manque toujours des excuses", "nous ne l'oublierons pas"),
    ),
}  # fmt: skip


class Words:
    """A model of English and German for which a few words decide, in any language."""

    name = "words"
    digest = "0001"
    languages: tuple[str, ...] = ("en", "de")

    def score(self, texts: Sequence[str]) -> list[Scores]:
        return [(0.9, 0.08, 0.02) if "abscheulich" in t or "abominable" in t else (0.1, 0.8, 0.1) for t in texts]


def posts(parts: Sequence[Sequence[str]], times: Iterator[datetime], name: str, seed: int = 1) -> list[Post]:
    """A post at each time, by a person of its own; nobody marks a language."""
    chance = random.Random(seed)
    return [
        Post(
            f"{name}{n}", "test", at, " ".join(map(chance.choice, parts)) + f" {chance.randrange(10_000)}", f"{name}{n}"
        )
        for n, at in enumerate(times)
    ]


def every(minutes: float, start: datetime = START, end: datetime = END) -> Iterator[datetime]:
    while start < end:
        yield start
        start += timedelta(minutes=minutes)


def flood(language: str, every_minutes: float = 1.0) -> list[Post]:
    return posts(ANGER[language], every(every_minutes, STORM), language)


QUIET = [*posts(CALM, every(10), "calm"), *posts(ANGER["de"], every(61), "grumpy", seed=2)]


class Played:
    """What a desk made of posts."""

    def __init__(self) -> None:
        self.told: list[Notification] = []
        self.incidents: tuple[Incident, ...] = ()
        self.baseline: dict[str, Any] = {}

    picture: Picture
    app: App

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [line(one) for one in self.told]

    @property
    def other(self) -> Counter[str]:
        return self.app.tally.other_languages.get("Acme", Counter())


async def played(
    database: Path,
    found: Sequence[Post],
    rule: WatchRule = ACME,
    model: type[Words] = Words,
    *,
    chunk: int = 500,
    reader: Callable[[], Reader] = load,
) -> Played:
    seen, clock = Played(), ReplayClock(EPOCH)
    in_order = sorted(found, key=lambda post: post.time)
    source = Replay("test", iter(in_order), clock, Pace(clock), chunk)
    async with App(Plan({rule: Standard()}, [source], database, folder("playbooks"), clock, model, reader)) as app:
        app.register.subscribe(seen.told.append)
        await app.run()
        seen.app, seen.picture, seen.incidents = app, await app.desk.picture(), app.register.incidents()
        seen.baseline = app.observation.detectors["Acme"].detector.baseline.state()
    return seen


def worst(seen: Played) -> str:
    return max((str(one.change.severity) for one in seen.told), key=["notice", "amber", "red"].index, default="")


async def test_a_flood_in_another_language_calls_nobody_and_is_seen(tmp_path):
    seen = await played(tmp_path / "desk.db", [*QUIET, *flood("fr")])
    assert seen.told == []
    assert seen.other == {"fr": 120}
    assert seen.app.tally.mentions["Acme"] == len(QUIET)
    (watch,) = seen.picture.watches
    assert (watch.other_hour, watch.flooded) == ((("fr", 60),), True)
    newest = [one for one in seen.picture.mentions if one.post.id.startswith("fr")]
    assert len(newest) == 120
    assert {(one.mention.language, one.mention.apart, one.label) for one in newest} == {("fr", ("Acme",), "negative")}
    assert heartbeat(seen.app)["other_languages"] == {"Acme": {"fr": 120}}


async def test_the_same_flood_in_german_calls(tmp_path):
    seen = await played(tmp_path / "desk.db", [*QUIET, *flood("de")])
    assert worst(seen) == "red"
    assert seen.other == {}
    (incident,) = seen.incidents
    assert dict(incident.evidence.languages)["de"] >= 100
    assert incident.evidence.other_languages == ()


async def test_what_others_say_changes_no_incident_no_figure_and_no_baseline(tmp_path):
    """French talk all the time and a French flood on top: the same calls, only the evidence counts it."""
    german = flood("de")
    french = [*posts(ANGER["fr"], every(7, end=german[-1].time), "always", seed=3), *flood("fr")]
    alone = await played(tmp_path / "alone.db", [*QUIET, *german])
    mixed = await played(tmp_path / "mixed.db", [*QUIET, *german, *french])
    assert mixed.lines == alone.lines
    assert mixed.baseline == alone.baseline
    assert mixed.other == {"fr": len(french)}
    (incident,) = mixed.incidents
    assert dict(incident.evidence.other_languages)["fr"] > 100
    assert replace(mixed.picture.watches[0], other_hour=()) == alone.picture.watches[0]


@pytest.mark.parametrize(("batch", "chunk"), [(1, 500), (7, 1), (100_000, 100_000)])
async def test_the_same_at_any_batch_size(tmp_path, monkeypatch, batch, chunk):
    some = [*QUIET[-300:], *flood("de"), *flood("fr")]
    expected = await played(tmp_path / "expected.db", some)
    monkeypatch.setattr(intake, "BATCH", batch)
    again = await played(tmp_path / "again.db", some, chunk=chunk)
    assert again.told == expected.told
    assert (again.other, again.picture.mentions) == (expected.other, expected.picture.mentions)


async def test_a_mark_is_trusted_whatever_the_words_are(tmp_path):
    as_english = await played(tmp_path / "en.db", [*QUIET, *(post._replace(lang="en") for post in flood("fr"))])
    assert (worst(as_english), as_english.other) == ("red", {})
    as_french = await played(tmp_path / "fr.db", [*QUIET, *(post._replace(lang="fr") for post in flood("de"))])
    assert (as_french.told, as_french.other) == ([], {"fr": 120})


async def test_a_watch_says_which_languages_count(tmp_path):
    rule = replace(ACME, languages=("FR-ca",))
    seen = await played(tmp_path / "desk.db", [*(post._replace(lang="en") for post in QUIET), *flood("fr")], rule)
    assert seen.other == {"en": len(QUIET)}
    assert seen.app.tally.mentions["Acme"] == 120
    (trouble,) = seen.picture.troubles
    assert trouble.startswith("Acme counts posts in fr, which the model does not know")


async def test_of_a_model_whose_languages_are_not_known_all_count(tmp_path):
    class Unknown(Words):
        languages = ()

    seen = await played(tmp_path / "desk.db", [*QUIET, *flood("fr")], model=Unknown)
    assert (worst(seen), seen.other) == ("red", {})


async def test_what_reads_languages_is_loaded_beside_the_desk_and_only_when_needed(tmp_path):
    threads: list[threading.Thread] = []

    def watched() -> Reader:
        threads.append(threading.current_thread())
        return load()

    await played(tmp_path / "marked.db", [post._replace(lang="de") for post in flood("de")], reader=watched)
    assert threads == []
    await played(tmp_path / "unmarked.db", flood("de"), reader=watched)
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def test_if_languages_cannot_be_told_all_count_and_people_are_told(tmp_path):
    def broken() -> Reader:
        raise OSError(28, "No space left on device")

    seen = await played(tmp_path / "desk.db", [*QUIET, *flood("fr")], reader=broken)
    assert (worst(seen), seen.other) == ("red", {})
    (trouble,) = seen.picture.troubles
    assert "No space left on device" in trouble
    assert "all posts without a mark count" in trouble


def test_a_replay_tells_what_was_counted_apart(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(recorded, "load_shipped_model", Words)
    monkeypatch.chdir(tmp_path)
    found = sorted([*QUIET[-200:], *flood("fr", 20)], key=lambda post: post.time)
    rows = [{"id": post.id, "time": post.time.isoformat(), "text": post.text, "author": post.author} for post in found]
    next(row for row in rows if row["id"] == "fr5")["lang"] = "es"
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert run(["replay", "p.jsonl", "--watch", "Acme=acme", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    watch = summary["watches"]["Acme"]
    assert watch["other_languages"] == {"fr": 5, "es": 1}
    assert watch["posts"] + 6 == summary["posts"] == len(found)
    assert run(["replay", "p.jsonl", "--watch", "Acme=acme"]) == 0
    assert "Counted apart, calling nobody: 6 mentions in other languages (fr 5, es 1)." in capsys.readouterr().err
