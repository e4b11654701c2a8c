"""A stream of posts that a desk is timed by: who says what, when, and where it boils over.

The texts are those of the Motrin case with other brands in place of its own, so that they are as long as people's are
and yet differ from each other. What they say is judged by the shipped model beforehand.
"""

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from crisisdesk.cases import case
from crisisdesk.detect.people import fingerprint
from crisisdesk.records import Post
from crisisdesk.sources.file.reading import read_posts

LOUD, STORMS, QUIET = 72, 8, 220
"""Watches that everybody speaks of, watches that everybody complains of, and watches that are hardly spoken of."""
QUIET_PART = 0.002
"""Of the everyday posts, those of quiet watches."""
SOUR, STORM = 0.12, 0.8
"""Of the everyday posts and of those in a storm, those that are negative."""
CALM, LASTS, AFTER = 10.0, 65.0, 3.0
"""Seconds before the first crisis, in which all of them begin, and to the end of the last one."""
OUTCRY = 14
"""Angry posts of a crisis, about one a second."""
COPIED_FROM = 100
"""Newest texts from which copies are made."""
BRAND = "velnora"


def _names() -> Iterator[str]:
    """Brands that nobody has heard of, without the end of one being another."""
    for parts in product("bdfgklmnprstvz", "aeiou", "lmnrst", "aeiou", ("vex", "dor", "nix", "tum")):
        yield "".join(parts)


@dataclass(frozen=True)
class Words:
    """What people say of a brand, which stands in it as `BRAND`."""

    angry: Sequence[str]
    other: Sequence[str]


def told_of_a_brand() -> list[str]:
    """Texts of the case that name its brand, no two of which are copies of one another."""
    found: dict[int | None, str] = {}
    for post in read_posts([case("motrin").path], on_bad=lambda _: None):
        text = re.sub(r"#?motrin(moms)?", BRAND, post.text, flags=re.IGNORECASE)
        if text.count(BRAND) == 1:
            found.setdefault(fingerprint(Post("", "", datetime.now(UTC), text)), text)
    return list(found.values())


def crisisdesk(*arguments: str | Path, given: str = "") -> str:
    """What a command of the desk prints."""
    command = [sys.executable, "-m", "crisisdesk", *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout


def judged(texts: Sequence[str]) -> Words:
    """Those of which the shipped model is sure that they are angry, and those that it takes for something else."""
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    found = [json.loads(line) for line in crisisdesk("score", given=lines).splitlines()]
    pairs = list(zip(found, texts, strict=True))
    return Words(
        [text for one, text in pairs if one["negative"] > 0.9], [text for one, text in pairs if one["negative"] < 0.2]
    )


def distinct_posts_per_second(folder: Path, words: Words, posts: int = 4000, runs: int = 2) -> float:
    """What the model does alone, as `crisisdesk model evaluate` says: the median of a few runs."""
    chance, names = random.Random(1), list(_names())
    texts = [chance.choice((words.angry, words.other))[n % 400].replace(BRAND, names[n // 400]) for n in range(posts)]
    file = folder / "posts.tsv"
    file.write_text("label\ttext\n" + "".join(f"negative\t{text}\n" for text in texts))
    rates = [json.loads(crisisdesk("model", "evaluate", file, "--json"))["posts_per_second"] for _ in range(runs)]
    return float(sorted(rates)[runs // 2])


@dataclass
class Crowd:
    """Everybody, and what they say at so many posts a second, of which a part are copies."""

    words: Words
    rate: float
    copies: float
    chance: random.Random
    lately: list[tuple[str, str]] = field(default_factory=list)
    said: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = list(_names())
        self.chance.shuffle(names)
        self.loud, self.quiet = names[: LOUD + STORMS], names[LOUD + STORMS : LOUD + STORMS + QUIET]
        self._storms = {*self.loud[LOUD:]}
        self._left = {
            (name, mood): self.chance.sample(texts, len(texts))
            for name in (*self.loud, *self.quiet)
            for mood, texts in ((True, self.words.angry), (False, self.words.other))
        }

    def usual(self, name: str) -> float:
        """Posts an hour; nobody has seen a storm coming."""
        if name in self.loud and name not in self._storms:
            return 3600 * self.rate * (1 - QUIET_PART) / len(self.loud)
        return 3600 * self.rate * QUIET_PART / QUIET

    def posts(self) -> Iterator[tuple[float, str, str]]:
        """Seconds since the beginning, brand and text: at random moments, as many a second as are wanted."""
        due = sorted(self._outcries(), reverse=True)
        moment = 0.0
        while (moment := moment + self.chance.expovariate(self.rate)) < CALM + LASTS + AFTER:
            if self.chance.random() < self.copies and len(self.lately) >= COPIED_FROM:
                yield moment, *self.chance.choice(self.lately[-COPIED_FROM:])
                continue
            if due and due[-1][0] <= moment:
                name, angry = due.pop()[1], True
            elif self.chance.random() < QUIET_PART:
                name, angry = self.chance.choice(self.quiet), self.chance.random() < SOUR
            else:
                name = self.chance.choice(self.loud)
                angry = self.chance.random() < (STORM if name in self._storms else SOUR)
            self.lately.append((name, self._text(name, angry=angry)))
            yield moment, *self.lately[-1]

    def _outcries(self) -> Iterator[tuple[float, str]]:
        """Each quiet watch has its crisis; the last ones are heard out."""
        for number, name in enumerate(self.quiet):
            moment = CALM + (LASTS - 1.5 * OUTCRY) * number / QUIET
            for _ in range(OUTCRY):
                yield moment, name
                moment += self.chance.uniform(0.5, 1.5)

    def _text(self, name: str, *, angry: bool) -> str:
        texts = self._left[name, angry]
        if not texts:
            raise ValueError(f"nobody has anything new to say of {name}")
        return texts.pop().replace(BRAND, name)
