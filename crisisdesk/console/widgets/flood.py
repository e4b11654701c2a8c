"""What there is to know of a flood: who repeats what, since when, and what everybody else says meanwhile."""

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import joined, plain
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.page import BLANK, Line, counts_lines, heading, row
from crisisdesk.records import Evidence, Incident, Quote


def flood_figures(incident: Incident, times: Times) -> Line:
    """A flood's numbers; its accounts are no people, and chance explains nobody's doing."""
    figures, first = incident.numbers, incident.evidence.first
    others = words.posts(figures.total - figures.negative)
    parts = joined(
        Content.assemble(
            (words.posts(figures.negative), "bold"), " by ", (words.accounts(figures.authors), "bold"),
            f" in {words.window(figures.window_minutes)}",
        ),
        Content(f"from everybody else: {others}"),
        Content(f"first copy {times.lately(first.time)}" if first else ""),
    )  # fmt: skip
    return Line(parts.stylize_before("$secondary"), most=2)


def flood_lines(evidence: Evidence, times: Times) -> list[Line]:
    """Each text once with the number of its copies, then the accounts."""
    lines = [heading("What is repeated")]
    for quote in evidence.posts:
        lines += [*_copied_lines(quote, times), BLANK]
    if not evidence.posts:
        lines += [Line(Content.styled("No post was kept.", "$faint")), BLANK]
    return [*lines, *counts_lines("Accounts behind it, with their followers", evidence.voices)]


def _copied_lines(quote: Quote, times: Times) -> list[Line]:
    about = joined(
        Content.styled(f"{quote.copies:,} times" if quote.copies > 1 else "once", "bold $warning"),
        plain(f"first by {quote.author or 'an unknown account'}", cells=40),
        plain(quote.source, cells=20),
    ).stylize_before("$faint")
    since = Content.styled(f"from {times.lately(quote.time)}", "$faint")
    lines = [row(about, since), Line(plain(quote.text), indent=2)]
    return [*lines, Line(plain(quote.url, "$faint"), indent=2, most=1)] if quote.url else lines
