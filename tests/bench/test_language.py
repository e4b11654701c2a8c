"""What reading a post's language costs beside judging its mood, and what it says, on the Motrin case without its marks.

Asserts nothing about time.
"""

import random
import sys
import time
from collections import Counter

import pytest

from crisisdesk.cases import case
from crisisdesk.language import HOME
from crisisdesk.language import load as load_reader
from crisisdesk.sentiment.transformer import load as load_model
from crisisdesk.sources.file.reading import read_posts

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

POSTS = 2_000


def test_microseconds_a_post_beside_the_model() -> None:
    posts = list(read_posts([case("motrin").path], on_bad=lambda line: pytest.fail(str(line))))
    chosen = random.Random(1).sample(sorted({post.text for post in posts}), POSTS)
    began = time.process_time()
    read = load_reader()
    loaded = time.process_time()
    for text in chosen:
        read(text)
    known = time.process_time()
    model = load_model()
    ready = time.process_time()
    model.score(chosen)
    judged = time.process_time()
    reading, judging = (1e6 * seconds / POSTS for seconds in (known - loaded, judged - ready))
    said: Counter[str] = Counter()
    for text, lang in {(post.text, post.lang) for post in posts}:
        found = read(text)
        at_home = "English, German" if lang in HOME else "others"
        said[f"{at_home}: {'unknown' if found is None else 'right' if found == lang else 'another'}"] += 1
    sys.stdout.write(
        f"\nlanguage: loaded in {loaded - began:.1f} s of CPU, {reading:.0f} µs a post, {reading / judging:.1%} of the "
        f"model's {judging:.0f} µs\n" + "".join(f"  {what} {n:,}\n" for what, n in sorted(said.items()))
    )
