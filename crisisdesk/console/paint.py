"""How outside text and meaning become something to draw. Nothing here parses markup, and nothing outside draws strings.

Posts, names and titles are written by strangers. `plain` is the only way from such a string to the screen: it cleans
once more (a remote desk or a hand-made record may not have), never reads markup, and cuts by terminal cells.
"""

from typing import Final

from textual.content import Content

from crisisdesk.records import Incident, Label, Severity
from crisisdesk.text import clean

SHOWN_AT_MOST: Final = 4_000
"""Characters of one outside string that any screen shows; wrapping more would make the console wait."""

BADGE: Final = {
    Severity.NOTICE: "$text on $panel-lighten-2",
    Severity.AMBER: "bold $badge-ink on $warning",
    Severity.RED: "bold $badge-paper on $error",
}
PAST_BADGE: Final = {
    Severity.NOTICE: "$text on $panel",
    Severity.AMBER: "bold $warning on $panel-lighten-2",
    Severity.RED: "bold $error on $panel-lighten-2",
}
"""Of an incident that is not as bad any more."""
INK: Final = {Severity.NOTICE: "$secondary", Severity.AMBER: "$warning", Severity.RED: "$error"}
SIGN: Final = {Label.NEGATIVE: "−", Label.NEUTRAL: "·", Label.POSITIVE: "+"}
MOOD: Final = {Label.NEGATIVE: "$negative", Label.NEUTRAL: "$faint", Label.POSITIVE: "$positive"}


def plain(text: str, style: str = "", cells: int | None = None) -> Content:
    """An outside string as content that can neither be markup nor steer the terminal, at most `cells` wide."""
    content = Content.styled(clean(text, SHOWN_AT_MOST), style)
    return content if cells is None else content.truncate(cells, ellipsis=True)


def badge(severity: Severity, cells: int = 8) -> Content:
    """The severity as a word on its colour, as wide for all three so that what follows lines up."""
    return Content.assemble((f" {severity.name} ".center(cells), BADGE[severity]))


def worst(incident: Incident, cells: int = 8) -> Content:
    """The worst an incident has been, as a word: loud while it is so, quiet once it has eased, plain at its end."""
    if not incident.is_open:
        return Content.styled(incident.worst.name.center(cells), "$faint")
    eased = incident.severity < incident.worst
    style = (PAST_BADGE if eased else BADGE)[incident.worst]
    return Content.assemble((incident.worst.name.center(cells), style))


def joined(*parts: Content, by: str = " · ") -> Content:
    """The parts that hold anything, with a faint sign between them."""
    return Content.styled(by, "$faint").join([part for part in parts if part])
