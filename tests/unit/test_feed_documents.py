"""What is read of feeds as they are found in the world, good ones and bad ones."""

import calendar
import random

import pytest
from feed_shapes import CHANNEL, HERE, NEWS, OLD, RDF, REDDIT
from fuzz_feed import fuzz, fuzz_answers

from crisisdesk.errors import InputError
from crisisdesk.sources.feed import apart
from crisisdesk.sources.feed.document import MAX_ENTRIES, read_document
from crisisdesk.sources.feed.entry import Entry


def epoch(*parts: int) -> int:
    return calendar.timegm((*parts, 0))


def only(text: str | bytes, **headers: str) -> Entry:
    (entry,) = read_document(text.encode() if isinstance(text, str) else text, address=HERE, **headers).entries
    return entry


def rss(*items: str) -> str:
    return f"<rss version='2.0'><channel>{''.join(f'<item>{one}</item>' for one in items)}</channel></rss>"


def test_broken_feeds():
    found = fuzz(400, seed=3)
    assert min(found["with entries"], found["no feed"], found["cut off"]) > 10, "all ways out are taken"


async def test_broken_answers():
    found = await fuzz_answers(150, seed=4)
    assert min(found["feeds"], found["unchanged"], found["refused"], found["broken"]) > 5, "all ways out are taken"


def test_a_search_on_reddit():
    assert only(REDDIT) == Entry(
        "t3_1abcde",
        "Motrin for my toddler. It didn't work. Never again!",
        "/u/anna",
        None,
        "https://www.reddit.com/r/Parenting/comments/1abcde/motrin/",
        epoch(2026, 5, 25, 13, 40),
        epoch(2026, 5, 25, 13, 40),
    )


def test_a_search_for_news():
    assert only(NEWS) == Entry(
        "CBMiabc",
        "Schmerzmittel zurückgerufen - Der Bote",
        "Der Bote",
        "de",
        "https://news.google.com/rss/articles/CBMiabc?oc=5",
        epoch(2026, 5, 25, 7, 0),
    )


def test_what_others_write_of_the_same_is_no_text_of_an_article():
    others = (
        '&lt;ol&gt;&lt;li&gt;&lt;a href="https://news.google.com/rss/articles/CBMiabc?oc=5" target="_blank"&gt;Recall'
        '&lt;/a&gt;&amp;nbsp;&amp;nbsp;&lt;font color="#6f6f6f"&gt;Der Bote&lt;/font&gt;&lt;/li&gt;&lt;li&gt;&lt;a '
        'href="https://news.google.com/rss/articles/CBMixyz?oc=5"&gt;Acme sues&lt;/a&gt;&lt;/li&gt;&lt;/ol&gt;'
    )
    assert only(rss(f"<title>Recall - Der Bote</title><description>{others}</description>")).text == "Recall - Der Bote"


def test_a_search_of_bing():
    link = "http://www.bing.com/news/apiclick.aspx?ref=FexRss&amp;tid={}&amp;url=https%3a%2f%2fa.example%2f1%3fb%3d2&amp;c=4"
    item = f"<title>Recall</title><link>{link}</link><News:Source>Reuters</News:Source>"
    found = [only(f'<rss xmlns:News="http://www.bing.com:80/news/search/">{rss(item.format(n))[5:]}') for n in (1, 2)]
    assert found[0] == found[1], "its links are others at each reading"
    assert (found[0].id, found[0].author) == ("https://a.example/1?b=2", "Reuters")


def test_an_alert_of_google():
    link = "https://www.google.com/url?rct=j&amp;sa=t&amp;url=https://a.example/1%3Fb%3D2&amp;ct=ga&amp;usg=AOv"
    found = only(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>tag:google.com,2013:googlealerts/feed:1</id>"
        f"<title type='html'>&lt;b&gt;Acme&lt;/b&gt; again</title><author><name/></author><link href='{link}'/>"
        "</entry></feed>"
    )
    assert (found.text, found.url, found.author) == ("Acme again", "https://a.example/1?b=2", None)


def test_a_channel():
    found = only(CHANNEL)
    assert (found.id, found.text, found.author) == ("yt:video:dQw", "Motrin, tested. All of it. And more.", "Tester")
    assert (found.published, found.updated) == (epoch(2026, 5, 24, 10, 0), epoch(2026, 5, 25, 10, 0))


def test_rss_1_in_latin_1():
    found = only(RDF.encode("latin-1"))
    assert (found.id, found.text, found.author) == ("https://f.example/t/7", "Für immer. na ja", "jörg")
    assert found.published == epoch(2026, 5, 25, 13, 40)


def test_rss_0():
    found = only(OLD)
    assert (found.text, found.lang, found.published) == ("AT&T <3 you. short", "en", None)


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        (RDF.encode("utf-8"), ""),  # which says of itself that it is latin-1
        (RDF.replace("ISO-8859-1", "utf-8").encode("latin-1"), "utf-8"),
        (RDF.replace("ISO-8859-1", "UTF-16").encode("utf-16"), ""),
        (RDF.replace("ISO-8859-1", "UTF-16").encode("utf-16-be"), ""),
        (RDF.encode("utf-16-le"), "us-ascii"),
        (RDF.encode("utf-8-sig"), "latin-1"),
        (RDF.encode("utf-32"), ""),
        (RDF.replace("ISO-8859-1", "punycode").encode("latin-1"), "unicode_escape"),
        (RDF.replace("ISO-8859-1", "none").encode("cp1252"), "no such thing"),
        (RDF.encode("cp1250"), "windows-1250"),
        (RDF.replace("jörg", "jörg, Mädchen für größere Übel").encode().replace(b"na ja", b"na ja\xc3"), "latin-1"),
    ],
)
def test_letters_are_read_whatever_is_said_of_them(content, charset):
    assert only(content, charset=charset).text.removesuffix("�") == "Für immer. na ja"


@pytest.mark.parametrize("title", ["AT&T", "AT&amp;T", "<![CDATA[AT&T]]>", "<![CDATA[AT&amp;T]]>"])
def test_brands_with_an_ampersand(title):
    assert only(rss(f"<title>{title}, caf&eacute; &#8222;x&#8220;</title>")).text == "AT&T, café „x“"


def test_letters_of_others_are_read_as_they_are_declared():
    assert only(rss("<title>Привет</title>").encode("koi8-r"), charset="koi8-r").text == "Привет"


@pytest.mark.parametrize(
    ("title", "body", "text"),
    [
        ("Never again", "Never again, says the mother.", "Never again, says the mother."),
        ("Never again, says…", "Never again, says the mother.", "Never again, says the mother."),
        ("Never again, sa...", "Never again, says the mother.", "Never again, says the mother."),
        ("Never again", "&lt;p&gt;Never &lt;b&gt;again&lt;/b&gt;&lt;/p&gt;", "Never again"),
        ("Really?", "Yes.", "Really? Yes."),
        ("Never", "again", "Never. again"),
        ("", "only words", "only words"),
        ("only a title", "", "only a title"),
        ("\x1b]52;c;aGk=\x07Never", "\u202eagain", "Never. again"),
    ],
)
def test_the_title_is_not_said_twice(title, body, text):
    assert only(rss(f"<title>{title}</title><description>{body}</description>")).text == text


def test_the_whole_text_is_preferred_to_its_summary():
    found = only(
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><item><title>T</title>'
        "<description>short</description><content:encoded><![CDATA[<p>all of it</p><script>x()</script>]]>"
        "</content:encoded></item></channel></rss>"
    )
    assert found.text == "T. all of it"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://a.example/1", "https://a.example/1"),
        ("/1?a=1&amp;b=2", "https://www.example.org/1?a=1&b=2"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://[broken", None),
        ("https://a.example/" + "x" * 3_000, None),
    ],
)
def test_links_lead_to_the_web_or_nowhere(link, url):
    assert only(rss(f"<title>x</title><link>{link}</link>")).url == url


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("Mon, 25 May 2026 09:40:00 -0400", epoch(2026, 5, 25, 13, 40)),
        ("2026-05-25T15:40:00+02:00", epoch(2026, 5, 25, 13, 40)),
        ("Mon, 25 May 2026 13:40:00", epoch(2026, 5, 25, 13, 40)),
        ("Mon,25 May 2026 09:40:00 -0400", epoch(2026, 5, 25, 13, 40)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Mon, 25 May 9999 00:00:00 GMT", None),
        ("yesterday", None),
        ("9" * 1_000, None),
    ],
)
def test_dates_that_can_be_meant(date, time):
    assert only(rss(f"<title>x</title><pubDate>{date}</pubDate>")).published == time


def test_ids_are_made_of_what_there_is():
    found = read_document(
        rss(
            "<title>a</title><guid>urn:1</guid><link>https://a.example/1</link>",
            "<title>b</title><link>https://a.example/2</link>",
            "<title>c</title>",
            f"<title>d</title><guid isPermaLink='false'>{'x' * 500}</guid>",
            f"<title>e</title><guid isPermaLink='false'>{'x' * 501}</guid>",
        ).encode(),
        address=HERE,
    ).entries
    ids = {entry.text: entry.id for entry in found}
    assert (ids["a"], ids["b"]) == ("urn:1", "https://a.example/2")
    assert len(set(ids.values())) == 5
    assert max(map(len, ids.values())) < 200


def test_an_id_that_all_entries_have_is_none():
    same = "<guid isPermaLink='false'>site</guid>"
    found = read_document(
        rss(*(f"<title>{n}</title>{same}<link>https://a.example/{n}</link>" for n in range(3))).encode()
    )
    assert {entry.id for entry in found.entries} == {f"https://a.example/{n}" for n in range(3)}


def test_of_two_versions_of_an_entry_the_newer_one_counts():
    versions = "".join(
        f"<entry><id>urn:1</id><title>version {n}</title><link href='https://a.example/1'/>"
        f"<updated>2026-05-2{n}T00:00:00Z</updated></entry>"
        for n in (1, 3, 2)
    )
    found = only(f"<feed xmlns='http://www.w3.org/2005/Atom'>{versions}</feed>")
    assert (found.id, found.text) == ("urn:1", "version 3")


@pytest.mark.parametrize("order", ["newest first", "newest last", "none"])
def test_of_very_many_entries_the_newest_are_read(order):
    items = [
        f"<title>{n}</title><pubDate>2026-05-{n // 1440 + 10}T{n // 60 % 24:02}:{n % 60:02}Z</pubDate>"
        for n in range(6_000)
    ]
    if order == "newest first":
        items.reverse()
    elif order == "none":
        random.Random(1).shuffle(items)
    found = read_document(rss(*items).encode()).entries
    assert [entry.text for entry in found] == [str(n) for n in range(5_999, 5_999 - MAX_ENTRIES, -1)]


@pytest.mark.parametrize(
    ("content", "is_whole"),
    [
        (rss("<title>a &nbsp; b & c</title>"), True),
        (rss("<title>a</title>") + "\n<!-- cached by WP Super Cache -->", True),
        (RDF, True),
        (REDDIT, True),
        (rss("<title>a</title>", "<title>b</title>")[:-30], False),
    ],
    ids=["entities", "remark", "rdf", "atom", "cut"],
)
def test_whether_a_feed_has_come_to_its_end(content, is_whole):
    assert read_document(content.encode()).is_whole is is_whole


def test_entries_without_words_are_counted():
    found = read_document(rss("<title>a</title>", "<guid>urn:2</guid>", "<title>\u202e</title>").encode())
    assert (len(found.entries), found.unusable) == (1, 2)


HOSTILE = {
    "laughs": '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a0 "lol">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
    + rss("<title>&a9;</title>"),
    "blowup": f'<!DOCTYPE l [<!ENTITY a "{"x" * 50_000}">]>' + rss(f"<title>{'&a;' * 5_000}</title>"),
    "file": '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + rss("<title>see: &a;</title>"),
    "network": '<!DOCTYPE l [<!ENTITY % a SYSTEM "http://127.0.0.1:9/"> %a;]>' + rss("<title>x</title>"),
    "deep": rss("<title>x</title>" + "<a>" * 20_000),
    "deep html": rss(f"<title>x</title><description>{'&lt;div&gt;' * 20_000}</description>"),
    "attributes": rss(f"<title {' '.join(f'a{n}=&quot;1&quot;' for n in range(2_000))}>x</title>"),
    "no end": rss("<title>x</title><description>")[:-40],
    "opened": rss("<title>x</title>" + "<![CDATA[" * 100_000),
    "opened, and closed": rss("<title>x</title>" + "<![CDATA[&" * 50_000 + "]]>" * 50_000),
    "zero bytes": rss("<title>x\0y</title>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_do_no_harm(name):
    try:
        found = read_document(HOSTILE[name].encode())
    except InputError:
        return
    for entry in found.entries:
        assert len(entry.text) <= 10_000
        assert entry.text.isprintable()
        assert "root:" not in entry.text


async def test_a_document_is_the_same_read_apart():
    for text in (REDDIT, NEWS, CHANNEL, OLD, RDF):
        assert await apart.read_apart(text.encode(), address=HERE) == read_document(text.encode(), address=HERE)
    with pytest.raises(InputError, match="it is a web page, not a feed"):
        await apart.read_apart(b"<html><p>x")


async def test_a_reader_that_falls_is_told(monkeypatch):
    monkeypatch.setattr(apart, "_PROCESS", "crisisdesk.sources.nowhere")
    with pytest.raises(InputError, match="it breaks the programme that reads it"):
        await apart.read_apart(REDDIT.encode())
