"""What the disk does not know: what is owed though it could not be written down, and what was paid and not struck off.

An alert that nobody gets is no alert, so a change that the disk does not take goes out all the same. And what has gone
out does not go out again at each attempt to strike it off: that would call the same people all night. A crash in such
a time forgets all of this: then what was struck off only here goes out once more, and what was owed only here is gone
from the timeline too.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Final

from crisisdesk.records import Notification, Severity

BEHIND: Final = 1 << 62
"""Rows of what is held here lie behind all rows of the outbox on disk."""

Disturbance = tuple[datetime, Severity]


class Unwritten:
    """In memory, in front of the outbox."""

    def __init__(self) -> None:
        self._owed: dict[str, tuple[int, Notification, frozenset[str]]] = {}
        self._paid: defaultdict[str, set[str]] = defaultdict(set)
        self._disturbed: defaultdict[str, list[Disturbance]] = defaultdict(list)
        self._row = BEHIND

    def owe(self, notification: Notification, outputs: Collection[str]) -> None:
        """These outputs owe a change that is not written down; where it is held already, it reads otherwise now."""
        name = notification.change.id
        if name in self._owed:
            row = self._owed[name][0]
        else:
            row = self._row = self._row + 1
        self._owed[name] = row, notification, frozenset(outputs)

    def written(self, change: str) -> None:
        """It is owed on disk from now on."""
        self._owed.pop(change, None)

    def owed(self, output: str) -> list[tuple[int, Notification]]:
        """What this output owes of what is held here, oldest first, each with its row."""
        paid = self._paid[output]
        return [(row, one) for name, (row, one, to) in self._owed.items() if output in to and name not in paid]

    def pay(self, output: str, changes: Collection[str]) -> None:
        """The outside has acknowledged these."""
        self._paid[output].update(changes)

    def paid(self, output: str) -> frozenset[str]:
        """What is owed no longer, whatever the disk says."""
        return frozenset(self._paid[output])

    def disturb(self, output: str, at: datetime, severity: Severity) -> None:
        """An address was disturbed."""
        self._disturbed[output].append((at, severity))

    def disturbed(self, output: str) -> tuple[Disturbance, ...]:
        """When it was, of what the disk does not know."""
        return tuple(self._disturbed[output])

    def settled(self, output: str, paid: Collection[str], disturbed: Collection[Disturbance]) -> None:
        """The disk knows this now; what it does not know to be owed, it cannot strike off."""
        self._paid[output] -= set(paid) - self._owed.keys()
        self._disturbed[output] = self._disturbed[output][len(disturbed) :]
