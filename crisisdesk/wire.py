"""Pictures of the desk, and any other record, as JSON and back without loss; and what has changed from one to the next.

Nothing here names a field: records gain some, and a console is often older or younger than its desk. What one side does
not know is left out, what it lacks takes its default. A change is one of three things:

    {"to": value}                                 it is this now
    {"in": {field: change}}                       the record has changed in these fields
    {"of": [piece, ...]}                          the row of records is made of these pieces:
        {"keep": [first, end]}                        those of before, from one place to before another
        {"at": place, "in": {field: change}}          the one at that place of before, changed in these fields
        {"new": [record, ...]}                        others
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any, Final, TypeVar, cast, get_args, get_origin, get_type_hints

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError

from crisisdesk.desk import Picture

T = TypeVar("T")

MOST_RECORDS: Final = 100_000
"""In a row that is made of pieces: a few bytes can ask for many, again and again."""

_CONFIG: Final = ConfigDict(ser_json_inf_nan="strings")


def encoded(value: object, kind: Any) -> bytes:  # noqa: ANN401 - no type is the type of `Playbook | None`
    """A value of that kind (a record, `tuple[Change, ...]`, `Playbook | None`) as JSON."""
    return _adapter(kind).dump_json((value,), warnings=False)[1:-1]


def decoded(value: object, kind: type[T]) -> T:
    """The value of that kind that JSON stands for, as orjson reads it.

    Raises:
        ValueError: it stands for no such value.
    """
    adapter = _adapter(cast("Any", kind))
    try:
        return cast("T", adapter.validate_python([value])[0])
    except ValidationError as error:
        # A NamedTuple is a row in JSON, and that of a younger desk longer; what an object has too much is ignored.
        longer = [one for one in error.errors(include_url=False) if one["type"] == "too_long"]
        if not longer:
            raise
        for one in longer:
            _shorten(value, one["loc"][1:], one["ctx"]["max_length"])
        return cast("T", adapter.validate_python([value])[0])


def delta(before: Picture, after: Picture) -> bytes:
    """What has changed from one picture to the next, as JSON: `{field: change}`."""
    return orjson.dumps(_changes(before, after))


def applied(picture: Picture, changes: object) -> Picture:
    """The next picture.

    Args:
        picture: the one before.
        changes: what `delta` gave, as orjson reads it.

    Raises:
        ValueError: they do not belong to this picture.
    """
    try:
        return cast("Picture", _changed(picture, cast("Mapping[str, Any]", changes)))
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"no change of this picture ({type(error).__name__})") from error


def _changes(before: Any, after: Any) -> dict[str, Any]:  # noqa: ANN401 - any record
    found = {}
    for name, hint in _hints(cast("Any", type(after))).items():
        old, new = getattr(before, name), getattr(after, name)
        if old is not new and old != new:
            found[name] = _change(old, new, hint)
    return found


def _change(old: object, new: object, hint: Any) -> dict[str, Any]:  # noqa: ANN401
    if is_dataclass(new) and type(old) is type(new):
        return {"in": _changes(old, new)}
    if record := _record_of(hint):
        return {"of": list(_pieces(cast("Sequence[Any]", old), cast("Sequence[Any]", new), record))}
    return {"to": orjson.Fragment(encoded(new, hint))}


def _pieces(before: Sequence[Any], after: Sequence[Any], record: type) -> Iterator[dict[str, Any]]:
    """What the row of now is made of. Which records are taken for the same decides about size only."""
    key = _key(record)
    places = {key(one): place for place, one in enumerate(before)}
    end, first = 0, -1  # what is kept, from `first` to before `end`; -1 for nothing
    new: list[Any] = []
    for one in after:
        place = places.get(key(one), -1)
        if place < 0 and end < len(before) and before[end] == one:
            place = end
        same = place >= 0 and (before[place] is one or before[place] == one)
        if first >= 0 and not (same and place == end):
            yield {"keep": [first, end]}
            first = -1
        if new and place >= 0:
            yield _new(new, record)
            new = []
        if same:
            first, end = place if first < 0 else first, place + 1
        elif place >= 0:
            yield {"at": place, "in": _changes(before[place], one)}
            end = place + 1
        else:
            new.append(one)
    if first >= 0:
        yield {"keep": [first, end]}
    if new:
        yield _new(new, record)


def _new(records: Sequence[Any], record: type) -> dict[str, Any]:
    return {"new": orjson.Fragment(encoded(tuple(records), tuple[record, ...]))}  # type: ignore[valid-type]


def _changed(record: Any, changes: Mapping[str, Any]) -> Any:  # noqa: ANN401
    hints = _hints(cast("Any", type(record)))
    known = {name: change for name, change in changes.items() if name in hints}
    values = {name: _after(getattr(record, name), change, hints[name]) for name, change in known.items()}
    return replace(record, **values)


def _after(old: Any, change: Mapping[str, Any], hint: Any) -> Any:  # noqa: ANN401
    match change:
        case {"to": value}:
            return decoded(value, hint)
        case {"in": changes}:
            return _changed(old, changes)
        case {"of": pieces}:
            found = (one for piece in pieces for one in _of_piece(old, piece, _record_of(hint)))
            row = tuple(islice(found, MOST_RECORDS + 1))
            if len(row) > MOST_RECORDS:
                raise ValueError("more records than there can be")
            return row
    raise KeyError(*change)


def _of_piece(old: Sequence[Any], piece: Mapping[str, Any], record: type | None) -> Sequence[Any]:
    match piece:
        case {"keep": [first, end]} if 0 <= first < end <= len(old):
            return old[first:end]
        case {"at": place, "in": changes}:
            return (_changed(old[place], changes),)
        case {"new": values}:
            return cast("Sequence[Any]", decoded(values, tuple[record, ...]))  # type: ignore[valid-type]
    raise KeyError(*piece)


def _shorten(value: Any, place: Sequence[int | str], most: int) -> None:  # noqa: ANN401 - plain JSON
    for step in place:
        value = value[step]
    del value[most:]


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    """Of a row of one, since pydantic lets nobody configure a dataclass of others, but what holds it."""
    return TypeAdapter(tuple[kind], config=_CONFIG)


@cache
def _hints(record: type) -> dict[str, Any]:
    hints = get_type_hints(record)
    return {one.name: hints[one.name] for one in fields(record)}


@cache
def _record_of(hint: Any) -> type | None:  # noqa: ANN401
    """What a row of records holds; None for what is no such row."""
    match get_origin(hint), get_args(hint):
        case (origin, (type() as kind, end)) if origin is tuple and end is ... and is_dataclass(kind):
            return kind
    return None


@cache
def _key(record: type) -> Callable[[Any], object]:
    """What tells a record from others of its row: what it begins with, an id or a name or a time, or just itself."""
    name, kind = next(iter(_hints(record).items()))
    return id if is_dataclass(kind) else attrgetter(name)
