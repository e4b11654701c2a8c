"""The three lists of the main screen: incidents, watches, mentions."""

from datetime import datetime
from typing import Final

from textual import events
from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.lasting import lasting
from crisisdesk.console.paint import INK, MOOD, SIGN, joined, plain, worst
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.bars import has_ended
from crisisdesk.console.widgets.keyed_list import KeyedList, Row
from crisisdesk.console.widgets.page import Line, Page, row
from crisisdesk.console.widgets.standing import held
from crisisdesk.console.widgets.watch_row import watch_line, watch_page
from crisisdesk.desk import Picture
from crisisdesk.records import EPOCH, Incident, Scored
from crisisdesk.text import how_long

TALL: Final = 34
"""Lines of a terminal from which on a watch gets two of them."""
FEED_ROWS: Final = 100
"""Mentions that the feed holds; older ones are in the incidents' evidence."""

STANDING: Final = 46
"""Cells for who has an incident, and what else is to be known of it."""


class IncidentList(KeyedList):
    """Incidents, worst first, two lines each.

    The cursor goes to the worst one by itself as long as nobody has put it on another: one that is still open, or one
    that was over already, as somebody wants to judge it.
    """

    KEEPS_MARK = True

    def __init__(self, times: Times, *, id: str, classes: str = "") -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id, classes=classes)
        self._times = times
        self._picked = ""
        self._opened: list[str] = []
        self._reads_old = False

    def show(self, picture: Picture) -> None:
        """Show this moment."""
        self._opened = opened = [incident.id for incident in picture.incidents if incident.is_open]
        self.border_title = f"1 Incidents  {len(opened) or 'none'} open"
        self.put([Row(one.id, incident_page(one, picture.now, self._times)) for one in picture.incidents])
        if opened and self._picked not in opened and not self._reads_old:
            self.cursor = opened[0]

    def action_move(self, steps: int) -> None:
        super().action_move(steps)
        self._pick()

    def on_click(self, event: events.Click) -> None:
        super().on_click(event)
        self._pick()

    def _pick(self) -> None:
        self._picked, self._reads_old = self.cursor, bool(self.cursor) and self.cursor not in self._opened


class WatchList(KeyedList):
    """Watches with their last hours, two lines each, one where there is little room."""

    def __init__(self, times: Times, *, id: str, classes: str = "") -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id, classes=classes)
        self._times = times

    def show(self, picture: Picture) -> None:
        """Show this moment."""
        self.border_title = "2 Watches"
        draw = watch_page if self.app.size.height >= TALL else watch_line
        self.put(
            [
                Row(watch.name, draw(watch, picture.now, self._times, lasting(watch, picture)))
                for watch in picture.watches
            ]
        )


class Feed(KeyedList):
    """Mentions, newest first. Whoever reads further down is not disturbed: newer ones are counted, not shown."""

    def __init__(self, times: Times, *, id: str, classes: str = "") -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id, classes=classes)
        self._times = times
        self._pages: dict[str, tuple[Scored, str, Page]] = {}
        self._now = EPOCH
        self._latest: tuple[Scored, ...] = ()
        self._live = ""

    def show(self, picture: Picture) -> None:
        """Show this moment, or, while somebody reads, say how much newer there is."""
        self._latest, self._now = picture.mentions, picture.now
        self._live = "3 Mentions  ended" if has_ended(picture) else "3 Mentions  live"
        if picture.is_deaf:
            self._live = "3 Mentions  nothing is heard"
        if not picture.mentions:
            self.border_title = "3 Mentions  none yet"
        elif self._reads:
            newer = self._newer()
            self.border_title = f"3 Mentions  paused, {newer} newer (home: go on)" if newer else "3 Mentions  paused"
        else:
            self.border_title = self._live
            self._put_latest()

    def action_top(self) -> None:
        """Back to the newest, and live again."""
        super().action_top()
        self.border_title = self._live
        self._put_latest()

    @property
    def _reads(self) -> bool:
        return self.scroll_offset.y > 0 or self.position > 0

    def _put_latest(self) -> None:
        shown = self._latest[:FEED_ROWS]
        pages = {}
        for scored in shown:
            known, when = self._pages.get(scored.post.key), self._times.said(scored.post.time, self._now)
            same = known is not None and known[:2] == (scored, when)
            pages[scored.post.key] = known if known and same else (scored, when, mention_page(scored, when))
        self._pages = pages
        live = self.position == 0
        with self.prevent(KeyedList.Moved):
            self.put([Row(key, page) for key, (*_, page) in pages.items()])
            if live and shown:
                self.cursor = shown[0].post.key

    def _newer(self) -> str:
        top = self._rows[0].key
        for index, scored in enumerate(self._latest):
            if scored.post.key == top:
                return str(index) if index else ""
        return f"over {len(self._latest)}"


def incident_page(incident: Incident, now: datetime, times: Times) -> Page:
    """An incident in two lines: how bad at its worst and now, what, who has it and how long; then its numbers."""
    quiet = "" if incident.is_open else "$faint"
    watch, kind = plain(incident.watch, quiet or "bold", cells=60), plain(words.kind(incident), quiet or "$secondary")
    eased = Content.styled(words.eased(incident), INK[incident.severity])
    stands = held(incident, words.standing(incident, now, times), cells=STANDING)
    lasts = how_long((incident.resolved_at or now) - incident.opened)
    since = lasts if incident.is_open else f"lasted {lasts}"
    return Page(
        [
            row(joined(Content.assemble(worst(incident), " ", watch), eased, kind, by="  "), stands),
            row(plain(words.headline(incident), quiet), Content.styled(since, "$faint"), indent=9),
        ]
    )


def mention_page(scored: Scored, when: str) -> Page:
    """A mention: judgement, author and when it was said in a line, then its words in at most three.

    One in another language names it and has no colour, since it does not count.
    """
    post, label = scored.post, scored.label
    name = plain(post.author or "unknown", "$faint", cells=24)
    reach = Content.styled(f"{post.reach:,} followers" if post.reach else "", "$faint")
    copied = Content.styled("repost" if post.original is not None else "", "$faint")
    apart = plain(scored.mention.language or "" if scored.mention.apart else "", "$faint", cells=8)
    mood = "" if scored.mention.apart or label == "neutral" else MOOD[label]
    failed = Content.styled("" if scored.judged else "not judged", "$warning")
    return Page(
        [
            row(
                Content.assemble(
                    (f"{SIGN[label]} ", f"bold {MOOD[label]}"), joined(name, apart, reach, copied, failed)
                ),
                Content.styled(when, "$faint"),
            ),
            Line(plain(post.text, mood), indent=2, most=3),
        ]
    )
