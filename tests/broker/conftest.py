"""Real brokers, and a gate in front of them that tests open, close and cut."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
import pytest
from amqtt.broker import Broker as Amqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from crisisdesk.commands import Commands
from crisisdesk.desk import Instruments, LocalDesk
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.mqtt import Broker
from crisisdesk.outputs.deliver import Delivery
from crisisdesk.outputs.mqtt.output import MqttOutput
from crisisdesk.playbooks.library import Library
from crisisdesk.records import Kind, Numbers, OutputStatus, Severity, Spike
from crisisdesk.storage.store import Store

START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)
PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


STRICT = "mosquitto_dynamic_security"


@dataclass
class StoppedClock:
    """A clock that shows what it is set to."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment

    async def sleep_until(self, moment: datetime) -> None:
        raise AssertionError(f"nothing here waits on the desk's clock, least of all until {moment}")


class Mosquitto:
    """A real broker on a free loopback port."""

    def __init__(self, folder: Path, *settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        basics = (f"listener {self.port} 127.0.0.1", "user root", f"persistence_location {folder}/", "log_dest stderr")
        self._config.write_text("\n".join((*basics, *(settings or ("allow_anonymous true",)))) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM
        self._process = subprocess.Popen([PROGRAM, "-c", self._config], stderr=subprocess.PIPE)
        assert self._process.stderr
        for line in self._process.stderr:
            if b"running" in line:
                return
        raise AssertionError("mosquitto did not start")

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process and self._process.stderr:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._process.stderr.close()
            self._process = None


@pytest.fixture
def mosquitto_at(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Starts a mosquitto with further lines of configuration."""
    if PROGRAM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mosquitto is missing: the continuous integration has to install it")
        pytest.skip("MOSQUITTO IS NOT INSTALLED: only the main path was tested, on the broker in this process")
    started: list[Mosquitto] = []

    def start(*settings: str) -> Mosquitto:
        broker = Mosquitto(tmp_path, *settings)
        started.append(broker)
        broker.start()
        return broker

    yield start
    for broker in started:
        broker.kill()


@pytest.fixture
def mosquitto(mosquitto_at: Callable[..., Mosquitto]) -> Mosquitto:
    return mosquitto_at()


@pytest.fixture
def strict_mosquitto(mosquitto_at: Callable[..., Mosquitto], tmp_path: Path) -> Mosquitto:
    """A mosquitto that lets people read `posts/ours` and nothing else, and says so: its plain `acl_file` does not."""
    plugins = [
        found for place in ("usr/lib", "usr/lib/*", "usr/local/lib") for found in Path("/").glob(f"{place}/{STRICT}.so")
    ]
    if not plugins:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{STRICT.upper()} IS NOT INSTALLED")
    ours = {"acltype": "subscribeLiteral", "topic": "posts/ours", "allow": True}
    role, group = {"rolename": "reader", "acls": [ours]}, {"groupname": "all", "roles": [{"rolename": "reader"}]}
    others = {"subscribe": False, "publishClientSend": True, "publishClientReceive": True}
    rules = {"defaultACLAccess": others, "roles": [role], "groups": [group], "anonymousGroup": "all"}
    (tmp_path / "rules.json").write_bytes(orjson.dumps({"clients": [], **rules}))
    return mosquitto_at("allow_anonymous true", f"plugin {plugins[0]}", f"plugin_opt_config_file {tmp_path}/rules.json")


@pytest.fixture
async def amqtt_port() -> AsyncIterator[int]:
    """A broker in this process, which speaks 3.1.1 only."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    broker = Amqtt(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        await broker.start()
        yield port
        await broker.shutdown()


@dataclass
class Gate:
    """A port in front of a broker."""

    behind: int
    port: int = 0
    is_open: bool = True
    knows_5: bool = True
    """Whether clients of MQTT 5 are let through; else it hangs up on them, as some old brokers do."""
    connects: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connects += 1
        if not self.is_open:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.behind)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, far_writer]
        greeting = await reader.read(65_536)
        if not self.knows_5 and b"MQTT\x05" in greeting[:16]:
            writer.transport.abort()
            far_writer.transport.abort()
            return
        far_writer.write(greeting)
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    def shut(self) -> None:
        """Let nobody through, and drop who is through, without a good-bye."""
        self.is_open = False
        self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@contextlib.asynccontextmanager
async def _gate(behind: int, *, knows_5: bool = True) -> AsyncIterator[Gate]:
    gate = Gate(behind, knows_5=knows_5)
    server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
    gate.port = server.sockets[0].getsockname()[1]
    yield gate
    gate.shut()
    server.close()
    await server.wait_closed()


@pytest.fixture
def gate() -> Callable[..., contextlib.AbstractAsyncContextManager[Gate]]:
    return _gate


@dataclass
class Inbox:
    """What a subscriber has received."""

    messages: list[aiomqtt.Message] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def payloads(self, end: str) -> list[bytes]:
        return [bytes(one.payload) for one in self.messages if str(one.topic).endswith(end)]  # type: ignore[arg-type]

    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(payload) for payload in self.payloads("/event")]

    def ids(self) -> list[str]:
        return [event["id"] for event in self.events()]

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds), self.arrived:
            await self.arrived.wait_for(condition)


@contextlib.asynccontextmanager
async def _subscriber(port: int, five: bool = True) -> AsyncIterator[Inbox]:
    inbox = Inbox()
    version = aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311

    async def read(client: aiomqtt.Client) -> None:
        with contextlib.suppress(aiomqtt.MqttError):  # the broker was killed on purpose
            async for message in client.messages:
                async with inbox.arrived:
                    inbox.messages.append(message)
                    inbox.arrived.notify_all()

    async with aiomqtt.Client("127.0.0.1", port, protocol=version) as client:
        await client.subscribe("crisisdesk/#", qos=1)
        reading = asyncio.create_task(read(client))
        try:
            yield inbox
        finally:
            reading.cancel()
            await asyncio.wait({reading})


@pytest.fixture
def subscriber() -> Callable[..., contextlib.AbstractAsyncContextManager[Inbox]]:
    return _subscriber


def spike(minutes: float, severity: Severity | None, watch: str = "Motrin") -> Spike:
    numbers = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6)
    return Spike(watch, Kind.SPIKE, START + timedelta(minutes=minutes), severity, numbers, "12 negative")


@dataclass
class Desk:
    """A register whose changes go to one broker."""

    register: Register
    store: Store
    output: MqttOutput
    delivery: Delivery
    clock: StoppedClock
    minutes: int = 0

    async def change(self, watch: str = "Motrin") -> str:
        """The next thing happens to the watch's incident; returns the id of the change."""
        self.minutes += 1
        if open_one := self.register.open_for(watch):
            await self.register.note(open_one.id, "Ann", "still at it", START + timedelta(minutes=self.minutes))
            return (await self.register.timeline(open_one.id))[-1].id
        (told,) = await self.register.witness(spike(self.minutes, Severity.AMBER, watch))
        return told.change.id

    async def shows(self, condition: Callable[[OutputStatus], bool], seconds: float = 10) -> None:
        """Return when the output's status, which people look at now and then, looks like this."""
        try:
            async with asyncio.timeout(seconds):
                while not condition(self.delivery.status()):  # noqa: ASYNC110 - a status is looked at, it does not call
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pytest.fail(f"at last it is {self.delivery.status()}")

    async def hears_commands(self, somebody: "Asker") -> None:
        """Return when it has subscribed; before that a command goes nowhere."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await somebody.ask("hello")
                    return

    async def is_done(self) -> None:
        """Return when nothing is owed any more."""
        await self.shows(lambda status: status.waiting == 0)
        assert await self.store.waiting(self.output.name) == 0


def calm_heartbeat() -> dict[str, Any]:
    return {"sources": [], "queues": {}, "outputs": [], "model": "none"}


@pytest.fixture
async def desk_at(tmp_path: Path) -> Callable[..., contextlib.AbstractAsyncContextManager[Desk]]:
    """A desk on a broker's port; it leaves in order at the end of the block."""

    @contextlib.asynccontextmanager
    async def desk(
        port: int,
        heartbeat: Callable[[], dict[str, Any]] = calm_heartbeat,
        commands: Sequence[str] = (),
        heartbeat_seconds: float = 30.0,
        waits: Callable[[], Iterator[float]] = lambda: repeat(0.02),
        **details: Any,
    ) -> AsyncIterator[Desk]:
        clock = StoppedClock()
        output = MqttOutput(
            replace(Broker("127.0.0.1", port, timeout=1.0, will_delay=0), **details),
            desk="acme",
            clock=clock,
            heartbeat=heartbeat,
            heartbeat_seconds=heartbeat_seconds,
            waits=waits,
            incidents=lambda: register.incidents(),  # noqa: PLW0108  it is not there yet
            commands=Commands(lambda: people, commands, clock) if commands else None,
        )
        async with await Store.open(tmp_path / "desk.db", durable=False) as store:
            delivery = Delivery(store, output, clock, waits=waits, flush_seconds=2)
            register = Register(store, Rules(), lambda _: None, (output.name,), listeners=(delivery.wake,))
            people = LocalDesk(register, Library(tmp_path), clock, Instruments())
            await register.load()
            async with asyncio.TaskGroup() as group:
                group.create_task(delivery.run())
                try:
                    yield Desk(register, store, output, delivery, clock)
                finally:
                    delivery.stop()

    return desk


@dataclass
class Asker:
    """Somebody who asks desks over MQTT 5 and reads the answers."""

    client: aiomqtt.Client
    mine: str

    async def ask(
        self, command: str, *, to: str | None = None, mark: bytes | None = None, retain: bool = False, **keys: Any
    ) -> dict[str, Any]:
        """Ask, and return the answer to it."""
        mark = mark or os.urandom(8)
        await self.say(command, orjson.dumps(keys), to or self.mine, mark, retain=retain)
        async for message in self.client.messages:
            if message.properties.CorrelationData == mark:
                return orjson.loads(message.payload)
        raise AssertionError("the broker has gone")

    async def say(
        self, command: str, payload: bytes, to: str | None = None, mark: bytes | None = None, *, retain: bool = False
    ) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        if to is not None:
            properties.ResponseTopic = to
        if mark is not None:
            properties.CorrelationData = mark
        await self.client.publish(f"crisisdesk/acme/cmd/{command}", payload, 1, retain, properties)


@contextlib.asynccontextmanager
async def _asker(port: int, mine: str = "crisisdesk/acme/answer/ann") -> AsyncIterator[Asker]:
    async with (
        asyncio.timeout(10),
        aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client,
    ):
        await client.subscribe(mine, qos=1)
        yield Asker(client, mine)


@pytest.fixture
def asker() -> Callable[..., contextlib.AbstractAsyncContextManager[Asker]]:
    return _asker


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ca.pem`, and `broker.pem` and `desk.pem` that it vouches for, each with its key in `….key`; `old-…` are over."""
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("OPENSSL IS NOT INSTALLED")
    folder = tmp_path_factory.mktemp("certificates")
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl(folder, *new, "-x509", "-days", "2", "-subj", "/CN=us", "-keyout", "ca.key", "-out", "ca.pem")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    vouch = ("x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    for name in ("broker", "desk"):
        _openssl(folder, *new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        for days, certificate in (("2", name), ("-1", f"old-{name}")):
            _openssl(folder, *vouch, "-days", days, "-in", f"{name}.csr", "-out", f"{certificate}.pem")
    _openssl(folder, "ec", "-in", "desk.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key")
    return folder
