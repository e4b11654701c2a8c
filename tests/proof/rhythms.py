"""Sources that were never there: when they post, and what a rhythm makes of it."""

import random
from collections.abc import Callable, Iterator

from crisisdesk.detect.silence import DAY, HOUR, STEP, Rhythm

FLOOR, CAP = 120.0, 10 * DAY
MONDAY = 4 * DAY
"""5 January 1970, midnight."""

Part = Callable[[float], float]
"""What part of the most that is ever said is said at a moment."""
Wait = Callable[[random.Random], float]
"""From post to post, one on average."""


def always(_: float) -> float:
    return 1.0


def by_day(moment: float) -> float:
    """From eight to midnight ten times as much as at night."""
    return 1.0 if moment % DAY >= 8 * HOUR else 0.1


def in_office_hours(moment: float) -> float:
    """Nothing at night, nothing on Saturdays and Sundays."""
    return 1.0 if 8 <= moment % DAY // HOUR < 18 and moment // DAY % 7 not in {2, 3} else 0.0


def by_chance(rng: random.Random) -> float:
    """As people who know nothing of each other post."""
    return rng.expovariate(1.0)


def in_bursts(rng: random.Random) -> float:
    """Half of the posts follow within a quarter of the mean, and one in fifty waits for eight times as long or more."""
    return rng.weibullvariate(0.5, 0.5)


def posts(
    rng: random.Random, every: float, part: Part, start: float, days: float, *, wait: Wait = by_chance
) -> Iterator[float]:
    """Moments of posts, one in `every` seconds on the mean of a week."""
    mean = sum(part(hour * HOUR) for hour in range(168)) / 168
    done, upcoming = 0.0, wait(rng)
    for hour in range(int(days * 24)):
        moment = start + hour * HOUR
        end, rate = moment + HOUR, part(moment) / mean / every
        while rate and moment + (upcoming - done) / rate < end:
            moment += (upcoming - done) / rate
            done, upcoming = upcoming, upcoming + wait(rng)
            yield moment
        done += (end - moment) * rate


def listen(
    rhythm: Rhythm, moments: Iterator[float], start: float, days: float, look: float, *, times: float = 1.0
) -> list[float]:
    """Look every so many seconds; returns when a silence was found so many times too long."""
    found, blind, upcoming = [], False, next(moments, None)
    for number in range(int(days * DAY / look)):
        now = start + (number + 1) * look
        rhythm.listen(now - look, now)
        if upcoming is not None and upcoming <= now:
            rhythm.hear(now)
            blind = False
            while upcoming is not None and upcoming <= now:
                upcoming = next(moments, None)
        elif not blind and rhythm.is_overdue(times):
            blind = True
            found.append(now)
    return found


def silent_until_missed(rhythm: Rhythm, start: float) -> float:
    """Seconds from the last post, now, until its absence is noticed."""
    rhythm.hear(start)
    now = start
    while not rhythm.is_overdue():
        rhythm.listen(now, now + STEP)
        now += STEP
    return now - start
