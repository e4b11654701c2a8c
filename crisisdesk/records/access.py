"""Who may do what at a desk that several people share."""

from dataclasses import dataclass
from enum import IntEnum


class Role(IntEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = 1
    """Look at everything."""
    RESPONDER = 2
    """Act on incidents and answer posts."""
    EDITOR = 3
    """Change what the desk works by, and erase what people ask to have erased."""
    OWNER = 4
    """Whoever owns the desk's files, on its own machine."""

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who asks something of the desk, and by what they are known."""

    person: str
    role: Role
    token: str = ""
    """The public part of the token, never the secret; empty on the desk's own machine where nobody has one."""
