"""Which [[chain]] calls for which incidents, and for which none does."""

from collections.abc import Iterator, Sequence
from typing import Final

from crisisdesk.records import Kind, Severity, is_for
from crisisdesk.settings.model import Settings
from crisisdesk.settings.oncall.chain import CALLING
from crisisdesk.settings.places import Place
from crisisdesk.text import clean

OTHERS: Final = "\0"
"""Stands for all watches, or sources, that no chain names."""
Case = tuple[str, Kind, Severity]
"""An incident's watch, kind and severity."""


def cases(settings: Settings) -> list[Case]:
    """Every incident that can call somebody, as far as chains tell them apart; `OTHERS` for watches that none names."""
    watches = [one.name for one in settings.watches]
    named = {name for chain in settings.chains for name in chain.watches or ()}
    spoken_of = [name for name in watches if name in named] + [OTHERS] * any(name not in named for name in watches)
    deaf = [one.name for one in settings.sources if one.name in named] + [OTHERS]
    found: list[Case] = []
    for severity in sorted(CALLING.values(), reverse=True):
        found += [(watch, Kind.SPIKE, severity) for watch in spoken_of]
        found += [(source, Kind.BLIND, severity) for source in deaf]
        if severity < Severity.RED:  # a flood of copies is never red
            found += [(watch, Kind.BRIGADING, severity) for watch in spoken_of]
    return found


def chosen(settings: Settings, case: Case) -> int | None:
    """Which chain calls for such an incident; None for none."""
    return next((index for index, chain in enumerate(settings.chains) if is_for(chain, *case)), None)


def never_chosen(settings: Settings) -> Iterator[tuple[Place, str]]:
    """Chains that stand behind others which are for all that they are for."""
    found = {chosen(settings, case) for case in cases(settings)}
    heard = {one.name for one in (*settings.watches, *settings.sources)}
    for index, chain in enumerate(settings.chains):
        if index not in found and heard.issuperset(chain.watches or ()) and heard:
            named = f'[[chain]] "{clean(chain.name, 60)}"'
            cure = "put it before them, or take it out"
            yield ("chain", index), f"{named} never calls: those before it are for all that it is for; {cure}"


def uncovered(settings: Settings) -> Iterator[tuple[Severity, str]]:
    """For which severities no chain calls anybody, with a sentence of what to do."""
    every = cases(settings)
    for severity in sorted(CALLING.values(), reverse=True) if settings.chains else ():
        missing = [case for case in every if case[2] is severity and chosen(settings, case) is None]
        if missing:
            yield severity, f"No [[chain]] is for {whose(missing, every)}: nobody is called; add one, or widen one."


def whose(some: Sequence[Case], every: Sequence[Case]) -> str:
    """Of which watches and kinds some incidents of one severity are, as short as it is clear.

    Args:
        some: the incidents.
        every: all that there are, of this severity and others.
    """
    severity = some[0][2]
    article = "an" if severity is Severity.AMBER else "a"
    alike = [case for case in every if case[2] is severity]
    if len(some) == len(alike):
        return f"{article} {severity} incident"
    parts: list[str] = []
    for label in dict.fromkeys(_label(case, alike) for case in some):
        kinds = [str(case[1]) for case in some if _label(case, alike) == label]
        only = "" if len(kinds) == sum(_label(case, alike) == label for case in alike) else f" ({', '.join(kinds)})"
        parts.append(label + only)
    return f"{article} {severity} incident of {', of '.join(parts)}"


def _label(case: Case, every: Sequence[Case]) -> str:
    watch, kind, _ = case
    if watch != OTHERS:
        return clean(watch, 40)
    if kind is Kind.BLIND:
        return (
            "other sources" if any(one != OTHERS and what is Kind.BLIND for one, what, _ in every) else "blind sources"
        )
    return "other watches" if any(one != OTHERS and what is not Kind.BLIND for one, what, _ in every) else "any watch"
