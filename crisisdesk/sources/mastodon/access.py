"""Whose posts a Mastodon server keeps out of its streams, as it says itself since version 4.5.

Such a stream is not refused. It stays open, brings deletions and nothing else, and its timeline is empty.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

SIDES: Final = ("local", "remote")
_WHOSE: Final = {SIDES: "nothing", ("local",): "nothing of its own users", ("remote",): "nothing of other servers"}


def withheld(host: str, about: Mapping[str, Any], streams: Iterable[str]) -> Iterator[str]:
    """What will not be heard and what to do, in sentences.

    Args:
        host: the server.
        about: what it says of itself (`/api/v2/instance`); of the staff, who may see more, nothing is said there.
        streams: as the settings write them.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for stream in streams:
        if said := _withheld(about, stream):
            found[said].append(stream)
    for said, which in found.items():
        yield said.format(host=host, streams=", ".join(which))


def _withheld(about: Mapping[str, Any], stream: str) -> str:
    kind, _, side = stream.partition(":")
    is_tag = kind == "hashtag"
    sides = SIDES if is_tag or not side else (side,)
    shut = tuple(side for side in sides if _access(about, "hashtag_feeds" if is_tag else "live_feeds", side))
    if not shut:
        return ""
    if shut == sides:
        return f"{{host}} shows its users {_WHOSE[SIDES]} in {{streams}}; take that out of 'streams' of the source."
    left = next(side for side in sides if side not in shut)
    cure = "listen to another server as well" if is_tag else f'write "public:{left}" there and name hashtags'
    return f"{{host}} shows its users {_WHOSE[shut]} in {{streams}}; {cure}."


def _access(about: Mapping[str, Any], feeds: str, side: str) -> bool:
    """Whether it is shut."""
    try:
        return bool(about["configuration"]["timelines_access"][feeds][side] == "disabled")
    except (KeyError, TypeError):
        return False
