"""The lines that are always on the screen: what is the matter, what time it is, what this stream is, what is wrong."""

from typing import Final

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.lasting import lasting
from crisisdesk.console.paint import badge, joined, plain
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.page import Line, Page, row
from crisisdesk.console.widgets.sheet import Sheet
from crisisdesk.desk import Picture
from crisisdesk.records import EPOCH, OutputStatus, Severity, SourceStatus, State
from crisisdesk.text import how_long

ROOMY: Final = 110
"""From this width on, the first line has room for the year and the person."""
FEW_TROUBLES: Final = 2
"""More than these get one line each, so that all of them can be seen."""
LONE_TROUBLE: Final = 3
"""Lines of a trouble that is the only one: so many hold what to do about it, too."""
FEW_OUTPUTS: Final = 2
"""More live ones than these are counted in the line at the bottom: an address each is more than it holds."""
FEW_FLOODS: Final = 2
"""More watches than these that are flooded share one line."""
ENDED: Final = "The recording has ended. Look around as long as you like; ctrl+q leaves."
MANY_WAITING: Final = 1_000
"""More mentions than this before the model are a warning: what is on the screen is behind."""


class DeskBar(Sheet):
    """First line: how bad it is by count, and the time by the clock on the wall and, where it differs, in UTC."""

    def __init__(self, person: str, times: Times) -> None:
        super().__init__(id="desk-bar")
        self._person = person
        self._times = times

    def show(self, picture: Picture) -> None:
        """Show this moment, in fewer words where there is little room."""
        name = Content.styled(" crisisdesk ", "bold $primary")
        roomy = self.app.size.width >= ROOMY
        self.put(Page([row(joined(name, self._counts(picture), by=" "), self._time(picture, roomy=roomy))]))

    @staticmethod
    def _counts(picture: Picture) -> Content:
        calling = [incident for incident in picture.incidents if incident.is_open]
        lost = Content.styled("LOST" if picture.lost and picture.lost.since else "", "bold $error")
        if picture.lost and not calling:
            return lost
        deaf = Content.styled("DEAF", "bold $error") if picture.is_deaf else _partly_heard(picture)
        if picture.is_deaf and not calling:
            return joined(deaf, Content("nothing is heard"), by=": ")
        if not calling:
            lasts = sum(lasting(watch, picture) is not None for watch in picture.watches)
            calm = bool(picture.watches) and not lasts and not troubles_of(picture)
            none = Content.styled("no open incident", "$success" if calm else "$faint")
            return joined(none, Content.styled(f"{lasts} goes on" if lasts else "", "bold $warning"), deaf, by="  ")
        counts = {severity: sum(i.severity is severity for i in calling) for severity in reversed(Severity)}
        free = sum(incident.state is State.OPEN for incident in calling)
        parts = [
            Content.assemble(badge(severity, cells=0), f" {count}  ") for severity, count in counts.items() if count
        ]
        unclaimed = Content.styled(f"{free} unclaimed" if free else "", "bold $warning")
        return joined(lost, joined(*parts, unclaimed, by=""), deaf, by="  ")

    def _time(self, picture: Picture, *, roomy: bool) -> Content:
        if picture.now == EPOCH:
            return Content()
        local, name = self._times.local(picture.now), self._times.name(picture.now)
        there = f"{picture.now:%H:%M} UTC" if roomy and local.utcoffset() else ""
        moment = f"{local:%a %d %b %Y  %H:%M} {name}" if roomy else f"{local:%a %d %b %H:%M} {name}"
        person = plain(self._person if roomy else "", "$faint", cells=16)
        return Content.assemble(joined(Content.styled(moment, "bold"), plain(there, "$faint"), person), " ")


def _partly_heard(picture: Picture) -> Content:
    """How many sources are heard, where not all of them are."""
    lost = [one for one in picture.sources if one.state not in {"live", "ended"} and one.trouble]
    heard = len(picture.sources) - len(lost)
    return Content.styled(f"hears {heard} of {len(picture.sources)}" if lost else "", "bold $warning")


class NoticeLine(Sheet):
    """What this is, if not the live public or not of now, and what nobody is called for; gone when all is plain."""

    def __init__(self, times: Times) -> None:
        super().__init__(id="notice-line")
        self._times = times

    def show(self, picture: Picture) -> None:
        """Show this moment."""
        lines = [Line(plain(lost_line(picture, self._times), "bold $error"), most=3)] if picture.lost else []
        if has_ended(picture):
            lines.append(Line(Content.styled(ENDED, "bold $accent"), most=2))
        lines += [Line(plain(text, "$warning"), most=2) for text in floods(picture)]
        if picture.notice:
            lines.append(Line(plain(picture.notice)))
        self.display = bool(lines)
        self.put(Page(lines))


def lost_line(picture: Picture, times: Times) -> str:
    """That the desk cannot be reached, of when what is shown is, and why; empty where all is well."""
    lost = picture.lost
    if lost is None:
        return ""
    if lost.since is None:
        return f"{lost.why} Trying again." if lost.why else f"Connecting to {lost.where}."
    age, seen = how_long(picture.now - lost.since), f"{times.local(lost.since):%H:%M:%S}"
    return f"Connection to {lost.where} lost {age} ago: what you see is of {seen}. Trying again. {lost.why}"


def out_of_reach(picture: Picture) -> str:
    """Why nothing can be done at the moment; empty where it can."""
    if picture.lost is None:
        return ""
    return f"{picture.lost.where} cannot be reached now, so nothing can be done from here. It is tried again."


def has_ended(picture: Picture) -> bool:
    """Whether nothing more will come: every source is at its end, and what it sent has gone through."""
    return bool(picture.sources) and not picture.waiting and all(one.state == "ended" for one in picture.sources)


def floods(picture: Picture) -> list[str]:
    """Watches about which more is said in other languages than in those that can call somebody; at most two."""
    flooded = [watch for watch in picture.watches if watch.flooded]
    texts = [
        f"{watch.name}: {words.apart(watch.other_hour)} this hour. They are counted apart and call nobody: read them."
        for watch in flooded
    ]
    if len(texts) <= FEW_FLOODS:
        return texts
    return [f"{', '.join(watch.name for watch in flooded)}: most posts of this hour are in other languages. Read them."]


class StatusLine(Sheet):
    """What the desk runs on. What is wrong comes first, in words, and is never cut off by what is well."""

    def __init__(self) -> None:
        super().__init__(id="status-line")

    def show(self, picture: Picture) -> None:
        """Show this moment."""
        troubles = troubles_of(picture)
        self.set_class(bool(troubles), "-trouble")
        few = 2 if len(troubles) <= FEW_TROUBLES else 1
        most = LONE_TROUBLE if len(troubles) == 1 else few
        has_more = troubles or any(source.note for source in picture.sources)
        hint = Content.styled("d: in full" if has_more else "", "$accent")
        lines = [Line(trouble, sign=Content.styled("! ", "bold $error"), most=most) for trouble in troubles]
        self.put(Page([*lines, Line(joined(hint, well(picture, brief=True)), most=few)]))


def troubles_of(picture: Picture) -> list[Content]:
    """Everything that is wrong, a paragraph each."""
    parts = [*_wrong_sources(picture), *_wrong_outputs(picture)]
    if picture.waiting > MANY_WAITING:
        parts.append(f"{picture.waiting:,} mentions wait for the model; what you see is behind")
    return [plain(text) for text in [*picture.troubles, *parts]]


def well(picture: Picture, *, brief: bool = False) -> Content:
    """Everything that runs, in one paragraph; `brief` counts outputs that are live instead of naming many of them."""
    sources = [_source(source, picture) for source in picture.sources]
    live = [output for output in picture.outputs if output.state == "live"]
    live = live if brief and len(live) > FEW_OUTPUTS else []
    named = [output for output in picture.outputs if output not in live]
    outputs = [Content.assemble(plain(o.name, cells=30), f" {o.state}, {o.delivered:,} sent") for o in named]
    if live:
        outputs.append(Content(f"{len(live)} outputs live, {sum(output.delivered for output in live):,} sent"))
    model = plain(f"model {picture.model}" if picture.model else "loading the model", cells=50)
    on_call = plain(f"on call {', '.join(picture.on_call)}" if picture.on_call else "", "$foreground", cells=60)
    return joined(on_call, *sources, model, Content(f"{picture.waiting:,} waiting"), *outputs).stylize_before("$faint")


def _source(source: SourceStatus, picture: Picture) -> Content:
    seen = f" {how_long(picture.now - source.last_event)} ago" if source.last_event and source.state == "live" else ""
    bad = f", {source.bad:,} bad lines" if source.bad else ""
    return Content.assemble(
        plain(source.name, "$foreground", cells=30),
        f" {source.state}{seen}, {source.posts:,} posts, ",
        f"{source.dropped:,} dropped{bad}",
    )


def _wrong_sources(picture: Picture) -> list[str]:
    found = []
    for source in picture.sources:
        silent = picture.now - source.last_event if source.last_event else None
        since = f" for {how_long(silent)}" if silent else ""
        if source.state in {"blind", "failed"}:
            found.append(f"{source.name} is {source.state}{since}. {source.trouble}")
        elif source.trouble:
            found.append(f"{source.name}: {source.trouble}")
        if source.dropped:
            found.append(f"{source.name} dropped {source.dropped:,} posts: the counts are too low")
    return found


def _wrong_outputs(picture: Picture) -> list[str]:
    return [
        _wrong_output(output) for output in picture.outputs if output.trouble or output.state in {"retrying", "failed"}
    ]


def _wrong_output(output: OutputStatus) -> str:
    return f"{output.name} is {output.state}, {output.waiting:,} alerts wait. {output.trouble}"
