"""Where webhooks listen: one address for all of them, with a certificate or without."""

import asyncio
import errno
import itertools
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from edges import Taken
from webhooks import POST, TOKEN, Served, SetClock, request, serving

from crisisdesk.cli.configured import desk_plan
from crisisdesk.errors import FatalSourceError
from crisisdesk.server import door
from crisisdesk.server.certificate import Certificate
from crisisdesk.server.http import Listener, diagnose
from crisisdesk.server.visit import Visit
from crisisdesk.settings import Address
from crisisdesk.sources.webhook.signature import Keys
from crisisdesk.sources.webhook.source import Webhook


async def until(true: Callable[[], object]) -> None:
    """Return when it is."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)


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


async def test_a_port_that_is_taken_is_told_with_its_cure_and_tried_again():
    async with serving() as desk:
        listener = Listener(desk.listener.address)
        second = Webhook("second", listener, SetClock(), Keys(), waits=itertools.repeat(0.01))
        running = asyncio.create_task(second.run(Taken()))
        await until(lambda: second.status().trouble)
        assert second.status().state == "connecting"
        assert second.status().trouble == (
            f"The desk cannot listen on {desk.listener.address}: another programme has it; stop that, or write another "
            "port at 'listen' under [server]. It is tried again."
        )
    await until(lambda: second.status().state == "live")
    assert second.status().trouble == ""
    running.cancel()
    await asyncio.wait([running])


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("192.0.2.1", "this machine has no such address; connect its network, or write another address at 'listen'"),
        ("desk.invalid", "no machine of this name is found; connect the network, or write another address at 'listen'"),
    ],
)
async def test_an_address_that_is_not_there_may_come(host, told):
    webhook = Webhook("suite", Listener(Address(host, 8080)), SetClock(), Keys())
    running = asyncio.create_task(webhook.run(Taken()))
    await until(lambda: webhook.status().trouble)
    assert told in webhook.status().trouble
    assert webhook.status().state == "connecting"
    running.cancel()
    await asyncio.wait([running])


def test_a_port_for_administrators_is_fatal():
    error = diagnose(Address("127.0.0.1", 80), PermissionError(errno.EACCES, "Permission denied"))
    assert isinstance(error, FatalSourceError)
    assert str(error) == (
        "The desk cannot listen on 127.0.0.1:80: ports below 1024 are for administrators; write another port at "
        "'listen' under [server]."
    )


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize(("host", "reached"), [("::1", ["::1"]), ("::", ["::1", "127.0.0.1"])])
async def test_ipv6(host, reached):
    async with serving(listener=Listener(Address(host, 0))) as desk:
        for address in reached:
            url = f"http://{Address(address, desk.listener.address.port)}/ingest/suite"
            assert (await desk.send(POST, url=url)).status == 202


async def test_a_certificate_that_cannot_be_used_is_fatal_and_names_the_settings(tmp_path):
    chain, key = tmp_path / "desk.pem", tmp_path / "desk.key"
    for expected in ("no such file or directory", "are no PEM"):
        webhook = Webhook("suite", Listener(Address("127.0.0.1", 0), Certificate(chain, key)), SetClock(), Keys())
        with pytest.raises(FatalSourceError, match=f"{expected}.*mend 'tls_certificate' and 'tls_key'"):
            await webhook.run(Taken())
        chain.write_text("nonsense")
        key.write_text("nonsense")


@pytest.fixture
async def certificate(tmp_path):
    """Makes a certificate for 127.0.0.1, anew each time it is called."""
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    chain, key = tmp_path / "desk.pem", tmp_path / "desk.key"

    async def made() -> tuple[Path, Path]:
        make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        make += ["-subj", "/CN=desk", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", chain]
        await asyncio.to_thread(subprocess.run, make, check=True, capture_output=True)
        return chain, key

    return made


async def secured(desk: Served, chain: Path) -> int:
    """The status of a request over https, by one who trusts this certificate alone."""
    context = await asyncio.to_thread(ssl.create_default_context, cafile=chain)
    url = desk.url.replace("http:", "https:")
    async with desk.session.post(url, json=POST, ssl=context) as answer:
        return answer.status


async def test_with_a_certificate_it_is_https_and_a_renewed_one_needs_no_restart(certificate):
    chain, key = await certificate()
    async with serving(listener=Listener(Address("127.0.0.1", 0), Certificate(chain, key))) as desk:
        assert await secured(desk, chain) == 202
        assert (await desk.raw(request(b"{}")))[:1] != b"H", "nothing is said in plain"
        before = chain.rename(chain.with_suffix(".before"))
        assert await secured(desk, before) == 202, "while there is none, it is the last one"
        await certificate()
        assert await secured(desk, chain) == 202


async def test_who_never_agrees_on_how_to_encrypt_keeps_nobody_out(certificate, monkeypatch):
    monkeypatch.setattr(door, "MOST_CONNECTIONS", 2)
    chain, key = await certificate()
    async with serving(listener=Listener(Address("127.0.0.1", 0), Certificate(chain, key))) as desk:
        held = [(await asyncio.open_connection(*desk.listener.address))[1] for _ in range(5)]
        assert await secured(desk, chain) == 202
        for writer in held:
            writer.close()


async def test_who_never_agrees_on_how_to_encrypt_is_not_waited_for(certificate, monkeypatch):
    monkeypatch.setattr(door, "HANDSHAKE_SECONDS", 0.1)
    chain, key = await certificate()
    async with serving(listener=Listener(Address("127.0.0.1", 0), Certificate(chain, key))) as desk:
        assert await desk.raw() == b""


async def test_a_running_desk_is_visited_without_a_complaint_and_keeps_what_is_sent_to_it():
    async with serving() as desk:
        visit = Visit(desk.listener.address)
        visited = [Webhook(name, visit, SetClock(), Keys()) for name in ("suite", "form")]
        running = [asyncio.create_task(webhook.run(Taken())) for webhook in visited]
        await until(lambda: all(webhook.status().state == "live" for webhook in visited))
        assert (await desk.send(POST)).status == 202
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        assert len(desk.edge.posts) == 1


async def test_the_address_of_a_desk_that_does_not_run_is_tried():
    async with serving() as other:
        address = other.listener.address
    visit, edge = Visit(address), Taken()
    edge.full = True
    visited = [Webhook(name, visit, SetClock(), Keys()) for name in ("suite", "form")]
    running = [asyncio.create_task(webhook.run(edge)) for webhook in visited]
    await until(lambda: all(webhook.status().state == "live" for webhook in visited))
    async with aiohttp.ClientSession() as session:
        for name in ("suite", "form"):
            async with session.post(f"http://{address}/ingest/{name}", json=POST) as answer:
                assert answer.status == 503, "so that it is sent again"
    for task in running:
        task.cancel()
    await asyncio.wait(running)


async def test_what_is_no_desk_at_its_address_is_a_trouble_for_a_visitor_too():
    async def another(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(another, "127.0.0.1", 0) as server:
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        visited = Webhook("suite", Visit(address), SetClock(), Keys())
        running = asyncio.create_task(visited.run(Taken()))
        await until(lambda: "another programme has it" in visited.status().trouble)
        running.cancel()
        await asyncio.wait([running])
