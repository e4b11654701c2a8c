"""Erasures that have to be done once more, since an older copy of the database was put back: found by pseudonym."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson

from crisisdesk.errors import InputError
from crisisdesk.privacy.erasure import AUTHOR, POST, Erased, Wanted, name_of
from crisisdesk.privacy.pseudonyms import Pseudonyms
from crisisdesk.records import Correction


def read(line: bytes) -> Erased:
    """A record as `crisisdesk forget --list --json` writes it.

    Raises:
        InputError: it is none.
    """
    try:
        one = orjson.loads(line)
        erased = Erased(
            at=datetime.fromisoformat(one["at"]),
            person=str(one["person"]),
            kind=one["kind"],
            source=str(one["source"]),
            name=str(one["name"]),
            found=tuple((str(place), int(posts)) for place, posts in one["found"].items()),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError("is no record of an erasure; give what `crisisdesk forget --list --json` wrote") from None
    if erased.kind not in {AUTHOR, POST}:
        raise InputError(f"is a record of something else than an {AUTHOR} or a {POST}")
    return erased


def corrections(
    erased: Erased, names: Pseudonyms, authors: Iterable[str], posts: Iterable[tuple[str, str, str]]
) -> Iterator[Correction]:
    """What has to be erased again of all that a database names: authors, and posts by source, id and address."""
    if erased.kind == AUTHOR:
        found = {name for name in authors if names.person(name) == erased.name}
        yield from (Correction(erased.source, author=name, asked=True) for name in sorted(found))
    else:
        known = {
            (source, name) for source, name, address in posts if erased.name in _called(source, name, address, names)
        }
        yield from (Correction(source, name, asked=True) for source, name in sorted(known))


def _called(source: str, name: str, address: str, names: Pseudonyms) -> Iterator[str]:
    """What stands in the record of a post's erasure, by whatever it was asked for."""
    yield names.post(source, name)
    if (wanted := Wanted(post=address or name)).address:
        yield name_of(wanted, names)
