"""Why an incident is one, for a person who has thirty seconds: pages of words and figures, no widgets."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import INK, joined, plain, worst
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.flood import flood_figures, flood_lines
from crisisdesk.console.widgets.page import BLANK, Line, Page, counts_lines, heading, row
from crisisdesk.console.widgets.standing import held, standing_lines
from crisisdesk.oncall.prospect import Prospect
from crisisdesk.records import Evidence, Incident, Kind, Phrase, Quote


def headline_page(incident: Incident, prospect: Prospect, now: datetime, times: Times, zone: tzinfo | None) -> Page:
    """How bad, what, who has it, since when, and why; who is called; what a rare kind means; what time it is there."""
    asides = (words.MEANING[incident.kind], times.elsewhere(zone, now))
    return Page(
        [
            _title(incident, times),
            why_line(incident),
            *standing_lines(incident, prospect, now, times),
            *(Line(Content.styled(text, "$faint")) for text in asides if text),
        ]
    )


def _title(incident: Incident, times: Times) -> Line:
    since = Content.styled(f"began {times.when(incident.opened)}", "$faint")
    return row(
        joined(
            Content.assemble(worst(incident), " ", plain(incident.watch, "bold", cells=40)),
            Content.styled(words.eased(incident), INK[incident.severity]),
            Content.styled(words.kind(incident), "$secondary"),
            by="  ",
        ),
        joined(held(incident, words.holder(incident, times), cells=40), since),
    )


def figures_line(incident: Incident, times: Times) -> Line:
    """The numbers behind the sentence."""
    figures = incident.numbers
    if incident.kind is Kind.BRIGADING:
        return flood_figures(incident, times)
    chance = Content(f"by chance: {words.chance(figures.probability)}")
    if incident.kind is Kind.BLIND:
        return Line(joined(Content(words.silence(figures)), chance).stylize_before("$secondary"), most=2)
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
            chance,
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


def why_line(incident: Incident) -> Line:
    """The reason, to be read aloud."""
    return Line(plain(incident.why, "bold"))


def quote_lines(quote: Quote, times: Times, most: int = 0) -> list[Line]:
    """A post as evidence: why it is shown, who, how far it reaches, how often it was repeated; then its words."""
    about = joined(
        Content(words.ROLES[quote.role] if quote.role else ""),
        plain(quote.author or "unknown", cells=30),
        Content(f"{quote.reach:,} followers" if quote.reach else ""),
        Content.styled(f"{quote.copies:,} copies" if quote.copies > 1 else "", "bold $warning"),
        Content(words.share(quote.negative) + " negative"),
        plain(quote.source, cells=20),
    )
    lines = [
        row(
            Content.assemble(("− ", "bold $negative"), about.stylize_before("$faint")),
            Content.styled(times.lately(quote.time), "$faint"),
        ),
        Line(plain(quote.text), indent=2, most=most),
    ]
    if most:
        return lines
    if quote.url:
        lines.append(Line(plain(quote.url, "$faint"), indent=2, most=1))
    return [*lines, *_judgement_lines(quote)]


def _with_roles_once(quotes: Sequence[Quote]) -> list[Quote]:
    """Why they are shown stands with the first of those that are shown for the same."""
    before = (None, *(quote.role for quote in quotes))
    return [replace(one, role=None) if one.role is last else one for one, last in zip(quotes, before, strict=False)]


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


def glance_page(incident: Incident, times: Times) -> Page:
    """What the main screen says about the selected incident above the chart."""
    return Page([why_line(incident), figures_line(incident, times), BLANK, *next_step_lines(incident)])


def brief_page(incident: Incident) -> Page:
    """The same in few lines, for a small terminal."""
    return Page([*next_step_lines(incident)[:1], why_line(incident)])


def decisive_page(incident: Incident, times: Times) -> Page:
    """What the main screen shows below the chart."""
    evidence = incident.evidence
    if incident.kind is not Kind.SPIKE:
        meaning = Line(Content.styled(words.MEANING[incident.kind], "$faint"))
        return Page([meaning, *([BLANK, *flood_lines(evidence, times)] if incident.kind is Kind.BRIGADING else [])])
    lines = [heading("What sets it apart"), phrases_line(evidence.phrases), BLANK, heading("Decisive posts")]
    for quote in _with_roles_once(evidence.posts[:4]):
        lines += quote_lines(quote, times, most=2)
    return Page(lines)


def evidence_page(incident: Incident, times: Times) -> Page:
    """All of the evidence, section by section, and the reason in German, where there is one."""
    evidence, said = incident.evidence, incident.why_de
    german = [heading("To say in German"), Line(plain(said)), BLANK] if said else []
    if incident.kind is Kind.BLIND:
        return Page(german)
    if incident.kind is Kind.BRIGADING:
        lines = [*flood_lines(evidence, times), *german]
    else:
        lines = [*_phrase_lines(evidence), *german, *_post_lines(evidence, times)]
    lines += counts_lines("Languages, by posts", evidence.languages)
    if apart := words.apart(evidence.other_languages):
        lines += [Line(plain(f"And {apart}, counted apart: they called nobody.", "$faint")), BLANK]
    lines += counts_lines("Sources, by posts", evidence.sources)
    return Page(lines)


def _phrase_lines(evidence: Evidence) -> list[Line]:
    """What a spike is about."""
    phrases = [_phrase_line(phrase) for phrase in evidence.phrases] or [phrases_line(())]
    return [heading("What sets it apart"), *phrases, BLANK]


def _post_lines(evidence: Evidence, times: Times) -> list[Line]:
    """What people say in a spike, and who."""
    lines = [heading("Decisive posts")]
    for quote in _with_roles_once(evidence.posts):
        lines += [*quote_lines(quote, times), BLANK]
    if not evidence.posts:
        lines += [Line(Content.styled("No post was kept.", "$faint")), BLANK]
    lines += _first_lines(evidence, times)
    if evidence.unjudged:
        lines += [heading("Not judged"), Line(Content(words.unjudged(evidence.unjudged))), BLANK]
    return [*lines, *counts_lines(words.voices(evidence.people, evidence.reach), evidence.voices)]


def _first_lines(evidence: Evidence, times: Times) -> list[Line]:
    """Who said it first; where nothing is known to set the posts apart, the first of them."""
    signals = evidence.signals or tuple(filter(None, [evidence.first]))
    lines = [heading("First signals" if evidence.signals else "First post")] if signals else []
    for signal in signals:
        lines += [*quote_lines(signal, times), BLANK]
    return lines


def _phrase_line(phrase: Phrase) -> Line:
    seen = f"{words.people(phrase.posts)}, usually in {words.share(phrase.usual)} of the posts"
    return row(plain(phrase.text, cells=60), Content.styled(seen, "$faint"))
