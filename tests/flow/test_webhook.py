"""Webhooks over real sockets: what is taken, from whom, and what its sender is told."""

import asyncio
import gzip
import re
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from edges import Taken
from webhooks import NOW, POST, SECRET, TOKEN, SetClock, serving, signature

from crisisdesk.net.signing import HEADER
from crisisdesk.records import Correction, Post
from crisisdesk.server.http import Listener
from crisisdesk.settings import Address
from crisisdesk.sources.webhook.signature import Keys
from crisisdesk.sources.webhook.source import Webhook

SIGNED = Keys(secret=SECRET)
OTHER = POST | {"id": "8", "text": "me neither", "source": "forum"}
SOURCES = Path(__file__).parents[2] / "docs" / "sources.md"


async def test_one_post_several_and_lines_are_taken():
    async with serving() as desk:
        assert (await desk.send(POST)).content == {"taken": 1, "bad": []}
        got = await desk.send([POST | {"id": "9"}, OTHER])
        assert (got.status, got.content["taken"]) == (202, 2)
        lines = orjson.dumps(POST | {"id": "10"}) + b"\n" + orjson.dumps(OTHER | {"id": "11"}) + b"\n"
        assert (await desk.send(lines, Content_Type="application/x-ndjson")).content["taken"] == 2
        assert [post.key for post in desk.edge.posts] == ["suite:7", "suite:9", "forum:8", "suite:10", "forum:11"]
        status = desk.webhook.status()
        assert (status.state, status.events, status.posts, status.bad, status.trouble) == ("live", 3, 5, 0, "")
        assert status.last_event == NOW


async def test_what_a_sender_takes_back_is_taken_back_here():
    async with serving() as desk:
        gone = {"id": "7", "deleted": True}
        got = await desk.send([POST, gone, gone | {"source": "forum"}, {"deleted": True}])
        assert got.content["taken"] == 3
        assert 'what is "deleted" needs the id' in str(got.content["bad"])
        assert desk.edge.corrections == [Correction("suite", "7"), Correction("forum", "7")]
        assert (await desk.send(gone)).content == {"taken": 1, "bad": []}
        assert (await desk.send(POST | {"deleted": False})).content == {"taken": 1, "bad": []}


async def test_an_empty_batch_is_no_mistake():
    async with serving() as desk:
        assert (await desk.send([])).content == {"taken": 0, "bad": []}


async def test_a_packed_body_is_unpacked():
    async with serving(SIGNED) as desk:
        body = gzip.compress(orjson.dumps(POST)) + gzip.compress(b"\n" + orjson.dumps(OTHER))
        got = await desk.send(body, Content_Encoding="gzip", **{HEADER: signature(body, NOW, SECRET)})
        assert got.content == {"taken": 2, "bad": []}


async def test_the_good_posts_of_a_request_are_taken_and_the_bad_ones_named():
    async with serving() as desk:
        got = await desk.send([POST, 5, {"text": "when?"}, OTHER])
        assert (got.status, got.content["taken"]) == (202, 2)
        assert [bad["index"] for bad in got.content["bad"]] == [1, 2]
        assert got.content["bad"][1]["reason"] == "time: is missing; write it like 2008-11-15T03:40:00Z"
        assert desk.webhook.status().bad == 2
        assert desk.webhook.status().trouble.startswith(
            "somebody posts to /ingest/suite what cannot be read (once or twice since 14:02 UTC); is not a post"
        )


async def test_an_answer_names_a_hundred_bad_posts_and_counts_the_others():
    async with serving() as desk:
        got = await desk.send([POST] + [0] * 250)
        assert (len(got.content["bad"]), got.content["more_bad"]) == (100, 150)
        assert desk.webhook.status().bad == 250


async def test_a_request_without_one_good_post_is_refused_and_says_why():
    async with serving() as desk:
        got = await desk.send([{"text": "when?"}])
        assert got.status == 400
        assert got.error == "No post could be read: time: is missing; write it like 2008-11-15T03:40:00Z"
        assert got.content["bad"] == [{"index": 0, "reason": "time: is missing; write it like 2008-11-15T03:40:00Z"}]
        assert desk.edge.posts == []


async def test_a_form_needs_no_time_and_is_one_post_when_its_button_is_pressed_twice():
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    async with serving() as desk:
        for _ in range(2):
            assert (
                await desk.send(b"text=Nie+wieder%21&author=Anna&tags=Acme&tags=Motrin&submit=ok", **form)
            ).status == 202
            desk.clock.passes(seconds=40)
        first, again = desk.edge.posts
        assert first == again
        assert (first.text, first.author, first.tags, first.time) == ("Nie wieder!", "Anna", ("Acme", "Motrin"), NOW)
        desk.clock.passes(minutes=10)
        await desk.send(b"text=Nie+wieder%21&author=Anna&tags=Acme&tags=Motrin&submit=ok", **form)
        assert desk.edge.posts[-1].id != first.id


async def test_what_curl_calls_a_form_and_is_json_is_read_as_json():
    async with serving() as desk:
        assert (await desk.send(POST, Content_Type="application/x-www-form-urlencoded")).content["taken"] == 1


async def test_a_post_of_the_future_came_now():
    async with serving() as desk:
        await desk.send(POST | {"time": "2026-05-26T00:00:00Z"})
        assert desk.edge.posts[0].time == NOW


async def test_a_right_signature_is_let_in_also_beside_one_of_an_old_secret():
    body = orjson.dumps(POST)
    async with serving(SIGNED) as desk:
        assert (await desk.signed(POST)).status == 202
        both = signature(body, NOW, "the secret before this one", SECRET)
        assert (await desk.send(body, **{HEADER: both})).status == 202


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("", "takes posts of those it knows only; send 'X-Crisisdesk-Signature: t=UNIX,v1=HEX'"),
        ("nonsense", "not of the right form"),
        ("t=1,v1=", "not of the right form"),
        ("t=١٢٣,v1=" + "0" * 64, "not of the right form"),
        ("t=" + "9" * 400 + ",v1=" + "0" * 64, "not of the right form"),
        (f"t={int(NOW.timestamp())},t=1,v1=" + "0" * 64, "not of the right form"),
        (f"t={int(NOW.timestamp())}" + (",v1=" + "0" * 64) * 6, "not of the right form"),
        (f"t={int(NOW.timestamp())},v1=" + "0" * 64, "does not fit the body and the secret"),
        (signature(orjson.dumps(POST), NOW, "another secret"), "does not fit the body and the secret"),
        (signature(orjson.dumps(OTHER), NOW, SECRET), "does not fit the body and the secret"),
        (signature(orjson.dumps(POST), NOW - timedelta(minutes=5, seconds=1), SECRET), "was signed 5 min ago"),
        (signature(orjson.dumps(POST), NOW + timedelta(minutes=12), SECRET), "was signed 12 min in the future"),
        (f"t={int(NOW.timestamp() * 1000)},v1=" + "0" * 64, "with the Unix time in seconds of a clock that is right"),
    ],
)
async def test_what_is_not_signed_rightly_and_in_time_is_refused(header, why):
    async with serving(SIGNED) as desk:
        got = await desk.send(orjson.dumps(POST), **({HEADER: header} if header else {}))
        assert got.status == 401
        assert why in got.error
        assert SECRET not in str(got)
        assert SECRET not in desk.webhook.status().trouble
        assert desk.edge.posts == []


async def test_the_status_tells_of_wrong_signatures_in_few_words_and_forgets_them_in_time():
    async with serving(SIGNED) as desk:
        told = []
        for number in range(12):
            await desk.signed(POST | {"id": str(number)}, secret="of somebody else")  # noqa: S106
            told.append(desk.webhook.status().trouble)
        assert told[0] == (
            "somebody posts to /ingest/suite with a wrong signature (once or twice since 14:02 UTC); "
            "check the secret on their side"
        )
        assert "(10 times or more since 14:02 UTC)" in told[-1]
        assert len(set(told)) == 3, "a log that tells each change must not tell each request"
        desk.clock.passes(minutes=61)
        assert desk.webhook.status().trouble == ""


async def test_a_repeated_request_gets_the_same_answer_and_has_no_effect():
    body = orjson.dumps([POST, 5])
    header = {HEADER: signature(body, NOW, SECRET)}
    async with serving(SIGNED) as desk:
        first = await desk.send(body, **header)
        desk.clock.passes(minutes=4)
        again = await desk.send(body, **header)
        assert (first.status, first.content) == (again.status, again.content) == (202, first.content)
        assert len(desk.edge.posts) == 1
        assert desk.webhook.status().events == 1
        desk.clock.passes(minutes=2)
        assert (await desk.send(body, **header)).status == 401, "it has expired"


async def test_a_repeated_request_may_succeed_where_the_first_failed():
    body = orjson.dumps(POST)
    header = {HEADER: signature(body, NOW, SECRET)}
    async with serving(SIGNED) as desk:
        desk.edge.full = True
        assert (await desk.send(body, **header)).status == 503
        desk.edge.full = False
        assert (await desk.send(body, **header)).status == 202
        assert len(desk.edge.posts) == 1


async def test_what_was_overheard_is_the_same_post_also_for_a_desk_that_was_restarted():
    body = b"text=never+again&author=anna"
    form = {"Content_Type": "application/x-www-form-urlencoded", HEADER: signature(body, NOW, SECRET)}
    keys = []
    for minutes in (0, 4):
        async with serving(SIGNED) as desk:
            desk.clock.passes(minutes=minutes)
            assert (await desk.send(body, **form)).status == 202
            keys += [post.key for post in desk.edge.posts]
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_what_has_no_id_has_the_same_one_when_it_comes_again():
    anonymous = {key: POST[key] for key in ("time", "text")}
    async with serving(SIGNED) as desk:
        await desk.signed(anonymous)
        desk.clock.passes(hours=3)
        await desk.signed([anonymous])
        assert desk.edge.posts[0].key == desk.edge.posts[1].key


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 202),
        (f"bearer  {TOKEN}", 202),
        ("Basic ZGVzazphIHRva2VuIG9mIG1vcmUgdGhhbiBzaXh0ZWVu", 202),  # desk:<the token>
        ("Bearer wrong", 401),
        ("Bearer ", 401),
        ("Bearer ü", 401),
        ("Basic ???", 401),
        ("Basic /w==", 401),
        (f"Digest {TOKEN}", 401),
        (TOKEN, 401),
        ("", 401),
    ],
)
async def test_who_cannot_sign_shows_a_token(authorization, status):
    async with serving(Keys(SECRET, TOKEN)) as desk:
        got = await desk.send(POST, **({"Authorization": authorization} if authorization else {}))
        assert got.status == status
        assert TOKEN not in str(got)
        assert TOKEN not in desk.webhook.status().trouble
        assert (await desk.signed(POST)).status == 202


async def test_no_key_is_printed():
    assert SECRET not in repr(Keys(SECRET, TOKEN))
    assert TOKEN not in str(Keys(SECRET, TOKEN))


@pytest.mark.parametrize(
    ("keys", "headers", "status"),
    [
        (Keys(), {"Origin": "https://evil.example"}, 403),
        (Keys(), {"Origin": "null"}, 403),
        (Keys(), {"Origin": "http://evil.example:8080", "Host": "evil.example:8080"}, 403),  # a name of its own for us
        (Keys(), {"Origin": "http://[", "Host": "["}, 403),
        (Keys(), {"Origin": "http://127.0.0.1:8080", "Host": "127.0.0.1:8080"}, 202),
        (
            Keys(token=TOKEN),
            {"Origin": "https://evil.example", "Authorization": "Basic ZGVzazphIHRva2VuIG9mIG1vcmUgdGhhbiBzaXh0ZWVu"},
            403,
        ),
        (Keys(token=TOKEN), {"Origin": "https://acme.example", "Authorization": f"Bearer {TOKEN}"}, 202),
    ],
)
async def test_a_page_of_another_site_cannot_post_through_a_browser(keys, headers, status):
    async with serving(keys) as desk:
        assert (await desk.send(POST, **headers)).status == status


@pytest.mark.parametrize("header", [{"X_Forwarded_For": "203.0.113.5"}, {"Forwarded": "for=203.0.113.5"}])
async def test_without_a_secret_nothing_is_taken_through_a_proxy(header):
    async with serving() as desk:
        got = await desk.send(POST, **header)
        assert (got.status, got.error) == (
            403,
            "This webhook has no secret, so it takes posts of its own machine only and none through a proxy.",
        )
        assert desk.webhook.status().trouble == (
            "somebody posts to /ingest/suite through a proxy, without a secret (once or twice since 14:02 UTC); "
            "give it a 'secret_env' or a 'token_env'"
        )
    async with serving(SIGNED) as desk:
        body = orjson.dumps(POST)
        assert (await desk.send(body, **header, **{HEADER: signature(body, NOW, SECRET)})).status == 202


async def test_who_shows_a_password_only_when_asked_is_asked():
    async with serving(Keys(token=TOKEN)) as desk:
        assert (await desk.send(POST)).headers["WWW-Authenticate"].startswith("Basic ")


async def test_too_many_requests_a_minute_are_told_when_to_come_again():
    async with serving(per_minute=2) as desk:
        assert [(await desk.send(POST)).status for _ in range(3)] == [202, 202, 429]
        got = await desk.send(POST)
        assert got.headers["Retry-After"] == "30"
        assert got.error.startswith("More than 2 requests came within a minute")
        assert "raise 'per_minute'" in desk.webhook.status().trouble
        desk.clock.passes(seconds=30)
        assert [(await desk.send(POST)).status for _ in range(2)] == [202, 429]


async def test_a_full_disk_is_told_to_both_sides_until_it_is_not_full():
    async with serving() as desk:
        desk.edge.full = True
        got = await desk.send(POST)
        assert (got.status, got.headers["Retry-After"]) == (503, "30")
        assert got.error == "The desk cannot write posts down at the moment; send it again."
        assert desk.webhook.status().trouble == "The disk is full; make room."
        assert desk.webhook.status().state == "live"
        desk.edge.full = False
        assert (await desk.send(POST)).status == 202
        assert desk.webhook.status().trouble == ""


async def test_an_impatient_answer_cuts_off_nothing_and_the_repeated_request_counts_once():
    slow = asyncio.Event()

    async def wait(_: Post) -> None:
        await slow.wait()

    async with serving(SIGNED, edge=Taken(wait=wait), keep_seconds=0.05) as desk:
        got = await desk.signed([POST, OTHER])
        assert (got.status, got.headers["Retry-After"]) == (503, "10")
        assert "it will count once" in got.error
        assert "faster than the desk can write it down" in desk.webhook.status().trouble
        slow.set()
        await desk.edge.until(lambda: len(desk.edge.posts) == 2)
        assert (await desk.signed([POST, OTHER])).content["taken"] == 2
        assert len(desk.edge.posts) == 2


async def test_what_is_in_hand_at_the_end_is_kept_and_confirmed_and_what_comes_then_is_told_to_wait():
    slow = asyncio.Event()

    async def wait(_: Post) -> None:
        await slow.wait()

    listener = Listener(Address("127.0.0.1", 0))
    edge = Taken(wait=wait)
    async with serving(listener=listener, name="other") as other:
        async with serving(listener=listener, edge=edge) as desk:
            url, before = desk.url, asyncio.create_task(other.send(POST, url=desk.url))
            async with asyncio.timeout(5):
                while not desk.webhook._in_hand._sizes:  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.001)
            asyncio.get_running_loop().call_later(0.1, slow.set)
        assert (await before).status == 202
        assert len(edge.posts) == 1
        assert desk.webhook.status().state == "ended"
        late = await other.send(POST, url=url)
        assert (late.status, late.error) == (503, "The desk is about to stop; send it again soon.")
        assert (await other.send(POST)).status == 202


async def test_a_source_that_waits_and_cannot_resume():
    source = Webhook("suite", Listener(Address("127.0.0.1", 0)), SetClock(), Keys())
    source.resume("whatever")
    assert (source.pushes, source.resumes, source.cursor, source.status().state) == (False, False, None, "connecting")


async def test_the_page_on_sources_shows_how_to_sign():
    (example,) = re.findall(r"```python\n(.*?X-Crisisdesk-Signature.*?)```", SOURCES.read_text(), re.DOTALL)
    async with serving(Keys(secret="the secret of the suite")) as desk:  # noqa: S106 - the page's
        code = example.replace("http://127.0.0.1:8080", f"http://{desk.listener.address}")
        code = code.replace("time.time()", str(NOW.timestamp()))
        await asyncio.to_thread(exec, code, {})
        assert [post.text for post in desk.edge.posts] == ["never again #acme"]
