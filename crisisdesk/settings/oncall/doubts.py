"""What the configuration may say about calls, but is probably not meant: told, and the desk runs all the same."""

from collections.abc import Iterator
from itertools import combinations

from crisisdesk.names import nearly
from crisisdesk.settings.model import Settings
from crisisdesk.settings.oncall.reach import people, ways
from crisisdesk.text import clean


def doubts(settings: Settings) -> Iterator[str]:
    """Rotas by which nobody is called, and people who may be one person, a sentence each with its cure."""
    yield from _unused_rotas(settings)
    yield from _alike(settings)


def uncalled(settings: Settings) -> str:
    """That nobody is called, and where incidents show all the same; empty where somebody is."""
    if ways(settings):
        return ""
    kinds = " and ".join(dict.fromkeys(output.kind for output in settings.outputs))
    shown = f"on consoles and go out by {kinds}" if kinds else "on consoles only"
    return f'Nobody is called: no [[output]] with kind = "notify"; incidents show {shown}.'


def _unused_rotas(settings: Settings) -> Iterator[str]:
    named = {name for chain in settings.chains for step in chain.steps for name in step.tell}
    for rota in settings.rotas:
        if rota.name not in named:
            now = "nobody is called by it" if settings.chains else "everybody is called, whoever is on"
            cure = f'write tell = "{clean(rota.name, 60)}" in a [[chain.step]]'
            yield f'No [[chain]] names [[rota]] "{clean(rota.name, 60)}", so {now}; {cure}.'


def _alike(settings: Settings) -> Iterator[str]:
    """People in different outputs, one letter apart, of whom one is never on call by name."""
    meant = {person for rota in settings.rotas for person in rota.people}
    meant |= {name for chain in settings.chains for step in chain.steps for name in step.tell}
    reached = {way: some for way, some in ways(settings).items() if some}
    for pair in combinations(people(settings), 2):
        together = any(some.issuperset(pair) for some in reached.values())
        idle = [person for person in pair if person not in meant]
        if idle and not together and nearly(*pair):
            one = idle[0]
            other = next(person for person in pair if person != one)
            where = " and ".join(f"'{clean(way, 40)}'" for way, some in reached.items() if one in some)
            alone = f"'{clean(one, 60)}' ({where}) is in no rota and no chain, but '{clean(other, 60)}' is"
            both = f"'{clean(one, 60)}' ({where}) and '{clean(other, 60)}' are two people to the desk"
            said = both if len(idle) > 1 else alone
            yield f"{said}; if they are one, write the name alike everywhere."
