"""What probes are told: whether the desk answers, and whether it does what it is there for.

A probe asks without a token, so it hears what is wrong and not where: paths, addresses and people stand in the log.
"""

from collections.abc import Iterator
from http import HTTPStatus

from typing_extensions import TypedDict

from crisisdesk.server.vitals import Vitals


class Reason(TypedDict):
    """Why a desk is not ready: `blind`, `database` or `model`, and a sentence."""

    code: str
    reason: str


Told = tuple[HTTPStatus, dict[str, object]]
"""A status, and what is to be said as JSON."""


def healthz() -> Told:
    """Whoever gets this has asked a desk that is alive; `{"status": "ok"}`."""
    return HTTPStatus.OK, {"status": "ok"}


def readyz(vitals: Vitals) -> Told:
    """Whether the desk hears, judges and remembers.

    Returns:
        200 and `{"status": "ready", "reasons": []}`, or 503, `not ready`, and a reason `{"code", "reason"}` for each of
        `blind`, `database` and `model` that is missing.
    """
    reasons = [{"code": code, "reason": reason} for code, reason in _reasons(vitals)]
    if reasons:
        return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "not ready", "reasons": reasons}
    return HTTPStatus.OK, {"status": "ready", "reasons": reasons}


def _reasons(vitals: Vitals) -> Iterator[tuple[str, str]]:
    if vitals.is_blind:
        states = ", ".join(f"{one.name} is {one.state}" for one in vitals.sources)
        yield "blind", f"No source is heard: {states}; the log says why."
    if not vitals.is_writable:
        yield "database", "The database does not take what is written; the log says why."
    if not vitals.model:
        yield "model", "The sentiment model is not loaded yet; if this lasts, the log says why."
