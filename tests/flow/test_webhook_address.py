"""Where webhooks listen: one address for all of them, with a certificate or without."""

import asyncio
import shutil
import socket
import ssl
import subprocess

import aiohttp
import pytest
from edges import Taken
from webhooks import POST, TOKEN, SetClock, request, serving

from crisisdesk.cli.configured import desk_plan
from crisisdesk.errors import FatalSourceError
from crisisdesk.server.http import Certificate, Listener
from crisisdesk.settings import Address
from crisisdesk.sources.webhook.signature import Keys
from crisisdesk.sources.webhook.source import Webhook


async def test_several_webhooks_have_one_address_which_the_last_closes():
    listener = Listener(Address("127.0.0.1", 0))
    async with serving(listener=listener, name="a") as a, serving(listener=listener, name="b") as b:
        assert a.url != b.url
        assert (await a.send(POST)).status == (await b.send(POST)).status == 202
        assert [post.key for post in a.edge.posts + b.edge.posts] == ["a:7", "b:7"]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*listener.address)


async def test_the_webhooks_of_a_configuration_share_its_address(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "{}:{}".format(*free.getsockname())
    hooks = "".join(f'[[source]]\nkind = "webhook"\nname = "{name}"\ntoken_env = "TOKEN"\n' for name in "ab")
    config = tmp_path / "desk.toml"
    config.write_text(
        f'[desk]\nname = "acme"\n[server]\nlisten = "{address}"\n[[watch]]\nname = "A"\nterms = ["a"]\n{hooks}'
    )
    monkeypatch.setenv("TOKEN", TOKEN)
    sources, edge = desk_plan(config).sources, Taken()
    running = [asyncio.create_task(source.run(edge)) for source in sources]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session, asyncio.timeout(5):
        while any(source.status().state != "live" for source in sources):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
        for name in "ab":
            async with session.post(f"http://{address}/ingest/{name}", json=POST) as answer:
                assert answer.status == 202
    for task in running:
        task.cancel()
    await asyncio.wait(running)
    assert [post.source for post in edge.posts] == ["a", "b"]


async def test_a_port_that_is_taken_is_fatal_and_names_address_and_cure():
    async with serving() as desk:
        second = Webhook("second", Listener(desk.listener.address), SetClock(), Keys())
        with pytest.raises(FatalSourceError) as caught:
            await second.run(Taken())
        assert str(caught.value) == (
            f"The desk cannot listen on {desk.listener.address}: another programme has it; stop that, or write another "
            "port at 'listen' under [server]."
        )
        assert (second.status().state, second.status().trouble) == ("failed", str(caught.value))


async def test_an_address_that_is_not_of_this_machine_is_fatal():
    webhook = Webhook("suite", Listener(Address("192.0.2.1", 8080)), SetClock(), Keys())
    with pytest.raises(FatalSourceError, match="this machine has no such address; mend 'listen'"):
        await webhook.run(Taken())


async def test_a_certificate_that_cannot_be_used_is_fatal_and_names_the_settings(tmp_path):
    chain, key = tmp_path / "desk.pem", tmp_path / "desk.key"
    for expected in ("no such file or directory", "are no PEM"):
        webhook = Webhook("suite", Listener(Address("127.0.0.1", 0), Certificate(chain, key)), SetClock(), Keys())
        with pytest.raises(FatalSourceError, match=f"{expected}.*mend 'tls_certificate' and 'tls_key'"):
            await webhook.run(Taken())
        chain.write_text("nonsense")
        key.write_text("nonsense")


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
async def test_with_a_certificate_it_is_https(tmp_path):
    chain, key = tmp_path / "desk.pem", tmp_path / "desk.key"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-subj", "/CN=desk", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", chain]
    await asyncio.to_thread(subprocess.run, make, check=True, capture_output=True)
    async with serving(listener=Listener(Address("127.0.0.1", 0), Certificate(chain, key))) as desk:
        trusting = ssl.create_default_context(cafile=chain)
        url = desk.url.replace("http:", "https:")
        async with desk.session.post(url, json=POST, ssl=trusting) as answer:
            assert answer.status == 202
        assert (await desk.raw(request(b"{}")))[:1] != b"H", "nothing is said in plain"
