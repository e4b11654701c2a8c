"""People are counted, not posts: copies collapse to their original, and nobody counts more than twice an hour.

What is remembered of posts, texts and authors are digests of eight bytes, the same in every process, so that a restart
forgets nobody, and no more than the desk needs: a day of posts and texts, an hour of authors. A source that goes on
after a restart may deliver again what it delivered before: a post is no copy of itself.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Generic, TypeVar

from crisisdesk.detect.restored import whole_number
from crisisdesk.records import Post

POSTS_AN_HOUR: Final = 2
"""Posts of one author that count within an hour."""
QUARTERS: Final = 5
"""Quarters of a day, the present one included, in which a text is recognised as a copy: a whole day at least."""
QUARTER: Final = 6 * 60
HOUR: Final = 60
"""Minutes."""
TEXTS_KEPT, AUTHORS_KEPT = 2_000, 2_500
"""Texts of a quarter, authors of an hour that are remembered apart; where there are more, the time gets shorter."""
POSTS_KEPT: Final = 500
"""Posts of a quarter, the same: after a restart, sources go back by minutes."""
SAVED: Final = 1_000
"""Of each the newest, that are known after a restart. A forgotten one counts once more, no worse."""
OPENING: Final = 12
"""Words that are compared: networks cut the end of a repeated text."""
TOO_SHORT: Final = 4
"""Fewer words than these ("I hate motrin") may be said by two people who never met."""
PLAIN_COPY: Final = 6
"""Words that are left of a text, at least, when what is appended is cut off: "shame on you motrin" is said by many."""
MOST: Final = (1 << 63) - 1

_REPEATED: Final = re.compile(r"\b(?:RT|MT|via)\s+@\w+:?\s*", re.IGNORECASE)
_NOT_WORDING: Final = re.compile(r"https?:\S*|www\.\S+|(?:\b(?:rt|mt|via)\s+)?@\w+")
_WORD: Final = re.compile(r"#?\w+")
_APPENDED: Final = re.compile(r"#\w+|(?=\w*\d)(?=\w*[^\W\d])\w+")
"""What stands behind a copy to make it look different: hashtags, and letters mixed with digits."""

V = TypeVar("V")


def digest(text: str) -> int:
    """Eight bytes that stand for a text, the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def fingerprint(post: Post) -> int | None:
    """What posts that say the same have in common; None for a post too short to tell.

    The words behind the last "RT @name:", without links, names, signs, accents, capitals and what is appended to make
    them look different, as far as networks keep them.
    """
    text = post.text
    for repeated in _REPEATED.finditer(post.text):
        rest = post.text[repeated.end() :]
        if len(_WORD.findall(rest)) >= TOO_SHORT:
            text = rest
    words = _WORD.findall(_NOT_WORDING.sub(" ", _plain(text)))
    # The last word of a cut text may be half a word.
    if len(words) > TOO_SHORT and text.rstrip().endswith(("…", "...")):
        words.pop()
    while len(words) > PLAIN_COPY and _APPENDED.fullmatch(words[-1]):
        words.pop()
    if len(words) < TOO_SHORT:
        return digest(f"original {post.source}:{post.original}") if post.original else None
    return digest(" ".join(word.lstrip("#") for word in words[:OPENING]))


def is_repost(post: Post) -> bool:
    """Whether a post says of itself that it repeats another."""
    return post.original is not None or _REPEATED.search(post.text) is not None


def _plain(text: str) -> str:
    """Small letters without accents, full-width forms and invisible characters."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if unicodedata.category(c) not in {"Mn", "Cf"})


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of who says what, as digests."""

    wording: int
    """The same for a post and its copies; of one too short to tell, its own."""
    voice: int
    """Who spoke. Posts without an author are people of their own, but those that say the same and are no reposts are
    taken for one voice, and then `voice` is `wording`."""
    counts: bool = True
    """Whether it counts as one more person."""
    again: bool = False
    """The same post has been heard before: it is delivered once more, and nothing new has been said."""


def heard(post: Post) -> Heard:
    """Who says what in a post, whatever was said before."""
    wording = fingerprint(post) or digest(post.key)
    if post.author is not None:
        return Heard(wording, digest(f"{post.source}:{post.author}"))
    return Heard(wording, digest(post.key) if is_repost(post) else wording)


class Crowd:
    """Who has spoken about one watch of late. Moments are minutes since 1970."""

    def __init__(self) -> None:
        self._posts: Recent[int] = Recent(QUARTERS, QUARTER, POSTS_KEPT)
        self._texts: Recent[int] = Recent(QUARTERS, QUARTER, TEXTS_KEPT)
        self._authors: Recent[tuple[float, ...]] = Recent(2, HOUR, AUTHORS_KEPT)

    def hear(self, post: Post, moment: float) -> Heard:
        """Remember a post of this moment, and say whether it counts as one more person."""
        said = heard(post)
        key = digest(post.key)
        if any(self._posts.of(key)):
            return Heard(said.wording, said.voice, counts=False, again=True)
        self._posts.note(key, 1)
        is_copy = any(self._texts.of(said.wording))
        self._texts.note(said.wording, self._texts.newest.get(said.wording, 0) + 1)
        if is_copy or not (post.author is None or self._author_counts(said.voice, moment)):
            return Heard(said.wording, said.voice, counts=False)
        return said

    def copies(self, wording: int) -> int:
        """How many posts of the last day have this wording."""
        return max(1, sum(self._texts.of(wording)))

    def advance(self, moment: float) -> None:
        """Let time pass: what is too long ago is forgotten."""
        if moment >= self._authors.until:  # an hour's end, so that most calls end here
            for recent in (self._authors, self._texts, self._posts):
                recent.advance(moment)

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as plain values: the newest `SAVED` of each."""
        return {"posts": self._posts.state(), "texts": self._texts.state(), "authors": self._authors.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        fresh = Crowd()
        fresh._texts.restore(state["texts"], _times)
        fresh._authors.restore(state["authors"], lambda spoken: tuple(map(float, spoken)))
        older = {"until": fresh._texts.until, "parts": [[]]}  # such versions kept none
        fresh._posts.restore(state.get("posts") or older, _times)
        self._posts, self._texts, self._authors = fresh._posts, fresh._texts, fresh._authors

    def _author_counts(self, voice: int, moment: float) -> bool:
        spoken = next(iter(self._authors.of(voice)), ())
        if len(spoken) == POSTS_AN_HOUR and abs(moment - spoken[0]) < HOUR:
            return False
        self._authors.note(voice, (*spoken, moment)[-POSTS_AN_HOUR:])
        return True


def _times(kept: object) -> int:
    return whole_number("posts heard", kept, 1, MOST)


class Recent(Generic[V]):
    """What was noted of late, by digest, in parts of which the oldest is forgotten as a whole.

    So forgetting costs nothing by the post, and an entry is a key and a value, without a place in a queue.
    """

    def __init__(self, parts: int, minutes: int, most: int) -> None:
        self._parts: list[dict[int, V]] = [{}]
        self._number = parts
        self._minutes = minutes
        self._most = most
        self.until = 0.0
        """When the present part is over."""

    @property
    def newest(self) -> dict[int, V]:
        """The present part."""
        return self._parts[-1]

    def note(self, key: int, value: V) -> None:
        """Put it into the present part; a full one ends early."""
        if key not in self.newest and len(self.newest) >= self._most:
            self._begin()
        self.newest[key] = value

    def of(self, key: int) -> Iterable[V]:
        """What was noted of it, the newest first."""
        return (part[key] for part in reversed(self._parts) if key in part)

    def advance(self, moment: float) -> None:
        """Begin a new part when the present one is over."""
        over = int((moment - self.until) // self._minutes) + 1
        for _ in range(min(over, self._number)):
            self._begin()
        if over > 0:
            self.until += over * self._minutes

    def state(self) -> dict[str, Any]:
        """The newest `SAVED` entries, part by part, as plain values."""
        left, parts = SAVED, []
        for part in reversed(self._parts):
            parts.append(list(part.items())[max(len(part) - left, 0) :])
            left -= len(parts[-1])
        return {"until": self.until, "parts": parts[::-1]}

    def restore(self, state: dict[str, Any], read: Callable[[Any], V]) -> None:
        """Go on from what `state` gave; `read` makes a value of what was kept of it.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        parts = [{key: read(value) for key, value in part} for part in state["parts"]]
        if not 1 <= len(parts) <= self._number:
            raise ValueError(f"{len(parts)} parts of what was heard of late instead of 1 to {self._number}")
        self.until, self._parts = float(state["until"]), parts

    def _begin(self) -> None:
        self._parts = [*self._parts, {}][-self._number :]
