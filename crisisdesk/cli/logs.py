"""The log of a desk without a console: one line on stderr for each change of how its parts are doing."""

import asyncio
from collections.abc import Iterator
from typing import Final

import structlog

from crisisdesk.app import App
from crisisdesk.records import Notification

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at the parts."""
PLAYBOOKS_FINE: Final = "in use as they stand"
IN_FORCE: Final = "as agreed"
KEPT: Final = "kept"
REACHABLE: Final = "reachable"
CLOSED: Final = "closed"
FINE: Final = frozenset({"connecting", "live", "ended"})
"""States of sources and outputs to which there is nothing to add."""
NEWS: Final = frozenset({"past"})
"""What the desk tells of itself that asks nothing of anybody."""


def log_desk(app: App) -> None:
    """Log what happens to sources, outputs, playbooks and the model; the same trouble once, not every second."""
    log = structlog.get_logger()
    app.register.subscribe(lambda notification: _log_change(log, notification))
    asyncio.get_running_loop().call_soon(_look, app, log, {})


def _log_change(log: structlog.typing.FilteringBoundLogger, notification: Notification) -> None:
    change = notification.change
    log.info(change.event.value, incident=change.incident, severity=str(change.severity), by=change.person)


def _look(app: App, log: structlog.typing.FilteringBoundLogger, before: dict[tuple[str, str], None]) -> None:
    """Log every part that is not as it was at the last look, then come back."""
    now = dict.fromkeys(_parts(app))
    for part, state in now:
        if (part, state) not in before:
            (log.warning if _is_trouble(app, part, state) else log.info)(part, state=state)
    before.clear()
    before.update(now)
    asyncio.get_running_loop().call_later(LOOK_EVERY, _look, app, log, before)


def _parts(app: App) -> Iterator[tuple[str, str]]:
    """Every part and how it is doing; of some there is more than one thing to say."""
    for source in app.sources():
        yield f"source {source.name}", f"{source.state} {source.trouble}".strip()
        if source.note:
            yield f"note of {source.name}", source.note
        if source.dropped:
            yield f"drops of {source.name}", f"{source.dropped} posts dropped: the desk is too slow"
    for output in app.outputs():
        yield f"output {output.name}", f"{output.state} {output.trouble}".strip()
    yield "model", app.scoring.model or "being loaded"
    yield "database", app.register.trouble or "writable"
    yield "answer queue", app.queue.trouble or KEPT
    for trouble in app.playbook_troubles() or (PLAYBOOKS_FINE,):
        yield "playbooks", trouble
    for watch, advice in app.overspent().items():
        yield f"budget of {watch}", advice
    yield from app.complaints().items()
    yield "orders", app.plan.standing.trouble or IN_FORCE
    for trouble in app.calls.troubles():
        yield "calls", trouble
    if app.service is not None:
        yield "server", app.service.trouble or (REACHABLE if app.service.is_open else CLOSED)


def _is_trouble(app: App, part: str, state: str) -> bool:
    """Whether somebody should do something about it."""
    if part in {"playbooks", "orders", "calls", "server", "answer queue"}:
        return state not in {PLAYBOOKS_FINE, IN_FORCE, REACHABLE, CLOSED, KEPT}
    if part in app.complaints() or part.startswith(("drops", "budget")):
        return part not in NEWS
    if part.startswith(("source", "output")):
        return state not in FINE
    return "cannot" in state
