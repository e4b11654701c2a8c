"""Whether the agreed calls can reach anybody: what no table of the configuration can know of by itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches

from crisisdesk.moments import moment_at
from crisisdesk.settings.chain import ChainSettings
from crisisdesk.settings.choice import never_chosen
from crisisdesk.settings.model import Settings
from crisisdesk.settings.notify import NotifyOutput
from crisisdesk.settings.places import Place
from crisisdesk.settings.rota import RotaSettings
from crisisdesk.text import clean

Wrong = Iterator[tuple[Place, str]]
"""Where something is wrong, what, and the cure."""
Ways = Mapping[str, frozenset[str] | None]
"""The people whom each output of kind notify reaches, by its name; None where it is a room."""


def ways(settings: Settings) -> dict[str, frozenset[str] | None]:
    """Whom the outputs reach."""
    found = (output for output in settings.outputs if isinstance(output, NotifyOutput))
    return {output.name: frozenset(output.people) or None for output in found}


def people(settings: Settings) -> tuple[str, ...]:
    """Everybody who has an address, in the order of the alphabet."""
    return tuple(sorted(frozenset().union(*(reached for reached in ways(settings).values() if reached))))


def wrong(settings: Settings) -> Wrong:
    """All that keeps calls from reaching whom they are meant for."""
    reached = ways(settings)
    if not reached and (settings.rotas or settings.chains):
        place = ("chain", 0) if settings.chains else ("rota", 0)
        yield place, 'nobody can be called: there is no [[output]] with kind = "notify"; add one'
        return
    zone: tzinfo = settings.desk.timezone or UTC
    for index, rota in enumerate(settings.rotas):
        yield from _wrong_rota(("rota", index), rota, reached, rota.timezone or zone)
    for index, chain in enumerate(settings.chains):
        yield from _wrong_chain(("chain", index), chain, settings, reached)
    yield from never_chosen(settings)
    for index, event in enumerate(settings.planned):
        place = ("planned", index)
        yield from _unknown((*place, "watch"), "[[planned]]", event.watches, [one.name for one in settings.watches])
        yield from _ends_first((*place, "to"), "[[planned]]", event.start, event.end, zone)


def _wrong_rota(place: Place, rota: RotaSettings, reached: Ways, zone: tzinfo) -> Wrong:
    named = f'"{clean(rota.name, 60)}"'
    known = frozenset().union(*(some for some in reached.values() if some))
    if rota.name in known or rota.name in reached:
        other = "a person" if rota.name in known else "an output"
        yield (*place, "name"), f"[[rota]] {named} is called like {other}; give it a name of its own"
    regular = [person for shift in rota.shifts for person in shift.people]
    for index, shift in enumerate(rota.shifts):
        where = (*place, "shift", index, "people")
        yield from _without_address(where, f"[[rota.shift]] of {named}", shift.people, known)
    for index, swap in enumerate(rota.swaps):
        table, where = f"[[rota.swap]] of {named}", (*place, "swap", index)
        yield from _without_address((*where, "person"), table, (swap.person,), known)
        yield from _ends_first((*where, "to"), table, swap.start, swap.end, zone)
        if swap.instead_of and swap.instead_of not in regular:
            hint = nearest(swap.instead_of, regular)
            said = f"'{clean(swap.instead_of, 60)}' has no shift in {named}"
            yield (*where, "instead_of"), f"'instead_of' in {table}: {said}, so nobody is replaced; {hint}"


def _wrong_chain(place: Place, chain: ChainSettings, settings: Settings, reached: Ways) -> Wrong:
    named = f'"{clean(chain.name, 60)}"'
    heard = [*(one.name for one in settings.watches), *(one.name for one in settings.sources)]
    yield from _unknown((*place, "watches"), f"[[chain]] {named}", chain.watches or (), heard)
    rotas = {rota.name: rota.people for rota in settings.rotas}
    rooms = [name for name, some in reached.items() if some is None]
    everybody = sorted(frozenset().union(*(some for some in reached.values() if some)))
    for index, step in enumerate(chain.steps):
        table, where = f"[[chain.step]] of {named}", (*place, "step", index)
        yield from _unknown((*where, "tell"), table, step.tell, [*everybody, *rotas, *rooms], reached)
        yield from _unknown((*where, "by"), table, step.by, list(reached))
        for room in (way for way in step.by if way in rooms):
            yield (*where, "by"), f"'by' in {table}: '{clean(room, 60)}' is a room; name it in 'tell' to have it told"
        for name in step.tell if step.by and all(reached.get(way) for way in step.by) else ():
            met = frozenset().union(*(reached[way] or () for way in step.by))
            missed = [one for one in rotas.get(name, (name,) if name in everybody else ()) if one not in met]
            if missed:
                who = clean(missed[0], 60) + (f" of {name}" if name in rotas else "")
                ways_there = " or ".join(f"'{way}'" for way, some in reached.items() if some and missed[0] in some)
                cure = f"write {ways_there}" if ways_there else "add an [[output]] that does"
                by = " and ".join(f"'{way}'" for way in step.by)
                yield (*where, "by"), f"'by' in {table}: {by} does not reach {who}; {cure}, or give it an address there"


def _without_address(place: Place, table: str, names: Iterable[str], known: frozenset[str]) -> Wrong:
    for name in dict.fromkeys(names):
        if name not in known:
            near = get_close_matches(name, sorted(known), n=1)
            ways_in = 'give one in an [[output]] with kind = "notify", such as url_env = { "…" = "…" }'
            hint = f"did you mean '{near[0]}'?" if near else ways_in.replace("…", clean(name, 60), 1)
            yield place, f"'{place[-1]}' in {table}: '{clean(name, 60)}' has no address in any output; {hint}"


def _unknown(place: Place, table: str, names: Iterable[str], known: Sequence[str], others: Iterable[str] = ()) -> Wrong:
    """Names that nothing bears; `others` bear a name that cannot stand there."""
    for name in names:
        if name not in known:
            said = "is no room but reaches people by name; name them, or a rota" if name in others else "is unknown"
            hint = "" if name in others else f"; {nearest(name, known)}"
            yield place, f"'{place[-1]}' in {table}: '{clean(name, 60)}' {said}{hint}"


def nearest(name: str, known: Sequence[str]) -> str:
    """What to write instead of a name that nothing bears."""
    by_folded = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), by_folded, n=1)
    if not near:  # a first or a last name alone
        near = [folded for folded in by_folded if name.casefold() in folded.split()][:1]
    if near:
        return f"did you mean '{by_folded[near[0]]}'?"
    some = [f"'{clean(one, 60)}'" for one in list(dict.fromkeys(known))[:8]]
    return f"there are {', '.join(some)}" if some else "there is none"


def _ends_first(place: Place, table: str, start: datetime, end: datetime, zone: tzinfo) -> Wrong:
    if moment_at(end, zone) <= moment_at(start, zone):
        yield place, f"'to' in {table}: {end:%Y-%m-%d %H:%M} is not after 'from', {start:%Y-%m-%d %H:%M}; swap them?"
