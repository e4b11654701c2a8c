"""What a person reads to judge for herself: the decisive posts, the first one, the phrases, the voices."""

import itertools
import math
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from crisisdesk.detect.people import fingerprint
from crisisdesk.detect.stopwords import STOPWORDS
from crisisdesk.records import Evidence, Label, Phrase, Post, Quote, Scored

KEPT: Final = 4_000
"""Posts of a watch that are remembered; in a flood the newest."""
BACKGROUND: Final = 4_000
"""Posts after which the usual phrases are halved, so that the watch follows its times."""
WIDEST, NEWEST, PHRASES, VOICES = 3, 6, 8, 5
FEWEST: Final = 3
"""Posts that must say a phrase before it is one."""

_WORD: Final = re.compile(r"#?\w[\w'’]*")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A post with its moment (minutes since 1970) and what was known when it came."""

    moment: float
    scored: Scored
    counted: bool
    flagged: bool

    @property
    def person(self) -> str:
        """Who spoke; a post without an author is a person of its own."""
        post = self.scored.post
        return post.author if post.author is not None else post.key


def phrases_of(post: Post) -> set[str]:
    """The words, hashtags and word pairs of a post that could tell what it is about."""
    words = [word.strip("'’") for word in _WORD.findall(post.text.casefold())]
    telling = [w if len(w) > 2 and not w.isdigit() and w not in STOPWORDS else "" for w in words]
    pairs = {f"{a} {b}" for a, b in itertools.pairwise(telling) if a and b and a != b}
    return {w for w in telling if w and not w.startswith("http")} | {p for p in pairs if "http" not in p}


class Memory:
    """The recent posts of one watch, and the phrases it usually hears."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes
        self._posts: deque[Remembered] = deque()
        self._usual: Counter[str] = Counter()
        self._heard = 0

    def add(self, item: Remembered) -> None:
        """Remember a post; those that grow too old become part of the usual, unless they came in a spike."""
        self._posts.append(item)
        while len(self._posts) > KEPT or self._posts[0].moment < item.moment - self._minutes:
            old = self._posts.popleft()
            if not old.flagged:
                self._learn(old.scored.post)

    def negatives(self, since: float) -> list[Remembered]:
        """Negative posts from that moment on, in the order in which they came."""
        return [p for p in self._posts if p.moment >= since and p.scored.label is Label.NEGATIVE]

    def evidence(self, since: float, first: Quote | None, copies: Callable[[Post], int]) -> Evidence:
        """Everything to show for the negative posts since a moment."""
        found = self.negatives(since)
        counted = [p for p in found if p.counted]
        posts = [p.scored.post for p in found]
        return Evidence(
            phrases=tuple(self._phrases([p.scored.post for p in counted])),
            posts=tuple(_decisive(found, copies)),
            first=first,
            voices=_voices(posts),
            languages=_ranked(post.lang or "unknown" for post in posts),
            sources=_ranked(post.source for post in posts),
        )

    def _learn(self, post: Post) -> None:
        self._usual.update(phrases_of(post))
        self._heard += 1
        if self._heard >= BACKGROUND:
            self._heard //= 2
            self._usual = Counter({phrase: n // 2 for phrase, n in self._usual.items() if n > 1})

    def _phrases(self, posts: Sequence[Post]) -> list[Phrase]:
        """Phrases that are far more frequent than usual, by log-likelihood (Dunning 1993), near-repeats dropped."""
        said: Counter[str] = Counter()
        for post in posts:
            said.update(phrases_of(post))
        ranked: list[tuple[float, str, int, float]] = []
        for phrase, n in said.items():
            usual = (self._usual[phrase] + 0.5) / (self._heard + 20)
            if n >= FEWEST and n / len(posts) > usual:
                ranked.append((_likelihood(n, len(posts), usual), phrase, n, usual))
        ranked.sort(key=lambda row: (-row[0], row[1]))
        chosen: list[Phrase] = []
        for _, phrase, n, usual in ranked:
            if not any(_repeats(phrase, other.text) for other in chosen):
                chosen.append(Phrase(phrase, n, usual))
        return chosen[:PHRASES]


def quote(item: Scored, copies: int = 1) -> Quote:
    """A scored post as evidence."""
    post = item.post
    return Quote(
        post.id, post.source, post.time, post.author, post.text, post.reach, post.url, round(item.negative, 4), copies
    )


def _likelihood(n: int, of: int, usual: float) -> float:
    share = min(n / of, 1 - 1e-9)
    return n * math.log(share / usual) + (of - n) * math.log((1 - share) / (1 - usual))


def _repeats(phrase: str, other: str) -> bool:
    """Whether two phrases share a word, as "the ad" and "ad" do."""
    return bool({w.lstrip("#") for w in phrase.split()} & {w.lstrip("#") for w in other.split()})


def _decisive(found: Sequence[Remembered], copies: Callable[[Post], int]) -> list[Quote]:
    """The posts with the widest reach, then the newest; near-copies folded into the earliest of them."""
    unique: dict[str, Remembered] = {}
    for item in found:
        unique.setdefault(fingerprint(item.scored.post) or item.scored.post.key, item)
    widest = sorted(unique.values(), key=lambda p: (-p.scored.post.reach, p.moment))[:WIDEST]
    newest = [p for p in reversed(unique.values()) if p not in widest][:NEWEST]
    return [quote(p.scored, copies(p.scored.post)) for p in (*widest, *newest)]


def _voices(posts: Iterable[Post]) -> tuple[tuple[str, int], ...]:
    reach: dict[str, int] = {}
    for post in posts:
        if post.author is not None:
            reach[post.author] = max(reach.get(post.author, 0), post.reach)
    return tuple(sorted(reach.items(), key=lambda row: (-row[1], row[0]))[:VOICES])


def _ranked(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(names).items(), key=lambda row: (-row[1], row[0])))
