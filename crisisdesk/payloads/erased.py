"""The record of an erasure, which names nobody whose posts they were."""

from typing_extensions import TypedDict

from crisisdesk.payloads.shapes import Moment
from crisisdesk.privacy.erasure import Erased


class ErasedData(TypedDict):
    """What was erased: `found` says where how many posts were; `name` is the pseudonym of the author or the post."""

    at: Moment
    person: str
    kind: str
    source: str
    name: str
    found: dict[str, int]


def erased_data(erased: Erased) -> ErasedData:
    """The record, as `crisisdesk forget --list --json` writes it, too."""
    return {
        "at": erased.at.isoformat(),
        "person": erased.person,
        "kind": erased.kind,
        "source": erased.source,
        "name": erased.name,
        "found": dict(erased.found),
    }
