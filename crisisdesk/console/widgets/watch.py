"""One watch in full, as a page: what it hears now, its weeks, and what it has spent of its budget."""

from collections.abc import Iterable
from typing import Final

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import plain
from crisisdesk.console.widgets.evidence import BLANK, heading
from crisisdesk.console.widgets.page import Line, Page
from crisisdesk.desk import WatchPicture
from crisisdesk.detect.weeks import Week

BAR: Final = 24
"""Cells of the bar of a week in which every post is negative."""


def watch_details(watch: WatchPicture) -> Page:
    """Everything about a watch that is not an incident."""
    usual, now = words.usual(watch.expected_hour), f"{watch.negative_hour:,} of {watch.total_hour:,} posts"
    lines = [
        Line(plain(f"{now} of the last hour are negative; {usual} are usual.")),
        *([Line(plain("Learning what is usual; it still calls when it must.", "$accent"))] if watch.learning else ()),
        BLANK,
        heading("Week by week"),
        *_weeks(watch.weeks),
        *(Line(plain(text, ink)) for text, ink in ((watch.rise, "bold $warning"), (watch.rise_de, "$faint")) if text),
        BLANK,
        heading("False alarms"),
        Line(plain(watch.advice, "$warning") if watch.advice else plain(watch.spent or "None is known yet.")),
    ]
    return Page(lines)


def _weeks(weeks: tuple[Week, ...]) -> Iterable[Line]:
    """The latest week last; a flagged hour is no part of them."""
    if not any(week.total for week in weeks):
        yield Line(Content.styled("Not one hour has been counted yet.", "$faint"))
        return
    for week in weeks:
        share = week.share or 0.0
        so_far = "  so far" if week is weeks[-1] else ""
        told = f"{words.share(share):>5} negative" if week.total else " " * 14
        yield Line(
            Content.assemble(
                (f"{week.name}  ", "$faint"),
                f"{week.total:>8,} posts  {told}  ",
                ("█" * round(share * BAR), "$bar"),
                (so_far, "$faint"),
            ),
            most=1,
        )
