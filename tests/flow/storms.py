"""A brand's ordinary days, and a storm of anger: made-up posts with moods, for tests of the detector."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from crisisdesk.detect.watch import WatchDetector
from crisisdesk.records import Kind, Label, Mention, Post, Scored, Severity, Spike

START = datetime(2026, 3, 2, tzinfo=UTC)
CHATTER = "{} times my head hurts, took an aspirin and went to bed early tonight"
ANGER = "the new advert about mothers is insulting and I am done with them {}"
OTHER_WORDS = """
honestly frankly shocked mockery carried twins hospital pharmacy shelf switching brands laughing crying husband
nurse midwife marketing boardroom approved budget print magazine doctor waiting poster school letter refund
"""


def scored(text: str, at: datetime, label: Label, *, author: str | None = None, reach: int = 10, n: int = 0) -> Scored:
    post = Post(f"{at.timestamp()}-{n}", "x", at, text, author=author, reach=reach)
    certain = {label: 0.9}
    return Scored(
        Mention(post, ("Brand",), "en"),
        *(certain.get(one, 0.05) for one in (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)),
        "m",
    )


def quiet(days: int = 10) -> list[Scored]:
    """Five posts an hour, a fifth negative, all by different people."""
    rng = random.Random(1)
    return [
        scored(
            CHATTER.format(i),
            START + timedelta(minutes=12 * i),
            rng.choice([Label.NEGATIVE] + [Label.NEUTRAL] * 4),
            author=f"p{i}",
        )
        for i in range(days * 24 * 5)
    ]


def storm(at: datetime, posts: int = 40, **same: str) -> list[Scored]:
    """Anger, one post a minute, everyone in other words."""
    rng = random.Random(2)
    words = OTHER_WORDS.split()
    return [
        scored(
            same.get("text") or f"{' '.join(rng.sample(words, 8))} insulting advert about mothers",
            at + timedelta(minutes=i),
            Label.NEGATIVE,
            author=same.get("author") or f"angry{i}",
            reach=i,
            n=i,
        )
        for i in range(posts)
    ]


END = START + timedelta(days=10)


def spikes_of(detector: WatchDetector, posts: Iterable[Scored], kind: Kind = Kind.SPIKE) -> list[Spike]:
    return [spike for post in posts for spike in detector.observe(post) if spike.kind is kind]


def worst(spikes: Iterable[Spike]) -> Severity | None:
    return max((s.severity for s in spikes if s.severity), default=None)
