"""Who may post to a webhook: whoever signs with its secret or, where a sender cannot compute that, knows its token.

`crisisdesk/net/signing.py` says how one signs; a body is signed as it is sent, packed if it is. Several `v1` may be
given, so that a sender can sign with an old and a new secret while the two are exchanged. Within the time for which an
overheard request can be sent again, that has no effect, since its posts are known by their ids.

A token proves less: it goes over the line as it is, and who has seen it can make up posts. It comes as
`Authorization: Bearer TOKEN`, or as the password of `https://desk:TOKEN@…` from senders that take an address only.
"""

import hmac
import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from crisisdesk.net.signing import HEADER, digest
from crisisdesk.settings.server import is_loopback
from crisisdesk.sources.webhook.refusals import Refused
from crisisdesk.text import how_long

TOLERANCE: Final = timedelta(minutes=5)
"""How far the clocks of sender and desk may be apart."""
MAX_DIGESTS: Final = 5

_TIME: Final = re.compile(r"\d{1,13}", re.ASCII)  # some send milliseconds, and are to be told so
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_HOW: Final = f"send '{HEADER}: t=UNIX,v1=HEX' with HEX = HMAC-SHA256(secret, \"t.body\") over the body as it is sent"


@dataclass(frozen=True, slots=True)
class Head:
    """The headers that say who sends what; empty where there is none."""

    content_type: str = ""
    encoding: str = ""
    signature: str = ""
    authorization: str = ""
    origin: str = ""
    """The page that makes a browser send it."""
    host: str = ""
    """What the sender calls us, with the port."""
    forwarded: str = ""
    """For whom a proxy sends it."""
    size: int | None = None
    """Bytes of the body, where that is said beforehand."""


class Signed(NamedTuple):
    """What a right signature says."""

    digest: str
    """The same for the same request only."""
    moment: datetime
    """When it was signed, by the sender's clock."""


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """What a webhook's senders are known by; with neither, everybody on this machine is let in. Never printed."""

    secret: str | None = None
    token: str | None = None

    def admit(self, head: Head, now: datetime) -> None:
        """Look at what can be judged before there is a body.

        Raises:
            Refused: it is not signed, not in time, or without the right token.
        """
        if self.secret and head.signature:
            moment, _ = _signature(head.signature)
            _check_time(moment, now)
        elif self.token and head.authorization:
            self._check_token(head.authorization)
        elif self.secret or self.token:
            raise self._nothing_shown()
        elif head.forwarded:
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "This webhook has no secret, so it takes posts of its own machine only and none through a proxy.",
                what="through a proxy, without a secret",
                cure="give it a 'secret_env' or a 'token_env'",
            )
        if not (self.secret and head.signature) and self._is_foreign(head):
            raise Refused(
                HTTPStatus.FORBIDDEN,
                "A page of another site may not post here through somebody's browser; let its server post.",
                what="from a page of another site",
                cure="let the server of that site post instead",
            )

    def check(self, head: Head, body: bytes) -> Signed | None:
        """Compare the signature with the body, for a request that was admitted.

        Returns:
            What it says; None for a request that is not signed.

        Raises:
            Refused: no digest fits.
        """
        if not (self.secret and head.signature):
            return None
        moment, digests = _signature(head.signature)
        right = digest(self.secret, moment, body)
        if not any(hmac.compare_digest(right, one) for one in digests):
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                f"The signature does not fit the body and the secret; {_HOW}.",
                what="with a wrong signature",
                cure="check the secret on their side",
            )
        return Signed(right, datetime.fromtimestamp(moment, UTC))

    def _check_token(self, authorization: str) -> None:
        if not hmac.compare_digest(_token(authorization).encode("utf-8", "replace"), (self.token or "").encode()):
            raise Refused(
                HTTPStatus.UNAUTHORIZED,
                "The token is not the one of this webhook; send 'Authorization: Bearer TOKEN'.",
                what="with a wrong token",
                cure="check the token on their side",
            )

    def _nothing_shown(self) -> Refused:
        how = " or ".join(
            [_HOW] * bool(self.secret) + ["send the token as 'Authorization: Bearer TOKEN'"] * bool(self.token)
        )
        return Refused(
            HTTPStatus.UNAUTHORIZED,
            f"This webhook takes posts of those it knows only; {how}.",
            what="without " + " or ".join(["a signature"] * bool(self.secret) + ["the token"] * bool(self.token)),
            cure="if it is your own suite, set it up with " + ("the secret" if self.secret else "the token"),
        )

    def _is_foreign(self, head: Head) -> bool:
        """Whether a page of another site makes somebody's browser send it, adding a password that the browser keeps.

        Any page may do so, also to a loopback address, and also under a name of its own for that address; it cannot
        send a token as Bearer.
        """
        if not head.origin or head.authorization.lower().startswith("bearer "):
            return False
        try:
            origin = urlsplit(head.origin)
            return origin.netloc.lower() != head.host.lower() or not (self.token or is_loopback(origin.hostname or ""))
        except ValueError:
            return True


def _signature(header: str) -> tuple[int, list[str]]:
    """The time and the digests that a header gives.

    Raises:
        Refused: it is not of that form.
    """
    pairs = [(name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in header.split(","))]
    times = [value for name, value in pairs if name == "t"]
    digests = [value.lower() for name, value in pairs if name == "v1" and _DIGEST.fullmatch(value)]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not 0 < len(digests) <= MAX_DIGESTS:
        raise Refused(
            HTTPStatus.UNAUTHORIZED,
            f"The signature is not of the right form; {_HOW}.",
            what="with a signature of another form",
            cure="let them sign as docs/sources.md says",
        )
    return int(times[0]), digests


def _check_time(moment: int, now: datetime) -> None:
    off = timedelta(seconds=now.timestamp() - moment)
    if abs(off) > TOLERANCE:
        when = f"{how_long(abs(off))} {'ago' if off > timedelta() else 'in the future'}"
        raise Refused(
            HTTPStatus.UNAUTHORIZED,
            f"It was signed {when} by the clock here, more than {how_long(TOLERANCE)} off; sign each attempt anew, "
            "with the Unix time in seconds of a clock that is right.",
            what=f"what was signed more than {how_long(TOLERANCE)} ago or in the future",
            cure="their clock or that of this machine is wrong, or somebody repeats old requests",
        )


def _token(authorization: str) -> str:
    """What is shown as the token; empty where nothing is."""
    scheme, _, shown = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return shown.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(shown.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""
