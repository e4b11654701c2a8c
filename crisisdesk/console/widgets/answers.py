"""The answer queue as people see it: the posts in a list, one of them in full, and how well they are answered."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import MOOD, joined, plain
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.keyed_list import KeyedList, Row
from crisisdesk.console.widgets.page import BLANK, Line, Page, row
from crisisdesk.console.widgets.sheet import Sheet
from crisisdesk.desk import Picture
from crisisdesk.inquiries.acts import TAKEN_FOR
from crisisdesk.records import Answering, Inquiry, Label, Need, Post, Stage
from crisisdesk.text import how_long

FIGURES: Final = 3
"""Watches of which the figures are shown; of more, those with the most waiting."""
INK: Final = {Need.ADDRESSED: "$accent", Need.QUESTION: "$warning", Need.NEGATIVE: MOOD[Label.NEGATIVE]}
REASONS: Final = {
    Need.ADDRESSED: "it speaks to the brand",
    Need.QUESTION: "it asks",
    Need.NEGATIVE: "it is negative",
}


class AnswerLine(Sheet):
    """How many posts wait for an answer, and which key shows them; gone while none does."""

    def __init__(self) -> None:
        super().__init__(id="answer-line")

    def show(self, picture: Picture) -> None:
        """Show this moment."""
        told = waiting(picture)
        self.display = bool(told)
        self.put(Page([Line(Content.assemble(("w  ", "bold $accent"), plain(told)), most=1)]))


class InquiryList(KeyedList):
    """Posts that need an answer, the most urgent first, two or three lines each; those that ended lately last."""

    KEEPS_MARK = True

    def __init__(self, times: Times, *, id: str, classes: str = "") -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id, classes=classes)
        self._times = times

    def show(self, picture: Picture) -> None:
        """Show this moment."""
        taken = sum(one.taken for one in picture.answering)
        held = f", {taken:,} taken" if taken else ""
        self.border_title = f"Answers  {sum(one.waiting for one in picture.answering):,} waiting{held}"
        several = len(picture.answering) > 1
        self.put([Row(one.id, inquiry_page(one, picture.now, self._times, named=several)) for one in picture.inquiries])


def waiting(picture: Picture) -> str:
    """`12 posts wait for an answer, the oldest for 2 h 14 min; 3 taken`; empty where nothing is to be done."""
    count, taken = (sum(getattr(one, name) for one in picture.answering) for name in ("waiting", "taken"))
    oldest = min((one.oldest for one in picture.answering if one.oldest), default=None)
    held = f"{taken:,} taken" if taken else ""
    if not count:
        return held and f"No post waits for an answer; {held}"
    since = f", {'the oldest ' if count > 1 else ''}for {how_long(picture.now - oldest)}" if oldest else ""
    waits = "1 post waits for an answer" if count == 1 else f"{count:,} posts wait for an answer"
    return "; ".join(filter(None, [waits + since, held]))


def figures_page(answering: Sequence[Answering], now: datetime) -> Page:
    """A line a watch: what waits, what was answered today, how long answers take, what was missed."""
    if not answering:
        return Page([Line(plain("No watch has an answer queue: they are switched off by answers = false.", "$faint"))])
    ranked = sorted(answering, key=lambda one: -one.waiting)
    lines = [
        Line(Content.assemble(plain(one.watch, "bold", cells=30), "  ", _figures(one, now)), most=2) for one in ranked
    ]
    more = len(lines) - FIGURES
    return Page([*lines[:FIGURES], *([Line(Content.styled(f"and {more} more watches", "$faint"))] if more > 0 else [])])


def inquiry_page(inquiry: Inquiry, now: datetime, times: Times, *, named: bool) -> Page:
    """A post in the list: why it needs an answer and who wrote it, who has it or how long it waits, its words.

    Args:
        inquiry: the post and what became of it.
        now: the present.
        times: by whose clocks.
        named: its watch is named, as there are several.
    """
    post, quiet = inquiry.post, "" if inquiry.is_open else "$faint"
    watch = plain(inquiry.watch if named else "", quiet or "bold", cells=20)
    why = joined(*(Content.styled(need, quiet or INK[need]) for need in inquiry.needs), by=", ")
    who = plain(post.author or "unknown", "$faint", cells=24)
    reach = Content.styled(f"{post.reach:,} followers" if post.reach else "", "$faint")
    many = Content.styled(words.posts(inquiry.posts) if inquiry.posts > 1 else "", "$faint")
    return Page(
        [
            row(joined(watch, why, who, reach, many), _standing(inquiry, now, times)),
            Line(plain(post.text, quiet), indent=2, most=2 if inquiry.is_open else 1),
        ]
    )


def post_page(inquiry: Inquiry | None, now: datetime, times: Times) -> Page:
    """A post in full: who, where, when, all its words, its address, and what has become of it."""
    if inquiry is None:
        return Page([Line(plain("Nothing waits for an answer.", "$success"))])
    post = inquiry.post
    reach = f"{post.reach:,} followers" if post.reach else ""
    head = joined(plain(post.author or "unknown", "bold", cells=60), Content(reach), plain(post.source, cells=30))
    said = Content.styled(times.said(post.time, now), "$faint")
    return Page(
        [
            row(head, said),
            Line(plain(post.text)),
            Line(plain(post.url or "Its address is not known; look for it where it was written.", "$accent")),
            BLANK,
            *(Line(text, most=3) for text in _about(inquiry, now, times)),
            *_others(inquiry.others, inquiry.posts, now, times),
        ]
    )


def _figures(one: Answering, now: datetime) -> Content:
    waits = f"{one.waiting:,} waiting"
    oldest = f"the oldest for {how_long(now - one.oldest)}" if one.oldest else ""
    today = f"{one.answered_today:,} answered today"
    took = (
        f"half within {how_long(one.median)}, nine of ten within {how_long(one.most)}"
        if one.median and one.most
        else ""
    )
    missed = Content.styled(f"{one.missed:,} missed this week" if one.missed else "", "$warning")
    return joined(*(Content(text) for text in (waits, oldest, today, took)), missed)


def _standing(inquiry: Inquiry, now: datetime, times: Times) -> Content:
    """At the right of its first line."""
    if inquiry.stage is Stage.WAITING:
        had = plain(f"{inquiry.had_by} had it" if inquiry.had_by else "", "$faint", cells=24)
        return joined(had, Content(how_long(now - inquiry.came)), by=", ")
    if inquiry.stage is Stage.TAKEN:
        return plain(f"✓ {inquiry.person} has it", "$success", cells=30)
    at = f" {times.said(inquiry.moved, now)}" if inquiry.moved else ""
    return plain(f"{inquiry.stage} by {inquiry.person}{at}", "$faint", cells=44)


def _about(inquiry: Inquiry, now: datetime, times: Times) -> Iterator[Content]:
    """Why it is here, and how it stands, a sentence each."""
    *most, last = [REASONS[need] for need in inquiry.needs]
    why = f"{', '.join(most)} and {last}" if most else last
    chance = f" ({words.share(inquiry.negative)} likely)" if Need.NEGATIVE in inquiry.needs else ""
    yield plain(f"{why[0].upper()}{why[1:]}{chance}.", "$faint")
    since = times.said(inquiry.moved, now) if inquiry.moved else ""
    if inquiry.stage is Stage.TAKEN and inquiry.moved:
        until = times.said(inquiry.moved + TAKEN_FOR, now)
        yield plain(f"{inquiry.person} has it since {since}; not answered by {until}, it waits again.", "$success")
    elif inquiry.stage is Stage.WAITING:
        had = f" {inquiry.had_by} had it until {since}." if inquiry.had_by else ""
        yield plain(f"Waits since {times.said(inquiry.came, now)}, for {how_long(now - inquiry.came)}.{had}")
    else:
        reason = f": {inquiry.reason}" if inquiry.reason else ""
        took = f", after {how_long(inquiry.took)}" if inquiry.took is not None else ""
        yield plain(f"{inquiry.stage.capitalize()} by {inquiry.person} at {since}{took}{reason}. b takes that back.")


def _others(others: Sequence[Post], posts: int, now: datetime, times: Times) -> Iterator[Line]:
    """What else it stands for."""
    if posts > 1:
        yield BLANK
        yield Line(Content.styled(f"Stands for {words.posts(posts)} of the same author, or copies:", "$faint"))
    for post in others:
        when = Content.styled(f"{times.said(post.time, now)}  ", "$faint")
        said = Content.assemble(plain(post.author or "unknown", "$faint", cells=24), ": ", plain(post.text))
        yield Line(said, sign=when, most=2)
