"""A real desk that several people share: every route refuses whom it should, and commands are heard at once."""

import asyncio
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from datetime import timedelta

import aiohttp
import orjson
import pytest
from aiohttp import web
from desks import PEOPLE, Served, served

from crisisdesk.cli.logs import _parts
from crisisdesk.cli.main import run
from crisisdesk.records import Role
from crisisdesk.server import site
from crisisdesk.server.certificate import Certificate
from crisisdesk.server.changes import Changes
from crisisdesk.server.looking import Looking
from crisisdesk.server.openapi import document
from crisisdesk.server.pictures import Pictures
from crisisdesk.server.presence import find
from crisisdesk.server.routes import Route
from crisisdesk.server.stream import opened
from crisisdesk.server.tokens import Tokens
from crisisdesk.settings import Address

OPEN = {"/healthz", "/readyz"}


def routes(desk: Served) -> list[Route]:
    """Everything that can be asked of it."""
    found = list(desk.app.service._site.routes())
    assert len(found) > 15
    assert {route.path for route in found if route.role is None} == OPEN
    return found


def where(route: Route) -> str:
    return re.sub(r"\{\w+\}", "x", route.path)


async def ask(desk: Served, route: Route, **headers: str) -> tuple[int, str]:
    """The status, and what is said."""
    body = b"{}" if route.changes else None
    sent = ({"Content-Type": "application/json"} if route.changes else {}) | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    async with desk.session.request(route.method, desk.url + where(route), data=body, headers=sent) as answer:
        return answer.status, (await answer.json()).get("error", "")


async def test_every_route_but_the_probes_wants_to_know_who_asks(tmp_path):
    async with served(tmp_path) as desk:
        for route in routes(desk):
            if route.role is None:
                continue
            assert await ask(desk, route) == (401, (await ask(desk, route))[1]), route.path
            desk.clock.ahead += timedelta(minutes=1)
            status, said = await ask(desk, route, Authorization="Bearer cd_aaaaaaaa_" + "a" * 43)
            assert (status, "not known here" in said) == (401, True), route.path


async def test_every_route_refuses_those_whose_role_is_too_low(tmp_path):
    async with served(tmp_path) as desk:
        for route in routes(desk):
            for person, role in PEOPLE.items():
                if route.role is not None and role < route.role:
                    status, said = await ask(desk, route, **desk.headers(person))
                    assert status == 403, (route.path, person)
                    assert f"needs the role {route.role}, and you have the role {role}" in said


async def test_without_tokens_every_route_refuses_pages_proxies_and_other_names(tmp_path):
    async with served(tmp_path, {}) as desk:
        for route in routes(desk):
            if route.role is None:
                continue
            for header in ({"Host": "desk.example"}, {"Origin": "https://evil.example"}, {"Via": "1.1 proxy"}):
                status, said = await ask(desk, route, **header)
                assert (status, bool(said)) == (403, True), (route.path, header)


async def test_every_route_that_changes_something_takes_small_json_only(tmp_path):
    async with served(tmp_path) as desk:
        incident = (await desk.incident()).id
        for route in routes(desk):
            if not route.changes or "{incident}" not in route.path:
                continue
            path = route.path.replace("{incident}", incident)
            assert (await desk.post(path, {}, "Anna Berg", Content_Type="text/plain")).status == 415
            assert (await desk.post(path, b"[]", "Anna Berg")).status == 400
            assert (await desk.post(path, b" " * 20_000, "Anna Berg")).status == 413
            assert (await desk.post(path, {}, "Anna Berg", Content_Encoding="gzip")).status == 415
        assert desk.app.register.open_for("Acme").acknowledged_by is None


async def command(*arguments: str) -> int:
    return await asyncio.to_thread(run, arguments)


async def test_a_token_made_by_command_works_at_once_and_one_that_is_revoked_does_not(tmp_path, capfd):
    async with served(tmp_path, {}) as desk:
        config = ("-c", str(tmp_path / "crisisdesk.toml"))
        assert (await desk.get("/api/v1/me")).status == 200, "nobody has a token yet"
        assert await command("token", "create", "Anna Berg", *config) == 0
        token = {"Authorization": f"Bearer {capfd.readouterr().out.strip()}"}
        await asyncio.sleep(0.3)
        assert (await desk.get("/api/v1/me")).status == 401
        got = await desk.get("/api/v1/me", **token)
        assert (got.status, got.content["person"], got.content["role"]) == (200, "Anna Berg", "responder")
        stream = await desk.session.get(f"{desk.url}/api/v1/stream", headers=token)
        assert stream.status == 200
        assert await command("token", "revoke", "Anna Berg", *config) == 0
        async with asyncio.timeout(2):
            await stream.read()
        assert (await desk.get("/api/v1/me", **token)).status == 401
        assert (await desk.get("/api/v1/me")).status == 401, "nor is anybody let in without one"
        owner = {"Authorization": f"Bearer {desk.presence.token}"}
        assert (await desk.get("/api/v1/me", **owner)).content["role"] == "owner"


async def begin(desk: Served, head: str, person: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request of which something may be missing, over a connection that holds little."""
    to = socket.socket()
    to.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    to.setblocking(False)
    host, _, port = desk.url.partition("://")[2].partition(":")
    await asyncio.get_running_loop().sock_connect(to, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=to, limit=4096)
    writer.write(f"{head}Host: desk\r\nAuthorization: Bearer {desk.secrets[person]}\r\n".encode())
    return reader, writer


async def revoke(desk: Served, person: str) -> None:
    (theirs,) = [one.id for one in desk.tokens.all() if one.person == person]
    await asyncio.to_thread(desk.tokens.revoke, [theirs])
    await asyncio.sleep(0.3)


async def test_whose_token_is_revoked_before_they_have_said_what_they_want_gets_nothing_done(tmp_path):
    async with served(tmp_path) as desk:
        incident = await desk.incident()
        head = f"POST /api/v1/incidents/{incident.id}/acknowledge HTTP/1.1\r\nConnection: close\r\n"
        reader, writer = await begin(desk, head, "Anna Berg")
        writer.write(b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
        await asyncio.sleep(0.3)
        await revoke(desk, "Anna Berg")
        writer.write(b"}")
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 401 ")
        assert b"Meanwhile your token was revoked" in said
        assert desk.app.register.open_for("Acme").acknowledged_by is None
        writer.close()


async def test_whose_token_is_revoked_is_cut_off_also_where_they_do_not_read(tmp_path, monkeypatch):
    left = asyncio.Event()

    async def much(_: Pictures, request: web.Request, ended: Callable[[], bool]) -> web.StreamResponse:
        response = await opened(request)
        try:
            while not ended():
                await response.write(bytes(1 << 16))
        finally:
            left.set()
        return response

    monkeypatch.setattr(site, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(Pictures, "answer", much)
    async with served(tmp_path) as desk:
        reader, writer = await begin(desk, "GET /api/v1/picture HTTP/1.1\r\n", "Vera")
        writer.write(b"\r\n")
        await reader.readline()
        await asyncio.sleep(0.2)
        await revoke(desk, "Vera")
        async with asyncio.timeout(2):
            await left.wait()
        writer.close()


@pytest.mark.parametrize("path", ["/api/v1/me", "/nowhere"])
async def test_what_nobody_understands_to_be_expected_is_refused_in_json_and_not_repeated(tmp_path, path):
    async with served(tmp_path) as desk:
        reader, writer = await begin(desk, f"GET {path} HTTP/1.1\r\nExpect: miracles\r\nConnection: close\r\n", "Vera")
        writer.write(b"\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 417 ")
        assert orjson.loads(body) == {"error": "The header 'Expect' is not understood; leave it out."}
        writer.close()


async def test_a_stream_that_fails_breaks_off_and_the_log_gets_no_line_of_a_stranger(tmp_path, monkeypatch):
    async def fail(_: Changes, request: web.Request, __: Callable[[], bool]) -> web.StreamResponse:
        await (await opened(request)).write(b": hello\n\n")
        raise ZeroDivisionError

    async def stumble(_: Looking, __: web.Request) -> web.Response:
        raise ZeroDivisionError

    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
    monkeypatch.setattr(Changes, "answer", fail)
    monkeypatch.setattr(Looking, "incident", stumble)
    async with served(tmp_path) as desk:
        reader, writer = await begin(desk, "GET /api/v1/stream HTTP/1.1\r\n", "Vera")
        writer.write(b"\r\n")
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 200 ")
        assert said.endswith(b": hello\n\n\r\n")
        writer.close()
        assert (await desk.get("/api/v1/incidents/%0A%1B%5B31m2026", "Vera")).status == 500
    assert told == ["GET /api/v1/stream failed", "GET /api/v1/incidents/%0A%1B%5B31m2026 failed"]


@pytest.mark.parametrize("harm", ["broken", "removed"])
async def test_a_list_of_tokens_that_is_harmed_is_a_trouble_that_people_see(tmp_path, harm):
    async with served(tmp_path) as desk:
        if harm == "broken":
            desk.tokens.path.write_text("{")
        else:
            desk.tokens.path.unlink()
        await asyncio.sleep(0.3)
        assert (await desk.get("/api/v1/incidents", "Edda")).status == 503
        assert [told for told in desk.app.troubles() if str(desk.tokens.path) in told]
        assert [state for part, state in _parts(desk.app) if part == "server" and str(desk.tokens.path) in state]
        assert (await desk.get("/healthz")).status == 200


async def test_the_audit_of_a_running_desk_is_read_beside_it(tmp_path, capfd):
    async with served(tmp_path) as desk:
        incident = (await desk.incident()).id
        await desk.post(f"/api/v1/incidents/{incident}/acknowledge", {}, "Anna Berg")
        await desk.post(f"/api/v1/incidents/{incident}/notes", {"note": "the s3cr3t plan"}, "Ben Cole")
        await desk.post(f"/api/v1/incidents/{incident}/notes", {"note": "x"}, "Vera")
        await desk.get("/api/v1/incidents")
        capfd.readouterr()
        assert await command("audit", "--since", "400 days", "-c", str(tmp_path / "crisisdesk.toml")) == 0
        told = capfd.readouterr().out
    lines = [re.sub(r" {2,}", " ", line[21:]) for line in told.splitlines() if " token " not in line]
    assert lines == [
        f"Anna Berg (responder) 127.0.0.1 POST /api/v1/incidents/{{incident}}/acknowledge {incident} 200",
        f"Ben Cole (responder) 127.0.0.1 POST /api/v1/incidents/{{incident}}/notes {incident} 200",
        f"Vera (viewer) 127.0.0.1 POST /api/v1/incidents/{{incident}}/notes {incident} 403",
        "a stranger 127.0.0.1 GET /api/v1/incidents 401",
    ]
    assert told.count(" created for ") == len(PEOPLE)
    assert "s3cr3t" not in told


async def test_with_a_certificate_everything_is_encrypted_and_browsers_are_told_to_keep_to_it(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    chain, key = tmp_path / "desk.pem", tmp_path / "desk.key"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-subj", "/CN=desk", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", chain]
    await asyncio.to_thread(subprocess.run, make, check=True, capture_output=True)
    trusted = await asyncio.to_thread(ssl.create_default_context, cafile=chain)
    async with served(tmp_path, certificate=Certificate(chain, key)) as desk:
        for path, status in (("/api/v1/me", 200), ("/nowhere", 404), ("/healthz", 200)):
            async with desk.session.get(desk.url + path, headers=desk.headers("Vera"), ssl=trusted) as answer:
                assert answer.status == status
                assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
                assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert desk.presence.url == desk.url
        owner = {"Authorization": f"Bearer {desk.presence.token}"}
        async with desk.session.get(f"{desk.presence.url}/api/v1/me", headers=owner, ssl=False) as answer:
            assert (await answer.json())["role"] == "owner"
        with pytest.raises(aiohttp.ClientError):
            await desk.session.get(desk.url.replace("https", "http") + "/api/v1/me", headers=desk.headers("Vera"))


async def test_commands_of_this_machine_go_where_the_desk_is_whatever_its_name_stands_for_now(tmp_path):
    async with served(tmp_path, address=Address("localhost", 0)) as desk:
        port = desk.url.rpartition(":")[2]
        assert desk.presence.url in {f"http://127.0.0.1:{port}", f"http://[::1]:{port}"}


async def test_the_document_says_what_each_route_needs(tmp_path):
    async with served(tmp_path, {"Vera": Role.VIEWER}) as desk:
        paths = document(routes(desk))["paths"]
        for route in routes(desk):
            if route.role is not None:
                assert {"401", "403"} <= set(paths[route.path][route.method.lower()]["responses"]), route.path


async def test_who_stops_the_desk_leaves_no_way_in_behind(tmp_path):
    async with served(tmp_path) as desk:
        assert find(desk.database)
    assert not (tmp_path / "acme.db.desk").exists()
    assert Tokens(desk.tokens.path, desk.clock).all() == ()
