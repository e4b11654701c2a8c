"""Whatever people or machines post, it breaks no batch, and all other posts keep their scores to the last digit."""

import asyncio
import json
import math
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from crisisdesk.channel import Channel, Closed
from crisisdesk.lines import BadLine
from crisisdesk.records import Mention, Post, Scored
from crisisdesk.sentiment.base import NEUTRAL, Model, Scores
from crisisdesk.sentiment.batcher import Scoring
from crisisdesk.sentiment.cached import Cached
from crisisdesk.sentiment.score import score_texts
from crisisdesk.sentiment.transformer import load
from crisisdesk.sources.file.reading import read_texts
from crisisdesk.text import clean

ORDINARY = (
    "Worst service ever, never again.",
    "I love this so much, thank you!",
    "The store opens at nine tomorrow.",
    "Schlechter Service, nie wieder!",
    "Die Konferenz findet im Oktober in Berlin statt.",
    "great job @brand, three hours on hold",
)
BAD = {
    "nothing": "",
    "spaces": " \t\r\n\u2003 ",
    "emoji": "😡🤬😡",
    "many emoji": "🤬" * 20_000,
    "joined emoji": "👨‍👩‍👧‍👦" * 3_000,
    "one letter": "x" * 100_000,
    "one word": "wow " * 25_000,
    "no word ends": "ü" * 99_999 + "!",
    "lone surrogates": "\ud83d never \udca9 again \ud800",
    "only surrogates": "\udfff\ud800" * 50,
    "NUL": "\x00never\x00again\x00",
    "control": "".join(map(chr, range(32))) + "\x7f\x9b5m",
    "right to left": "\u202eniaga reven\u202c مرحبا بالعالم שלום",
    "marks": "a" + "\u0301" * 50_000,
    "escape": "\x1b]52;c;aGk=\x07\x1b[2J never again",
    "private": "\ue000\U000f0000\U0010ffff\ufffe",
    "tokens": "[CLS] [SEP] [UNK] [PAD] [MASK] ##ing",
    "entities": "&amp;" * 20_000 + "&#0;&#xD800;&#99999999999;",
    "links": "http://" * 15_000,
    "names": "@" * 50_000 + "RT @a: RT @b: ",
    "markup": "<script>alert(1)</script>[/bold]",
    "format": "%s%n{0}{{}}\\u0000\\",
}
COPIES = 1000


@pytest.fixture(scope="module")
def model() -> Model:
    return load()


@pytest.fixture(scope="module")
def alone(model: Model) -> dict[str, Scores]:
    """What the model says of each text by itself."""
    return {text: model.score([text])[0] for text in (*ORDINARY, *BAD.values())}


def mixed(seed: int) -> list[str]:
    """All of them in a random order, one of the bad ones a thousand times."""
    rng = random.Random(seed)
    texts = [*ORDINARY * 3, *BAD.values(), *[rng.choice(list(BAD.values()))[:5000]] * COPIES]
    rng.shuffle(texts)
    return texts


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("remembering", [False, True], ids=["plain", "cached"])
def test_in_any_company_and_order_a_post_scores_as_it_does_alone(
    model: Model, alone: dict[str, Scores], seed: int, remembering: bool
) -> None:
    texts = mixed(seed)
    scores = (Cached(model) if remembering else model).score(texts)
    assert len(scores) == len(texts)
    assert [one for text, one in zip(texts, scores, strict=True) if text in alone] == [
        alone[text] for text in texts if text in alone
    ]


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_every_bad_post_gets_probabilities(alone: dict[str, Scores], text: str) -> None:
    assert sum(alone[text]) == pytest.approx(1, abs=3e-4)
    assert all(0 <= one <= 1 for one in alone[text])


@pytest.mark.parametrize("name", ["nothing", "spaces"])
def test_what_says_nothing_calls_nobody(alone: dict[str, Scores], name: str) -> None:
    assert alone[BAD[name]] == NEUTRAL


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=400)


@given(st.lists(ANY_TEXT, max_size=4), st.randoms(use_true_random=False))
@example(["\ud800", "\x00", "", "𝕳" * 400], random.Random(1))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_has_a_score_and_takes_nothing_from_its_neighbours(
    model: Model, alone: dict[str, Scores], texts: list[str], order: random.Random
) -> None:
    company = [*texts, *ORDINARY[:3]]
    order.shuffle(company)
    scores = model.score(company)
    for text, one in zip(company, scores, strict=True):
        assert math.isclose(sum(one), 1, abs_tol=3e-4)
        assert min(one) >= 0
        assert one == (alone.get(text) or model.score([text])[0])


async def staged(texts: list[str], stage: Scoring) -> list[Scored]:
    """What comes out of the stage for mentions with these texts, in order."""
    mentions, scored = Channel[Mention](len(texts)), Channel[Scored](len(texts) + 1)
    for number, text in enumerate(texts):
        await mentions.send(Mention(Post(str(number), "x", datetime(2008, 11, 15, tzinfo=UTC), text), ("Brand",)))
    await mentions.close()
    await stage.run(mentions, scored)
    found: list[Scored] = []
    while True:
        try:
            found += await scored.receive(1000)
        except Closed:
            return found


async def test_the_stage_loses_none_and_keeps_their_scores(model: Model, alone: dict[str, Scores]) -> None:
    stage, texts = Scoring(lambda: Cached(model), pytest.fail), [text for text in mixed(3) if text in alone]
    found = await asyncio.wait_for(staged(texts, stage), 50)
    assert [item.post.id for item in found] == [str(n) for n in range(len(texts))]
    assert [(item.negative, item.neutral, item.positive) for item in found] == [alone[text] for text in texts]
    assert (stage.failed, {item.judged for item in found}) == (0, {True})


NO_TEXTS = (None, 7, 1e400, True, ["never again"], {"text": "never again"}, "", "\u200b \x00")


def test_lines_that_are_no_texts_are_counted_and_the_others_keep_their_scores(
    tmp_path: Path, model: Model, alone: dict[str, Scores]
) -> None:
    rng = random.Random(4)
    good = [{"id": f"good {n}", "text": text} for n, text in enumerate((*ORDINARY, *BAD.values())) if clean(text)]
    records = [*good, *({"id": "bad", "text": text} for text in NO_TEXTS), {"id": "bad"}]
    rng.shuffle(records)
    path, told = tmp_path / "posts.jsonl", list[BadLine]()
    path.write_text("".join(json.dumps(record) + "\n" for record in records) + "[\n\0\n{\n", encoding="utf-8")
    texts = list(read_texts(path, on_bad=told.append))
    lines = score_texts(texts, model, pytest.fail)
    assert [line["id"] for line in lines] == [record["id"] for record in records if record["id"] != "bad"]
    texts_by_id = {record["id"]: record["text"] for record in good}
    for line in lines:
        assert (line["negative"], line["neutral"], line["positive"]) == alone[texts_by_id[line["id"]]]
    assert [bad.line for bad in told] == [
        *(n for n, record in enumerate(records, 1) if record["id"] == "bad"),
        *range(len(records) + 1, len(records) + 4),
    ]
