"""What X's refusals mean, in plain words, and whether trying again can help."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import aiohttp

from crisisdesk.errors import FatalSourceError, SourceError
from crisisdesk.net.unreachable import why_no_answer
from crisisdesk.text import clean

MAX_ASKED_WAIT: Final = 16 * 60.0
"""Seconds that X may make us wait: its limits begin anew every 15 minutes."""

_CONSOLE: Final = "https://console.x.com"
_LATER: Final = frozenset({402, 408, 409, 425, 429})
MONEY: Final = frozenset({"credits", "SpendCapReached"})
"""Kinds of problems that money solves."""
RATED: Final = frozenset({"TooManyConnections", "usage-capped", "rate-limit-exceeded"})
"""Kinds of problems that patience solves."""
_NOT_ENROLLED: Final = f"the app may not use X's API: put it into a project with pay-per-use at {_CONSOLE}"
_MEANINGS: Final = {
    "TooManyConnections": "somebody else uses the only connection that X gives an app: stop the other desk or "
    "programme, or make an app of its own for this desk",
    "ProvisioningSubscription": _NOT_ENROLLED,
    "RuleConfigurationIssue": "there is no rule any more; they are set anew",
    "usage-capped": f"the posts that X gives this app in a month are used up; raise the limit at {_CONSOLE}",
    "credits": f"the credits are used up, so X sends nothing; buy some at {_CONSOLE}",
    "SpendCapReached": f"the spending limit is reached, so X sends nothing; raise it at {_CONSOLE}",
    "rate-limit-exceeded": "too many requests of this app in a quarter of an hour",
    "client-forbidden": _NOT_ENROLLED,
    "client-not-enrolled": _NOT_ENROLLED,
    "unsupported-authentication": "the token must be the Bearer token of an app (App-only), not that of a user",
    "rule-cap": "the app has as many rules as X allows; remove some, or give this desk an app of its own",
    "operational-disconnect": "X has ended the stream for reasons of its own",
    "SlowReader": "X has ended the stream because the desk read too slowly",
    "InternalError": "X has ended the stream for a fault of its own",
    "ClientApplicationStateDegraded": f"X has ended the stream, since it restricts the app; look it up at {_CONSOLE}",
    "InvalidRules": "X has ended the stream because of a rule; they are set anew",
    "RulesInvalidIssue": "X does not accept a rule that it has; they are set anew",
}
_ALIASES: Final = {
    "CreditsDepleted": "credits",
    "UsageCapExceeded": "usage-capped",
    "client-disconnected": "operational-disconnect",
}


class Problem(NamedTuple):
    """What X says is wrong."""

    kind: str
    """The end of its type, or what it says more exactly: `usage-capped`, `TooManyConnections`."""
    reason: str
    """In X's words, cleaned."""
    until: str = ""
    """The day on which it passes, where X says so."""

    @property
    def meaning(self) -> str:
        """In our words, where we know it; else in X's."""
        return _MEANINGS.get(self.kind, self.reason) + (f" (until {self.until})" if self.until else "")


class RefusalError(SourceError):
    """X answers, but not with what was asked for.

    Attributes:
        status: HTTP.
        problem: what X says of it.
        body: the whole answer, as far as it is JSON.
        wait: seconds that X asks us to wait.
    """

    def __init__(self, host: str, status: int, body: object, wait: float = 0.0) -> None:
        self.status, self.wait = status, wait
        self.body: dict[str, Any] = body if isinstance(body, dict) else {}
        self.problem = next(problems_in(self.body), Problem("", ""))
        meaning = self.problem.meaning
        super().__init__(f"{host} answers HTTP {status}{f': {meaning}' if meaning else ''}")


class DroppedError(SourceError):
    """A stream that stood has ended; `problem` is what X said of it."""

    def __init__(self, host: str, problem: Problem | None = None) -> None:
        self.problem = problem or Problem("", "")
        super().__init__(f"{host}: {self.problem.meaning}" if problem else f"{host} ended the stream")


class MuteError(DroppedError):
    """The stream is open and mute."""

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(host, Problem("mute", f"not a sign of life for {seconds:g} s"))


class StrangeError(SourceError):
    """The server answers as X does not."""


def problems_in(body: Mapping[str, Any]) -> Iterator[Problem]:
    """What an answer or a line of a stream says is wrong; X says it at the top, in a list, or both."""
    listed = body.get("errors")
    for one in (*(listed if isinstance(listed, list) else ()), body):
        if isinstance(one, Mapping) and ("title" in one or "type" in one or "message" in one):
            yield _problem(one)


def diagnose(error: Exception, host: str, *, proven: bool) -> SourceError:
    """Decide whether trying again can help.

    Args:
        error: what became of asking X.
        host: who was asked.
        proven: it has taken us as we are, so that a refusal is its own trouble and may pass.

    Returns:
        A FatalSourceError, if the settings must be mended first; else a SourceError that says what is the matter.
    """
    if isinstance(error, aiohttp.InvalidURL):
        return FatalSourceError(f"'{host}' is no address of a server; check 'url' of the source.")
    if isinstance(error, RefusalError | StrangeError):
        if passes(error):
            return error
        said = f"{error}; {_cure(error)}"
        return SourceError(said) if proven else FatalSourceError(f"{said}.")
    if isinstance(error, SourceError):
        return error
    return SourceError(f"no connection to {host} ({why_no_answer(error)})")


def passes(error: Exception) -> bool:
    """Whether the same may be answered otherwise later, without anything being changed here."""
    if isinstance(error, RefusalError):
        in_between = error.status == HTTPStatus.FORBIDDEN and not error.body  # a proxy's page; X says why
        known = error.problem.kind in RATED | MONEY
        return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status in _LATER or known or in_between
    return not isinstance(error, StrangeError | FatalSourceError)


def wait_in(headers: Mapping[str, str]) -> float:
    """Seconds until X's limit begins anew, by its own clock; 0 where it does not say, or says what cannot be."""
    reset, now = headers.get("x-rate-limit-reset", ""), date_in(headers)
    if now is None or not reset.isascii() or not reset.isdecimal() or len(reset) > 12:
        return 0.0
    return min(max(float(reset) - now.timestamp(), 0.0), MAX_ASKED_WAIT)


def date_in(headers: Mapping[str, str]) -> datetime | None:
    """The server's time."""
    try:
        moment = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _cure(error: RefusalError | StrangeError) -> str:
    status = error.status if isinstance(error, RefusalError) else 0
    if status == HTTPStatus.UNAUTHORIZED:
        return f"check 'token_env' or 'token_file' of the source: it must hold the Bearer token of an app ({_CONSOLE})"
    if status == HTTPStatus.FORBIDDEN:
        return f"look up the app whose token 'token_env' or 'token_file' of the source holds at {_CONSOLE}"
    return "check 'url' of the source: without a proxy it is https://api.x.com"


def _problem(one: Mapping[str, Any]) -> Problem:
    exact = str(one.get("connection_issue") or one.get("disconnect_type") or "")
    ending = str(one.get("type", "")).rsplit("/", 1)[-1]
    title = str(one.get("title", ""))
    names = [_ALIASES.get(name, name) for name in (exact, title, ending)]
    kind = next((name for name in names if name in _MEANINGS), exact or ending)
    reason = clean(str(one.get("detail") or one.get("message") or title), 200)
    return Problem(clean(kind, 60), reason.rstrip("."), clean(str(one.get("reset_date", "")), 20))
