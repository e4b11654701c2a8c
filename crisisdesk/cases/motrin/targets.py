"""How many posts the Motrin case has in which hour, fixed before a text was written or a threshold existed.

Hours are US Eastern. The anchors are the documented ones (see README.md beside this file): a blogger and a few others
on Friday late evening, "all was fine" on Saturday morning, a flood on Saturday night, over 400 posts an hour at
Sunday's peak, a company answer on Sunday 20:00, a tone that turns on Monday afternoon, and about 35 % negative posts
over the weekend. No source gives an hourly series, so the numbers between the anchors are plain interpolation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

CLOCKS_BACK: Final = datetime(2008, 11, 2, 6, tzinfo=UTC)
"""US Eastern is UTC-4 before this moment, UTC-5 after it."""

START: Final = datetime(2008, 10, 24, 4, tzinfo=UTC)
"""Friday 24 October, midnight Eastern: three weeks of ordinary chatter come first."""
OUTBREAK: Final = datetime(2008, 11, 15, 3, tzinfo=UTC)
"""Friday 14 November, 22:00 Eastern."""
END: Final = datetime(2008, 11, 18, 5, tzinfo=UTC)
"""Monday 17 November, 24:00 Eastern."""

# Ordinary chatter: expected posts by hour of an Eastern weekday, as American waking hours shape it.
ORDINARY: Final = (2.2, 1.5, 1.0, 0.8, 0.7, 0.8, 1.5, 2.6, 3.8, 4.8, 5.2, 5.2,
                   5.0, 5.0, 5.2, 5.4, 5.4, 5.0, 4.8, 5.0, 5.4, 5.6, 4.8, 3.4)  # fmt: skip
ORDINARY_WEEKEND: Final = 0.8
"""Saturdays and Sundays in proportion to a weekday."""
ORDINARY_NEGATIVE: Final = 0.4
"""Share of ordinary posts that sound negative: people who reach for a painkiller are in pain."""
ORDINARY_UNNAMED: Final = 0.1
"""Share of ordinary posts without a term of the watch (another brand), so that matching has work to do."""

_WEEKEND: Final = (5, 6)

# Posts about the advertisement from the outbreak on: (all, negative ones among them), one pair an hour.
_PHASES: Final = (
    ("first signal", (  # Friday 22:00 to Saturday 08:00
        (5, 4), (7, 6), (5, 4), (4, 3), (2, 2), (1, 1), (1, 1), (1, 1), (2, 1), (3, 2),
    )),
    ("slow day", (  # Saturday 08:00 to 19:00: first blog post, first hashtag
        (5, 4), (8, 6), (10, 8), (11, 9), (13, 10), (15, 12), (17, 13), (19, 15), (24, 18), (30, 22), (44, 31),
    )),
    ("flood", (  # Saturday 19:00 to Sunday 06:00
        (70, 47), (112, 72), (148, 90), (166, 96), (142, 80),
        (95, 50), (62, 32), (40, 21), (26, 13), (18, 9), (14, 7),
    )),
    ("peak", (  # Sunday 06:00 to 16:00: the protest video, the top search
        (20, 10), (38, 17), (66, 27), (104, 40), (160, 58), (235, 82), (330, 110), (412, 132), (436, 135), (370, 110),
    )),
    ("answer", (  # Sunday 16:00 to Monday 08:00: advertisement pulled, site down, apology by e-mail at 20:00
        (290, 85), (235, 66), (195, 53), (170, 46), (185, 44), (170, 38), (120, 28), (78, 19),
        (45, 12), (28, 8), (18, 5), (12, 4), (9, 3), (10, 3), (16, 5), (28, 9),
    )),
    ("turn", (  # Monday 08:00 to 24:00: apology on the site, in the afternoon the tone turns
        (44, 13), (58, 16), (64, 15), (66, 14), (64, 12), (62, 9), (60, 7), (56, 6),
        (50, 5), (44, 4), (38, 4), (36, 3), (40, 4), (38, 3), (28, 2), (18, 1),
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the weekend: `total` posts about the advertisement, `negative` of them complaints."""

    start: datetime
    phase: str
    total: int
    negative: int


def eastern(time: datetime) -> datetime:
    """The Eastern wall clock at a UTC time, without a zone."""
    return (time - timedelta(hours=4 if time < CLOCKS_BACK else 5)).replace(tzinfo=None)


def weekend() -> Iterator[Hour]:
    """The hours from the outbreak to the end, in order."""
    start = OUTBREAK
    for phase, hours in _PHASES:
        for total, negative in hours:
            yield Hour(start, phase, total, negative)
            start += timedelta(hours=1)


def ordinary() -> Iterator[tuple[datetime, float]]:
    """Every hour of the case with the ordinary posts expected in it."""
    start = START
    while start < END:
        local = eastern(start)
        yield start, ORDINARY[local.hour] * (ORDINARY_WEEKEND if local.weekday() in _WEEKEND else 1.0)
        start += timedelta(hours=1)
