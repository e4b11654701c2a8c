"""What a restart reads back is checked before anything is made of it: what is wrong is said then, not hours later."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from crisisdesk.text import clean

DAMAGED: Final = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
"""What is raised where something kept is of another shape than it should be."""

Part = tuple[str, Callable[[dict[str, Any]], None], str]
"""Where a part stands among what was kept, how it is taken up from all of it, and its name for people."""


def taken_up(state: dict[str, Any], parts: Iterable[Part]) -> tuple[str, ...]:
    """Take up each part that is there; of older versions some are not.

    Returns:
        Names of the parts that are damaged: they stay as they were, and cost none of the others.
    """
    damaged = []
    for key, take_up, name in parts:
        if key in state:
            try:
                take_up(state)
            except DAMAGED:
                damaged.append(name)
    return tuple(damaged)


def whole_numbers(what: str, values: Sequence[Any], many: int, most: int) -> list[int]:
    """So many whole numbers from 0 to `most`.

    Raises:
        TypeError: they are no list.
        ValueError: there are more or fewer, or other ones.
    """
    if len(values) != many:
        raise ValueError(f"{len(values)} {what} instead of {many}")
    for one in values:
        whole_number(what, one, 0, most)
    return list(values)


def whole_number(what: str, value: object, least: int, most: int) -> int:
    """A whole number between two, both included.

    Raises:
        ValueError: it is another one, or none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{clean(repr(value), 40)} among the {what}, which go from {least} to {most}")
    return value
