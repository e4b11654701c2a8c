"""Incidents over MQTT: topics and payloads.

    crisisdesk/<desk>/status                bare `online` or `offline`, retained
    crisisdesk/<desk>/heartbeat             how the desk itself is doing, every so many seconds
    crisisdesk/<desk>/alert/<id>/state      the incident as it is, retained while it is not resolved, then cleared
    crisisdesk/<desk>/event                 one per change
    crisisdesk/<desk>/cmd/<command>         what others ask of the desk, where it is allowed (`inbound.py`)

All that is told but `status` are CloudEvents (`events.py`); consumers drop duplicates by `id`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.commands import Commands
from crisisdesk.errors import OutputError, RefusedError, UsageError
from crisisdesk.mqtt import Broker, Connection, Message, Send, TooLargeError
from crisisdesk.outputs.mqtt.inbound import MqttCommands
from crisisdesk.outputs.mqtt.shortened import shortened
from crisisdesk.payloads.events import CONTENT_TYPE, CloudEvent, of_change, of_heartbeat, of_state
from crisisdesk.records import Incident, Notification, OutputStatus
from crisisdesk.retry import delays

STATE_SECONDS: Final = 7 * 86_400
"""A retained state disappears after a week without a change, should the desk vanish for good."""
EVENT_SECONDS: Final = 86_400
"""A broker keeps an event for an absent subscriber's session for a day."""

_SAID_AGAIN: Final = timedelta(days=1)
"""States that have not changed for so long are said again, since they expire."""
_AT_ONCE: Final = 10
"""States that are under way at once, after a connect."""
_SHORT: Final = 280
"""Characters that are left of a quoted post where all of them are too much for the broker."""


class MqttOutput:
    """Tells a broker everything that happens to incidents, and that the desk is alive.

    Args:
        broker: where, and how to be let in.
        desk: the desk's name, a part of every topic.
        clock: dates the heartbeats.
        heartbeat: what a heartbeat carries, see `heartbeat.py`.
        heartbeat_seconds: time between two heartbeats.
        name: under which its debts are kept; another one for each further broker.
        waits: seconds between attempts to connect.
        incidents: what the desk knows, open or resolved, asked at each connect: what is open, a broker that restarted
            empty has forgotten; of what is resolved, it may keep what an earlier run of the desk told.
        commands: what others may ask of the desk; None for nothing at all.

    Raises:
        UsageError: the desk's name cannot be part of a topic.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        desk: str,
        clock: Clock,
        heartbeat: Callable[[], Mapping[str, object]],
        heartbeat_seconds: float = 30.0,
        name: str = "mqtt",
        waits: Callable[[], Iterator[float]] = delays,
        incidents: Callable[[], Iterable[Incident]] = tuple,
        commands: Commands | None = None,
    ) -> None:
        self.name = name
        self._base = f"crisisdesk/{_topic_part(desk)}"
        self._desk = desk
        self._clock = clock
        self._heartbeat = heartbeat
        self._heartbeat_seconds = heartbeat_seconds
        self._incidents = incidents
        self._standing: dict[str, CloudEvent] = {}
        self._half_told: set[str] = set()
        self._said_at: datetime | None = None
        self._beat_refused = ""
        self._commands = (
            MqttCommands(broker, base=self._base, desk=desk, commands=commands, clock=clock, waits=waits)
            if commands
            else None
        )
        self._connection = Connection(
            broker,
            client_id=f"crisisdesk-{desk}",
            status_topic=f"{self._base}/status",
            clock=clock,
            waits=waits,
            greet=self._say_states,
        )

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Connected, and a heartbeat at work, while inside."""
        async with self._connection.open(), asyncio.TaskGroup() as group:
            beside = [group.create_task(self._beat(), name=f"heartbeat {self.name}")]
            if self._commands is not None:
                beside.append(group.create_task(self._commands.run(), name=f"commands {self.name}"))
            try:
                yield
            finally:
                for task in beside:
                    task.cancel()

    async def ready(self) -> None:
        """Return when connected; raises `FatalOutputError` when these settings never will."""
        await self._connection.ready()

    async def deliver(self, notification: Notification) -> None:
        """State and event; repeated after half a delivery, they say the same again under the same id."""
        try:
            await self._tell(notification)
        except TooLargeError:  # now it is known what is not
            await self._tell(notification)

    def status(self) -> OutputStatus:
        """How the connection is."""
        heard = self._commands.trouble if self._commands else ""
        trouble = self._connection.trouble or self._beat_refused or heard
        return OutputStatus(self.name, self._connection.state, trouble=trouble)

    async def _tell(self, notification: Notification) -> None:
        """Where the state's topic is refused, the event goes out all the same, and is not repeated with the state."""
        change, incident = notification.change, notification.incident
        event = of_change(notification, self._desk)
        if incident.is_open:
            self._standing[incident.id] = event
        else:
            self._standing.pop(incident.id, None)
        refused: RefusedError | None = None
        try:
            await self._connection.publish(self._state(incident.id, event if incident.is_open else None))
        except TooLargeError:
            raise
        except RefusedError as error:
            refused = error
        if change.id not in self._half_told:
            try:
                await self._connection.publish(self._fitting(f"{self._base}/event", event, expiry=EVENT_SECONDS))
            except TooLargeError:
                raise
            except RefusedError as error:
                raise refused or error from None  # where all is refused, the first is told, each time the same
        if refused is not None:
            self._half_told.add(change.id)
            raise refused
        self._half_told.discard(change.id)

    async def _say_states(self, send: Send) -> None:
        """What is open stands there, and nothing else, whatever the broker has forgotten or kept."""
        first, self._said_at = self._said_at is None, self._clock.now()
        states, kept = [], timedelta(seconds=STATE_SECONDS)
        for incident in self._incidents():
            if incident.is_open:
                event = self._standing.get(incident.id) or of_state(incident, self._desk)
                states.append(self._state(incident.id, event))
            elif incident.id in self._standing or (first and self._said_at - incident.updated < kept):
                states.append(self._state(incident.id, None))
        for start in range(0, len(states), _AT_ONCE):
            await asyncio.gather(*map(send, states[start : start + _AT_ONCE]))

    async def _beat(self) -> None:
        """A beat that is lost is not repeated, the next one comes; a dead connection shows itself by it."""
        while True:
            with contextlib.suppress(OutputError):
                await self._connection.ready()
                try:
                    await self._connection.publish(self._beat_message())
                    self._beat_refused = ""
                except RefusedError as error:
                    self._beat_refused = str(error)
                if self._said_at is not None and self._clock.now() - self._said_at >= _SAID_AGAIN:
                    await self._say_states(self._connection.publish)
            await asyncio.sleep(self._heartbeat_seconds)

    def _beat_message(self) -> Message:
        event = of_heartbeat(self._clock.now(), self._heartbeat(), self._desk)
        return _message(f"{self._base}/heartbeat", event, expiry=max(1, int(self._heartbeat_seconds * 2)))

    def _state(self, incident: str, event: CloudEvent | None) -> Message:
        """How an incident stands; None clears it."""
        topic = f"{self._base}/alert/{incident}/state"
        if event is None:
            return Message(topic, b"", retain=True)
        return self._fitting(topic, event, retain=True, expiry=STATE_SECONDS)

    def _fitting(self, topic: str, event: CloudEvent, *, retain: bool = False, expiry: int) -> Message:
        """As much of it as the broker takes."""
        message = _message(topic, event, retain=retain, expiry=expiry)
        for characters in (_SHORT, 0):
            if self._connection.takes(message):
                break
            message = _message(topic, shortened(event, characters), retain=retain, expiry=expiry)
        return message


def _message(topic: str, event: CloudEvent, *, retain: bool = False, expiry: int) -> Message:
    """The whole event as JSON, and its attributes again as properties, so that a router need not parse it."""
    return Message(topic, event.body(), retain, expiry, CONTENT_TYPE, tuple(event.attributes.items()))


def _topic_part(desk: str) -> str:
    if not desk or any(character in "+#/\0" or not character.isprintable() for character in desk):
        raise UsageError(f"The desk's name {desk!r} cannot be part of an MQTT topic: give it a name without + # and /.")
    return desk
