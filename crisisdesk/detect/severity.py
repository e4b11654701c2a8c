"""How much a spike asks of people: notice, amber or red, from four questions. Pure.

*How unlikely* is it: the threshold of each severity, which follows from the budget of false alarms.
*How large*: people behind the negative posts, and how many more of them an hour than usual.
*How fast* does it grow, *how wide* is it: reach of those who speak, networks that they speak on.

Unlikely and large must both hold. Fast and wide bring red nearer: a crisis that doubles while one looks at it, or that
a hundred thousand people could have read, leaves less time to be sure. Not while something was announced that everybody
talks about: then only its mood counts, and the people who share it.
"""

from dataclasses import dataclass
from typing import Final

from crisisdesk.detect.budget import Thresholds
from crisisdesk.records import Severity

SEVERITIES: Final = (Severity.RED, Severity.AMBER, Severity.NOTICE)


@dataclass(frozen=True, slots=True)
class SeverityRules:
    """What can be set; below each its default and why it is so."""

    notice_people: int = 3
    """People behind the negative posts: two may be a couple."""
    amber_people: int = 4
    """As few as can make a spike at all: a small brand's crisis begins with four angry people."""
    red_people: int = 10
    """Nobody is woken for the anger of fewer."""
    red_people_an_hour: float = 3.0
    """Of them, so many an hour: ten people within a day can wait for the morning."""
    crowd: float = 60.0
    """So many more people an hour than usual are red as soon as they are amber: one a minute, more than can be read."""
    growth: float = 2.0
    """Fast: the last quarter of an hour had so many times the posts of an average quarter of the last hour."""
    reach: int = 100_000
    """Wide: those who speak have so many followers together, the readers of a regional newspaper."""
    sources: int = 2
    """Wide: so many networks each carry a fifth of the negative posts."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How large, fast and wide a spike is."""

    people: int
    """Behind the negative posts of the window."""
    hours: float
    """That the window lasts; a shorter one than an hour counts as one."""
    expected: float
    """Negative posts that are usual in the window."""
    growth: float = 1.0
    """Times as many negative posts in the last quarter of an hour as in an average one of the last hour."""
    reach: int = 0
    sources: int = 1
    planned: bool = False
    """It was announced that many would speak."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What it comes to; the three flags say what brought red nearer."""

    severity: Severity | None
    fast: bool = False
    far: bool = False
    several: bool = False


def severity_of(
    earned: Severity | None, surprise: float, thresholds: Thresholds, extent: Extent, rules: SeverityRules
) -> Ruling:
    """Judge a spike.

    Args:
        earned: what its unlikelihood alone earns, or keeps.
        surprise: in standard deviations.
        thresholds: of the watch.
        extent: how large, fast and wide it is.
        rules: what makes it so.
    """
    if earned is None:
        return Ruling(None)
    if extent.planned:
        return Ruling(_large_enough(earned, extent, rules))
    found = Ruling(
        earned,
        fast=extent.growth >= rules.growth,
        far=extent.reach >= rules.reach,
        several=extent.sources >= rules.sources,
    )
    nearer = sum((found.fast, found.far, found.several)) / 3
    bar = thresholds.red - nearer * (thresholds.red - thresholds.amber)
    crowded = (extent.people - extent.expected) / extent.hours >= rules.crowd
    if earned is Severity.AMBER and (surprise >= bar or crowded):
        earned = Severity.RED
    return Ruling(_large_enough(earned, extent, rules), found.fast, found.far, found.several)


def _large_enough(severity: Severity, extent: Extent, rules: SeverityRules) -> Severity | None:
    """The highest severity up to this one that has people enough."""
    enough = {
        Severity.RED: extent.people >= rules.red_people and extent.people >= rules.red_people_an_hour * extent.hours,
        Severity.AMBER: extent.people >= rules.amber_people,
        Severity.NOTICE: extent.people >= rules.notice_people,
    }
    return next((one for one in SEVERITIES if one <= severity and enough[one]), None)
