"""What https needs, as it lies on the disk now: certificates are renewed every few weeks, while the desk runs."""

import ssl
from pathlib import Path

from crisisdesk.errors import FatalSourceError


class Certificate:
    """A certificate and its key.

    Args:
        chain: the certificate, with those between it and its root, in PEM.
        key: in PEM, without a passphrase.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain = chain
        self._key = key
        self._written: tuple[int, ...] = ()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """What encrypts; may block. While a new certificate is only half there, or cannot be used, it is the last one.

        Raises:
            FatalSourceError: there has not been one that can be used.
        """
        try:
            written = tuple(path.stat().st_mtime_ns for path in (self._chain, self._key))
            if self._context is None or written != self._written:
                self._context, self._written = self._read(), written
        except (OSError, ValueError) as error:
            if self._context is None:
                raise FatalSourceError(self._told(error)) from None
        return self._context

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._chain, self._key, password=lambda: b"")  # else it would ask on the terminal
        return context

    def _told(self, error: Exception) -> str:
        reason = "they do not fit together, are no PEM, or the key has a passphrase"
        if not isinstance(error, ssl.SSLError) and isinstance(error, OSError):
            reason = (error.strerror or "they cannot be read").lower()
        return (
            f"{self._chain} and {self._key} cannot be used ({reason}); mend 'tls_certificate' and 'tls_key' under "
            "[server]."
        )
