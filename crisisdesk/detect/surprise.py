"""How surprising a window is: two questions, both of which must be answered with "very".

*Count*: are there more negative posts than this watch has at this hour? Signed root of the negative-binomial deviance
of the count against its expectation, with the dispersion that the watch has shown (posts come in clusters).

*Share*: is a larger part of the posts negative than usual? Signed root of the binomial deviance of the share, widened
by the correlation between posts that the watch has shown.

A viral success has the count without the share, an idle night the share without the count; a crisis has both. Each
is in standard deviations: 3 is about one window in a thousand. Formulas: Hilbe, Negative Binomial Regression (2011),
deviance residuals. How the two are put together was chosen on simulated brands, see `crisisdesk.simulate`.
"""

import math
from typing import Final

SHARE_PART: Final = 0.65
"""Part of the share in the joint surprise. It needs no idea of how busy an hour is, so it is the better witness."""
AHEAD: Final = 1.0
"""Standard deviations by which the count may lead the share: a crowd alone, however large, is no crisis."""
FARTHER: Final = 0.67
"""Further ones for each doubling of the window beyond three hours, as far as it is not a burst that fills it."""
HASTE: Final = 0.3
"""Taken off per factor 10 by which a window is shorter than half a day: short ones have more chances to be wrong.
With it, one threshold means the same for brands of all sizes."""
THREE_HOURS, HALF_A_DAY = 180, 720
"""Minutes."""
STRANGERS: Final = 0.6
"""Taken off for each doubling of all posts beyond the first: who comes running is not who usually speaks, and so large
a crowd has more moments in which to be wrong. A crisis of that size has share enough to pay it,"""
MOST_STRANGE: Final = 1.5
"""for so many of them at most: a crowd of any size is heard if its mood is much worse than usual."""
FEW_POSTS: Final = 8.0
"""Posts that are added on both sides before that is asked: three posts where one is usual are no crowd."""


def count_surprise(negative: float, expected: float, dispersion: float) -> float:
    """Standard deviations by which `negative` posts exceed `expected`; 0 when they do not.

    Args:
        negative: negative posts in the window.
        expected: negative posts that are usual in it, above 0.
        dispersion: excess variance, as a share of the squared expectation; above 0.
    """
    count = negative - 0.5
    if count <= expected:
        return 0.0
    size = 1.0 / dispersion
    deviance = 2 * (count * math.log(count / expected) - (count + size) * math.log((count + size) / (expected + size)))
    return math.sqrt(max(deviance, 0.0))


def share_surprise(negative: float, total: float, usual: float, correlation: float) -> float:
    """Standard deviations by which the share of negative posts exceeds the usual one; 0 when it does not.

    Args:
        negative: negative posts in the window.
        total: all posts in the window.
        usual: usual share, between 0 and 1, both excluded.
        correlation: how alike the posts of one window are, 0 for independent ones.
    """
    count = negative - 0.5
    if total <= 0 or count <= usual * total:
        return 0.0
    share = min(count / total, 1 - 1e-9)
    deviance = 2 * total * (share * math.log(share / usual) + (1 - share) * math.log((1 - share) / (1 - usual)))
    return math.sqrt(max(deviance, 0.0) / (1 + max(total - 1, 0) * correlation))


def joint_surprise(count: float, share: float, width: int, evenness: float = 0.0) -> float:
    """What count and share surprise together; 0 unless both do.

    Args:
        count: surprise of the count.
        share: surprise of the share.
        width: of the window, in minutes.
        evenness: 1 for posts that are spread over the window as usual, 0 for those of a burst or of one subject only.
    """
    if count <= 0 or share <= 0:
        return 0.0
    ahead = AHEAD + FARTHER * evenness * max(0.0, math.log2(width / THREE_HOURS))
    together = SHARE_PART * share + (1 - SHARE_PART) * min(count, share + ahead)
    return together - HASTE * math.log10(HALF_A_DAY / width)


def strangeness(total: float, usual: float) -> float:
    """What is taken off where far more posts come than usual, of whatever mood."""
    doublings = math.log2((total + FEW_POSTS) / (usual + FEW_POSTS)) - 1
    return STRANGERS * min(max(0.0, doublings), MOST_STRANGE)


def tail(surprise: float) -> float:
    """How likely a surprise of at least so many standard deviations is on an ordinary day."""
    return 0.5 * math.erfc(surprise / math.sqrt(2))
