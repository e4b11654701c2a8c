"""Who is let in over HTTP, and who is not: each refusal as it looks from the outside."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from visitors import Door, letting_in, spread
from webhooks import NOW

from crisisdesk.records import Role
from crisisdesk.server.access import MOST_ADDRESSES, MOST_FAILURES, Limits
from crisisdesk.server.tokens import Tokens

NONSENSE = "cd_nonsense"


@pytest.fixture
async def door(tmp_path) -> AsyncIterator[Door]:
    async with letting_in(tmp_path) as door:
        yield door


async def test_a_token_says_who_acts_whatever_else_is_said(door):
    token = door.token(Role.RESPONDER, "Anna Berg")
    got = await door.get("/viewer", token, X_Crisisdesk_Person="Ben")
    assert (got.status, got.content["person"], got.content["role"]) == (200, "Anna Berg", "responder")
    assert got.content["token"] == token.split("_")[1]


@pytest.mark.parametrize("had", [Role.VIEWER, Role.RESPONDER, Role.EDITOR])
@pytest.mark.parametrize("needed", [Role.VIEWER, Role.RESPONDER, Role.EDITOR, Role.OWNER])
async def test_each_role_may_do_what_those_before_it_may(door, had, needed):
    got = await door.get(f"/{needed}", door.token(had))
    if had >= needed:
        assert got.status == 200
        return
    assert got.status == 403
    assert got.error == (
        f"This needs the role {needed}, and you have the role {had}; ask whoever runs the desk for another token."
    )


async def test_without_a_token_where_there_is_one_nobody_is_let_in(door):
    door.token()
    got = await door.get()
    assert (got.status, got.headers["WWW-Authenticate"]) == (401, 'Bearer realm="crisisdesk"')
    assert got.error == (
        "This desk wants to know who you are; send 'Authorization: Bearer TOKEN'; `crisisdesk token create NAME`, run "
        "where the desk is, makes one."
    )


@pytest.mark.parametrize(
    "authorization",
    ["Bearer nonsense", "Bearer cd_aaaaaaaa_" + "a" * 43, "bearer cd_", "Bearer ä€", "Bearer \x80", "Bearer a b c"],
)
async def test_a_token_that_is_none_is_refused(door, authorization):
    door.token()
    got = await door.get(Authorization=authorization)
    assert (got.status, got.headers["WWW-Authenticate"]) == (401, 'Bearer realm="crisisdesk"')
    assert got.error == "This token is not known here, or was revoked; ask whoever runs the desk for a new one."


@pytest.mark.parametrize("authorization", ["Basic YTpi", "Bearer", "Bearer  ", "nonsense"])
async def test_what_shows_no_token_is_told_how(door, authorization):
    door.token()
    got = await door.get(Authorization=authorization)
    assert got.status == 401
    assert "Authorization: Bearer TOKEN" in got.error


async def test_a_desk_without_tokens_knows_none(door):
    assert (await door.get(token="cd_aaaaaaaa_" + "a" * 43)).status == 401


async def test_an_expired_token_says_so(door):
    token = door.token(expires=NOW + timedelta(hours=1))
    assert (await door.get(token=token)).status == 200
    door.clock.passes(hours=1)
    got = await door.get(token=token)
    assert got.status == 401
    assert got.error == "Your token expired on 2026-05-25; ask whoever runs the desk for a new one."


async def test_a_revoked_token_is_none(door):
    token = door.token()
    assert (await door.get(token=token)).status == 200
    Tokens(door.tokens.path, door.clock).revoke([token.split("_")[1]])
    door.clock.passes(seconds=1)
    got = await door.get(token=token)
    assert (got.status, "was revoked" in got.error) == (401, True)
    assert (await door.get()).status == 401, "nor is anybody let in without"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (quote("Jörg Über"), "Jörg Über"),
        ("Anna Berg", "Anna Berg"),
        ("", "somebody"),
        (quote("\x1b[31mred\x00\u202e"), "red"),
        ("%ff%fe", "��"),
        ("a" * 500, "a" * 99 + "…"),
        ("%", "%"),
    ],
)
async def test_on_this_machine_without_tokens_people_say_who_they_are(door, name, shown):
    got = await door.get("/responder", X_Crisisdesk_Person=name)
    assert (got.status, got.content) == (200, {"person": shown, "role": "responder", "token": ""})


async def test_on_this_machine_without_tokens_nobody_is_an_editor(door):
    assert (await door.get("/editor")).status == 403


@pytest.mark.parametrize(
    "host", ["desk.example", "127.0.0.1.desk.example", "localhost.desk.example", "8.8.8.8", "[", ""]
)
async def test_without_tokens_another_name_for_this_machine_is_refused(door, host):
    got = await door.get(Host=host)
    assert got.status == 403
    assert "answers as 127.0.0.1 or localhost only" in got.error


@pytest.mark.parametrize("host", ["localhost:80", "127.0.0.1", "127.8.8.8:1", "[::1]:8080", "LOCALHOST"])
async def test_without_tokens_its_own_names_are_taken(door, host):
    assert (await door.get(Host=host)).status == 200


@pytest.mark.parametrize(
    "header",
    [
        {"Forwarded": "for=10.0.0.1"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"Via": "1.1 squid"},
        {"X-Forwarded-Port": "443"},
        {"CF-Connecting-IP": "10.0.0.1"},
        {"True-Client-IP": "10.0.0.1"},
    ],
)
async def test_without_tokens_a_proxy_is_refused(door, header):
    got = await door.get(**{name.replace("-", "_"): value for name, value in header.items()})
    assert got.status == 403
    assert "takes nothing through a proxy" in got.error


async def test_without_tokens_a_proxy_that_tells_nothing_of_itself_is_refused(door):
    got = await door.raw("GET /viewer HTTP/1.0\r\nHost: 127.0.0.1:8080\r\nConnection: close\r\n\r\n")
    assert b" 403 " in got
    assert b"through a proxy" in got


@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9"},
        {"Origin": "http://127.0.0.1:{port}@evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_tokens_pages_of_other_sites_are_refused(door, header, method):
    named = {name.replace("-", "_"): value.format(port=door.port) for name, value in header.items()}
    got = await (door.get(**named) if method == "GET" else door.post(**named))
    assert got.status == 403
    assert "A page of another site may not use this desk" in got.error
    assert "Access-Control-Allow-Origin" not in got.headers


async def test_without_tokens_its_own_page_is_taken(door):
    assert (await door.get(Origin=f"http://127.0.0.1:{door.port}", Sec_Fetch_Site="same-origin")).status == 200


async def test_without_tokens_a_name_in_the_first_line_counts_as_well(door):
    ask = "GET http://{}/viewer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert b" 403 " in await door.raw(ask.format("evil.example"))
    assert b" 200 " in await door.raw(ask.format("localhost"))


async def test_two_hosts_are_refused(door):
    got = await door.raw("GET /viewer HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert b" 400 " in got or b" 403 " in got


async def test_with_a_token_a_proxy_and_another_name_are_well(door):
    token = door.token()
    got = await door.get(token=token, Host="desk.example", X_Forwarded_For="10.0.0.1", Origin="https://desk.example")
    assert got.status == 200


async def test_who_asks_no_questions_before_sending_from_another_site_gets_no_leave(door):
    got = await door.ask(
        "OPTIONS", "/act", "", None, Origin="https://evil.example", Access_Control_Request_Method="POST"
    )
    assert got.status == 405
    assert not [name for name in got.headers if name.startswith("Access-Control")]


async def test_commands_of_this_machine_may_do_anything_as_whoever_they_say(door):
    door.token()
    got = await door.get("/owner", door.access.owner, X_Crisisdesk_Person=quote("Jörg"))
    assert (got.status, got.content) == (200, {"person": "Jörg", "role": "owner", "token": "thisdesk"})
    assert (await door.get("/owner", door.access.owner[:-1] + "_")).status == 401


@pytest.mark.parametrize("harm", ["broken", "removed", "open to others"])
async def test_a_list_of_tokens_that_is_not_as_it_should_be_lets_nobody_in(door, harm):
    token = door.token()
    assert (await door.get(token=token)).status == 200
    whole = door.tokens.path.read_bytes()
    if harm == "broken":
        door.tokens.path.write_bytes(b"{")
    elif harm == "removed":
        door.tokens.path.unlink()
    else:
        door.tokens.path.chmod(0o666)
    door.clock.passes(seconds=1)
    for shown in (token, ""):
        got = await door.get(token=shown)
        assert (got.status, got.headers["Retry-After"]) == (503, "10")
        assert str(door.tokens.path) not in got.error
    assert str(door.tokens.path) in door.access.trouble
    assert (await door.get("/owner", door.access.owner)).status == 200
    door.tokens.path.write_bytes(whole)
    door.tokens.path.chmod(0o600)
    door.clock.passes(seconds=1)
    assert (await door.get(token=token)).status == 200


async def test_too_many_requests_of_a_token_are_asked_to_wait_and_others_are_not(tmp_path):
    async with letting_in(tmp_path, Limits(per_minute=3)) as door:
        anna, ben = door.token(), door.token(person="Ben Cole")
        assert [(await door.get(token=anna)).status for _ in range(4)] == [200, 200, 200, 429]
        got = await door.get(token=anna)
        assert got.headers["Retry-After"] == "20"
        assert got.error == "This is more than 3 requests a minute; ask less often."
        assert (await door.get(token=ben)).status == 200
        assert [(await door.get("/owner", door.access.owner)).status for _ in range(9)] == [200] * 9
        door.clock.passes(seconds=20)
        assert (await door.get(token=anna)).status == 200


async def test_what_is_refused_for_a_role_counts_too(tmp_path):
    async with letting_in(tmp_path, Limits(per_minute=2)) as door:
        viewer = door.token(Role.VIEWER)
        assert [(await door.get("/editor", viewer)).status for _ in range(3)] == [403, 403, 429]


async def test_too_many_requests_without_tokens_are_asked_to_wait(tmp_path):
    async with letting_in(tmp_path, Limits(per_minute=2)) as door:
        assert [(await door.get(X_Crisisdesk_Person=f"p{n}")).status for n in range(3)] == [200, 200, 429]


async def test_who_tries_tokens_is_asked_to_wait_and_locks_nobody_out(door):
    token = door.token()
    tried = [(await door.get(token=NONSENSE)).status for _ in range(MOST_FAILURES + 1)]
    assert tried == [401] * MOST_FAILURES + [429]
    got = await door.get(token=NONSENSE)
    assert (got.status, got.headers["Retry-After"]) == (429, "3")
    assert (await door.get(token=token)).status == 200
    door.clock.passes(minutes=1)
    assert (await door.get(token=NONSENSE)).status == 401


async def test_the_addresses_of_those_who_try_do_not_fill_the_memory(door):
    for number in range(MOST_ADDRESSES + 100):
        door.access._count_failure(f"10.0.{number // 256}.{number % 256}")
    assert len(door.access._failures) == MOST_ADDRESSES


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"]
)
async def test_what_is_not_sent_as_json_is_refused(door, kind):
    got = await door.post(Content_Type=kind)
    assert (got.status, got.error) == (415, "Send a JSON object, with 'Content-Type: application/json'.")


async def test_what_is_packed_is_refused(door):
    got = await door.post(Content_Encoding="gzip")
    assert (got.status, got.error) == (415, "The body is packed; send it as it is.")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"[]", "a JSON object"),
        (b"\xff", "is no JSON"),
        (b"[" * 9000, "is no JSON"),
    ],
)
async def test_what_is_no_json_object_is_refused(door, body, told):
    got = await door.post(body)
    assert got.status == 400
    assert told in got.error


async def test_a_body_of_the_right_size_is_taken_and_a_larger_one_is_not(door):
    fits = b'{"note": "%s"}' % (b"a" * (16 * 1024 - 12))
    assert len(fits) == 16 * 1024
    assert (await door.post(fits)).status == 200
    got = await door.post(fits + b" ")
    assert (got.status, got.error) == (413, "The body is too large; 16,384 bytes are enough.")


@pytest.mark.parametrize("size", ["Content-Length: 100000000000", "Transfer-Encoding: chunked"])
async def test_a_huge_body_is_refused_before_it_has_come(door, size):
    head = {"Host": "localhost", "Content-Type": "application/json"}
    chunk = "5000\r\n" + "a" * 0x5000 + "\r\n" if "chunked" in size else ""
    got = await door.raw(f"POST /act HTTP/1.1\r\n{spread(head)}{size}\r\n\r\n{chunk}", seconds=15)
    assert b" 413 " in got


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path):
    async with letting_in(tmp_path, body_seconds=0.1) as door:
        head = spread({"Host": "localhost", "Content-Type": "application/json", "Content-Length": "10"})
        got = await door.raw(f"POST /act HTTP/1.1\r\n{head}\r\n{{")
        assert b" 408 " in got
        assert b"did not come within 0.1 s" in got


async def stream(door: Door, token: str = "", **headers: str) -> tuple[int, asyncio.Task[None]]:
    """The status of a stream, and what ends with it."""
    named = {"Authorization": f"Bearer {token}"} if token else {}
    response = await door.session.get(f"{door.url}/stream", headers=named | headers)

    async def read() -> None:
        async with response:
            await response.read()

    return response.status, asyncio.create_task(read())


async def test_a_token_has_so_many_streams_and_all_together_so_many(tmp_path):
    async with letting_in(tmp_path, Limits(streams=3, streams_each=2)) as door:
        anna, ben = door.token(), door.token(person="Ben Cole")
        opened = [await stream(door, token) for token in (anna, anna, anna, ben, ben)]
        assert [status for status, _ in opened] == [200, 200, 429, 200, 503]
        assert (await door.get("/stream", anna)).error == "Your token has 2 streams open; close a console."
        assert "All 3 streams of this desk are in use" in (await door.get("/stream", ben)).error
        assert (await stream(door, door.access.owner))[0] == 200, "who owns the desk can always look"
        opened[0][1].cancel()
        await asyncio.sleep(0.2)
        assert (await stream(door, ben))[0] == 200


@pytest.mark.parametrize("end", ["revoked", "expired", "first token", "broken"])
async def test_a_stream_ends_soon_after_the_leave_for_it(door, end):
    token = "" if end == "first token" else door.token(expires=NOW + timedelta(minutes=5))
    status, reading = await stream(door, token)
    assert status == 200
    if end == "revoked":
        Tokens(door.tokens.path, door.clock).revoke([token.split("_")[1]])
    elif end == "first token":
        door.token()
    elif end == "broken":
        door.tokens.path.write_text("{")
    await asyncio.sleep(0.1)
    door.clock.passes(**({"minutes": 5} if end == "expired" else {"seconds": 1}))
    async with asyncio.timeout(2):
        await reading


async def test_a_stream_of_somebody_who_may_goes_on(door):
    _, theirs = await stream(door, door.token())
    _, owners = await stream(door, door.access.owner)
    door.clock.passes(minutes=10)
    await asyncio.sleep(0.2)
    assert not theirs.done()
    assert not owners.done()
    for reading in (theirs, owners):
        reading.cancel()
