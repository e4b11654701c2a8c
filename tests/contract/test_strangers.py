"""What stands in the way of a console, each in a sentence with its cure; other versions of the desk."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest
from aiohttp import web
from attached import remote, until
from desks import NOW

from crisisdesk import __version__, wire
from crisisdesk.clock import WallClock
from crisisdesk.console import line
from crisisdesk.console.line import DeniedError, Line, NoAnswerError, Place
from crisisdesk.console.remote import RemoteDesk
from crisisdesk.desk import Picture
from crisisdesk.errors import CrisisdeskError, UsageError

ME = {"person": "Anna", "role": "responder", "desk": "acme", "timezone": "", "version": __version__}
SHOWN = "cd_abc_def"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Something at an address."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def refused(url: str, **place: object) -> CrisisdeskError:
    """Why one does not get in."""
    async with Line(Place(url, **place)) as to_desk:
        with pytest.raises(CrisisdeskError) as caught:
            await to_desk.me()
    return caught.value


def says(status: int, body: bytes, **headers: str) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return answer


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (says(200, b"<html>hello</html>"), UsageError, "is no crisisdesk; check the address"),
        (says(200, b"[]"), UsageError, "is no crisisdesk"),
        (says(200, b'{"person": 3}'), UsageError, "is no crisisdesk"),
        (says(404, b"nothing here"), UsageError, "is no crisisdesk"),
        (says(404, b'{"error": "nothing"}'), UsageError, "is older and lets no console in; upgrade it there"),
        (says(301, b"", Location="https://other.example/"), UsageError, "give that address"),
        (says(401, b'{"error": "This token is not known."}'), DeniedError, "This token is not known."),
        (says(403, b'{"error": "Only this machine."}'), UsageError, "Only this machine."),
        (says(429, b'{"error": "Too many attempts."}'), CrisisdeskError, "Too many attempts."),
        (says(502, b"<html>bad gateway</html>"), NoAnswerError, "the desk behind it does not answer"),
        (says(503, b'{"error": "Later."}'), CrisisdeskError, "Later."),
    ],
)
async def test_what_answers_something_else_is_told_apart(answer, kind, said):
    async with answering(answer) as url:
        error = await refused(url)
    assert isinstance(error, kind)
    assert said in str(error)


async def test_where_nobody_answers_the_cure_is_named():
    error = await refused("http://127.0.0.1:1")
    assert isinstance(error, NoAnswerError)
    assert not error.sent
    assert "and that the desk runs" in str(error)
    assert "name is not known" in str(await refused("https://desk.invalid"))


async def test_a_sentence_of_a_stranger_obeys_no_terminal():
    async with answering(says(400, orjson.dumps({"error": "\x1b]52;c;aGk=\x07gone\u202e"}))) as url:
        assert str(await refused(url)) == "gone"


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b" " * 10_000)
    return response


@pytest.mark.parametrize(
    "answer",
    [
        endless,
        says(200, gzip.compress(b" " * 1_000_000 + orjson.dumps(ME)), **{"Content-Encoding": "gzip"}),
        says(500, b" " * 1_000_000 + b'{"error": "much"}'),
        says(200, b'{"person":' + b"[" * 1_000 + b"]" * 1_000 + b"}"),
    ],
    ids=["endless", "packed", "large", "deep"],
)
async def test_a_stranger_does_not_fill_the_memory(answer, monkeypatch):
    monkeypatch.setattr(line, "MOST_BYTES", 500_000)
    async with answering(answer) as url:
        assert "is no crisisdesk" in str(await refused(url))


async def test_a_token_goes_nowhere_else():
    seen = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=b"{}")

    async with answering(elsewhere) as other, answering(says(302, b"", Location=other)) as url:
        await refused(url, token=SHOWN)
    assert seen == []
    assert SHOWN not in repr(Place(url, token=SHOWN))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [*make, *names, "-keyout", "key.pem", "-out", "cert.pem"], cwd=tmp_path, check=True, stderr=subprocess.DEVNULL
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return tmp_path / "cert.pem", context


async def test_a_certificate_of_nobody_known_is_refused_and_one_of_ones_own_authority_is_not(certificate):
    file, context = certificate
    async with answering(says(200, orjson.dumps(ME)), context) as url:
        error = await refused(url)
        assert isinstance(error, UsageError)
        assert "certificate of localhost" in str(error)
        assert "--ca" in str(error)
        trusted = ssl.create_default_context(cafile=file)
        async with Line(Place(url, tls=trusted)) as to_desk:
            assert (await to_desk.me()).person == "Anna"
        wrong_name = url.replace("localhost", "127.0.0.1")
        assert "not valid for" in str(await refused(wrong_name, tls=trusted))
        assert "https:// where the desk encrypts" in str(await refused(url.replace("https", "http")))


async def test_the_proxy_of_the_environment_is_used_and_said_to_be_in_the_way(monkeypatch):
    for variable in ("no_proxy", "NO_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    async with answering(says(407, b"who are you?")) as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        error = await refused("https://desk.example")
    assert "The proxy on the way to desk.example lets nothing through; check HTTPS_PROXY" in str(error)
    monkeypatch.setenv("https_proxy", "127.0.0.1:1")
    assert "The proxy on the way" in str(await refused("https://desk.example"))


async def test_what_is_on_this_machine_is_not_asked_for_over_a_proxy_whatever_its_address(monkeypatch):
    seen = []

    async def listening(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=orjson.dumps(ME))

    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    async with answering(listening) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("https_proxy", proxy)
        for url in ("http://0.0.0.0:1", "https://0.0.0.0:1"):  # no address of loopback, and this machine all the same
            assert isinstance(await refused(url, token=SHOWN, tls=False), NoAnswerError)
    assert seen == []


async def test_https_is_not_spoken_where_there_is_none():
    async with answering(says(200, b"{}")) as url:
        assert "does not speak https there" in str(await refused(url.replace("http", "https")))


def desk_that_says(picture: bytes, me: dict[str, str] = ME) -> Answer:
    """One of another version."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/me"):
            return web.Response(body=orjson.dumps(me))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": hello\n\nevent: weather\ndata: {}\n\n")
        while True:
            await response.write(b"event: picture\nid: x-1\ndata: " + picture + b"\n\n")
            await asyncio.sleep(0.1)

    return answer


async def test_a_console_that_is_older_than_its_desk_says_so_and_shows_what_it_knows():
    said = orjson.loads(wire.encoded(Picture(NOW, model="m"), Picture)) | {"weather": "fine"}
    async with (
        answering(desk_that_says(orjson.dumps(said), ME | {"version": "99.1"})) as url,
        remote(url) as desk,
    ):
        picture = await until(desk, lambda picture: picture.lost is None)
        assert picture.model == "m"
        assert "is older than its desk (99.1)" in picture.troubles[0]


@pytest.mark.parametrize(
    "picture", [{"moment": 1}, {"now": "9999-12-31T23:59:59Z"}, {"now": "2026-05-25T14:02:00"}, {"now": -1e11}]
)
async def test_a_desk_that_cannot_be_read_is_said_to_be_of_another_version(picture):
    strange = answering(desk_that_says(orjson.dumps(picture)))
    async with strange as url, Line(Place(url)) as to_desk, RemoteDesk(to_desk, WallClock()) as desk:
        picture = await until(desk, lambda picture: picture.lost and picture.lost.why)
        assert "upgrade the older of the two" in picture.lost.why
        assert picture.lost.since is None


async def test_who_only_keeps_the_line_open_is_left_and_tried_again(monkeypatch):
    asked = []

    async def nothing_new(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if request.path.endswith("/me"):
            return web.Response(body=orjson.dumps(ME))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b": nothing new\n\n")
                await asyncio.sleep(0.05)
        return response

    monkeypatch.setattr("crisisdesk.console.remote.SILENT_SECONDS", 0.2)
    async with (
        answering(nothing_new) as url,
        Line(Place(url)) as to_desk,
        RemoteDesk(to_desk, WallClock()) as desk,
    ):
        picture = await until(desk, lambda picture: picture.lost.why and len(asked) > 2)
        assert picture.lost.why == "Nothing comes from it any more."


async def test_what_only_says_that_it_is_a_desk_obeys_no_terminal():
    hostile = "\x1b]52;c;aGk=\x07gone\u202e\rover"
    said = orjson.loads(wire.encoded(Picture(NOW), Picture)) | {"model": hostile, "troubles": [f"one\n{hostile}"]}
    async with answering(desk_that_says(orjson.dumps(said))) as url, remote(url) as desk:
        picture = await until(desk, lambda picture: picture.lost is None)
    assert picture.model == "gone over"
    assert picture.troubles == ("one\ngone over",)
