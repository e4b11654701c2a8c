"""From the [[output]] of kind notify to the addresses of people and rooms."""

import asyncio
import os

from crisisdesk import settings
from crisisdesk.clock import Clock, WallClock
from crisisdesk.errors import ConfigurationError, CrisisdeskError, OutputError
from crisisdesk.oncall.addresses import Address as Name
from crisisdesk.outputs.people.limit import Limit
from crisisdesk.outputs.people.output import NotifyOutput
from crisisdesk.outputs.people.service import Address
from crisisdesk.outputs.people.texts import Reader
from crisisdesk.records import Foreseen
from crisisdesk.settings import Settings


def addressed(
    configured: Settings, clock: Clock, *, only: str | None = None, whom: str | None = None
) -> list[NotifyOutput]:
    """All addresses of people and rooms, each an output of its own.

    Args:
        configured: names them.
        clock: dates tests.
        only: the output, if not all of them.
        whom: the person, if not everybody.

    Raises:
        ConfigurationError: addresses are not where the settings say; a line for each.
    """
    ways = [one for one in configured.outputs if isinstance(one, settings.NotifyOutput) and only in {None, one.name}]
    meant = [(way, person) for way in ways for person in way.people or (None,) if whom in {None, person}]
    if missing := [said for way, person in meant if (said := way.missing(os.environ, person))]:
        raise ConfigurationError("\n".join(missing))
    return [_output(way, person, configured, clock) for way, person in meant]


def _output(way: settings.NotifyOutput, person: str | None, configured: Settings, clock: Clock) -> NotifyOutput:
    zone = configured.desk.timezone
    reader = Reader(
        way.language_of(person),
        person,
        {watch.name: watch.timezone for watch in configured.watches if watch.timezone},
        **({"zone": zone} if zone else {}),
        link=configured.calling.link,
    )
    name, address = Name(way.name, person).name, Address(*way.reached(person, os.environ))
    return NotifyOutput(name, address, reader=reader, clock=clock, limit=Limit(*way.most))


async def visited(way: settings.NotifyOutput, configured: Settings) -> Foreseen:
    """Look at every address of a way, without telling anybody anything.

    Raises:
        ConfigurationError: an address is not where the settings say.
        OutputError: some of them cannot be told; names each with its cure.
    """
    found = addressed(configured, WallClock(), only=way.name)
    results = await asyncio.gather(*(one.visit() for one in found), return_exceptions=True)
    if unforeseen := next((one for one in results if one and not isinstance(one, CrisisdeskError)), None):
        raise unforeseen
    if wrong := [str(one) for one in results if one]:
        raise OutputError(" ".join(one if one.endswith((".", "?", "!")) else f"{one}." for one in wrong))
    whom = ", ".join(way.people) or "its room"
    return Foreseen(f"knows how to reach {whom}; a test message shows whether it does: crisisdesk oncall --test NAME.")
