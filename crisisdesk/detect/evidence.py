"""What a person reads to judge for herself: phrases, decisive posts, who said it first, voices."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest
from itertools import chain, islice
from math import sqrt
from typing import Final

from crisisdesk.detect.alike import are_alike, near_copies
from crisisdesk.detect.memory import Memory, Remembered, saying
from crisisdesk.detect.phrases import as_written
from crisisdesk.detect.telling import FEWEST, Brand, telling
from crisisdesk.records import SIGNALS, Chosen, Evidence, Phrase, Quote, Scored

TYPICAL, WIDEST, NEWEST, VOICES = 2, 3, 4, 5
SPELT: Final = 20
"""Posts from which the spelling of a phrase is taken."""
COMPARED: Final = 100
"""Texts, evenly chosen, among which the typical ones are looked for."""
USUAL_LENGTH: Final = 14
"""Words; a shorter post is no more typical for being short."""
BY_CHANCE: Final = 0.5
"""Posts of other days that may be expected to say a phrase before the wave, if it is to tell who began."""


def evidence(memory: Memory, brand: Brand, since: float, copies: Callable[[int], int]) -> Evidence:
    """Everything to show for the negative posts since a moment (minutes since 1970).

    Args:
        memory: the recent posts.
        brand: whose bare names say nothing.
        since: where the window begins.
        copies: how many posts have the same wording.
    """
    found = memory.negatives(since)
    if not found:
        return Evidence()  # the posts were counted before a restart; what is known of them stands in the incident
    phrases = telling([p for p in found if p.counted], memory.background(since), brand)
    signals = _earliest(_wave(memory, since, phrases), copies)
    posts = [p.post for p in found]
    reach = _reach(found)
    return Evidence(
        phrases=tuple(_as_written(one, found) for one in phrases),
        posts=tuple(_decisive(found, phrases, copies)),
        first=signals[0] if signals else quote(found[0].scored),
        signals=signals,
        voices=_widest_voices(found, reach),
        people=len(reach),
        reach=sum(reach.values()),
        languages=_ranked(p.scored.mention.language or "unknown" for p in found),
        sources=_ranked(post.source for post in posts),
        unjudged=memory.unjudged(since),
    )


def quote(item: Scored, copies: int = 1, role: Chosen | None = None) -> Quote:
    """A scored post as evidence."""
    post = item.post
    return Quote(
        id=post.original or post.id,  # a repost's words are those of the original, and go when it goes
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
        role=role,
    )


def _as_written(phrase: Phrase, found: Iterable[Remembered]) -> Phrase:
    texts = (item.post.text for item in saying(found, [phrase.text]))
    return replace(phrase, text=as_written(phrase.text, islice(texts, SPELT)))


def _wave(memory: Memory, since: float, phrases: Sequence[Phrase]) -> Iterator[Remembered]:
    """The first negative posts of people that say what sets the wave apart, nearly in the order of time.

    Before the window only phrases count that nobody would have said by chance: the everyday complaint of an hour
    before began nothing.
    """
    older = memory.older(since)
    rare = [one.text for one in phrases if one.usual * older < BY_CHANCE]
    counted = [item for item in memory.negatives(0) if item.counted]
    before = saying((item for item in counted if item.moment < since), rare)
    within = saying((item for item in counted if item.moment >= since), [one.text for one in phrases])
    return islice(chain(before, within), 4 * SIGNALS)


def _earliest(wave: Iterable[Remembered], copies: Callable[[int], int]) -> tuple[Quote, ...]:
    """The earliest posts of a wave, in different words."""
    ordered = sorted(wave, key=lambda item: (item.post.time, item.post.source, item.post.id))
    return tuple(quote(item.scored, copies(item.wording)) for item in islice(_unlike(ordered, {}), SIGNALS))


def _decisive(found: Sequence[Remembered], phrases: Sequence[Phrase], copies: Callable[[int], int]) -> Iterator[Quote]:
    """The most typical posts, those with the widest reach, the newest; near-copies folded into the one shown.

    Where there is something that sets the spike apart, only posts that say it: the everyday complaint of a person with
    many followers decides nothing.
    """
    first: dict[int, Remembered] = {}
    for item in found:
        first.setdefault(item.wording, item)
    worded = list(first.values())
    speaking = list(saying(worded, [one.text for one in phrases]))
    worded = speaking if len(speaking) >= FEWEST else worded
    some = worded[:: 1 + len(worded) // COMPARED]
    shown: dict[int, Chosen] = {}
    for role, most, ranked in (
        (Chosen.TYPICAL, TYPICAL, sorted(some, key=lambda item: -_typical(item, phrases)) if phrases else []),
        (Chosen.WIDEST, WIDEST, sorted(worded, key=lambda item: -item.post.reach)),
        (Chosen.NEWEST, NEWEST, reversed(worded)),
    ):
        taken = {wording: first[wording].sketch for wording in shown}
        shown |= {item.wording: role for item in islice(_unlike(ranked, taken), most)}
    sketches = [item.sketch for item in worded]
    for wording, role in shown.items():
        item = first[wording]
        wordings = {wording, *(worded[place].wording for place in near_copies(item.sketch, sketches))}
        yield quote(item.scored, sum(map(copies, wordings)), role)


def _unlike(ranked: Iterable[Remembered], taken: Mapping[int, int]) -> Iterator[Remembered]:
    """Those that say nothing that was said before or taken (wordings and their sketches), nor nearly the same."""
    known = dict(taken)
    for item in ranked:
        if item.wording not in known and not any(are_alike(item.sketch, other) for other in known.values()):
            known[item.wording] = item.sketch
            yield item


def _typical(item: Remembered, phrases: Sequence[Phrase]) -> float:
    """How much of what sets the spike apart a post says, for its length.

    Three phrases at most count, so that a list of catchwords is not what is typical of people.
    """
    weights = sorted((sqrt(one.posts) for one in phrases if f" {one.text} " in item.said), reverse=True)
    return sum(weights[:3]) / sqrt(max(item.said.count(" "), USUAL_LENGTH))


def _reach(found: Iterable[Remembered]) -> dict[str, int]:
    """Each person's followers, the most that any post named."""
    reach: dict[str, int] = {}
    for item in found:
        reach[item.person] = max(reach.get(item.person, 0), item.post.reach)
    return reach


def _widest_voices(found: Iterable[Remembered], reach: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    names = {item.person: item.post.author for item in found}
    voices = ((name, reach[person]) for person, name in names.items() if name is not None)
    return tuple(nsmallest(VOICES, voices, key=lambda row: (-row[1], row[0])))


def _ranked(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(names).items(), key=lambda row: (-row[1], row[0])))
