"""Whether the agreed calls can reach anybody: what no table of the configuration can know of by itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from crisisdesk.moments import moment_at
from crisisdesk.names import folded, near_to, nearest
from crisisdesk.settings.model import Settings
from crisisdesk.settings.notify import NotifyOutput
from crisisdesk.settings.oncall.chain import ChainSettings
from crisisdesk.settings.oncall.choice import never_chosen
from crisisdesk.settings.oncall.rota import RotaSettings, never_counts
from crisisdesk.settings.places import Place
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
    yield from _wrong_names(settings)
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


def _wrong_names(settings: Settings) -> Wrong:
    """One person in two spellings, who would be two people; and outputs that are called like a person."""
    first: dict[str, tuple[str, str]] = {}
    for index, output in enumerate(settings.outputs):
        if not isinstance(output, NotifyOutput):
            continue
        for person in output.people:
            known, elsewhere = first.setdefault(folded(person), (person, output.name))
            if known != person:
                key = "url_env" if output.url_env else "url_file"
                said = f"'{clean(person, 60)}' is '{clean(known, 60)}' in [[output]] \"{clean(elsewhere, 60)}\""
                table = f"'{key}' in [[output]] \"{clean(output.name, 60)}\""
                yield ("output", index, key), f"{table}: {said}; write the name alike everywhere"
    for index, output in enumerate(settings.outputs):
        if same := first.get(folded(output.name)):
            named = f'[[output]] "{clean(output.name, 60)}"'
            yield (
                ("output", index, "name"),
                f"{named} is called like a person, '{same[0]}'; give it a name of its own",
            )


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
        if never_counts(rota.shifts, index):
            said = "never counts: those before it are for all of its hours"
            yield where[:-1], f"[[rota.shift]] {index + 1} of {named} {said}; put it before them, or take it out"
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
            missed = [one for one in rotas.get(name, (name,)) if one in everybody and one not in met]
            if missed:
                who = clean(missed[0], 60) + (f" of {name}" if name in rotas else "")
                ways_there = " or ".join(f"'{way}'" for way, some in reached.items() if some and missed[0] in some)
                cure = f"write {ways_there}" if ways_there else "add an [[output]] that does"
                by = " and ".join(f"'{way}'" for way in step.by)
                yield (*where, "by"), f"'by' in {table}: {by} does not reach {who}; {cure}, or give it an address there"


def _without_address(place: Place, table: str, names: Iterable[str], known: frozenset[str]) -> Wrong:
    for name in dict.fromkeys(names):
        if name not in known:
            near = near_to(name, sorted(known))
            ways_in = 'give one in an [[output]] with kind = "notify", such as url_env = { "…" = "…" }'
            hint = f"did you mean '{near}'?" if near else ways_in.replace("…", clean(name, 60), 1)
            yield place, f"'{place[-1]}' in {table}: '{clean(name, 60)}' has no address in any output; {hint}"


def _unknown(place: Place, table: str, names: Iterable[str], known: Sequence[str], others: Iterable[str] = ()) -> Wrong:
    """Names that nothing bears; `others` bear a name that cannot stand there."""
    for name in names:
        if name not in known:
            said = "is no room but reaches people by name; name them, or a rota" if name in others else "is unknown"
            hint = "" if name in others else f"; {nearest(name, known)}"
            yield place, f"'{place[-1]}' in {table}: '{clean(name, 60)}' {said}{hint}"


def _ends_first(place: Place, table: str, start: datetime, end: datetime, zone: tzinfo) -> Wrong:
    if moment_at(end, zone) <= moment_at(start, zone):
        yield place, f"'to' in {table}: {end:%Y-%m-%d %H:%M} is not after 'from', {start:%Y-%m-%d %H:%M}; swap them?"
