"""Whom somebody means by a name that they write."""

from collections.abc import Callable, Sequence
from typing import Final

from textual.suggester import Suggester

from crisisdesk.names import folded

_BY_CALLING: Final[tuple[Callable[[str, str], bool], ...]] = (
    lambda name, said: name == said,
    lambda name, said: said in name.split(),
    lambda name, said: name.startswith(said),
    lambda name, said: any(word.startswith(said) for word in name.split()),
)
"""What is said of whom, the plainest first: the whole name, one of the names, the beginning of it, or of one."""


def meant(said: str, people: Sequence[str]) -> list[str]:
    """Those of `people` whom a name, or the beginning of one, fits best: one where it is plain, else several."""
    for fits in _BY_CALLING:
        if folded(said) and (found := [one for one in people if fits(folded(one), folded(said))]):
            return found
    return []


class Completion(Suggester):
    """Shows the rest of a name as soon as it can be nobody else's."""

    def __init__(self, people: Sequence[str]) -> None:
        super().__init__(case_sensitive=False)
        self._people = people

    async def get_suggestion(self, value: str) -> str | None:
        found = meant(value, self._people)
        return found[0] if len(found) == 1 and found[0].casefold().startswith(value) else None
