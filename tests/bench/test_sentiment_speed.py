"""How fast the shipped model is on distinct posts, and how soon one post is judged; asserts nothing about time."""

import random
import statistics
import sys
import time

import pytest

from crisisdesk.sentiment.cached import Cached
from crisisdesk.sentiment.transformer import load

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

WORDS = (
    "this ad makes me so angry who approved it my baby is not a fashion item and neither am i honestly great now the "
    "pain reliever people tell us how to carry our kids love the sling really can someone explain boycott tomorrow "
    "coffee first then outrage lol saw it twice today no idea what everybody is on about thanks for the link they "
    "pulled it finally sorry is not enough wow what a weekend #motrinmoms @user http"
)


def posts(number: int) -> list[str]:
    """Distinct texts of 3 to 30 words, as long as posts are."""
    chance = random.Random(2008)
    return [" ".join([*chance.choices(WORDS.split(), k=chance.randint(3, 30)), str(n)]) for n in range(number)]


def test_posts_per_second_and_the_delay_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    model, texts = load(), posts(2000)
    model.score(texts[:200])
    rates, delays = [], []
    for _ in range(5):
        began = time.perf_counter()
        model.score(texts)
        rates.append(len(texts) / (time.perf_counter() - began))
    for text in texts[:300]:
        began = time.perf_counter()
        model.score([text])
        delays.append((time.perf_counter() - began) * 1000)
    cached = Cached(model)
    cached.score(texts)
    began = time.perf_counter()
    cached.score(texts)
    again = len(texts) / (time.perf_counter() - began)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{model.name}: {statistics.median(rates):,.0f} distinct posts/s (median of five, 2 threads), "
            f"one post alone {statistics.median(delays):.1f} ms (median of 300), copies {again:,.0f} posts/s\n"
        )
