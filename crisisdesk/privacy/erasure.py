"""What somebody wants erased, as it was asked and as it is looked for, and the record of it, which names nobody."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.privacy.pseudonyms import Pseudonyms
from crisisdesk.records import Correction, Post, account
from crisisdesk.text import clean

BLUESKY: Final = re.compile(r"https://bsky\.app/profile/(did:[^/\s]+)/post/([^/?#\s]+)")
MASTODON: Final = re.compile(r"(https://[^/\s]+)/@([\w.-]+)/(\d+)")
MASTODON_ID: Final = re.compile(r"https://([^/\s]+)/users/([^/\s]+)/statuses/")
X: Final = re.compile(r"https://(?:www\.|mobile\.)?(?:x|twitter)\.com/\w+/status/(\d+)", re.IGNORECASE)
AUTHOR, POST = "author", "post"

SOURCE_NEEDED: Final = (
    "is no post that the desk could know: give its address (https://…), or SOURCE:ID as its incident or the queue shows"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """All posts of an author, in one source or all, or one post by its key (`source:id`) or address."""

    author: str = ""
    source: str = ""
    post: str = ""

    def __post_init__(self) -> None:
        """Refuse what means nobody, or too much."""
        if bool(self.author.lstrip("@ ")) == bool(self.post.strip()):
            raise UsageError("Say what is to be erased: --author NAME, or --post with its address or SOURCE:ID.")
        if self.source and self.post:
            raise UsageError("--source belongs to --author; a post is named by its address or SOURCE:ID.")

    @property
    def kind(self) -> str:
        """`author` or `post`."""
        return AUTHOR if self.author else POST

    @property
    def address(self) -> str:
        """The post's address; empty where it is named otherwise."""
        return self.post if self.post.startswith(("https://", "http://")) else ""

    def corrections(self) -> tuple[Correction, ...]:
        """As what it can be looked for without knowing more.

        Raises:
            UsageError: it can be no post.
        """
        if self.author:
            return (Correction(self.source, author=clean(self.author, 500), asked=True),)
        if found := BLUESKY.fullmatch(self.post):
            return (Correction("bluesky", f"at://{found[1]}/app.bsky.feed.post/{found[2]}", asked=True),)
        if found := X.match(self.post):
            return (Correction("x", found[1], asked=True),)
        if self.address:
            return self._anywhere()
        if self.post.startswith("at://"):
            return (Correction("bluesky", self.post, asked=True),)
        source, colon, name = self.post.partition(":")
        if not (source and colon and name):
            raise UsageError(f"'{clean(self.post, 80)}' {SOURCE_NEEDED}.")
        return (Correction(source, name, asked=True),)

    def _anywhere(self) -> tuple[Correction, ...]:
        """By its address alone: as people see it on Mastodon and as servers do, and as feeds call their entries."""
        if found := MASTODON.fullmatch(self.post):
            names = (f"{found[1]}/users/{found[2]}/statuses/{found[3]}", self.post)
            return tuple(Correction("mastodon", name, asked=True) for name in names)
        site = self.post.partition("://")[2].partition("/")[0].removeprefix("www.")
        return Correction("mastodon", self.post, asked=True), Correction(site, self.post, asked=True)


def repeated(author: Correction, posts: Iterable[Post], written: Iterable[tuple[str, str]]) -> list[Correction]:
    """What an author has written and others repeat, who have other names and her words.

    Args:
        author: who is meant.
        posts: that are known, reposts among them.
        written: source and id of what else she is known to have written.
    """
    known, repeats = set(written), set()
    for post in posts:
        if post.original:
            repeats.add((post.source, post.original))
        elif post.id and post.is_meant(author):
            known.add((post.source, post.id))
    known |= {(source, name) for source, name in repeats if author.source in {"", source} and _wrote(author, name)}
    return [Correction(source, name, asked=True) for source, name in sorted(repeats & known)]


def _wrote(author: Correction, post: str) -> bool:
    """Whether the id of a post names this author, as Mastodon's do."""
    found = MASTODON_ID.match(post)
    return found is not None and account(f"{found[2]}@{found[1]}") == account(author.author or "")


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, when, and on whose word. It holds no name of the author, only the pseudonym."""

    at: datetime
    person: str
    """Who had it done."""
    kind: str
    """`author` or `post`."""
    source: str
    """Where, or empty for everywhere."""
    name: str
    """The pseudonym of the author or the post: asked again for the same, it is the same."""
    found: tuple[tuple[str, int], ...]
    """Where how many posts were erased; places where there was nothing are left out."""


def name_of(wanted: Wanted, names: Pseudonyms) -> str:
    """What stands in the record for what was wanted."""
    if wanted.author:
        return names.person(wanted.author)
    correction = wanted.corrections()[0]
    return names.post(correction.source, correction.id)
