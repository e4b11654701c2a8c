"""Whether a post speaks to the brand, to somebody else, or to nobody in particular. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from crisisdesk.records import Post

_NAME: Final = r"@(?=\w)[\w.:-]*\w(?:@(?=\w)[\w.-]*\w)?"
_TO_SOMEBODY: Final = re.compile(rf"\s*[.\"“„]?({_NAME})")
"""A post that begins with a name speaks to whoever bears it."""


@dataclass(frozen=True)
class Brand:
    """How a watch's brand is spoken to.

    Args:
        accounts: its own, as posts name their authors (`did:plc:…`, `acme@social.example`); with @ or without.
        terms: what the watch looks for; those that are an @name count as names of the brand.
    """

    accounts: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    def is_own(self, author: str | None) -> bool:
        """Whether this author is the brand itself."""
        return author is not None and _bare(author) in self._accounts

    def is_addressed(self, post: Post) -> bool:
        """Whether a post names the brand, or answers a post whose address holds one of its accounts."""
        if self._named is not None and self._named.search(post.text.casefold()):
            return True
        return self._answers_own(post.reply_to)

    def is_to_others(self, post: Post) -> bool:
        """Whether a post begins with the name of somebody else."""
        found = _TO_SOMEBODY.match(post.text)
        return found is not None and not (self._named and self._named.match(found[1].casefold()))

    def _answers_own(self, reply_to: str | None) -> bool:
        """On Bluesky the address of a post holds its author: `at://did:plc:…/app.bsky.feed.post/…`."""
        return (
            reply_to is not None
            and reply_to.startswith("at://")
            and reply_to.split("/")[2].casefold() in self._accounts
        )

    @cached_property
    def _accounts(self) -> frozenset[str]:
        return frozenset(map(_bare, self.accounts))

    @cached_property
    def _named(self) -> re.Pattern[str] | None:
        """Finds the brand's names, whole: @acme is neither in @acme_shop nor in @acme.bsky.social."""
        names = sorted(set(_names(self.accounts, self.terms)), key=len, reverse=True)
        if not names:
            return None
        return re.compile(rf"(?<![\w@.])@(?:{'|'.join(map(re.escape, names))})(?![\w@]|[.-]\w)")


def _names(accounts: Iterable[str], terms: Iterable[str]) -> Iterable[str]:
    """What stands behind the @: of an account with a server, with it and without."""
    for account in map(_bare, accounts):
        if not account.startswith("did:"):
            yield account
            yield account.partition("@")[0]
    yield from (_bare(term) for term in terms if term.startswith("@") and " " not in term)


def _bare(name: str) -> str:
    return name.strip().lstrip("@").casefold()
