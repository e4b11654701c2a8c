"""How commands on the same machine find a running desk: a file beside its database that only its owner can read.

Whoever can read it can read the database as well, so it gives away nothing: with its token one may do whatever the
owner of these files may do. The token is that of one run, and means nothing to any other desk. Therefore commands need
not ask whose certificate they see at this address: nobody else can listen there while the desk does, and when it does
not, the token is worth nothing any more. (The one whose digest could stand here may be renewed meanwhile.)
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

import orjson

from crisisdesk.errors import StorageError
from crisisdesk.settings.server import Address


@dataclass(frozen=True, slots=True)
class Presence:
    """A running desk."""

    url: str
    """Its address on this machine, without a path."""
    token: str = field(repr=False)
    """Of this run, with the role of the owner."""
    pid: int
    started: datetime


def place(database: Path) -> Path:
    """Where a desk with this database says that it runs."""
    return database.with_name(f"{database.name}.desk")


def local_url(address: Address, *, encrypted: bool) -> str:
    """How this machine reaches a desk that listens there; `0.0.0.0` and `::` are no address to go to."""
    with suppress(ValueError):
        host = ip_address(address.host)
        if host.is_unspecified:
            address = Address("127.0.0.1" if host.version == 4 else "::1", address.port)
    return f"{'https' if encrypted else 'http'}://{address}"


@contextmanager
def present(database: Path, presence: Presence) -> Iterator[None]:
    """Inside, the desk can be found. That of an earlier run, which was killed, is forgotten.

    Raises:
        StorageError: the file cannot be written.
    """
    path = place(database)
    try:
        _write(path, presence)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(
            f"Commands on this machine cannot find the desk: {path} cannot be written ({reason})."
        ) from None
    try:
        yield
    finally:
        if _read(path) == presence:
            with suppress(OSError):
                path.unlink()


def find(database: Path) -> Presence | None:
    """The desk that runs with this database; None where none does, or whoever asks may not know."""
    found = _read(place(database))
    return found if found is not None and _is_running(found.pid) else None


def _write(path: Path, presence: Presence) -> None:
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(orjson.dumps(presence))
    new.replace(path)


def _read(path: Path) -> Presence | None:
    try:
        found = orjson.loads(path.read_bytes())
        return Presence(
            str(found["url"]), str(found["token"]), int(found["pid"]), datetime.fromisoformat(found["started"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_running(pid: int) -> bool:
    """Whether there is such a process: a desk that was killed leaves its file behind."""
    if os.name != "posix":  # where asking a process whether it is there ends it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
