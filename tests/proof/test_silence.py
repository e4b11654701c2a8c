"""How often a source is found blind that is not, and how soon one that is: `pytest -m proof -s` on this file."""

import random
import statistics

import pytest
from rhythms import CAP, FLOOR, MONDAY, Part, Wait, always, by_chance, by_day, in_bursts, in_office_hours, listen, posts
from rhythms import silent_until_missed as missed_after

from crisisdesk.detect.silence import DAY, HOUR, Rhythm

pytestmark = [pytest.mark.proof, pytest.mark.timeout(1200)]

DAYS = 58
RATES = {
    "1 a second": 1.0,
    "1 a minute": 60.0,
    "1 in 10 min": 600.0,
    "1 an hour": HOUR,
    "4 a day": 6 * HOUR,
    "1 a day": DAY,
}
RHYTHMS = {"even": always, "night 1:10": by_day, "office hours": in_office_hours}
CHANCES = {"by chance": by_chance, "in bursts": in_bursts}


def how_many(every: float) -> tuple[int, int, float]:
    """Sources, days and seconds between two looks: fast ones take long."""
    if every < 60:
        return 1, 35, 10.0
    return (4, DAYS, 30.0) if every < 600 else (12, DAYS, min(600.0, every / 5))


def measured(every: float, part: Part, wait: Wait) -> tuple[float, float, float, float, float]:
    """False notices in the first week, then a month, false ambers a month, seconds to a true one by day and night."""
    sources, days, look = how_many(every)
    found: list[tuple[float, float, float, float, float]] = []
    week, months = MONDAY + 7 * DAY, (days - 7) / 30
    for seed in range(sources):
        rhythms = [Rhythm(FLOOR, CAP) for _ in range(3)]
        notices, ambers = (
            listen(
                rhythm, posts(random.Random(seed), every, part, MONDAY, days, wait=wait), MONDAY, days, look, times=n
            )
            for rhythm, n in zip(rhythms, (1.0, 2.0), strict=False)
        )
        rhythms[2].restore(rhythms[0].state())
        end = MONDAY + days * DAY
        noon, night = missed_after(rhythms[0], end + 12 * HOUR), missed_after(rhythms[2], end)
        early, called = sum(moment < week for moment in notices), sum(moment >= week for moment in ambers)
        found.append((early, (len(notices) - early) / months, called / months, noon, night))
    return tuple(map(statistics.fmean, zip(*found, strict=True)))  # type: ignore[return-value]


def in_words(seconds: float) -> str:
    for size, unit in ((DAY, "d"), (HOUR, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def test_a_source_that_speaks_is_rarely_found_blind_and_one_that_does_not_soon():
    print(
        f"\n{'posts':12} {'rhythm':13} {'':10} false: week 1   then a month   amber a month   noticed by day  by night"
    )
    for rate, every in RATES.items():
        for rhythm, part in RHYTHMS.items():
            for chance, wait in CHANCES.items():
                early, later, amber, noon, night = measured(every, part, wait)
                print(
                    f"{rate:12} {rhythm:13} {chance:10} {early:13.2f} {later:14.2f} {amber:15.2f} "
                    f"{in_words(noon):>16} {in_words(night):>9}",
                    flush=True,
                )
                assert early <= 3.0, (rate, rhythm, chance)
                assert later <= 1.0, (rate, rhythm, chance)
                assert amber <= 0.5, (rate, rhythm, chance)
