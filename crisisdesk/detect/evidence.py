"""What a person reads to judge for herself: the decisive posts, the first one, the phrases, the voices."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from crisisdesk.detect.memory import Memory, Remembered, distinct
from crisisdesk.records import Evidence, Phrase, Post, Quote, Scored

WIDEST, NEWEST, PHRASES, VOICES = 3, 6, 8, 5
FEWEST: Final = 3
"""Posts that must say a phrase before it is shown."""
CLEARLY: Final = 3.0
"""Log-likelihood from which a phrase is more frequent than usual beyond doubt."""


def evidence(memory: Memory, since: float, first: Quote | None, copies: Callable[[Post], int]) -> Evidence:
    """Everything to show for the negative posts since a moment (minutes since 1970).

    Args:
        memory: the recent posts.
        since: where the window begins.
        first: the post with which the story began.
        copies: how many posts have said the same as one.
    """
    found = memory.negatives(since)
    if not found:
        return Evidence()  # the posts were counted before a restart; what is known of them stands in the incident
    posts = [p.scored.post for p in found]
    return Evidence(
        phrases=tuple(_phrases(memory, [p for p in found if p.counted])),
        posts=tuple(_decisive(found, copies)),
        first=first,
        voices=_voices(posts),
        languages=_ranked(p.scored.mention.language or "unknown" for p in found),
        sources=_ranked(post.source for post in posts),
        unjudged=memory.unjudged(since),
    )


def quote(item: Scored, copies: int = 1) -> Quote:
    """A scored post as evidence."""
    post = item.post
    return Quote(
        id=post.id,
        source=post.source,
        time=post.time,
        author=post.author,
        text=post.text,
        reach=post.reach,
        url=post.url,
        negative=round(item.negative, 4),
        copies=copies,
        neutral=round(item.neutral, 4),
        positive=round(item.positive, 4),
        model=item.model,
    )


def _likelihood(n: int, of: int, usual: float) -> float:
    share = min(n / of, 1 - 1e-9)
    return n * math.log(share / usual) + (of - n) * math.log((1 - share) / (1 - usual))


def _phrases(memory: Memory, found: Sequence[Remembered]) -> list[Phrase]:
    """Phrases that are far more frequent than usual, by log-likelihood (Dunning 1993), near-repeats dropped."""
    said: Counter[str] = Counter()
    for item in found:
        said.update(item.phrases)
    usual = {phrase: memory.usual(phrase) for phrase, n in said.items() if n >= FEWEST}
    weights = {p: _likelihood(said[p], len(found), u) for p, u in usual.items() if said[p] / len(found) > u}
    ranked = sorted((p for p, w in weights.items() if w >= CLEARLY), key=lambda phrase: (-weights[phrase], phrase))
    return [Phrase(phrase, said[phrase], usual[phrase]) for phrase in distinct(ranked)][:PHRASES]


def _decisive(found: Sequence[Remembered], copies: Callable[[Post], int]) -> list[Quote]:
    """The posts with the widest reach, then the newest; near-copies folded into the earliest of them.

    Where there is something new to speak of, only posts that do: the everyday complaint of a person with many followers
    decides nothing.
    """
    new = [item for item in found if item.fresh]
    found = new if len(new) >= FEWEST else found
    unique: dict[str, Remembered] = {}
    for item in found:
        unique.setdefault(item.wording, item)
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
