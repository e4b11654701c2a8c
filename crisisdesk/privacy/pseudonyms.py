"""Names that stand for names: the same person has the same one, and only the key tells whose it is.

Keyed digests (HMAC-SHA256). Without the key nobody can try names until one fits; with it the desk finds what a network
or a person wants erased, though it keeps no name itself.
"""

import hmac
import re
from typing import Final

from crisisdesk.records import Correction, Post, account, named_in

_PERSON: Final = re.compile(r"person-[0-9a-f]{10}")
_POST: Final = re.compile(r"(?:person-[0-9a-f]{10}/)?post-[0-9a-f]{16}")


def is_pseudonym(name: str) -> bool:
    """Whether a name stands for an author already; `person-of-note` is somebody's own."""
    return bool(_PERSON.fullmatch(name))


class Pseudonyms:
    """What stands for authors and posts. A pseudonym of a pseudonym is itself.

    A person's has forty bits: among a million people about one pair shares one. It is the same in every source, so
    that a person can be found without it, and among all spellings of a name.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def mark(self) -> str:
        """By what the key is known again, which tells nothing of it."""
        return self._digest("mark")[:16]

    def person(self, name: str) -> str:
        """What stands for an author, such as `person-3f9a2c7104`."""
        return name if is_pseudonym(name) else f"person-{self._digest('person', account(name))[:10]}"

    def post(self, source: str, name: str) -> str:
        """What stands for the id of a post, such as `post-3f9a2c71d04b5e66`; nothing for none.

        Where the id names its author, the author's pseudonym goes before it.
        """
        if not name or _POST.fullmatch(name):
            return name
        digest = f"post-{self._digest('post', source, name)[:16]}"
        author = named_in(name)
        return f"{self.person(author)}/{digest}" if author else digest

    def of_post(self, post: Post) -> Post:
        """A post without its author, its address, and the ids that lead to them; its words stay."""
        return post._replace(
            id=self.post(post.source, post.id),
            author=None if post.author is None else self.person(post.author),
            url=None,
            original=None if post.original is None else self.post(post.source, post.original),
            reply_to=None if post.reply_to is None else self.post(post.source, post.reply_to),
        )

    def of_correction(self, correction: Correction) -> Correction:
        """The same of a post that is known by its pseudonym."""
        return Correction(
            correction.source,
            self.post(correction.source, correction.id),
            correction.text,
            None if correction.author is None else self.person(correction.author),
            asked=correction.asked,
        )

    def _digest(self, *parts: str) -> str:
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, text, "sha256").hex()
