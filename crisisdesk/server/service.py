"""The desk's site, kept open while the desk runs, and findable by commands on the same machine."""

import asyncio
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError, SourceError, StorageError
from crisisdesk.retry import delays
from crisisdesk.server.http import Listener
from crisisdesk.server.presence import Presence, local_url, present
from crisisdesk.server.site import Site


class Service:
    """Keeps a site open.

    Args:
        site: the desk's.
        listener: on its address.
        database: beside which the desk says that it runs.
        clock: tells since when.
        waits: seconds between attempts, where another programme is in the way or the network is not there.
    """

    def __init__(
        self, site: Site, listener: Listener, database: Path, clock: Clock, waits: Iterable[float] | None = None
    ) -> None:
        self._site = site
        self._listener = listener
        self._database = database
        self._clock = clock
        self._waits = delays(most=10.0) if waits is None else waits
        self._trouble = ""
        self._is_open = False
        listener.offer(site)

    @property
    def trouble(self) -> str:
        """Why the desk cannot be reached, and what to do; empty while nothing is wrong."""
        return " ".join(filter(None, (self._trouble, self._site.access.trouble)))

    @property
    def is_open(self) -> bool:
        """Whether the desk can be reached, and is found on this machine."""
        return self._is_open

    async def run(self) -> None:
        """Be there until cancelled, or until it is plain that it never can be."""
        for wait in self._waits:
            try:
                await self._serve(self._clock.now())
            except FatalSourceError as error:
                self._trouble = str(error)
                return
            except (SourceError, StorageError) as error:
                self._trouble = f"{error} It is tried again."
                await asyncio.sleep(wait)

    async def _serve(self, now: datetime) -> NoReturn:
        async with self._listener.listening():
            url = local_url(self._listener.bound, encrypted=self._listener.is_encrypted)
            with present(self._database, Presence(url, self._site.access.owner, os.getpid(), now)):
                self._trouble, self._is_open = "", True
                try:
                    await asyncio.Event().wait()
                finally:
                    self._is_open = False
        raise AssertionError("nobody sets that event")
