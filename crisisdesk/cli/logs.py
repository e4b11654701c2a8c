"""The log of a desk without a console: one line on stderr for each change of how its parts are doing."""

import asyncio
import logging
import sys
from typing import Final

import structlog

from crisisdesk.app import App
from crisisdesk.records import Notification

LOOK_EVERY: Final = 1.0
"""Seconds between two looks at the parts."""


def log_desk(app: App) -> None:
    """Log what happens to sources, outputs and the model; the same trouble once, not every second."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    log = structlog.get_logger()
    app.register.subscribe(lambda notification: _log_change(log, notification))
    asyncio.get_running_loop().call_soon(_look, app, log, {})


def _log_change(log: structlog.typing.FilteringBoundLogger, notification: Notification) -> None:
    change = notification.change
    log.info(change.event.value, incident=change.incident, severity=str(change.severity), by=change.person)


def _look(app: App, log: structlog.typing.FilteringBoundLogger, before: dict[str, str]) -> None:
    """Log every part that is not as it was at the last look, then come back."""
    now = {f"source {s.name}": f"{s.state} {s.trouble}".strip() for s in app.sources()}
    now |= {f"output {o.name}": f"{o.state} {o.trouble}".strip() for o in app.outputs()}
    now |= {"model": app.scoring.model or "being loaded", "database": app.register.trouble or "writable"}
    now |= {
        f"drops of {s.name}": f"{s.dropped} posts dropped: the desk is too slow" for s in app.sources() if s.dropped
    }
    now |= {f"budget of {watch}": advice for watch, advice in app.overspent().items()}
    now |= (complaints := app.complaints())
    for part, state in now.items():
        if before.get(part) != state:
            troubled = part in complaints or part.startswith(("drops", "budget"))
            troubled |= any(word in state for word in ("failed", "blind", "cannot"))
            (log.warning if troubled else log.info)(part, state=state)
    before.clear()
    before.update(now)
    asyncio.get_running_loop().call_later(LOOK_EVERY, _look, app, log, before)
