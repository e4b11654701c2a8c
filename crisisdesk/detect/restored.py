"""What a restart reads back is checked before anything is made of it: what is wrong is said then, not hours later."""

from collections.abc import Sequence
from typing import Any

from crisisdesk.text import clean


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
