"""Which addresses hear of a change, besides the machines, which hear of each."""

from crisisdesk.oncall.chain import Orders
from crisisdesk.records import Change, Event, Incident


def audience(change: Change, before: Incident | None, after: Incident, orders: Orders) -> tuple[str, ...]:
    """Names of the addresses that are told of a change.

    Those who were called, and who is asked to take it, hear that somebody has it or that it is over. Who is asked to
    take it hears of that, and whoever has it hears that it is as bad again. A call goes where it was decided that it
    goes.
    """
    if change.event is Event.ASSIGNED and after.assigned_to:
        return tuple(one.name for one in orders.of_person(after.assigned_to))
    if change.event is Event.RAISED and after.acknowledged_by:
        return tuple(one.name for one in orders.of_person(after.acknowledged_by))
    if not change.event.is_all_clear or before is None:
        return change.to
    asked = orders.of_person(before.assigned_to) if before.assigned_to else ()
    return tuple(dict.fromkeys([*before.told, *(one.name for one in asked)]))
