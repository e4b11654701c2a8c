"""How the desk is doing, for machines that watch the watcher: what it hears, what it owes and what is wrong with it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from typing_extensions import TypedDict

from crisisdesk.records import OutputStatus, SourceStatus


class SourceData(TypedDict):
    """How a source is doing; `state` is live, connecting, blind, failed or ended."""

    name: str
    state: str
    last_event_age_seconds: float | None
    events: int
    posts: int
    matched: int
    dropped: int
    trouble: str


class OutputData(TypedDict):
    """How an output is doing; `state` is connecting, live, retrying or failed."""

    name: str
    state: str
    delivered: int
    waiting: int
    failed: int
    trouble: str


class HeartbeatData(TypedDict):
    """How the desk itself is doing."""

    sources: list[SourceData]
    queues: dict[str, int]
    outputs: list[OutputData]
    model: str
    other_languages: dict[str, dict[str, int]]
    troubles: list[str]


def heartbeat_data(
    now: datetime,
    sources: Iterable[SourceStatus],
    outputs: Iterable[OutputStatus],
    queues: Mapping[str, int],
    model: str,
    *,
    other_languages: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
    troubles: Iterable[str] = (),
) -> HeartbeatData:
    """What a heartbeat carries; documented in `docs/asyncapi.yaml`.

    Args:
        now: dates what came last.
        sources: how each is doing.
        outputs: how each is doing.
        queues: counts what waits, by stage.
        model: its name and digest.
        other_languages: counts posts that do not count, by watch and language.
        troubles: what is wrong with the desk itself, a sentence each.
    """
    return {
        "sources": [source_data(one, now) for one in sources],
        "queues": dict(queues),
        "outputs": [output_data(one) for one in outputs],
        "model": model,
        "other_languages": {watch: dict(counts) for watch, counts in other_languages.items()},
        "troubles": list(troubles),
    }


def source_data(one: SourceStatus, now: datetime) -> SourceData:
    """How a source is doing at this moment."""
    return {
        "name": one.name,
        "state": one.state,
        "last_event_age_seconds": round((now - one.last_event).total_seconds(), 1) if one.last_event else None,
        "events": one.events,
        "posts": one.posts,
        "matched": one.matched,
        "dropped": one.dropped,
        "trouble": one.trouble,
    }


def output_data(one: OutputStatus) -> OutputData:
    """How an output is doing."""
    return {
        "name": one.name,
        "state": one.state,
        "delivered": one.delivered,
        "waiting": one.waiting,
        "failed": one.failed,
        "trouble": one.trouble,
    }
