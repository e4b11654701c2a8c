"""Brokers that are reached over TLS, by a source and by an output alike."""

import asyncio
import signal
from pathlib import Path

import aiomqtt
import orjson
import pytest

from crisisdesk.errors import ConfigurationError
from crisisdesk.mqtt import client
from crisisdesk.settings import MqttOutput

WHOLE = {"ca_file": "ca.pem", "certificate_file": "desk.pem", "key_file": "desk.key"}
POST = orjson.dumps({"id": "1", "time": "2008-11-15T03:40:00Z", "text": "never again"})


@pytest.fixture
def encrypted(mosquitto_at, certificates):
    """A broker that shows its certificate and wants to see ours."""
    own = (f"certfile {certificates}/broker.pem", f"keyfile {certificates}/broker.key")
    return mosquitto_at(f"cafile {certificates}/ca.pem", *own, "require_certificate true", "allow_anonymous true")


def settings(certificates: Path, **files: str) -> MqttOutput:
    places = {key: str(certificates / name) for key, name in files.items()}
    return MqttOutput.model_validate({"kind": "mqtt", "host": "127.0.0.1", "tls": True, **places})


async def test_a_source_and_an_output_are_let_in_with_their_certificate(encrypted, certificates, listener, desk_at):
    tls = settings(certificates, **WHOLE).encryption()
    async with listener(encrypted.port, tls=tls) as there, desk_at(encrypted.port, tls=tls) as desk:
        await there.is_live()
        async with aiomqtt.Client("127.0.0.1", encrypted.port, tls_context=tls) as client:
            await client.publish("posts", POST, qos=1)
        await there.has("1")
        await desk.change()
        await desk.is_done()
        encrypted.kill()
        await there.shows(lambda status: status.state == "connecting")
        encrypted.start()
        await there.is_live()
        await desk.change()
        await desk.is_done()


async def test_a_broker_that_nobody_vouches_for_is_not_trusted(encrypted, certificates, listener, desk_at):
    tls = settings(certificates).encryption()
    async with listener(encrypted.port, tls=tls) as there, desk_at(encrypted.port, tls=tls) as desk:
        status = await there.shows(lambda status: status.state == "failed")
        assert "does not show a certificate that we can trust (" in status.trouble
        assert status.trouble.endswith("mend host and ca_file of this source, then start again.")
        await desk.shows(lambda status: status.state == "failed")
        assert desk.delivery.status().trouble.endswith("mend host and ca_file of this output, then start again.")


async def test_a_broker_that_wants_to_see_our_certificate_is_tried_again(encrypted, certificates, listener):
    tls = settings(certificates, ca_file="ca.pem").encryption()
    async with listener(encrypted.port, tls=tls) as there:
        status = await there.shows(lambda status: bool(status.trouble))
        assert "mend host, port, tls and certificate_file of this source" in status.trouble


async def test_a_port_without_encryption_is_no_endless_wait(mosquitto, certificates, listener):
    tls = settings(certificates, ca_file="ca.pem").encryption()
    async with listener(mosquitto.port, tls=tls) as there:
        status = await there.shows(lambda status: bool(status.trouble))
        assert "mend host, port, tls and certificate_file of this source" in status.trouble


async def test_a_frozen_broker_does_not_hold_up_the_stop(encrypted, certificates, listener, monkeypatch):
    monkeypatch.setattr(client, "_TCP_SECONDS", 0.5)
    tls = settings(certificates, **WHOLE).encryption()
    encrypted.signal(signal.SIGSTOP)
    async with asyncio.timeout(3), listener(encrypted.port, tls=tls):
        await asyncio.sleep(0.2)  # it waits for the handshake now


def test_a_key_with_a_passphrase_is_named_and_nobody_is_asked_for_it(certificates):
    with pytest.raises(ConfigurationError, match="its key without a passphrase"):
        settings(certificates, **WHOLE | {"key_file": "locked.key"}).encryption()
