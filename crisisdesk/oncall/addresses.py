"""Where people are reached."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """One person, or one room where many read, by one output."""

    output: str
    """The output: push, sms, mail."""
    person: str | None = None
    """Whose it is; None for a room."""

    @property
    def name(self) -> str:
        """Under which what is owed to it is kept: `push to Anna Berg`, or `slack` for a room."""
        return f"{self.output} to {self.person}" if self.person else self.output


def spoken(addresses: Iterable[Address]) -> str:
    """Who is reached by what, in words: `Anna Berg by push and sms, slack`."""
    by_person: dict[str, list[str]] = {}
    rooms: list[str] = []
    for address in addresses:
        if address.person:
            by_person.setdefault(address.person, []).append(address.output)
        else:
            rooms.append(address.output)
    people = [f"{person} by {' and '.join(outputs)}" for person, outputs in by_person.items()]
    return ", ".join([*people, *rooms])
