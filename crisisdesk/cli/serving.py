"""From the [server] table of the configuration to what a running desk answers over HTTP."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from crisisdesk import __version__
from crisisdesk.app import App
from crisisdesk.cli.terminal import say
from crisisdesk.cli.vitals import Attention
from crisisdesk.clock import Clock
from crisisdesk.server.access import Access, Limits
from crisisdesk.server.acting import Acting
from crisisdesk.server.auditing import Auditing
from crisisdesk.server.certificate import Certificate
from crisisdesk.server.changes import Changes
from crisisdesk.server.http import Listener
from crisisdesk.server.looking import House, Looking
from crisisdesk.server.pictures import Pictures
from crisisdesk.server.service import Service
from crisisdesk.server.sharing import overheard, refuse_without_tokens
from crisisdesk.server.site import Site
from crisisdesk.server.tokens import Tokens
from crisisdesk.server.visit import Visit
from crisisdesk.settings import Settings
from crisisdesk.storage.audit import Audit
from crisisdesk.storage.journal import Journal
from crisisdesk.text import clean


def listening(configured: Settings, *, visiting: bool = False) -> Listener:
    """What opens the desk's address.

    Where nobody has said which one, nor sends anything to it, any port will do: commands on this machine find it.

    Args:
        configured: names the address.
        visiting: it is only looked at, and a running desk may have it.
    """
    server = configured.server
    tls = Certificate(server.tls_certificate, server.tls_key) if server.tls_certificate and server.tls_key else None
    if visiting:
        return Visit(server.listen, tls)
    known = "listen" in server.model_fields_set or any(one.kind == "webhook" for one in configured.sources)
    return Listener(server.listen, tls, any_port=not known)


def check_shared(configured: Settings, file: Path, clock: Clock) -> None:
    """Look, before a desk starts, whether its address may be shared; says what may be overheard.

    Raises:
        ConfigurationError: others reach it, and nobody has a token.
    """
    tokens = Tokens(configured.server.tokens_of(configured.desk.database), clock)
    refuse_without_tokens(configured.server, tokens, clean(str(file)))
    if doubt := overheard(configured.server):
        say(f"warning: {doubt}", "warning")


def serving(configured: Settings, listener: Listener, clock: Clock) -> Callable[[App], Service]:
    """What makes the service of a desk, once there is one."""
    server, database = configured.server, configured.desk.database

    def made(app: App) -> Service:
        known = Tokens(server.tokens_of(database), clock)
        known.look()  # before anybody asks: a file that is removed from now on opens nothing
        house = House(
            name=configured.desk.name,
            version=__version__,
            timezone=str(configured.desk.timezone or ""),
            desk=app.desk,
            playbooks=app.playbooks,
            orders=lambda: app.plan.standing.current,
        )
        looking = Looking(house)
        site = Site(
            Access(known, clock, Limits(server.per_minute, server.streams)),
            Auditing(Audit(app.store, partial(app.complain, "audit")), known, clock),
            looking=looking,
            acting=Acting(house, looking, clock),
            changes=Changes(app.register, Journal(app.store), configured.desk.name),
            pictures=Pictures(app.desk),
            vitals=Attention(app),
        )
        return Service(site, listener, database, clock)

    return made
