"""The file that says who may do what: read as a whole, written as a whole, and its owner's only.

It holds no token, only the SHA-256 of each one's secret: 32 random bytes, which nobody finds by trying, so that a
slower digest, as passwords need it, would only cost every request its time. Who made and revoked tokens stands in it as
well, since a command has no database to write that into while a desk runs.
"""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from crisisdesk.clock import Clock
from crisisdesk.errors import StorageError
from crisisdesk.records import Role
from crisisdesk.settings.section import label

KEPT: Final = timedelta(days=366)
"""How long it is remembered who made and revoked tokens."""
WAIT_SECONDS: Final = 5.0
"""How long another one who changes the file is waited for;"""
STALE: Final = timedelta(seconds=10)
"""who takes longer than this was killed meanwhile: it is a matter of milliseconds."""

_LOOK: Final = 0.02
_OTHERS_READ: Final = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_PEOPLE: Final = (Role.VIEWER, Role.RESPONDER, Role.EDITOR)


def role_named(word: object) -> Role:
    """A role that a person can have, by its name.

    Raises:
        ValueError: there is none of that name.
    """
    found = next((role for role in _PEOPLE if str(role) == word), None)
    if found is None:
        raise ValueError(f"must be {', '.join(map(str, _PEOPLE[:-1]))} or {_PEOPLE[-1]}")
    return found


Named = Annotated[Role, BeforeValidator(role_named), PlainSerializer(str)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{8}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, AfterValidator(label)]


@dataclass(frozen=True, slots=True)
class Token:
    """By what somebody is known; the secret itself is known to them alone."""

    id: Id
    """Eight letters and digits: the part of the token that may be shown."""
    person: Name
    role: Named
    created: AwareDatetime
    sha256: Digest
    """Of the secret, in hexadecimal digits."""
    expires: AwareDatetime | None = None
    by: str = ""
    """Who made it, where that is known."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A token was made or revoked."""

    at: AwareDatetime
    what: Literal["created", "revoked"]
    token: Id
    person: Name
    role: Named
    by: str = ""
    """Who did it, where that is known."""


@dataclass(frozen=True, slots=True)
class Content:
    """What the file holds."""

    version: Literal[1]
    tokens: tuple[Token, ...]
    history: tuple[Deed, ...]
    """Oldest first."""


NOTHING: Final = Content(1, (), ())
_CONTENT: Final = TypeAdapter(Content)


def read(path: Path) -> Content | None:
    """All of it; None where there is no such file. What others could read is its owner's alone from now on.

    Raises:
        StorageError: it cannot be read, makes no sense, or others may have written into it.
    """
    try:
        with path.open("rb") as opened:
            _keep_to_owner(path, opened.fileno())
            return _CONTENT.validate_json(opened.read())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))  # what stands there is not repeated
        reason = f"it makes no sense{f' at {where}' if where else ''}"
        raise StorageError(f"The tokens in {path} cannot be used: {reason}; put back a copy of it.") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(
            f"The tokens in {path} cannot be used: {reason}; the desk has to be able to read it."
        ) from None


def change(path: Path, clock: Clock, do: Callable[[Content], Content]) -> None:
    """Change it as `do` says, at once or not at all; who changes it at the same time comes before or after.

    Raises:
        StorageError: it cannot be read or written; nothing was changed.
    """
    path = path.resolve()  # the file behind a link, and not the link
    mine = path.with_name(f"{path.name}.new")
    try:
        while not _changed(path, mine, clock, do):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(f"The tokens cannot be written to {path}: {reason}; nothing was changed.") from None


def _changed(path: Path, mine: Path, clock: Clock, do: Callable[[Content], Content]) -> bool:
    """Whether it was done: what is to come is the lock as well, of which there can be one only."""
    number = _alone(mine, clock)
    try:
        content = do(read(path) or NOTHING)
        kept = tuple(deed for deed in content.history if deed.at > clock.now() - KEPT)
        with os.fdopen(number, "wb", closefd=False) as opened:
            opened.write(_CONTENT.dump_json(replace(content, history=kept), indent=1))
        _give_to_owner(path, number)
        os.fsync(number)
        if not _is(mine, number):  # somebody thought that we had been killed
            return False
        mine.replace(path)
    except BaseException:
        if _is(mine, number):
            mine.unlink(missing_ok=True)
        raise
    finally:
        os.close(number)
    return True


def _alone(mine: Path, clock: Clock) -> int:
    """The file that is to come, opened by nobody else."""
    for _ in range(int(WAIT_SECONDS / _LOOK)):
        try:
            return os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            _clear_away(mine, clock)
    raise StorageError(f"Somebody else is changing the tokens ({mine} is there); try again.")


def _clear_away(mine: Path, clock: Clock) -> None:
    """Wait a moment for whoever writes; what was left behind goes."""
    try:
        if clock.now().timestamp() - mine.stat().st_mtime > STALE.total_seconds():
            mine.unlink()
            return
    except FileNotFoundError:
        return
    time.sleep(_LOOK)


def _is(path: Path, number: int) -> bool:
    """Whether an opened file is the one of this name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(number))
    except FileNotFoundError:
        return False


def _keep_to_owner(path: Path, number: int) -> None:
    """Take from others what they may do with it.

    Raises:
        StorageError: they could change it, so that it may say what they like.
    """
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode):
        raise StorageError(f"The tokens in {path} cannot be used: it is no ordinary file; name another one.")
    if os.name != "posix" or not found.st_mode & _OTHERS_READ:
        return
    if found.st_mode & _OTHERS_WRITE:
        raise StorageError(
            f"The tokens in {path} cannot be used: others may have written into it. Run "
            f"`chmod 600 {path}`, and see whether `crisisdesk token list` shows whom it should."
        )
    try:
        os.fchmod(number, 0o600)
    except PermissionError:
        raise StorageError(
            f"The tokens in {path} cannot be used: others can read it, and it is not ours; give it to the user who "
            "runs the desk, with mode 600."
        ) from None


def _give_to_owner(path: Path, number: int) -> None:
    """What an administrator changes stays the file of the desk's own user, who must read it."""
    if os.name != "posix" or os.geteuid() != 0:
        return
    owner = (path if path.exists() else path.parent).stat()
    os.fchown(number, owner.st_uid, owner.st_gid)
