"""What strangers write can neither end the console nor reach the terminal as anything but text."""

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from crisisdesk.console.paint import plain
from crisisdesk.oncall.decide import Do
from crisisdesk.oncall.prospect import Prospect
from crisisdesk.records import Calling, Change, Event, Kind, Phrase, PlaybookRef, Severity, Silence

HOSTILE = {
    "markup": "[/foo] [bold red] [@click=app.quit]x[/]",
    "escape": "\x1b[2J\x1b[31mred\x9b5m and \x1b]0;title\x07 more",
    "clipboard": "\x1b]52;c;ZWNobyBoaQ==\x07 read me",
    "bidi": "abc \u202egnp.exe\u202c \u2066x\u2069 \u200f",
    "joiners": "a\u200db\u200dc\ufe0f " + "\u0301" * 50,
    "emoji": "\U0001f525" * 10_000,
    "lines": "one\ntwo\r\nthree\ttab\x00\x08\x7f\x85",
    "lone": "\ud800 \U000f0000 \ufffe",
    "wide": "漢字" * 3_000,
    "long": "x" * 20_000,
}
HOUR = timedelta(hours=1)
FORBIDDEN = {chr(n) for n in (*range(0x20), *range(0x7F, 0xA0))} | set(
    "\u202e\u202c\u2066\u2069\u200d\u200f\ufe0f\ud800"
)


def poisoned(picture, text):
    """The picture with a hostile text in every place that is not ours; `text()` gives the next one."""
    worst = picture.incidents[0]
    quotes = tuple(
        replace(q, text=text(), author=text(), url=text(), source=text(), model=text()) for q in worst.evidence.posts
    )
    evidence = replace(
        worst.evidence, posts=quotes, first=quotes[0], phrases=(Phrase(text(), 3, 0.1), Phrase(text(), 2, 0.1)),
        voices=((text(), 9), (text(), 8)), languages=((text(), 1),), sources=((text(), 2),),
    )  # fmt: skip
    worst = replace(
        worst, watch=text(), why=text(), evidence=evidence, acknowledged_by=text(),
        playbook=PlaybookRef("p", text(), text(), text()), assigned_to=text(), told=(text(),),
        silence=Silence(picture.now + HOUR, text(), text(), Severity.RED),
        calling=Calling(text(), 1, 1, 1, picture.now, exhausted=True),
    )  # fmt: skip
    posts = [m.post._replace(text=text(), author=text()) for m in picture.mentions]
    return replace(
        picture,
        incidents=(worst,),
        mentions=tuple(
            replace(m, mention=replace(m.mention, post=post)) for m, post in zip(picture.mentions, posts, strict=True)
        ),
        watches=(replace(picture.watches[0], name=text()),),
        notice=text(),
        troubles=(text(), text()),
        prospects=(Prospect(worst.id, text(), Do.CALL, picture.now + HOUR, text(), text()),),
        on_call=(text(), text()),
        people=(text(), text()),
        model=text(),
        sources=(replace(picture.sources[0], name=text(), trouble=text(), state="failed"),),
        outputs=(replace(picture.outputs[0], name=text(), trouble=text()),),
    )


def poisoned_book(book, text):
    """The playbook likewise."""
    step = replace(book.phases[0].steps[0], text=text(), owner=text())
    statement = replace(book.statements[0], text=f"{text()} {{{{{text()}}}}}", language=text(), channel=text())
    phase = replace(book.phases[0], title=text(), role=text(), steps=(step,))
    return replace(
        book, title=text(), summary=text(), phases=(phase,), statements=(statement,), body=f"## {text()}\n{text()}"
    )


KEYS = ("3", "enter", "2", "3", "n", "escape", "r", "escape", "s", "escape", "h", "escape", "d", "escape", "a")


@pytest.mark.parametrize(("size", "shift"), [((140, 45), 0), ((80, 24), 3)], ids=["140x45", "80x24"])
async def test_hostile_text_everywhere_is_only_text(console, desk, size, shift):
    texts = itertools.islice(itertools.cycle(HOSTILE.values()), shift, None)
    change = Change("motrin-1", 1, Event.NOTED, desk.shown.now, Severity.RED, person=next(texts), reason=next(texts))

    async def timeline(_):
        return (change,)

    desk.timeline = timeline
    desk.book = poisoned_book(desk.book, texts.__next__)
    desk.shown = poisoned(desk.shown, texts.__next__)
    async with console.run_test(size=size) as pilot:
        for key in KEYS:
            await pilot.press(key)
            await pilot.pause()
            drawn = {c for strip in console.screen._compositor.render_strips() for part in strip for c in part.text}
            assert not drawn & FORBIDDEN
        assert console.is_running


async def test_a_hostile_alert_calls_like_any_other(console, desk, make_incident):
    async with console.run_test() as pilot:
        await pilot.pause(0.1)
        new = tuple(make_incident(id=name, watch=text, why=text, kind=Kind.BLIND) for name, text in HOSTILE.items())
        desk.put(replace(desk.shown, incidents=new))
        async with asyncio.timeout(10):
            while len(console._notifications) < len(HOSTILE):
                await pilot.pause(0.01)
        for notification in console._notifications:
            assert not notification.markup
            assert not set(notification.title + notification.message) & FORBIDDEN


def test_plain_cuts_by_cells_not_by_signs():
    assert plain("漢字漢字", cells=5).cell_length <= 5
    assert plain("\U0001f525" * 10_000, cells=20).cell_length <= 20


def test_plain_reads_no_markup():
    assert plain("[bold]x[/bold]").plain == "[bold]x[/bold]"
