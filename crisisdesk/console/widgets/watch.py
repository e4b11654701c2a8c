"""One watch in full, as a page: what it hears now, its weeks, and what it has spent of its budget."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import plain
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.page import BLANK, Line, Page, heading
from crisisdesk.console.widgets.watch_row import known, unheard
from crisisdesk.desk import WatchPicture
from crisisdesk.detect.weeks import Week
from crisisdesk.records import Incident
from crisisdesk.text import counted

WHILE_LEARNING: Final = "Until then only what stands out more clearly calls somebody."
WHILE_PLANNED: Final = "Many posts alone call nobody until then; a worse mood than usual does."
NO_SOURCE: Final = "No source is there, so nobody would notice a crisis. Why stands at the bottom, in full with d."
CHECK_TERMS: Final = "Either nothing was said, or its terms are not what people write: check them."
BAR: Final = 24
"""Cells of the bar of a week in which every post is negative."""


def watch_details(
    watch: WatchPicture, now: datetime, times: Times, *, deaf: bool = False, ended: Incident | None = None
) -> Page:
    """Everything about a watch that is not an open incident.

    `deaf` says that nothing is heard at the moment, `ended` is what a person has ended and goes on all the same.
    """
    lines = [
        *([Line(plain(f"Nothing is heard. {NO_SOURCE}", "$error"))] if deaf else _state_lines(watch, now, times)),
        *([Line(plain(_goes_on(ended, now, times), "$warning"))] if ended else []),
        BLANK,
        heading("Week by week"),
        *_weeks(watch.weeks),
        *(Line(plain(text, ink)) for text, ink in ((watch.rise, "bold $warning"), (watch.rise_de, "$faint")) if text),
        BLANK,
        heading("False alarms"),
        Line(plain(watch.advice, "$warning") if watch.advice else plain(watch.spent or "None is known yet.")),
    ]
    return Page(lines)


def _goes_on(ended: Incident, now: datetime, times: Times) -> str:
    at = f" at {times.said(ended.resolved_at, now)}" if ended.resolved_at else ""
    return f"{ended.resolved_by} said{at} that it is over ({ended.verdict}), and it goes on. {words.stays_over(ended)}"


def _state_lines(watch: WatchPicture, now: datetime, times: Times) -> Iterable[Line]:
    """The last hour, and what one must know before trusting it."""
    if told := unheard(watch, now, times):
        yield Line(plain(f"{told[0].upper()}{told[1:]}. {CHECK_TERMS}", "$warning"))
    else:
        negative = f"{watch.negative_hour:,} of {watch.total_hour:,} posts of the last hour are negative"
        yield Line(plain(f"{negative}; {words.usual(watch.expected_hour)} are usual."))
    if watch.dropped:
        lost = f"{counted(watch.dropped, 'post of the last hour was', 'posts of the last hour were')} dropped"
        yield Line(plain(f"{lost}, because more came than could be judged: the figures are too low.", "$warning"))
    if told := known(watch):
        yield Line(plain(f"Learning: it {told}. {WHILE_LEARNING}", "$accent"))
    if event := watch.planned:
        until = times.when(event.end)
        yield Line(plain(f"Planned: “{event.reason}” until {until}. {WHILE_PLANNED}", "$accent"))
    if told := times.elsewhere(watch.zone, now):
        yield Line(plain(told, "$faint"))


def _weeks(weeks: tuple[Week, ...]) -> Iterable[Line]:
    """The latest week last; a flagged hour is no part of them."""
    if not any(week.total for week in weeks):
        yield Line(Content.styled("Not one hour has been counted yet.", "$faint"))
        return
    for week in weeks:
        share = week.share or 0.0
        left_out = f"without {counted(week.left_out, 'hour')} that stood out" if week.left_out else ""
        notes = ", ".join(filter(None, ["so far" if week is weeks[-1] else "", left_out]))
        told = f"{words.share(share):>5} negative" if week.total else " " * 14
        yield Line(
            Content.assemble(
                (f"{week.name}  ", "$faint"),
                f"{week.total:>8,} posts  {told}  ",
                ("█" * round(share * BAR), "$bar"),
                (f"  ({notes})" if notes else "", "$faint"),
            )
        )
