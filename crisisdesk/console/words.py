"""Figures in the words that a person says: ages, counts, shares, chances, who has it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.console.times import Times
from crisisdesk.records import Chosen, Event, Incident, Kind, Numbers, State
from crisisdesk.text import how_long

DAY_MINUTES: Final = 24 * 60

ROLES: Final = {Chosen.TYPICAL: "typical", Chosen.WIDEST: "widest reach", Chosen.NEWEST: "newest"}
"""Why a post is shown."""
MEANING: Final = {
    Kind.SPIKE: "",
    Kind.BLIND: (
        "BLIND: a source of posts, or an account of ours, has been silent for longer than is plausible. A quiet list "
        "is no good news until it is heard again; this ends by itself then."
    ),
    Kind.BRIGADING: (
        "BRIGADING: a few accounts repeat themselves to look like a crowd, or many people repeat one text. In all "
        "other figures copies count once; a crowd with words of its own would be an incident of its own."
    ),
}
"""What the kind of an incident means, for who has never met the word."""
EVENTS: Final = {
    Event.ASSIGNED: "handed over",
    Event.SILENCED: "silence",
    Event.UNANSWERED: "NOBODY HAS ANSWERED",
    Event.LAPSED: "free again",
}
"""What happened to an incident, where the word of the record is not what people say."""


def window(minutes: int) -> str:
    """A window's length: `60 min`, `6 h`, `3 d`."""
    if minutes % DAY_MINUTES == 0:
        return f"{minutes // DAY_MINUTES} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 and minutes > 60 else f"{minutes} min"


def usual(count: float) -> str:
    """An expected count: whole from three on, with one digit below, so that 0.4 does not read as none."""
    return f"{count:,.0f}" if count >= 3 or count == round(count) else f"{count:.1f}"


def share(fraction: float) -> str:
    """A share between 0 and 1: `62 %`."""
    return f"{fraction * 100:.0f} %"


def people(count: int) -> str:
    """`1 person`, `71 people`."""
    return "1 person" if count == 1 else f"{count:,} people"


def accounts(count: int) -> str:
    """`1 account`, `9 accounts`: who is behind a flood may be no people."""
    return "1 account" if count == 1 else f"{count:,} accounts"


def posts(count: int) -> str:
    """`1 post`, `300 posts`."""
    return "1 post" if count == 1 else f"{count:,} posts"


def voices(crowd: int, reach: int) -> str:
    """Whose followers follow: `Voices of 71 people, 48,200 followers together`; older evidence does not say."""
    return f"Voices of {people(crowd)}, {reach:,} followers together" if crowd else "Voices, by followers"


def unjudged(count: int) -> str:
    """What became of posts that the model could not judge."""
    posts = "1 post counts" if count == 1 else f"{count:,} posts count"
    return f"{posts} as neutral because the model failed on {'it' if count == 1 else 'them'}."


def chance(probability: float) -> str:
    """How likely chance alone explains it: `1 in 2,000`, from one in a billion on no more digits."""
    if probability < 1e-9:
        return "less than 1 in a billion"
    if probability >= 0.5:
        return "likely"
    odds = 1 / probability
    step = 10 ** max(0, len(str(int(odds))) - 1)
    return f"1 in {max(2, round(odds / step) * step):,}"


def numbers(figures: Numbers) -> str:
    """The one line that names a spike's size: `84 negative by 71 people in 60 min, usual 6`."""
    return (
        f"{figures.negative:,} negative by {people(figures.authors)} in {window(figures.window_minutes)}, "
        f"usual {usual(figures.expected)}"
    )


def languages(counts: Iterable[tuple[str, int]], most: int = 5) -> str:
    """Posts by language: `fr 20, es 14`; the first `most`, then how many there are in others."""
    ranked = list(counts)
    rest = sum(count for _, count in ranked[most:])
    named = [f"{language} {count:,}" for language, count in ranked[:most]]
    return ", ".join([*named, f"others {rest:,}"] if rest else named)


def apart(counts: Sequence[tuple[str, int]]) -> str:
    """`34 posts in other languages (fr 20, es 14)`; empty where there are none."""
    total = sum(count for _, count in counts)
    posts = "1 post in another language" if total == 1 else f"{total:,} posts in other languages"
    return f"{posts} ({languages(counts)})" if total else ""


def silence(figures: Numbers) -> str:
    """How long it is, and how much is missing: `silent for 2 h 14 min, in which 1,340 posts or more are usual`."""
    long, usually = how_long(timedelta(minutes=figures.window_minutes)), round(figures.expected)
    if usually < 1:
        return f"silent for {long}"
    return f"silent for {long}, in which {'1 post is' if usually == 1 else f'{usually:,} posts or more are'} usual"


def headline(incident: Incident) -> str:
    """What an incident is about, in one line: a spike's numbers, of others the reason without its comparison."""
    return numbers(incident.numbers) if incident.kind is Kind.SPIKE else incident.why.partition("; ")[0]


def kind(incident: Incident) -> str:
    """What is not the usual kind of incident, a spike, says so: `BRIGADING`."""
    return "" if incident.kind is Kind.SPIKE else incident.kind.upper()


def eased(incident: Incident) -> str:
    """What an open incident has eased to from its worst: `now NOTICE`; empty for one that is as bad as ever."""
    return f"now {incident.severity.name}" if incident.is_open and incident.severity < incident.worst else ""


def is_unanswered(incident: Incident) -> bool:
    """Whether all were called as often as agreed and nobody has answered."""
    return incident.state is State.OPEN and incident.calling is not None and incident.calling.exhausted


def stays_over(incident: Incident) -> str:
    """What becomes of an incident that a person ends while it goes on."""
    if incident.kind is Kind.BLIND:
        return "While the same silence goes on it stays over; it calls again when it gets worse, or when it comes back."
    return (
        "While the same wave goes on it stays over; it calls again when it clearly gets worse, or when it has been "
        "calm and comes back."
    )


def alarm(incident: Incident) -> str:
    """What the console calls out when an incident needs somebody: `RED Motrin`, `RED Motrin: NOBODY HAS ANSWERED`."""
    named = f"{incident.severity.name} {incident.watch}"
    return f"{named}: NOBODY HAS ANSWERED" if is_unanswered(incident) else named


def holder(incident: Incident, times: Times) -> str:
    """Who has it and since when (`nobody has it`, `✓ anna has it since 19:24`), or what it was (`over: real`)."""
    if incident.state is State.RESOLVED:
        return f"over: {incident.verdict or 'no verdict'}"
    if is_unanswered(incident):
        return "NOBODY HAS ANSWERED"
    if incident.state is State.OPEN:
        return "nobody has it"
    since = f" since {times.clock(incident.acknowledged_at)}" if incident.acknowledged_at else ""
    return f"✓ {incident.acknowledged_by or 'somebody'} has it{since}"


def standing(incident: Incident, now: datetime, times: Times) -> str:
    """What is to be known of it besides, in a few words: `✓ anna has it, silent until 08:00`, `called 03:10, …`."""
    quiet = incident.silence if incident.is_silent(now) else None
    silent = [f"silent until {times.said(quiet.until, now)}"] if quiet else []
    asked = [f"{incident.assigned_to} is asked"] if incident.is_open and incident.assigned_to else []
    has = holder(incident, times)
    if incident.state is not State.OPEN or is_unanswered(incident):
        return ", ".join([has.partition(" since ")[0], *silent, *asked] if silent or asked else [has])
    called = [f"called {times.said(incident.calling.at, now)}, no answer yet"] if incident.calling else []
    return ", ".join([*(silent or called or [has]), *asked])
