"""What is wrong with a configuration, in plain words: file, line, key, and the cure."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from crisisdesk.settings.feed import FeedSource
from crisisdesk.settings.file import FileSourceSettings
from crisisdesk.settings.mastodon import MastodonSource
from crisisdesk.settings.model import (
    BlueskySource,
    DeskSettings,
    Settings,
    SeveritySettings,
    WatchSettings,
)
from crisisdesk.settings.mqtt import MqttOutput, MqttSourceSettings
from crisisdesk.settings.notify import NotifyOutput
from crisisdesk.settings.oncall.calling import CallingSettings, PlannedSettings
from crisisdesk.settings.oncall.chain import ChainSettings, StepSettings
from crisisdesk.settings.oncall.rota import RotaSettings, ShiftSettings, SwapSettings
from crisisdesk.settings.places import Place, line_of
from crisisdesk.settings.privacy import PrivacySettings
from crisisdesk.settings.section import Section
from crisisdesk.settings.server import ServerSettings
from crisisdesk.settings.webhook import WebhookSource
from crisisdesk.settings.webhook_out import WebhookOutput
from crisisdesk.settings.x import XSource
from crisisdesk.text import clean

SOURCE_KINDS: Final = ("bluesky", "feed", "file", "mastodon", "mqtt", "webhook", "x")
_OUTPUTS: Final[Mapping[str, type[Section]]] = {
    "mqtt": MqttOutput,
    "notify": NotifyOutput,
    "webhook": WebhookOutput,
}
OUTPUT_KINDS: Final = tuple(_OUTPUTS)

_SECTIONS: Final[Mapping[str, type[Section]]] = {
    "desk": DeskSettings,
    "severity": SeveritySettings,
    "server": ServerSettings,
    "privacy": PrivacySettings,
    "watch": WatchSettings,
    "bluesky": BlueskySource,
    "feed": FeedSource,
    "file": FileSourceSettings,
    "mastodon": MastodonSource,
    "mqtt": MqttSourceSettings,
    "webhook": WebhookSource,
    "x": XSource,
    "calling": CallingSettings,
    "rota": RotaSettings,
    "shift": ShiftSettings,
    "swap": SwapSettings,
    "chain": ChainSettings,
    "step": StepSettings,
    "planned": PlannedSettings,
}
_WRONG_TABLE: Final = frozenset({"tuple_type", "model_type", "model_attributes_type", "dict_type"})
_LISTS: Final = ("watch", "source", "output", "rota", "chain", "planned")
_NESTED: Final = ("shift", "swap", "step")
"""Lists of tables inside one of these."""
_TABLES: Final = ("desk", "severity", "server", "privacy", "calling")
_SAMPLES: Final = {
    "desk": '[desk] with name = "acme"',
    "name": 'name = "…"',
    "terms": 'terms = ["motrin", "#motrinmoms", "pain reliever"]',
    "path": 'path = "posts.jsonl"',
    "url": 'url = "https://example.org/feed"',
    "server": 'server = "https://mastodon.social"',
    "host": 'host = "127.0.0.1"',
    "topic": 'topic = "posts/#"',
    "people": 'people = ["Anna Berg", "Ben Cole"]',
    "from": 'from = "2026-12-24 08:00"',
    "to": 'to = "2026-12-27 08:00"',
    "person": 'person = "Anna Berg"',
    "tell": 'tell = "Anna Berg"',
    "watch": 'watch = "Motrin"',
    "reason": 'reason = "Black Friday campaign"',
}
_TYPES: Final = {
    "string_type": "must be a text in quotes",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false, without quotes",
    "tuple_type": 'must be a list in brackets, such as ["one", "two"]',
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dict_type": "must be a table",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}


def explain(error: ValidationError, data: Mapping[str, object], lines: Mapping[Place, int], name: str) -> str:
    """All that is wrong, one `FILE:LINE: what; cure` a line, in the order of the file.

    Args:
        error: what pydantic found.
        data: what the file holds.
        lines: where it holds it (`places.lines_of`).
        name: what to call the file.
    """
    found = [(line_of(lines, _place(entry)), _what(entry, data)) for entry in error.errors()]
    return "\n".join(f"{name}:{line}: {what}" for line, what in dict.fromkeys(sorted(found)))


def _place(entry: ErrorDetails) -> Place:
    """The way to the value in the file: pydantic's way, without the kind that it puts after a source or an output."""
    place = entry["loc"]
    if entry["type"] == "union_tag_invalid":
        return (*place, "kind")
    return place[:2] + place[3:] if place[:1] in {("source",), ("output",)} and len(place) > 2 else place


def _what(entry: ErrorDetails, data: Mapping[str, object]) -> str:
    place = _place(entry)
    key = next((part for part in reversed(place) if isinstance(part, str)), "")
    where = _where(place, data)
    kind = entry["type"]
    if kind == "extra_forbidden":
        return f"unknown key '{clean(key, 60)}' in {where}; {_nearest(key, entry['loc'])}"
    if kind in {"missing", "union_tag_not_found"}:
        return _missing(key if kind == "missing" else "kind", place, where)
    if kind == "union_tag_invalid":
        return _wrong_kind(entry, place, where)
    if kind in _WRONG_TABLE and (place in {(name,) for name in (*_LISTS, *_TABLES)} or key in _NESTED):
        return _wrong_table(key, place)
    is_table = len(place) == (1 if place[0] in _TABLES else 2) or (len(place) == 4 and place[2] in _NESTED)
    subject = where if is_table else f"'{key}' in {where}"
    what = _wrong_value(entry)
    return f"{subject}: {what}" if what.startswith("'") else f"{subject} {what}"


def _where(place: Place, data: Mapping[str, object]) -> str:
    """The table, with the name of what it describes."""
    table = str(place[0]) if place else ""
    if table in _TABLES and (len(place) > 1 or table in data):
        return f"[{table}]"
    if len(place) < 2:
        return "the file"
    entries = data.get(table)
    entry = entries[place[1]] if isinstance(entries, list) and isinstance(place[1], int) else None
    label = (entry.get("name") or entry.get("kind")) if isinstance(entry, dict) else None
    if len(place) > 3 and place[2] in _NESTED:
        return f"[[{table}.{place[2]}]]" + (f' of "{clean(label, 60)}"' if isinstance(label, str) else "")
    return f'[[{table}]] "{clean(label, 60)}"' if isinstance(label, str) else f"[[{table}]]"


def _nearest(key: str, loc: Place) -> str:
    """The cure for an unknown key."""
    sections = {**_SECTIONS, **_OUTPUTS} if loc[0] == "output" else _SECTIONS
    section = next((sections[str(part)] for part in reversed(loc[:-1]) if part in sections), Settings)
    keys = [field.alias or name for name, field in section.model_fields.items()]
    if f"{key}_env" in keys:
        return f"name its place with '{key}_env' or '{key}_file' instead"
    near = get_close_matches(key.lower(), keys, n=1)
    if near and section is Settings:
        return f"did you mean {heading(near[0])}?"
    return f"did you mean '{near[0]}'?" if near else f"the keys there are {', '.join(keys)}"


def heading(table: str) -> str:
    """A table as it is written, in small letters: `[desk]`, `[[watch]]`."""
    return f"[[{table}]]" if table in _LISTS else f"[{table}]"


def _missing(key: str, place: Place, where: str) -> str:
    if place == ("desk",):
        return f"the file has no table [desk]; add {_SAMPLES['desk']}"
    kinds = SOURCE_KINDS if place[0] == "source" else OUTPUT_KINDS
    sample = "kind = " + " or ".join(f'"{kind}"' for kind in kinds) if key == "kind" else _SAMPLES[key]
    return f"{where} has no '{key}'; add {sample}"


def _wrong_kind(entry: ErrorDetails, place: Place, where: str) -> str:
    value = entry.get("ctx", {}).get("tag", entry["input"])
    kinds = SOURCE_KINDS if place[0] == "source" else OUTPUT_KINDS
    table = where.split(" ", 1)[0]
    near = get_close_matches(str(value).casefold(), kinds, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"available: {', '.join(kinds)}"
    return f"kind '{clean(str(value), 40)}' in {table} is not available in this version; {hint}"


def _wrong_table(key: str, place: Place) -> str:
    if key in _TABLES:
        return f"'{key}' must be one table; write [{key}] and its keys below"
    if key in _NESTED:
        key = f"{place[0]}.{key}"
    return f"'{key}' must be a list of tables; write [[{key}]], with two brackets, once for each"


def _wrong_value(entry: ErrorDetails) -> str:
    limits = entry.get("ctx", {})
    if entry["type"] == "greater_than":
        return f"must be more than {limits['gt']:g}"
    if entry["type"] in {"greater_than_equal", "less_than_equal"}:
        return f"must be {'at least' if 'ge' in limits else 'at most'} {limits.get('ge', limits.get('le')):g}"
    if entry["type"] == "value_error":
        return str(limits.get("error", entry["msg"]))
    return _TYPES.get(entry["type"], f"cannot be used ({entry['msg']})")
