"""A watch in the list: its last hours against the usual, and what one must know of it before trusting them."""

from datetime import datetime
from typing import Final

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import INK, joined, plain
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.chart import sparkline
from crisisdesk.console.widgets.page import Page, row
from crisisdesk.desk import LEARNS_DAYS, WatchPicture
from crisisdesk.records import Incident

SPARK_HOURS: Final = 16


def watch_page(watch: WatchPicture, now: datetime, times: Times, ended: Incident | None = None) -> Page:
    """A watch in two lines: its name, last hours and state; then the last hour against the usual.

    `ended` is what a person has ended and goes on all the same.
    """
    part = words.share(watch.negative_share) if watch.negative_share is not None else "no posts"
    told = "" if watch.unheard_since else f"{part} negative, usual {words.share(watch.usual_share)}"
    share = Content.styled(told, "$faint")
    name = joined(_named(watch), _hours(watch), _apart(watch), by="  ")
    return Page(
        [row(name, _state(watch, ended, now, times)), row(_last_hour(watch, now, times), _learning(watch) or share)]
    )


def watch_line(watch: WatchPicture, now: datetime, times: Times, ended: Incident | None = None) -> Page:
    """A watch in a single line; one that is learning has no past worth drawing, and its state needs the room."""
    learning = _learning(watch)
    hours = Content() if learning or watch.unheard_since else _hours(watch)
    line = joined(_named(watch), hours, _last_hour(watch, now, times), _apart(watch), by="  ")
    return Page([row(line, joined(learning, _state(watch, ended, now, times)))])


def known(watch: WatchPicture) -> str:
    """How far a new watch is: `knows 3 of 7 days`; empty for one that knows what is usual, or has heard nothing."""
    return f"knows {watch.days_known} of {LEARNS_DAYS} days" if watch.learning and not watch.unheard_since else ""


def unheard(watch: WatchPicture, now: datetime, times: Times) -> str:
    """`no post yet since 22:14`; empty for a watch that has heard any."""
    since = watch.unheard_since
    if since is None:
        return ""
    return f"no post yet since {times.said(since, now)}"


def _named(watch: WatchPicture) -> Content:
    return plain(watch.name, "bold", cells=20)


def _hours(watch: WatchPicture) -> Content:
    return sparkline(watch.chart[-SPARK_HOURS:])


def _last_hour(watch: WatchPicture, now: datetime, times: Times) -> Content:
    if told := unheard(watch, now, times):
        return Content.styled(told, "$warning")
    return Content(f"{watch.negative_hour:,} this hour, usual {words.usual(watch.expected_hour)}")


def _apart(watch: WatchPicture) -> Content:
    """What is said in other languages, and counts for nothing beside it: `+34 fr, es`."""
    named = ", ".join(language for language, _ in watch.other_hour[:2])
    total = sum(count for _, count in watch.other_hour)
    return plain(f"+{total:,} {named}" if total else "", "$faint", cells=16)


def _learning(watch: WatchPicture) -> Content:
    told = known(watch)
    return Content.styled(f"learning: {told}" if told else "", "$accent")


def _state(watch: WatchPicture, ended: Incident | None, now: datetime, times: Times) -> Content:
    """How bad it is; before that, what there is to do or to know."""
    overspends = Content.styled("overspends" if watch.advice else "", "$warning")
    rising = Content.styled("rising" if watch.rise else "", "$accent")
    planned = Content.styled("planned event" if watch.planned else "", "$accent")
    return joined(overspends, rising, planned, _bad(watch, ended, now, times))


def _bad(watch: WatchPicture, ended: Incident | None, now: datetime, times: Times) -> Content:
    if watch.severity is not None:
        return Content.styled(watch.severity.name, f"bold {INK[watch.severity]}")
    if ended and ended.resolved_at:
        return Content.styled(f"over {times.said(ended.resolved_at, now)}, goes on", "$warning")
    return _calm(watch)


def _calm(watch: WatchPicture) -> Content:
    """A watch without an incident; one that has heard nothing, or knows nothing of the usual, is not called calm."""
    if watch.unheard_since:
        return Content.styled("not heard yet", "$warning")
    if watch.learning and not watch.days_known and not watch.expected_hour:
        return Content.styled("too new to tell", "$warning")
    return Content.styled("calm", "$success")
