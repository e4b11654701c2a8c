"""For which names a certificate is, and until when: what those who come will see of it."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

from crisisdesk.errors import FatalSourceError

_NO_CHECK_TIME: Final = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which the standard library does not name."""


@dataclass(frozen=True, slots=True)
class Validity:
    """What a certificate vouches for."""

    names: tuple[str, ...]
    start: datetime
    end: datetime


def validity(context: ssl.SSLContext, chain: Path) -> Validity:
    """What the first certificate of a file says of itself.

    The standard library decodes only certificates that it was shown and that it trusts: so it is shown, in memory.

    Args:
        context: a server's side of it.
        chain: its file, in PEM.

    Raises:
        FatalSourceError: it is not for servers.
    """
    looking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    looking.check_hostname = False
    looking.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    looking.load_verify_locations(chain)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, server = looking.wrap_bio(back, there), context.wrap_bio(there, back, server_side=True)
    try:
        for side in (client, server) * 3:  # as many steps as any version of TLS needs
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    except ssl.SSLError as error:
        reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason
        raise FatalSourceError(
            f"Whoever comes will not trust {chain}: {reason}; write another at 'tls_certificate' under [server]."
        ) from None
    seen = client.getpeercert() or {}
    names = cast("tuple[tuple[str, str], ...]", seen.get("subjectAltName", ()))
    return Validity(tuple(name for _, name in names), _moment(seen["notBefore"]), _moment(seen["notAfter"]))


def _moment(written: object) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(written)), UTC)
