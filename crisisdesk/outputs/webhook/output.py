"""Incidents over HTTP: each change is posted by itself, signed, until a 2xx answer has come whole.

Content-Type: application/cloudevents+json      the event of MQTT's `/event`, see `events.py`
X-Crisisdesk-Event-Id                           its id; a repetition has the same, and the same body
X-Crisisdesk-Signature                          see `crisisdesk/net/signing.py`; signed anew at each attempt
Authorization: Bearer TOKEN                     where the receiver wants one
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from crisisdesk.clock import Clock
from crisisdesk.errors import OutputError, RefusedError
from crisisdesk.outputs.webhook.answer import judge
from crisisdesk.outputs.webhook.line import SECONDS, Line, Receiver
from crisisdesk.payloads.events import CONTENT_TYPE, of_change
from crisisdesk.records import Notification, OutputStatus


class WebhookOutput:
    """Tells a receiver of everything that happens to incidents.

    Args:
        receiver: who is told.
        desk: the desk's name, a part of every event.
        clock: dates the signatures.
        name: under which its debts are kept.
        seconds: for a whole answer.
    """

    def __init__(
        self, receiver: Receiver, *, desk: str, clock: Clock, name: str = "webhook", seconds: float = SECONDS
    ) -> None:
        self.name = name
        self._desk = desk
        self._line = Line(receiver, clock, seconds)
        self._rests_until = 0.0
        self._state = "live"  # nothing is connected before there is something to tell

    @asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Inside, it can be told."""
        async with self._line.open():
            yield

    async def ready(self) -> None:
        """Return when the receiver has had the rest that it asked for."""
        await asyncio.sleep(max(0.0, self._rests_until - asyncio.get_running_loop().time()))

    async def deliver(self, notification: Notification) -> None:
        """Post a change, and return when it was taken.

        Raises:
            RefusedError: the receiver does not take this one.
            OutputError: it takes none at the moment, or cannot be reached.
        """
        event = of_change(notification, self._desk)
        headers = {"Content-Type": CONTENT_TYPE, "X-Crisisdesk-Event-Id": event.id}
        try:
            answer = await self._line.ask("POST", event.body(), headers)
            if answer.is_refused_for_now:
                self._rests_until = asyncio.get_running_loop().time() + answer.wait
            judge(answer, self._line.receiver.shown, is_heard=not self._line.receiver.sees_secrets)
        except OutputError as error:
            self._state = "live" if isinstance(error, RefusedError) else "retrying"
            raise
        self._state = "live"

    def status(self) -> OutputStatus:
        """How the last delivery went; `Delivery` adds why."""
        return OutputStatus(self.name, self._state)
