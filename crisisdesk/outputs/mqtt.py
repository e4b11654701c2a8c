"""Incidents over MQTT: topics and payloads.

    crisisdesk/<desk>/status                bare `online` or `offline`, retained
    crisisdesk/<desk>/heartbeat             how the desk itself is doing, every so many seconds
    crisisdesk/<desk>/alert/<id>/state      the incident as it is, retained while it is not resolved, then cleared
    crisisdesk/<desk>/event                 one per change

All but `status` are CloudEvents (`events.py`); consumers drop duplicates by `id`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import OutputError, UsageError
from crisisdesk.mqtt import Broker, Connection, Message, Send
from crisisdesk.outputs.events import CONTENT_TYPE, CloudEvent, of_change, of_heartbeat, of_state
from crisisdesk.records import Incident, Notification, OutputStatus, SourceStatus
from crisisdesk.retry import delays

STATE_SECONDS: Final = 7 * 86_400
"""A retained state disappears after a week without a change, should the desk vanish for good."""
EVENT_SECONDS: Final = 86_400
"""A broker keeps an event for an absent subscriber's session for a day."""


class MqttOutput:
    """Tells a broker everything that happens to incidents, and that the desk is alive.

    Args:
        broker: where, and how to be let in.
        desk: the desk's name, a part of every topic.
        clock: dates the heartbeats.
        heartbeat: what a heartbeat carries, see `heartbeat_data`.
        heartbeat_seconds: time between two heartbeats.
        name: under which its debts are kept; another one for each further broker.
        waits: seconds between attempts to connect.
        open_incidents: what is open now, asked at each connect: what an earlier run of the desk told, a broker that
            restarted empty meanwhile has forgotten.

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
        open_incidents: Callable[[], Iterable[Incident]] = tuple,
    ) -> None:
        self.name = name
        self._base = f"crisisdesk/{_topic_part(desk)}"
        self._desk = desk
        self._clock = clock
        self._heartbeat = heartbeat
        self._heartbeat_seconds = heartbeat_seconds
        self._open_incidents = open_incidents
        self._standing: dict[str, Message] = {}
        self._connection = Connection(
            broker,
            client_id=f"crisisdesk-{desk}",
            status_topic=f"{self._base}/status",
            clock=clock,
            waits=waits,
            greet=self._repeat_standing,
        )

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """Connected, and a heartbeat at work, while inside."""
        async with self._connection.open(), asyncio.TaskGroup() as group:
            beating = group.create_task(self._beat(), name=f"heartbeat {self.name}")
            try:
                yield
            finally:
                beating.cancel()

    async def ready(self) -> None:
        """Return when connected; raises `FatalOutputError` when these settings never will."""
        await self._connection.ready()

    async def deliver(self, notification: Notification) -> None:
        """State first, then the event: repeated after half a delivery, both say the same again under the same id."""
        incident, event = notification.incident, of_change(notification, self._desk)
        topic = self._state_topic(incident)
        if incident.is_open:
            state = self._standing[topic] = _message(topic, event, retain=True, expiry=STATE_SECONDS)
        else:
            self._standing.pop(topic, None)
            state = Message(topic, b"", retain=True)
        await self._connection.publish(state)
        await self._connection.publish(_message(f"{self._base}/event", event, expiry=EVENT_SECONDS))

    def status(self) -> OutputStatus:
        """How the connection is."""
        return OutputStatus(self.name, self._connection.state, trouble=self._connection.trouble)

    async def _repeat_standing(self, send: Send) -> None:
        """A broker that restarted without its memory learns again which incidents are open."""
        earlier = [
            self._as_it_is(one) for one in self._open_incidents() if self._state_topic(one) not in self._standing
        ]
        for message in (*self._standing.values(), *earlier):
            await send(message)

    async def _beat(self) -> None:
        """A beat that is lost is not repeated, the next one comes; a dead connection shows itself by it."""
        while True:
            with contextlib.suppress(OutputError):
                await self._connection.ready()
                await self._connection.publish(self._beat_message())
            await asyncio.sleep(self._heartbeat_seconds)

    def _beat_message(self) -> Message:
        event = of_heartbeat(self._clock.now(), self._heartbeat(), self._desk)
        return _message(f"{self._base}/heartbeat", event, expiry=max(1, int(self._heartbeat_seconds * 2)))

    def _state_topic(self, incident: Incident) -> str:
        return f"{self._base}/alert/{incident.id}/state"

    def _as_it_is(self, incident: Incident) -> Message:
        event = of_state(incident, self._desk)
        return _message(self._state_topic(incident), event, retain=True, expiry=STATE_SECONDS)


def heartbeat_data(
    now: datetime,
    sources: Iterable[SourceStatus],
    outputs: Iterable[OutputStatus],
    queues: Mapping[str, int],
    model: str,
    *,
    other_languages: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
) -> dict[str, object]:
    """What a heartbeat carries; `queues` counts what waits, by stage, `other_languages` posts by watch and language."""
    return {
        "sources": [
            {
                "name": one.name,
                "state": one.state,
                "last_event_age_seconds": round((now - one.last_event).total_seconds(), 1) if one.last_event else None,
                "events": one.events,
                "posts": one.posts,
                "matched": one.matched,
                "dropped": one.dropped,
            }
            for one in sources
        ],
        "queues": dict(queues),
        "outputs": [
            {"name": one.name, "state": one.state, "delivered": one.delivered, "waiting": one.waiting}
            for one in outputs
        ],
        "model": model,
        "other_languages": {watch: dict(counts) for watch, counts in other_languages.items()},
    }


def _message(topic: str, event: CloudEvent, *, retain: bool = False, expiry: int) -> Message:
    """The whole event as JSON, and its attributes again as properties, so that a router need not parse it."""
    return Message(topic, event.body(), retain, expiry, CONTENT_TYPE, tuple(event.attributes.items()))


def _topic_part(desk: str) -> str:
    if not desk or any(character in "+#/\0" or not character.isprintable() for character in desk):
        raise UsageError(f"The desk's name {desk!r} cannot be part of an MQTT topic: give it a name without + # and /.")
    return desk
