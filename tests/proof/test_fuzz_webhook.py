"""A million broken bodies to a webhook, and some hundreds of broken requests over its socket."""

import random
import re

import orjson
import pytest
from fuzz_webhook import fuzz, mutated
from webhooks import POST, SECRET, request, serving, signature

from crisisdesk.net.signing import HEADER
from crisisdesk.server import connection
from crisisdesk.server.http import Listener
from crisisdesk.settings import Address
from crisisdesk.sources.webhook.signature import Keys

ANSWER = re.compile(rb"HTTP/1\.[01] (\d{3}) .*?\r\n\r\n(.*?)(?=HTTP/1\.[01] \d|$)", re.DOTALL)


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_a_million_broken_bodies():
    print(fuzz(1_000_000, seed=1))


@pytest.mark.proof
async def test_broken_requests_over_the_socket(monkeypatch):
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.01)
    listener = Listener(Address("127.0.0.1", 0), head_seconds=0.05, body_seconds=0.05)
    chance, body, answers = random.Random(2), orjson.dumps([POST, POST]), dict[bytes, int]()
    async with serving(Keys(SECRET), listener=listener, per_minute=60_000) as desk:
        whole = request(body, headers=f"{HEADER}: {signature(body, desk.clock.now(), SECRET)}\r\n")
        for _ in range(1_000):
            got = await desk.raw(mutated(chance, whole) if chance.random() < 0.7 else whole[: chance.randrange(400)])
            for status, content in ANSWER.findall(got):
                answers[status] = answers.get(status, 0) + 1
                assert status in {b"202", b"400", b"401", b"403", b"404", b"405", b"408", b"413", b"415", b"417"}, got
                assert {"error"} <= orjson.loads(content).keys() or status == b"202", got
        assert (await desk.signed(POST)).status == 202, "a good one still comes through"
    print(answers)
