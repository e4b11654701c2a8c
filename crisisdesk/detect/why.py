"""Why a spike is one, in a sentence or two that can be read aloud, in English and German. Pure."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from crisisdesk.detect.planned import Planned
from crisisdesk.detect.severity import Ruling
from crisisdesk.records import Numbers, Phrase

NAMED: Final = 3
"""Phrases that a sentence names."""
NEW: Final = 0.02
"""Share of the usual posts below which a phrase is new."""
JOINED: Final = 0.05
"""Others have joined in where the share of negative posts lies so far below the usual,"""
CLEARLY: Final = 2.0
"""and by so many standard errors of a share of so few posts."""
HOUR: Final = 60
DAY: Final = 24 * HOUR
"""Minutes."""
_GAP: Final = "\u00a0"
"""German writes a space before the sign of per cent, at which no line breaks."""


@dataclass(frozen=True, slots=True)
class Why:
    """The same in two languages."""

    en: str
    de: str


@dataclass(frozen=True, slots=True)
class News:
    """Posts of a window that speak of something new, if it was they who tipped the balance."""

    negative: int
    total: int
    phrases: tuple[str, ...] = ()


def why(numbers: Numbers, phrases: Sequence[Phrase] = (), news: News | None = None, besides: Iterable[Why] = ()) -> Why:
    """What there is to say, full stops included.

    Args:
        numbers: the spike's figures.
        phrases: what sets it apart, the most telling first.
        news: what was newly said, where that is what made it a spike.
        besides: further sentences.
    """
    novel = [one.text for one in phrases[:NAMED] if one.usual < NEW] or (list(news.phrases) if news else [])
    named = novel or [one.text for one in phrases[:NAMED]]
    said = [
        Why(_english(numbers, named, news, new=bool(novel)), _german(numbers, named, news, new=bool(novel))),
        *besides,
    ]
    return Why(" ".join(one.en for one in said), " ".join(one.de for one in said))


def urgency(ruling: Ruling, reach: int, networks: int) -> Iterator[Why]:
    """What brings red nearer: speed, followers of those who speak, networks that carry it."""
    if ruling.fast:
        yield Why("It is growing fast.", "Es werden schnell mehr.")
    if ruling.far:
        yield Why(
            f"Those who speak have {reach:,} followers together.",
            f"Die sich äußern, haben zusammen {_dotted(reach)} Follower.",
        )
    if ruling.several:
        yield Why(f"It is spoken of on {networks} networks.", f"Auf {networks} Netzen wird davon gesprochen.")


def during(event: Planned) -> Why:
    """Everybody was expected to speak; not like this."""
    return Why(
        f"This is during the planned event “{event.reason}”: the number of posts is expected, the mood is not.",
        f"Das fällt in das geplante Ereignis „{event.reason}“: So viele reden wie erwartet, aber anders.",
    )


def unheard(missing: Sequence[str], dropped: int) -> Iterator[Why]:
    """What is counted is too little.

    Args:
        missing: sources that cannot be heard at present.
        dropped: posts that were dropped within the last hour, because they came faster than they could be read.
    """
    if missing:
        names = list(missing)
        are = "ist" if len(names) == 1 else "sind"
        yield Why(
            f"{_listed(names, 'and')} cannot be heard at present, so there may be more.",
            f"{_listed(names, 'und')} {are} zurzeit nicht zu hören, es können mehr sein.",
        )
    if dropped:
        posts, were = ("1 post", "was") if dropped == 1 else (f"{dropped:,} posts", "were")
        kamen, wurden = ("kam 1 Beitrag", "wurde") if dropped == 1 else (f"kamen {_dotted(dropped)} Beiträge", "wurden")
        yield Why(
            f"Within the last hour {posts} came too fast to be read and {were} dropped, so there may be more.",
            f"In der letzten Stunde {kamen} zu schnell, um gelesen zu werden, und {wurden} verworfen; "
            "es können mehr sein.",
        )


def _english(numbers: Numbers, named: list[str], news: News | None, *, new: bool) -> str:
    posts = "1 negative post" if numbers.negative == 1 else f"{numbers.negative:,} negative posts"
    people = {0: "", 1: " by one person"}.get(numbers.authors, f" by {numbers.authors:,} people")
    number = f"{posts}{people} within {span(numbers.window_minutes)}, {_usual_en(numbers.expected)}"
    share = f"{_percent(numbers.negative_share)}% of all posts are negative, usually {_percent(numbers.usual_share)}%"
    said = [f"{number}; {share}."]
    if _others_joined(numbers, news):
        said.append("Others have joined in by now; it is the number of angry people that keeps it up.")
    if named:
        talk = _listed([f"“{phrase}”" for phrase in named], "and")
        said.append(f"{'New is' if new else 'Above all there is'} talk of {talk}{_share_en(news)}.")
    return " ".join(said)


def _german(numbers: Numbers, named: list[str], news: News | None, *, new: bool) -> str:
    posts = "1 negativer Beitrag" if numbers.negative == 1 else f"{_dotted(numbers.negative)} negative Beiträge"
    people = {0: "", 1: " von einem Menschen"}.get(numbers.authors, f" von {_dotted(numbers.authors)} Menschen")
    number = f"{posts}{people} innerhalb {_span_de(numbers.window_minutes)}, {_usual_de(numbers.expected)}"
    here, usual = (f"{_percent(one)}{_GAP}%" for one in (numbers.negative_share, numbers.usual_share))
    share = f"{here} aller Beiträge sind negativ, sonst {usual}"
    said = [f"{number}; {share}."]
    if _others_joined(numbers, news):
        said.append("Inzwischen reden auch andere mit; was anhält, ist die große Zahl der Verärgerten.")
    if named:
        talk = _listed([f"„{phrase}“" for phrase in named], "und")
        said.append(f"{'Neu ist die Rede' if new else 'Vor allem ist die Rede'} von {talk}{_share_de(news)}.")
    return " ".join(said)


def _others_joined(numbers: Numbers, news: News | None) -> bool:
    """Whether the crowd has become clearly calmer than usual, though it takes one that is not to begin a spike.

    Where something new tipped the balance, the crowd around it is as it always was.
    """
    usual = numbers.usual_share
    error = math.sqrt(usual * (1 - usual) / max(numbers.total, 1))
    return news is None and usual - numbers.negative_share > max(JOINED, CLEARLY * error)


def span(minutes: int) -> str:
    """A window in words: "15 minutes", "one hour", "12 hours", "2 days"."""
    number, unit = _unit(minutes)
    return f"one {unit}" if number == 1 else f"{number} {unit}s"


def _span_de(minutes: int) -> str:
    """The same after "innerhalb"."""
    number, unit = _unit(minutes)
    if number == 1:
        return {"minute": "einer Minute", "hour": "einer Stunde", "day": "eines Tages"}[unit]
    return f"von {number} {({'minute': 'Minuten', 'hour': 'Stunden', 'day': 'Tagen'})[unit]}"


def _unit(minutes: int) -> tuple[int, str]:
    if minutes % DAY == 0 and minutes > DAY:
        return minutes // DAY, "day"
    return (minutes, "minute") if minutes % HOUR else (minutes // HOUR, "hour")


def _usual_en(expected: float) -> str:
    number = round(expected)
    return f"where {number:,} {'is' if number == 1 else 'are'} usual" if number else "where hardly any are usual"


def _usual_de(expected: float) -> str:
    number = round(expected)
    if number <= 1:
        return "üblich ist einer" if number else "üblich ist kaum einer"
    return f"üblich sind {_dotted(number)}"


def _share_en(news: News | None) -> str:
    return f"; {news.negative:,} of these {news.total:,} posts are negative" if news else ""


def _share_de(news: News | None) -> str:
    return f"; {_dotted(news.negative)} dieser {_dotted(news.total)} Beiträge sind negativ" if news else ""


def _percent(share: float) -> str:
    """A share between 0 and 1, in hundredths."""
    return f"{share * 100:.0f}"


def _dotted(number: int) -> str:
    return f"{number:,}".replace(",", ".")


def _listed(names: list[str], last: str) -> str:
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
