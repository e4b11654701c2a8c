"""How well a watch's posts are answered, in figures. Pure."""

import math
from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from crisisdesk.inquiries.listing import Listing
from crisisdesk.records import Answering, Stage

LATELY: Final = timedelta(days=7)
"""What counts for how long an answer takes, and for what was missed."""


def figures(watch: str, listing: Listing, now: datetime, zone: tzinfo | None) -> Answering:
    """The figures of a watch; `zone` says when a day begins, None for the machine's own."""
    waiting = [one.came for one in listing.open.values() if one.stage is Stage.WAITING]
    answered = [one for one in listing.ended.values() if one.stage is Stage.ANSWERED and one.moved is not None]
    midnight = datetime.combine(now.astimezone(zone), time(), zone).astimezone(now.tzinfo)
    took = sorted(
        one.took for one in answered if one.took is not None and one.moved and timedelta() <= now - one.moved < LATELY
    )
    first = f"{now - LATELY + timedelta(days=1):%Y-%m-%d}"
    return Answering(
        watch,
        waiting=len(waiting),
        taken=len(listing.open) - len(waiting),
        answered_today=sum(one.moved is not None and one.moved >= midnight for one in answered),
        median=_share(took, 0.5),
        most=_share(took, 0.9),
        oldest=min(waiting, default=None),
        missed=sum(count for day, count in listing.missed.items() if day >= first),
    )


def _share(took: list[timedelta], share: float) -> timedelta | None:
    """Within which time such a share was answered; None without any."""
    return took[math.ceil(share * len(took)) - 1] if took else None
