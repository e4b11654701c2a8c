"""Which inquiries hold which posts, so that what an author takes back is found at once."""

from collections.abc import Iterator

from crisisdesk.records import Inquiry
from crisisdesk.text import digest


class Holding:
    """Inquiries by their ids, and by the marks of their posts, as digests."""

    def __init__(self) -> None:
        self._watch_of: dict[str, str] = {}
        self._marks_of: dict[str, set[int]] = {}
        self._by_mark: dict[int, set[str]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._watch_of)

    def watch_of(self, inquiry: str) -> str | None:
        """Of which watch it is; None for one that is not here."""
        return self._watch_of.get(inquiry)

    def of(self, mark: str) -> list[str]:
        """The inquiries that hold a post with this mark, in a fixed order."""
        return sorted(self._by_mark.get(digest(mark), ()))

    def put(self, inquiry: Inquiry) -> None:
        """It holds these posts now, and no others."""
        self.remove(inquiry.id)
        marks = {digest(mark) for post in (inquiry.post, *inquiry.others) for mark in post.marks}
        self._watch_of[inquiry.id], self._marks_of[inquiry.id] = inquiry.watch, marks
        for mark in marks:
            self._by_mark.setdefault(mark, set()).add(inquiry.id)

    def remove(self, inquiry: str) -> None:
        """It is gone."""
        self._watch_of.pop(inquiry, None)
        for mark in self._marks_of.pop(inquiry, ()):
            holders = self._by_mark[mark]
            holders.discard(inquiry)
            if not holders:
                del self._by_mark[mark]
