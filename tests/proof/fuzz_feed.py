"""What strangers may put where a feed was: real ones, broken in every cheap way, and what must hold all the same."""

import asyncio
import gzip
import random
import resource
import sys
import time
from contextlib import suppress
from typing import Final

import aiohttp
from faults import Faults
from feed_shapes import CHANNEL, HERE, NEWS, OLD, RDF, REDDIT
from feeds import NOW
from yarl import URL

from crisisdesk.errors import InputError
from crisisdesk.sources.feed.answer import MAX_WAIT, Astray, Refusal
from crisisdesk.sources.feed.document import read_document
from crisisdesk.sources.feed.entry import Entry
from crisisdesk.sources.feed.request import Asking, Question

SLOWEST: Final = 2.0
"""Seconds that the worst of these small documents may take, on a machine that has other things to do as well."""
GROWTH: Final = 40_000_000
"""Bytes by which the process may grow; the allocator keeps some."""

_FEEDS: Final = [one.encode() for one in (REDDIT, NEWS, CHANNEL, OLD)] + [RDF.encode("latin-1"), NEWS.encode("utf-16")]
_CHARSETS: Final = ("", "", "utf-8", "latin-1", "utf-16", "punycode", "zip", "\0", "x" * 40)
_SCRAPS: Final = [
    *b"< > & ; </ /> <! <!-- --> <![CDATA[ ]]> <? ?> &# &#x &amp; &lt; &a; <a <a> </a> \" ' = <item> </item>".split(),
    *b"<entry> </entry> <title> <guid> <id>1</id> <rss> <feed <channel> xmlns= xml:base='http://[' xml:lang='".split(),
    *b"type='application/xhtml+xml' mode='base64' type='text/html' rdf:about= <!ENTITY a '&a;'> <!DOCTYPE a [".split(),
    *(b"\0 \xff \xfe\xff \xed\xa0\x80 &#0; &#xd800; &#1114112; &#99999999999999999999;".split(b" ")),
    b"<pubDate>Mon, 99 Foo 99999 25:61:61 +9999</pubDate>",
    b"<pubDate>0000-00-00T00:00:00Z</pubDate>",
    b"<dc:date>-9999-12-31</dc:date>",
    b"<author>a@b (c (d (e</author>",
    b"<link>javascript:alert(1)</link>",
    b"<ttl>99999999999999</ttl><skipHours><hour>99</hour>",
    b"<media:group><media:content url='x'/><georss:polygon>1 2 3</georss:polygon><gml:pos>x</gml:pos>",
    b"<a>" * 300,
    b"&lt;b&gt;" * 300,
    b"9" * 400,
    "\u0301".encode() * 50,
    "\u202e\u2066\U000e0041".encode(),
]


mutated: Final = Faults(_SCRAPS, _FEEDS, gone=40, again=300).in_bytes


def fuzz(count: int, seed: int) -> dict[str, float]:
    """Read so many broken feeds; how they came out, and the seconds of the slowest.

    Raises:
        AssertionError: something does not hold; the document is in the message.
    """
    chance, before = random.Random(seed), 0
    found = {
        "feeds": count,
        "with entries": 0,
        "without": 0,
        "cut off": 0,
        "no feed": 0,
        "breaks the reader": 0,
        "slowest": 0.0,
    }
    for number in range(count):
        content, charset = mutated(chance, chance.choice(_FEEDS)), chance.choice(_CHARSETS)
        began = time.perf_counter()
        try:
            document = read_document(content, charset=charset, address=HERE)
        except InputError as error:
            found["breaks the reader" if "breaks" in str(error) else "no feed"] += 1
            continue
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} of {charset} {content!r}") from error
        finally:
            found["slowest"] = max(found["slowest"], time.perf_counter() - began)
        assert all(map(_is_sound, document.entries)), f"{charset} {content!r} became {document}"
        assert len({entry.id for entry in document.entries}) == len(document.entries)
        found["with entries" if document.entries else "without"] += 1
        found["cut off"] += not document.is_whole
        if number == count // 4:
            before = memory()
    assert found["slowest"] < SLOWEST
    assert found["breaks the reader"] <= 2 + count / 200, "feedparser has its faults, but they are rare"
    assert before == 0 or memory() - before < GROWTH
    assert read_document(_FEEDS[0], address=HERE).entries, "a good one still comes through"
    return found


def _answers() -> list[bytes]:
    """What servers say, with and without a feed."""
    feed, packed = _FEEDS[3], gzip.compress(_FEEDS[3])
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nConnection: close\r\n"
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(feed), feed)
    return [
        head + b'ETag: "1"\r\nCache-Control: max-age=60\r\nAge: 5\r\nContent-Length: %d\r\n\r\n' % len(feed) + feed,
        head + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed,
        head + b"Transfer-Encoding: chunked\r\nContent-Language: de\r\n\r\n" + chunked,
        b"HTTP/1.1 301 Moved Permanently\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        b'HTTP/1.1 304 Not Modified\r\nETag: W/"2"\r\nConnection: close\r\n\r\n',
        b"HTTP/1.1 429 Too Many\r\nRetry-After: Mon, 25 May 2026 15:30:00 GMT\r\nX-Ratelimit-Remaining: 0.0\r\n\r\n",
    ]


async def fuzz_answers(count: int, seed: int) -> dict[str, int]:
    """Ask a server so many times that gives broken answers; how they came out.

    Raises:
        AssertionError: something does not hold.
    """
    chance, answers, waits = random.Random(seed), _answers(), list[float]()
    found = {"answers": count, "feeds": 0, "unchanged": 0, "refused": 0, "astray": 0, "broken": 0}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(mutated(chance, chance.choice(answers), 1))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here = URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed")
    async with server, Asking(seconds=2.0, is_inward=lambda address: address != "127.0.0.1") as asking:
        for _ in range(count):
            try:
                answer = await asking.ask(Question(here, here, etag="x"), NOW)
            except Refusal as refusal:
                waits.append(refusal.wait)
                found["refused"] += 1
            except Astray:
                found["astray"] += 1
            except (aiohttp.ClientError, OSError, ValueError):
                found["broken"] += 1
            else:
                waits.append(answer.max_age)
                assert answer.etag.isprintable()
                found["feeds" if answer.content is not None else "unchanged"] += 1
    assert all(0.0 <= wait <= MAX_WAIT for wait in waits)
    return found


def _is_sound(entry: Entry) -> bool:
    """Whether an entry is what every later stage trusts it to be."""
    texts = (entry.id, entry.text, entry.author, entry.lang, entry.url)
    return (
        0 < len(entry.text) <= 10_000
        and 0 < len(entry.id) <= 220
        and (entry.url is None or entry.url.lower().startswith(("http://", "https://")))
        and all(when is None or 0 < when < 1 << 34 for when in (entry.published, entry.updated))
        and all(text is None or (text.isprintable() and "\u202e" not in text) for text in texts)
    )


def memory() -> int:
    """The most bytes that the process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
