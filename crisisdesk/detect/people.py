"""People are counted, not posts: copies collapse to their original, and nobody counts more than twice an hour."""

import re
from collections import OrderedDict, deque
from typing import Final

from crisisdesk.records import Post

REMEMBERED: Final = 24 * 60
"""Minutes for which a text is recognised as a copy."""
POSTS_AN_HOUR: Final = 2
"""Posts of one author that count within an hour."""
TEXTS_KEPT: Final = 50_000
AUTHORS_KEPT: Final = 50_000
OPENING: Final = 12
"""Words that are compared: networks cut the end of a repeated text."""
TOO_SHORT: Final = 4
"""Fewer words than these ("I hate motrin") may be said by two people who never met."""

_REPEATED: Final = re.compile(r"\b(?:RT|MT|via)\s+@\w+:?\s*", re.IGNORECASE)
_NOT_WORDING: Final = re.compile(r"https?:\S*|www\.\S+|@\w+")
_WORD: Final = re.compile(r"\w+")


def fingerprint(post: Post) -> str | None:
    """What posts that say the same have in common; None for a post too short to tell.

    The words behind "RT @name:", without links, names, signs and capitals, as far as networks keep them.
    """
    text = post.text
    for repeated in _REPEATED.finditer(text):
        rest = text[repeated.end() :]
        if len(_WORD.findall(rest)) >= TOO_SHORT:
            text = rest
            break
    words = _WORD.findall(_NOT_WORDING.sub(" ", text).casefold())
    if len(words) < TOO_SHORT:
        return f"original {post.source}:{post.original}" if post.original else None
    # The last word of a cut text may be half a word.
    whole = words[:-1] if text.rstrip().endswith(("…", "...")) and len(words) > TOO_SHORT else words
    return " ".join(whole[:OPENING])


class Crowd:
    """Who has spoken about one watch of late. Memory is bounded; the longest silent are forgotten first."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._authors: OrderedDict[str, deque[float]] = OrderedDict()

    def counts(self, post: Post, moment: float) -> bool:
        """Whether this post counts as one more person; `moment` is its time in minutes since 1970."""
        mark = fingerprint(post)
        copy = mark is not None and self._is_copy(mark, moment)
        return not copy and self._author_counts(post, moment)

    def copies(self, post: Post) -> int:
        """How many posts have said the same, this one included."""
        mark = fingerprint(post)
        return self._texts.get(mark, (0.0, 1))[1] if mark is not None else 1

    def _is_copy(self, mark: str, moment: float) -> bool:
        seen, number = self._texts.get(mark, (moment, 0))
        fresh = moment - seen > REMEMBERED
        self._texts[mark] = (moment, 1 if fresh else number + 1)
        self._texts.move_to_end(mark)
        if len(self._texts) > TEXTS_KEPT:
            self._texts.popitem(last=False)
        return number > 0 and not fresh

    def _author_counts(self, post: Post, moment: float) -> bool:
        if post.author is None:
            return True
        name = f"{post.source}:{post.author}"
        spoken = self._authors.setdefault(name, deque(maxlen=POSTS_AN_HOUR))
        self._authors.move_to_end(name)
        if len(self._authors) > AUTHORS_KEPT:
            self._authors.popitem(last=False)
        if len(spoken) == POSTS_AN_HOUR and abs(moment - spoken[0]) < 60:
            return False
        spoken.append(moment)
        return True
