"""What every output is to the desk."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol, runtime_checkable

from crisisdesk.records import Notification, OutputStatus, Severity


class Way(Protocol):
    """A way out of the building, to machines or to people. A `Delivery` drives it; nobody else talks to it."""

    @property
    def name(self) -> str:
        """Stable over restarts: what it owes is kept under this name."""

    def session(self) -> AbstractAsyncContextManager[None]:
        """Connected, and connected again after a break, while inside; leaves in order and in bounded time."""

    async def ready(self) -> None:
        """Return when a delivery has a chance. Raises `FatalOutputError` when it never will."""

    def status(self) -> OutputStatus:
        """How the connection is; the `Delivery` adds the counts."""


class Output(Way, Protocol):
    """To machines, which get every change of every incident by itself: MQTT, webhooks."""

    async def deliver(self, notification: Notification) -> None:
        """Return when the outside has acknowledged it.

        Raises:
            RefusedError: this one is refused, others may pass; it is tried again.
            OutputError: nothing passes at the moment; all is tried again.
        """


class Disturbance(Protocol):
    """How often people may be disturbed."""

    def may(self, now: datetime, sent: Sequence[tuple[datetime, Severity]], severity: Severity) -> datetime:
        """From which moment on a message of this severity may go out, after those that were sent; now or later."""


@runtime_checkable
class PersonalOutput(Way, Protocol):
    """To one address of people, who get in one message what there is to tell: chat, mail, text messages, pagers."""

    @property
    def limit(self) -> Disturbance:
        """How often it may disturb."""

    async def tell(self, notifications: Sequence[Notification]) -> None:
        """Return when the service has taken one message of all these, oldest first. Raises `OutputError`."""


class Hand(Protocol):
    """Takes what is owed out of the outbox and gives it to the outside."""

    @property
    def delivered(self) -> int:
        """Changes that have arrived in this run."""

    @property
    def refused(self) -> int:
        """Attempts in this run at which one change was refused while others could pass."""

    @property
    def trouble(self) -> str:
        """What it cannot get rid of while the rest goes out, why, and what to do; empty where there is none."""

    def takes(self, notification: Notification) -> bool:
        """Whether it is owed by this output."""

    async def deliver_owed(self) -> float | None:
        """Deliver what may go out now.

        Returns:
            Seconds after which something may go out that may not yet; None where all is out.

        Raises:
            OutputError: nothing passes at the moment.
        """
