"""What a receiver, or what is on the way to it, can do to a delivery, and what people are told of it."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from receivers import (
    Doing,
    Pours,
    Server,
    breaks_off,
    certificate,
    drips,
    free_port,
    hangs,
    hangs_up,
    output_to,
    raw,
    says,
    serving,
    told,
)
from webhooks import NOW, SECRET, SetClock

from crisisdesk.errors import FatalOutputError, OutputError, RefusedError
from crisisdesk.outputs.webhook.answer import MAX_ASKED_WAIT, MOST_READ
from crisisdesk.outputs.webhook.line import Receiver
from crisisdesk.outputs.webhook.output import WebhookOutput
from crisisdesk.outputs.webhook.visit import visit

TOKEN = "t0ken/with+all=its&signs"  # noqa: S105 - not one
AGAIN = "It is tried again."


async def trouble(output: WebhookOutput) -> OutputError:
    """Why a delivery fails."""
    async with output.session():
        with pytest.raises(OutputError) as caught:
            await output.deliver(told())
    assert not isinstance(caught.value, FatalOutputError), "it stays owed, and is tried again"
    assert output.status().state == ("live" if isinstance(caught.value, RefusedError) else "retrying")
    return caught.value


@pytest.mark.parametrize("doing", [hangs, drips])
async def test_one_that_does_not_come_to_an_end_is_given_up(doing: Doing):
    async with serving(doing) as server:
        error = await trouble(output_to(server.url, seconds=0.2))
    assert str(error) == f"hooks.example has given no whole answer within 0.2 s; look how it is. {AGAIN}"


@pytest.mark.parametrize("doing", [hangs_up, breaks_off])
async def test_an_answer_that_has_not_come_whole_is_none(doing: Doing):
    async with serving(doing) as server:
        error = await trouble(output_to(server.url))
    assert str(error) == (
        f"hooks.example cannot be reached (it broke off); start it, or check the address of this output. {AGAIN}"
    )


@pytest.mark.parametrize("bytes_sent", [b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"])
async def test_what_is_no_http_is_told_as_such(bytes_sent: bytes):
    async with raw(bytes_sent) as port:
        error = await trouble(output_to(f"http://127.0.0.1:{port}/"))
    assert "(what comes from there is no HTTP)" in str(error)


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a number\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 9\r\n\r\nhel",
        b"",
    ],
)
async def test_broken_answers_count_for_nothing(bytes_sent: bytes):
    async with raw(bytes_sent) as port:
        assert "cannot be reached" in str(await trouble(output_to(f"http://127.0.0.1:{port}/")))


async def test_nobody_there():
    error = await trouble(output_to(f"http://127.0.0.1:{free_port()}/hook"))
    assert str(error) == (
        f"hooks.example cannot be reached (connection refused); start it, or check the address of this output. {AGAIN}"
    )


async def test_a_name_that_nobody_knows():
    assert "its name is not known" in str(await trouble(output_to("https://nobody.invalid/hook")))


@pytest.mark.parametrize("status", [200, 400])
async def test_of_an_endless_answer_only_a_little_is_read(status: int):
    pours = Pours(status)
    async with serving(pours) as server:
        output = output_to(server.url)
        async with output.session():
            if status == 200:
                await output.deliver(told())  # so much of it has come that it was taken
            else:
                with pytest.raises(RefusedError) as caught:
                    await output.deliver(told())
                assert len(str(caught.value)) < 400
            await asyncio.wait_for(pours.ended.wait(), 5)
    assert pours.written < 400 * MOST_READ, "what is under way when the desk hangs up lies in buffers"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (401, "does not know us (HTTP 401); check its secret or token, which may have changed, and the clock of this"),
        (402, "wants to be paid (HTTP 402); look at the account there"),
        (403, "does not let us in (HTTP 403); check its secret or token"),
        (404, "knows no such address (HTTP 404); check the address of this output"),
        (405, "takes nothing at this address (HTTP 405); check the address of this output"),
        (410, "is gone for good (HTTP 410); ask its owners for the new address of this output, or take it out"),
        (415, "is not made for CloudEvents (HTTP 415); put something in between that writes what it reads"),
        (500, "takes no alerts at the moment (HTTP 500)"),
        (507, "takes no alerts at the moment (HTTP 507)"),
        (408, "takes no alerts at the moment (HTTP 408)"),
    ],
)
async def test_what_concerns_all_alerts_is_told_with_its_cure_and_stays_owed(status: int, text: str):
    async with serving(says(status)) as server:
        error = await trouble(output_to(server.url))
    assert not isinstance(error, RefusedError)
    assert str(error).startswith(f"hooks.example {text}")
    assert str(error).endswith(AGAIN)


@pytest.mark.parametrize("status", [400, 409, 413, 418, 422, 431])
async def test_what_concerns_one_alert_is_told_of_that(status: int):
    async with serving(says(status)) as server:
        error = await trouble(output_to(server.url))
    assert isinstance(error, RefusedError)
    assert f"(HTTP {status})" in str(error)
    assert ("of that size" in str(error)) == (status == 413)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_is_followed_and_where_to_is_told(status: int):
    async with serving() as other:
        location = f"http://u:p@127.0.0.1:{other.port}/new?key=private#x"
        async with serving(says(status, Location=location)) as server:
            error = await trouble(output_to(server.url))
    assert str(error) == (
        f"hooks.example sends us on to http://127.0.0.1:{other.port}/new (HTTP {status}), where alerts do not follow; "
        f"if that is right, make it the address of this output. {AGAIN}"
    )
    assert other.got == []


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/hook/", "http://127.0.0.1:PORT/hook/"),
        ("", "another address"),
        ("http://[", "another address"),
        ("javascript:alert(1)", "another address"),
        ("//\x1b[31mevil", "another address"),
    ],
)
async def test_a_strange_place_to_go_does_no_harm(location: str, shown: str):
    escaped = location.encode().replace(b"\x1b", b"%1B")
    async with raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + escaped + b"\r\n\r\n") as port:
        error = await trouble(output_to(f"http://127.0.0.1:{port}/hook"))
    assert f"on to {shown.replace('PORT', str(port))} (HTTP 302)" in str(error)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("7", 7.0),
        ("999999999", MAX_ASKED_WAIT),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("1e9", 0.0),
    ],
)
async def test_a_rest_that_is_asked_for_is_given_up_to_a_limit(asked: str, seconds: float):
    async with serving(says(429, Retry_After=asked)) as server:
        output = output_to(server.url)
        error = await trouble(output)
    assert (output._rests_until - asyncio.get_running_loop().time()) == pytest.approx(seconds, abs=1.0)
    assert ("as it wishes" in str(error)) == (seconds > 0)


async def test_it_is_not_asked_before_its_rest_is_over():
    async with serving(says(429, Retry_After="1"), says(200)) as server:
        output = output_to(server.url)
        async with output.session():
            with pytest.raises(OutputError, match=r"HTTP 429.*in 1 s, as it wishes"):
                await output.deliver(told())
            began = time.monotonic()
            await output.ready()
            assert time.monotonic() - began > 0.8
            await output.deliver(told())
            await asyncio.wait_for(output.ready(), 0.1)


@pytest.mark.parametrize("status", [200, 202, 301, 400])
async def test_only_who_takes_none_at_the_moment_can_ask_for_a_rest(status: int):
    async with serving(says(status, Retry_After="60")) as server:
        output = output_to(server.url)
        async with output.session():
            with contextlib.suppress(OutputError):
                await output.deliver(told())
            await asyncio.wait_for(output.ready(), 0.1)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ('{"error": "no such brand."}', "application/json", "no such brand"),
        ('{"error": {"message": "no such brand"}}', "application/problem+json", "no such brand"),
        ('{"detail": ["x"]}', "application/json", ""),
        ('{"error": 7}', "application/json", ""),
        ("[" * 5_000, "application/json", ""),
        ("no \x1b[31msuch\x1b[0m brand\n", "text/plain", "no such brand"),
        ("<html>no such brand</html>", "text/html", ""),
    ],
)
async def test_its_own_words_are_told_where_they_are_a_sentence(text: str, kind: str, said: str):
    async with serving(says(422, text, Content_Type=kind)) as server:
        error = await trouble(output_to(server.url))
    assert (f' It says: "{said}".' in str(error)) if said else ("It says" not in str(error))


@pytest.mark.parametrize("status", [302, 401, 404, 422, 500])
@pytest.mark.parametrize("secret", ["token", "address"])
async def test_one_that_repeats_our_secrets_tells_nobody(status: int, secret: str):
    known = {"token": {"token": TOKEN}, "address": {"is_secret": True}}[secret]
    async with serving() as server:
        url = f"{server.url}/s3cret-path?key={TOKEN}"
        server.doing = [says(status, f"who is {url}, {TOKEN}, {SECRET}?", Location=url)]
        output = output_to(url, **known)
        error = await trouble(output)
    assert all(hidden not in str(error) + repr(output) for hidden in ("s3cret", "t0ken", SECRET, str(server.port)))


def test_a_receiver_is_never_printed():
    shown = repr(Receiver("https://x/s3cret", "x", token=TOKEN, secret=SECRET))
    assert not any(hidden in shown for hidden in ("s3cret", TOKEN, SECRET))


async def test_an_unknown_certificate_is_not_trusted(tmp_path: Path):
    _, context = await asyncio.to_thread(certificate, tmp_path)
    async with serving(tls=context) as server:
        error = await trouble(output_to(server.url, secret=None, token=TOKEN))
        assert server.got == []
    assert str(error) == (
        "The certificate of hooks.example is not to be trusted: nobody we know vouches for it; name who does with "
        f"'ca_file' of this output. {AGAIN}"
    )


@pytest.mark.parametrize(
    ("name", "days", "host", "told"),
    [
        ("other.example", 2, "127.0.0.1", "it is for another address; check the one of this output"),
        ("other.example", 2, "localhost", "it is for another name; check the address of this output"),
        ("127.0.0.1", -1, "127.0.0.1", "it has expired; whoever runs the receiver has to renew it"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_not_trusted(
    tmp_path: Path, name: str, days: int, host: str, told: str
):
    chain, context = await asyncio.to_thread(certificate, tmp_path, name, days=days)
    async with serving(tls=context) as server:
        url = server.url.replace("127.0.0.1", host)
        error = await trouble(output_to(url, tls=ssl.create_default_context(cafile=chain)))
        assert server.got == []
    assert str(error) == f"The certificate of hooks.example is not to be trusted: {told}. {AGAIN}"


async def test_https_that_is_none():
    async with serving() as server:
        error = await trouble(output_to(server.url.replace("http", "https")))
    assert "it does not speak https as it should" in str(error)


async def test_a_stop_does_not_wait_for_one_that_hangs():
    async with serving(hangs) as server:
        output = output_to(server.url)
        async with output.session():
            delivering = asyncio.create_task(output.deliver(told()))
            await asyncio.sleep(0.05)
            delivering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(delivering, 1)


class Proxy:
    """Takes everybody to one port, whatever they ask for, unless it `refuses`."""

    def __init__(self, port: int, *, refuses: bool = False) -> None:
        self.port, self.refuses, self.asked = port, refuses, list[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        if self.refuses:
            writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    writer.close()


@contextlib.asynccontextmanager
async def proxied(proxy: Proxy, monkeypatch: pytest.MonkeyPatch, name: str = "desk:pass@") -> AsyncIterator[Proxy]:
    for variable in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"{name}127.0.0.1:{server.sockets[0].getsockname()[1]}")
        yield proxy


async def test_the_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    chain, context = await asyncio.to_thread(certificate, tmp_path, "hooks.example")
    async with (
        serving(tls=context) as server,
        proxied(Proxy(server.port), monkeypatch) as proxy,
    ):
        output = output_to("https://hooks.example/hook", tls=ssl.create_default_context(cafile=chain))
        async with output.session():
            await output.deliver(told())
    assert len(server.got) == 1
    assert proxy.asked[0].startswith(b"CONNECT hooks.example:443 ")
    assert b"Proxy-Authorization: Basic ZGVzazpwYXNz\r\n" in proxy.asked[0]


async def test_a_proxy_knows_us_without_encryption_too(monkeypatch: pytest.MonkeyPatch):
    async with serving(says(200)) as proxy:
        for variable in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("http_proxy", f"desk:pass@127.0.0.1:{proxy.port}")
        output = output_to("http://hooks.example/hook")
        async with output.session():
            await output.deliver(told())
    assert proxy.got[0].headers["Host"] == "hooks.example"
    assert proxy.got[0].headers["Proxy-Authorization"] == "Basic ZGVzazpwYXNz"


async def test_a_proxy_that_refuses_or_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch):
    async with proxied(Proxy(0, refuses=True), monkeypatch, ""):
        error = await trouble(output_to("https://hooks.example/hook"))
    assert str(error) == (
        f"The proxy on the way to hooks.example answers HTTP 407; check HTTPS_PROXY and NO_PROXY. {AGAIN}"
    )
    error = await trouble(output_to("https://hooks.example/hook"))
    assert str(error) == (
        f"The proxy on the way to hooks.example is not there; check HTTPS_PROXY and NO_PROXY. {AGAIN}"
    )


async def look(server: Server, *doing: Doing, **known: str) -> tuple[str, str]:
    server.doing, server.got[:] = list(doing), []
    found = await visit(Receiver(server.url, "hooks.example", secret=SECRET, **known), SetClock(), 2)
    assert [(got.method, got.body) for got in server.got] == [("OPTIONS", b"")]
    return found.said, found.doubt


async def test_a_look_tells_nothing_and_says_what_it_finds():
    fine = "hooks.example answers; whether it takes alerts shows when the desk runs."
    async with serving() as server:
        for status in (200, 204, 405, 501, 400):
            assert await look(server, says(status)) == (fine, "")
        for status in (401, 403, 404):
            said, doubt = await look(server, says(status))
            assert said == fine
            assert f"HTTP {status}" in doubt
            assert "carries no alert" in doubt
        for status in (301, 410, 429, 503):
            with pytest.raises(OutputError, match=f"HTTP {status}"):
                await look(server, says(status))
    with pytest.raises(OutputError, match="cannot be reached"):
        await visit(Receiver(server.url, "hooks.example"), SetClock(), 2)
