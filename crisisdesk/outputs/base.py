"""What every output is to the desk."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from crisisdesk.records import Notification, OutputStatus


class Output(Protocol):
    """A way out: MQTT, chat, mail, a pager. `Delivery` drives it; nobody else talks to it."""

    @property
    def name(self) -> str:
        """Stable over restarts: what it owes is kept under this name."""

    def session(self) -> AbstractAsyncContextManager[None]:
        """Connected, and connected again after a break, while inside; leaves in order and in bounded time."""

    async def ready(self) -> None:
        """Return when a delivery has a chance. Raises `FatalOutputError` when it never will."""

    async def deliver(self, notification: Notification) -> None:
        """Return when the outside has acknowledged it. Raises `OutputError` when it is to be tried again."""

    def status(self) -> OutputStatus:
        """How the connection is; `Delivery` adds the counts."""
