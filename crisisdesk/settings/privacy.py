"""How long posts are kept, whether their authors are known by name, and which files hold secrets."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel

from crisisdesk.privacy.terms import KEEP_EVIDENCE, KEEP_POSTS
from crisisdesk.settings.duration import duration
from crisisdesk.settings.section import Section

SHORTEST: Final = timedelta(days=2)
"""A spike is judged by the posts of the last day, and its incident goes on for half a day after its end if it comes
back: whoever answers and whoever looks back the next morning has to see what was said."""
LONGEST: Final = timedelta(days=3650)
_SECRETS: Final = ("password_file", "token_file", "secret_file", "url_file", "key_file", "tls_key")

KeepPosts = Annotated[
    timedelta,
    duration(
        "30 days",
        SHORTEST,
        LONGEST,
        "must be between 2 days, as an incident is judged and looked back on by the posts of so long, and 10 years",
    ),
]
"""How long the posts of a watch are kept as they were said."""


class PrivacySettings(Section):
    """[privacy]: what is kept of other people, and for how long."""

    keep_evidence: Annotated[
        timedelta,
        duration("2 years", SHORTEST, LONGEST, "must be between 2 days and 10 years"),
    ] = KEEP_EVIDENCE
    """How long incidents keep the words of posts, without names, when 'keep_posts' of the watch is over."""
    pseudonyms: bool = False
    """Whether authors are pseudonyms from the moment at which the desk hears them."""


def secret_files(settings: BaseModel) -> Iterator[Path]:
    """The files that the configuration names whose content is a secret."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name in _SECRETS:
            values = value.values() if isinstance(value, dict) else [value]
            yield from (path for path in values if isinstance(path, Path))
        for part in value if isinstance(value, tuple) else [value]:
            if isinstance(part, BaseModel):
                yield from secret_files(part)


__all__ = ["KEEP_EVIDENCE", "KEEP_POSTS", "KeepPosts", "PrivacySettings", "secret_files"]
