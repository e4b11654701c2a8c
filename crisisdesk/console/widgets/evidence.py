"""Why an incident is one, for a person who has thirty seconds: pages of words and figures, no widgets."""

from collections.abc import Iterable
from datetime import datetime

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import badge, joined, plain
from crisisdesk.console.widgets.page import Line, Page, row
from crisisdesk.records import Evidence, Incident, Kind, Phrase, Quote, State

BLANK = Line(Content())


def heading(text: str) -> Line:
    """The title of a section."""
    return Line(Content.styled(text, "bold $primary"))


def title_lines(incident: Incident, now: datetime) -> list[Line]:
    """How bad, what, who has it, since when."""
    loud = "bold $warning" if incident.state is State.OPEN else "$success"
    since = Content.styled(f"began {words.when(incident.opened)}", "$faint")
    return [
        row(
            Content.assemble(badge(incident.severity), " ", plain(incident.watch, "bold", cells=40)),
            joined(plain(words.holder(incident, now), loud, cells=40), since),
        )
    ]


def figures_line(incident: Incident) -> Line:
    """The numbers behind the sentence."""
    figures = incident.numbers
    return Line(
        joined(
            Content.assemble(
                (f"{figures.negative:,}", "bold"),
                f" of {figures.total:,} posts in {words.window(figures.window_minutes)}",
                f", usual {words.usual(figures.expected)}",
            ),
            Content.styled(words.people(figures.authors), "bold"),
            Content.assemble(
                (words.share(figures.negative_share), "bold"), f" negative, usual {words.share(figures.usual_share)}"
            ),
            Content(f"by chance: {words.chance(figures.probability)}"),
        ).stylize_before("$secondary"),
        most=2,
    )


def next_step_lines(incident: Incident) -> list[Line]:
    """What to do now: the first open step of the playbook that fits, and why this one."""
    book = incident.playbook
    if book is None:
        return [Line(Content.styled("No playbook fits; write one in playbooks/.", "$faint"))]
    return [
        Line(
            plain(book.next_step or "All steps are done.", "bold"),
            sign=Content.styled("▶ Next  ", "bold $accent"),
            most=2,
        ),
        Line(joined(plain(f"Playbook: {book.title}"), plain(book.reason)).stylize_before("$faint"), indent=8, most=2),
    ]


def why_line(incident: Incident, most: int = 0) -> Line:
    """The reason in one sentence."""
    return Line(plain(incident.why, "bold"), most=most)


def quote_lines(quote: Quote, most: int = 0) -> list[Line]:
    """A post as evidence: who, how far it reaches, how often it was repeated; then its words."""
    about = joined(
        plain(quote.author or "unknown", cells=30),
        Content(f"{quote.reach:,} followers" if quote.reach else ""),
        Content.styled(f"{quote.copies:,} copies" if quote.copies > 1 else "", "bold $warning"),
        Content(words.share(quote.negative) + " negative"),
        plain(quote.source, cells=20),
    )
    lines = [
        row(
            Content.assemble(("− ", "bold $negative"), about.stylize_before("$faint")),
            Content.styled(words.lately(quote.time), "$faint"),
        ),
        Line(plain(quote.text), indent=2, most=most),
    ]
    if most:
        return lines
    if quote.url:
        lines.append(Line(plain(quote.url, "$faint"), indent=2, most=1))
    return [*lines, *_judgement_lines(quote)]


def _judgement_lines(quote: Quote) -> list[Line]:
    """The three probabilities and what gave them; nothing for a post from before they were kept."""
    if quote.neutral is None or quote.positive is None:
        return []
    moods = {"negative": quote.negative, "neutral": quote.neutral, "positive": quote.positive}
    parts = [Content(f"{mood} {probability:.2f}") for mood, probability in moods.items()]
    return [Line(joined(*parts, plain(quote.model)).stylize_before("$faint"), indent=2, most=2)]


def phrases_line(phrases: Iterable[Phrase]) -> Line:
    """What the posts have in common that others have not."""
    parts = [Content.assemble(plain(p.text, "bold", cells=40), (f" {p.posts:,}×", "$faint")) for p in phrases]
    return Line(joined(*parts, by="   ") if parts else Content.styled("No phrase stands out.", "$faint"))


def glance_page(incident: Incident) -> Page:
    """What the main screen says about the selected incident above the chart."""
    figures = [] if incident.kind is Kind.BLIND else [figures_line(incident)]
    return Page([why_line(incident), *figures, BLANK, *next_step_lines(incident)])


def brief_page(incident: Incident) -> Page:
    """The same in few lines, for a small terminal."""
    return Page([*next_step_lines(incident)[:1], why_line(incident, most=2)])


def decisive_page(incident: Incident) -> Page:
    """What the main screen shows below the chart."""
    evidence = incident.evidence
    lines = [heading("What sets it apart"), phrases_line(evidence.phrases), BLANK, heading("Decisive posts")]
    for quote in evidence.posts[:4]:
        lines += quote_lines(quote, most=2)
    return Page(lines)


def evidence_page(evidence: Evidence) -> Page:
    """All of the evidence, section by section."""
    lines = [heading("What sets it apart")]
    lines += [_phrase_line(phrase) for phrase in evidence.phrases] or [phrases_line(())]
    lines += [BLANK, heading("Decisive posts")]
    for quote in evidence.posts:
        lines += [*quote_lines(quote), BLANK]
    if not evidence.posts:
        lines += [Line(Content.styled("No post was kept.", "$faint")), BLANK]
    if evidence.first:
        lines += [heading("First post"), *quote_lines(evidence.first), BLANK]
    if evidence.unjudged:
        lines += [heading("Not judged"), Line(Content(words.unjudged(evidence.unjudged))), BLANK]
    lines += _counts("Voices, by followers", evidence.voices)
    lines += _counts("Languages, by posts", evidence.languages)
    if apart := words.apart(evidence.other_languages):
        lines += [Line(plain(f"And {apart}, counted apart: they called nobody.", "$faint")), BLANK]
    lines += _counts("Sources, by posts", evidence.sources)
    return Page(lines)


def _phrase_line(phrase: Phrase) -> Line:
    seen = f"in {phrase.posts:,} posts, usually in {words.share(phrase.usual)}"
    return row(plain(phrase.text, cells=60), Content.styled(seen, "$faint"))


def _counts(title: str, counts: Iterable[tuple[str, int]]) -> list[Line]:
    parts = [Content.assemble(plain(name, cells=30), (f" {count:,}", "$faint")) for name, count in counts]
    return [heading(title), Line(joined(*parts, by="   ")), BLANK] if parts else []
