"""Who sits at a desk, and whether it calls anybody at all: said before it runs."""

from crisisdesk.cli.standing import StandingOrders
from crisisdesk.cli.terminal import say
from crisisdesk.errors import UsageError
from crisisdesk.names import folded, nearest, nearly
from crisisdesk.oncall.chain import Orders
from crisisdesk.plan import Plan
from crisisdesk.settings.oncall.doubts import uncalled
from crisisdesk.text import clean


def seated(name: str, orders: Orders, option: str = "--as") -> str:
    """Who sits here, as the outputs and rotas spell it; `option` is where the name was written.

    Raises:
        UsageError: the name is a letter away from one that they know.
    """
    in_rotas = (person for rota in orders.rotas.values() for person in rota.people())
    known = list(dict.fromkeys([*(one.person for one in orders.addresses if one.person), *in_rotas]))
    if not name.strip() or not known:
        return name
    unknown = f"{option}: '{clean(name, 60)}' is in no output and no rota"
    near = min((one for one in known if nearly(one, name)), key=lambda one: folded(one) != folded(name), default=None)
    if near is None:
        say(f"{unknown} ({nearest(name, known)}); it is taken as it stands.")
        return name
    if folded(near) != folded(name):
        raise UsageError(f"{unknown}; did you mean '{clean(near, 60)}'?")
    return near


def tell_uncalled(plan: Plan) -> None:
    """Say that a desk at which nobody sits calls nobody either, where that is so."""
    if isinstance(plan.standing, StandingOrders) and (said := uncalled(plan.standing.settings)):
        say(said)
