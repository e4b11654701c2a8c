"""Feeds in the shapes in which they are found in the world."""

HERE = "https://www.example.org/a/feed.xml"

REDDIT = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"
xmlns:media="http://search.yahoo.com/mrss/"><category term="x" label="r/x"/>
<updated>2026-05-25T14:00:09+00:00</updated>
<icon>https://www.redditstatic.com/icon.png/</icon><id>/search.rss?q=motrin</id>
<title>reddit.com: search results</title>
<link rel="self" href="https://www.reddit.com/search.rss?q=motrin" type="application/atom+xml" />
<entry><author><name>/u/anna</name><uri>https://www.reddit.com/user/anna</uri></author>
<category term="Parenting" label="r/Parenting"/>
<content type="html">&lt;!-- SC_OFF --&gt;&lt;div class=&quot;md&quot;&gt;&lt;p&gt;
It didn&amp;#39;t work.&lt;/p&gt;&lt;p&gt;Never again!&lt;/p&gt;&lt;/div&gt;&lt;!-- SC_ON --&gt;
&amp;#32; submitted by &amp;#32;
&lt;a href=&quot;https://www.reddit.com/user/anna&quot;&gt; /u/anna &lt;/a&gt; &amp;#32; to &amp;#32;
&lt;a href=&quot;https://www.reddit.com/r/Parenting/&quot;&gt; r/Parenting &lt;/a&gt; &lt;br/&gt;
&lt;span&gt;&lt;a href=&quot;https://www.reddit.com/r/x/&quot;&gt;[link]&lt;/a&gt;&lt;/span&gt; &amp;#32;
&lt;span&gt;&lt;a href=&quot;https://www.reddit.com/r/x/&quot;&gt;[comments]&lt;/a&gt;&lt;/span&gt;</content><id>t3_1abcde</id>
<media:thumbnail url="https://b.thumbs.redditmedia.com/x.jpg" />
<link href="https://www.reddit.com/r/Parenting/comments/1abcde/motrin/" /><updated>2026-05-25T13:40:00+00:00</updated>
<published>2026-05-25T13:40:00+00:00</published><title>Motrin for my toddler</title></entry></feed>"""

NEWS = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?><rss version="2.0"
xmlns:media="http://search.yahoo.com/mrss/"><channel><generator>NFE/5.0</generator><title>"motrin" - Google News</title>
<link>https://news.google.com/search?q=motrin&amp;hl=de</link><language>de</language><item>
<title>Schmerzmittel zurückgerufen - Der Bote</title>
<link>https://news.google.com/rss/articles/CBMiabc?oc=5</link><guid isPermaLink="false">CBMiabc</guid>
<pubDate>Mon, 25 May 2026 07:00:00 GMT</pubDate><description>&lt;a href="https://news.google.com/rss/articles/CBMiabc?oc=5"
target="_blank"&gt;Schmerzmittel zurückgerufen&lt;/a&gt;&amp;nbsp;&amp;nbsp;
&lt;font color="#6f6f6f"&gt;Der Bote&lt;/font&gt;</description>
<source url="https://bote.example">Der Bote</source></item></channel></rss>"""

CHANNEL = """<?xml version="1.0" encoding="UTF-8"?><feed xmlns:yt="http://www.youtube.com/xml/schemas/2015"
xmlns:media="http://search.yahoo.com/mrss/" xmlns="http://www.w3.org/2005/Atom"><title>Channel</title><entry>
<id>yt:video:dQw</id><yt:videoId>dQw</yt:videoId><title>Motrin, tested</title>
<link rel="alternate" href="https://www.youtube.com/watch?v=dQw"/><author><name>Tester</name></author>
<published>2026-05-24T10:00:00+00:00</published><updated>2026-05-25T10:00:00+00:00</updated><media:group>
<media:title>Motrin, tested</media:title><media:description>All of it.
And more.</media:description></media:group></entry></feed>"""

RDF = """<?xml version="1.0" encoding="ISO-8859-1"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://f.example/">
<title>Forum</title></channel><item rdf:about="https://f.example/t/7"><title>Für immer</title>
<link>https://f.example/t/7</link><description>na ja</description><dc:creator>jörg</dc:creator>
<dc:date>2026-05-25T15:40:00+02:00</dc:date></item></rdf:RDF>"""

OLD = """<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"
"http://my.netscape.com/publish/formats/rss-0.91.dtd"><rss version="0.91"><channel>
<title>Old</title><language>en</language>
<item><title>AT&amp;T &lt;3 you</title><link>https://o.example/1</link>
<description>short</description></item></channel></rss>"""
