"""What every word and sign on the screens means, for a night on which nobody can be asked."""

from collections.abc import Mapping
from typing import Final

from textual.content import Content

from crisisdesk.console.paint import INK, MOOD
from crisisdesk.console.widgets.page import BLANK, Line, heading
from crisisdesk.desk import LEARNS_DAYS
from crisisdesk.records import Label, Severity

SEVERITIES: Final = {
    "RED": "call someone now (ROT)",
    "AMBER": "look within the hour (GELB)",
    "NOTICE": "for the record, calls nobody (HINWEIS)",
    "RED now NOTICE": "it was red at its worst and has eased; it ends when it has been calm for three hours",
    "nobody has it": "nobody has pressed a yet; unclaimed counts such incidents",
    "called 03:10": "the desk has called people, then for the last time, and waits for an answer",
    "NOBODY HAS ANSWERED": "all were called as often as agreed; who has it presses a",
    "Ben is asked": "it was handed over to Ben, who has it when he presses a",
    "silent until": "nobody is called for it until then, or until it gets worse; s lifts that",
    "over": "it has ended, by itself or by r; behind it the verdict",
}
KINDS: Final = {
    "BRIGADING": "a few accounts repeat themselves, or many people one text; in all other figures copies count once",
    "BLIND": "a source, or an account of ours, has been silent for longer than is plausible; anger may go unseen",
}
WATCHES: Final = {
    "this hour": "negative posts of the last 60 minutes; of one author at most two an hour count, copies count once",
    "usual": "what this watch has at this hour on ordinary days",
    "by chance": "how likely so many complaints would be on an ordinary day",
    "▁▃█": "negative posts an hour; coloured where there are more than is usual",
    "+34 fr, es": "posts in languages that do not count for the watch; they call nobody, so read them",
    "over 14:02, goes on": "somebody said at 14:02 that it is over; it calls again when it clearly gets worse",
    "learning": f"a new watch; until it knows {LEARNS_DAYS} days only what stands out more clearly calls somebody",
    "no post yet": "the desk listens, and nobody has written a word of it; check its terms",
    "rising": "the negative share has grown over weeks; enter on the watch shows them",
    "overspends": "more false alarms than its budget allows; enter on the watch says what to change",
}
SIGNS: Final = {
    "− · +": "a negative, neutral or positive post, as the model judged it",
    "▲ ✓": "on the chart: the incident began, somebody took it",
    "▶ □": "in a playbook: the next step, a step",
    "{{name}}": "in a statement: fill this in before it goes out",
}
ANSWERS: Final = {
    "waiting": "a post that speaks to the brand, asks something, or complains in front of very many; it calls nobody",
    "taken": "somebody answers it; if they do not within two hours, it waits again",
    "passed over": "somebody has decided that it gets no answer",
    "missed": "posts that nobody looked at in three days, or of which more came than people could answer",
}
DESK: Final = {
    "waiting": "posts that have come in and are not judged yet",
    "on call": "who is called first, by the rota",
    "dropped": "posts that were lost because too many came at once: the figures are too low",
}


def legend_lines(zone: str) -> list[Line]:
    """Everything, by where it stands; `zone` is what the console's time zone is called."""
    return [
        *_section("Incidents", SEVERITIES | KINDS),
        *_section("Watches and charts", WATCHES),
        *_section("Answers (w)", ANSWERS),
        *_section("Signs", SIGNS),
        *_section("The line at the bottom", DESK),
        Line(Content.styled(f"All times are {zone}.", "$faint")),
    ]


def _section(title: str, meanings: Mapping[str, str]) -> list[Line]:
    return [heading(title), *(_meaning(word, meaning) for word, meaning in meanings.items()), BLANK]


def _meaning(word: str, meaning: str) -> Line:
    sign = Content.styled(f"{word:>14}  ", f"bold {_ink(word)}")
    return Line(Content.styled(meaning, "$faint"), sign=sign)


def _ink(word: str) -> str:
    severities = {severity.name: INK[severity] for severity in Severity}
    return severities.get(word, MOOD[Label.NEUTRAL] if word == "over" else "$accent")
