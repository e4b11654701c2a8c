"""Commands that come by MQTT: who may be answered where, how many, and none of them twice.

They have a connection of their own, so that whatever strangers send, and wherever they want their answers, alerts leave
by another one.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.commands import MOST_BYTES, Answer, Commands
from crisisdesk.errors import FatalSourceError, OutputError, SourceError
from crisisdesk.mqtt import Broker, Inbox, Message, Received, Subscription
from crisisdesk.text import clean

LOG: Final = logging.getLogger("crisisdesk.mqtt")

KEPT_SECONDS: Final = 60
"""For so long the broker keeps commands for a desk that is away (MQTT 5); older ones are not obeyed."""
MOST_A_MINUTE: Final = 60
"""Commands that are obeyed within a minute; further ones are refused."""
REFUSED_A_MINUTE: Final = 60
"""Refusals that are answered within a minute; further commands are dropped."""
REMEMBERED: Final = timedelta(minutes=5)
"""For so long a repeated command is recognised."""
ANSWER_SECONDS: Final = 300
"""For so long a broker keeps an answer for somebody who is away."""
MOST_TOPIC: Final = 200
MOST_LEVELS: Final = 8
MOST_CORRELATION: Final = 256
_PACKET: Final = 1 << 16
_MINUTE: Final = timedelta(minutes=1)

_Key = tuple[str, bytes, bytes | None]


class MqttCommands:
    """Hears `<base>/cmd/+` and answers, until it is cancelled.

    Args:
        broker: where, and how to be let in.
        base: what all topics of the desk begin with.
        desk: the desk's name.
        commands: who obeys.
        clock: tells how much came within a minute.
        waits: seconds between attempts to connect.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        base: str,
        desk: str,
        commands: Commands,
        clock: Clock,
        waits: Callable[[], Iterator[float]],
    ) -> None:
        self.trouble = ""
        """Why commands are not heard, and what to do about it; empty while they are."""
        self._base = base
        self._commands = commands
        self._clock = clock
        self._waits = waits
        self._minute = _Minute()
        self._answered: dict[_Key, tuple[datetime, bytes]] = {}
        self._told: set[str] = set()
        self._subscription = Subscription(
            broker,
            client_id=f"crisisdesk-{desk}-commands",
            topics=[f"{base}/cmd/+"],
            seconds=KEPT_SECONDS,
            largest=MOST_BYTES,
            room="output",
            fresh=True,
            packet=_PACKET,
        )

    async def run(self) -> None:
        """Hear and answer; what goes wrong is `trouble`, and holds up nothing else."""
        waits = self._waits()
        while True:
            try:
                async with self._subscription.open() as inbox:
                    self.trouble, began = "", self._clock.now()
                    try:
                        await self._hear(inbox)
                    finally:
                        if self._clock.now() - began >= _MINUTE:
                            waits = self._waits()
            except FatalSourceError as error:
                self._complain(str(error))
                return
            except SourceError as error:
                self._complain(str(error))
            await asyncio.sleep(next(waits))

    async def _hear(self, inbox: Inbox) -> None:
        while True:
            message = await inbox.take()
            await self._serve(inbox, message)
            inbox.confirm([message])
            await asyncio.sleep(0)  # in a flood, others get their turn

    async def _serve(self, inbox: Inbox, message: Received) -> None:
        """Obey one command, or refuse it, and say so where an answer is wanted."""
        now = self._clock.now()
        number = self._minute.count(now)
        if number > MOST_A_MINUTE + REFUSED_A_MINUTE:
            if number == MOST_A_MINUTE + REFUSED_A_MINUTE + 1:
                LOG.warning("%s commands came within a minute; the rest of the minute is dropped.", number)
            return
        if why := self._wrong_answer(message):
            self._tell_once(why)
            return
        key = (message.topic, message.payload, message.correlation)
        if (body := self._known(key, message, now)) is None:
            answer = await self._answer(message, number)
            body = answer.body()
            if answer.incident is not None:
                self._answered[key] = now, body
            elif message.response_topic is None:
                self._tell_once(f"A command on {clean(message.topic, 100)} was refused: {answer.error}")
        if message.response_topic is not None:
            await self._send(inbox, message.response_topic, body, message.correlation)

    async def _answer(self, message: Received, number: int) -> Answer:
        if message.is_retained:
            return Answer(error="A command must not be retained, since the broker would repeat it; send it without.")
        if number > MOST_A_MINUTE:
            return Answer(error=f"More than {MOST_A_MINUTE} commands came within a minute; wait a minute.")
        return await self._commands.obey(message.topic.rpartition("/")[2], message.payload)

    def _known(self, key: _Key, message: Received, now: datetime) -> bytes | None:
        """What was answered to the same command: a sender repeats what it got no answer to, a broker after a break."""
        self._answered = {one: (at, body) for one, (at, body) in self._answered.items() if now - at < REMEMBERED}
        may_be_the_same = message.is_repeated or message.correlation is not None
        return self._answered[key][1] if may_be_the_same and key in self._answered else None

    def _wrong_answer(self, message: Received) -> str:
        """Why no answer may go where it is wanted; empty where it may, or none is wanted."""
        topic = message.response_topic
        if topic is None:
            return ""
        shown = f"A command wants its answer on '{clean(topic, 80)}' and is not obeyed: "
        if len(message.correlation or b"") > MOST_CORRELATION:
            return f"A command brings more than {MOST_CORRELATION} bytes of correlation data and is not obeyed."
        if not topic or topic.startswith("$") or set(topic) & set("+#") or not topic.isprintable():
            return shown + "it is no topic to publish on."
        if len(topic.encode()) > MOST_TOPIC or topic.count("/") >= MOST_LEVELS:
            return shown + f"it is longer than {MOST_TOPIC} bytes or {MOST_LEVELS} levels."
        if topic.split("/", 1)[0] == "crisisdesk" and not topic.startswith(f"{self._base}/answer/"):
            return shown + f"desks speak there; answers may go to {self._base}/answer/… and outside of crisisdesk/."
        return ""

    async def _send(self, inbox: Inbox, topic: str, body: bytes, correlation: bytes | None) -> None:
        answer = Message(topic, body, False, ANSWER_SECONDS, "application/json", correlation=correlation)
        try:
            await inbox.send(answer)
        except OutputError as error:  # whoever asks again gets the same answer
            self._tell_once(str(error))

    def _complain(self, trouble: str) -> None:
        trouble = f"Commands are not heard. {trouble}"
        if trouble != self.trouble:
            LOG.warning("%s", trouble)
        self.trouble = trouble

    def _tell_once(self, what: str) -> None:
        """Strangers can cause it, so it must not fill the log."""
        if what not in self._told and len(self._told) < 100:
            self._told.add(what)
            LOG.warning("%s", what)


class _Minute:
    """Counts what comes within a minute."""

    def __init__(self) -> None:
        self._began: datetime | None = None
        self._came = 0

    def count(self, now: datetime) -> int:
        """How many have come in the present minute, with this one."""
        if self._began is None or not timedelta() <= now - self._began < _MINUTE:
            self._began, self._came = now, 0
        self._came += 1
        return self._came
