"""What a watch usually hears: bounded, forgetful, and the same after a restart."""

import random
import sys

import orjson
import pytest

from crisisdesk.detect.phrases import LONGEST, spoken
from crisisdesk.detect.usual import BACKGROUND, KEPT, Corpus, Usual

VOWELS, CONSONANTS = "aeiou", "bdfgklmnprst"


def invented(rng: random.Random, letters: str = "") -> str:
    if letters:
        return "".join(rng.choice(letters) for _ in range(LONGEST - 1))
    return "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(4))


def size(corpus: Corpus) -> int:
    """Bytes, as if no other watch had the same words."""
    counts = corpus._counts
    return sys.getsizeof(counts) + sum(map(sys.getsizeof, counts)) + sys.getsizeof(corpus._once)


@pytest.mark.parametrize(("letters", "bound"), [("", 130_000), ("".join(map(chr, range(0x10400, 0x10428))), 350_000)])
def test_memory_is_bounded_whatever_is_said(letters: str, bound: int):
    rng, corpus, largest = random.Random(1), Corpus(), 0
    for _ in range(2_500):
        words = [invented(rng, letters) for _ in range(4)]
        for _ in range(2):
            corpus.learn(spoken(" ".join(words)))
            largest = max(largest, len(corpus._counts))
    assert KEPT // 2 < largest <= KEPT + 12
    assert size(corpus) < bound


def test_a_watch_that_hears_little_is_small():
    rng, corpus = random.Random(2), Corpus()
    for _ in range(50):
        corpus.learn(spoken(" ".join(invented(rng) for _ in range(12))))
    assert size(corpus) < 4_000


def test_what_is_said_often_is_counted_and_survives_a_flood_of_other_words():
    rng, corpus = random.Random(3), Corpus()
    for n in range(3_000):
        usual = "headache " if n % 20 == 0 else ""
        corpus.learn(spoken(usual + " ".join(invented(rng) for _ in range(12))))
    assert corpus["headache"] == pytest.approx(150, abs=15)


def test_phrases_of_several_words_are_counted_once_their_words_are_known():
    corpus = Corpus()
    for _ in range(100):
        corpus.learn(spoken("sore throat of winter again"))
    assert corpus["sore throat"] == pytest.approx(100, abs=4)
    assert corpus["throat of winter"] == pytest.approx(100, abs=4)
    assert corpus["never said"] == 0


def test_it_follows_its_times():
    corpus = Corpus()
    for n in range(BACKGROUND * 3):
        corpus.learn(spoken("old subject" if n < BACKGROUND else "new subject"))
    assert corpus.heard <= BACKGROUND
    assert corpus["old"] < corpus["subject"] / 4


def test_a_restart_changes_nothing_that_is_known():
    usual = Usual()
    for n in range(300):
        usual.learn(spoken("sore throat" if n % 3 else "late train"), negative=n % 3 == 0)
    again = Usual()
    again.restore(orjson.loads(orjson.dumps(usual.state())))
    assert [again.share(p) for p in ("throat", "train", "fire")] == [
        usual.share(p) for p in ("throat", "train", "fire")
    ]
    assert (again.negative["late train"], again.negative.heard) == (usual.negative["late train"], 100)


def test_what_an_older_version_kept_is_cut_to_what_is_kept_today():
    again = Usual()
    old = {"heard": 3_000, "usual": {f"word {n}": n for n in range(5_000)}}
    again.restore(old)
    assert (again.posts.heard, again.posts["word 4999"], again.negative.heard) == (3_000, 4_999, 0)
    assert len(again.posts._counts) == KEPT
