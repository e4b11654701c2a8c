"""What a piece of HTML says: the words that a person would see, as one line of cleaned text."""

from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Final

from crisisdesk.text import clean

MAX_HTML: Final = 200_000
"""Characters of HTML that are read; the text that is kept of a post (`text.MAX_LENGTH`) is in far fewer."""

_BREAKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "details", "dialog",
        "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
        "h6", "header", "hr", "legend", "li", "main", "nav", "ol", "option", "p", "pre", "section", "summary",
        "table", "td", "th", "tr", "ul",
    }
)  # fmt: skip
_UNSEEN: Final = frozenset({"script", "style", "template", "title"})
_SPAN: Final = "span"
_QUOTING: Final = frozenset({"p", _SPAN})
"""What servers of the fediverse put a link into that stands for a quoted post; it is of the class `quote-inline`."""

Attributes = Sequence[tuple[str, str | None]]


def text_of(html: str) -> str:
    """The text that people see, cleaned (`text.clean`); every block and line break is a space.

    Scripts and styles go, character references are what they stand for. Mastodon writes a link in three spans, of
    which only the middle one is shown, followed by "…" where the class says `ellipsis`: so it reads here. The link
    that stands for a quoted post ("RE: …") is not the author's words, and left out. Never fails; what is left open at
    the end is left out, as browsers do.
    """
    if "<" not in html and "&" not in html:
        return clean(html)
    reader = _Reader()
    # "<![" outside of XML is a comment to browsers, and an error to the parser. The parser is not closed, since it
    # would look for the end of each construct that has none; the space at the end brings out what it holds back.
    reader.feed(html[:MAX_HTML].replace("<![", "<!") + " ")
    return clean("".join(reader.seen))


class _Reader(HTMLParser):
    """Collects what is seen. Tags may be nested as deep as they like: a few numbers are all that is kept of them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._unseen = ""
        """The element that hides what is in it,"""
        self._deep = 0
        """and how many of its kind are open in it."""
        self._hidden = 0
        """Spans open, from the one on that is not shown."""
        self._spans: list[str] = []
        """What follows each span that is open and shown."""

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self._end_quote(tag)
        if self._unseen:
            self._deep += tag == self._unseen
            return
        classes = (dict(attrs).get("class") or "").split() if attrs else ()
        if tag in _BREAKS:
            self._break()
        if tag in _UNSEEN or (tag in _QUOTING and "quote-inline" in classes):
            self._unseen, self._deep = tag, 0
        elif tag == _SPAN:
            self._open_span(classes)

    def handle_endtag(self, tag: str) -> None:
        self._end_quote(tag)
        if self._unseen:
            self._deep -= tag == self._unseen
            self._unseen = self._unseen if self._deep >= 0 else ""
        elif tag in _BREAKS:
            self._break()
        elif tag == _SPAN and self._hidden:
            self._hidden -= 1
        elif tag == _SPAN and self._spans:
            self.seen.append(self._spans.pop())

    def handle_data(self, data: str) -> None:
        if not (self._unseen or self._hidden):
            self.seen.append(data)

    def _open_span(self, classes: Sequence[str]) -> None:
        if self._hidden or "invisible" in classes:
            self._hidden += 1
        else:
            self._spans.append("…" if "ellipsis" in classes else "")

    def _end_quote(self, tag: str) -> None:
        """The next block ends a quote, also one that is never closed."""
        if self._unseen in _QUOTING and tag in _BREAKS and tag != "br":
            self._unseen = ""

    def _break(self) -> None:
        """A block ends the spans before it, also those that are never closed: nothing stays hidden for ever."""
        self._hidden = 0
        self._spans.clear()
        self.seen.append(" ")
