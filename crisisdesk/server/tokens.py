"""Who may use a desk that several people share: tokens, as a running desk knows them and as commands change them.

A token reads `cd_<id>_<secret>`. From the moment on at which there is a file of tokens, everybody needs one. Whatever
becomes of that file, it lets nobody in who could not come in before: a desk that cannot read it, or from under which it
was removed, takes nobody's word but that of commands on its own machine.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import StorageError
from crisisdesk.records import Role
from crisisdesk.server.token_file import Content, Deed, Token, change, read

LOOK_EVERY: Final = timedelta(seconds=0.25)
"""How often the file is looked at, at most."""
SECRET_BYTES: Final = 32

_FORM: Final = re.compile(r"cd_([a-z0-9]{8})_([A-Za-z0-9_-]{43})", re.ASCII)
_SIGNS: Final = string.ascii_lowercase + string.digits
_NOBODYS: Final = "0" * 64
"""What the secret of an unknown id is compared with, so that the time it takes does not tell which ids there are."""


class Tokens:
    """The tokens of one desk.

    Args:
        path: their file.
        clock: tells when it was looked at, and when a token was made.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self.trouble = ""
        """Why nobody is let in, and what to do; empty while all is well."""
        self.required = False
        """Whether everybody needs a token; once true, it stays so."""
        self.history: tuple[Deed, ...] = ()
        """Who made and revoked tokens, oldest first."""
        self._clock = clock
        self._by_id: dict[str, Token] = {}
        self._seen: tuple[int, ...] | None = None
        self._looked: datetime | None = None
        self._looking = asyncio.Lock()

    def now(self) -> datetime:
        """The present moment, by which tokens are made and expire."""
        return self._clock.now()

    async def refresh(self) -> None:
        """Look whether the file has changed, unless that was a moment ago."""
        if self._is_fresh():
            return
        async with self._looking:
            if not self._is_fresh():
                await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Look whether the file has changed, now; may block."""
        try:
            seen = self._mark()
            if seen != self._seen or self.trouble:
                self._take(read(self.path))
            self._seen = seen
        except StorageError as error:
            self._lock_out(str(error))
        except OSError as error:
            self._lock_out(f"The tokens in {self.path} cannot be read: {(error.strerror or str(error)).lower()}.")
        self._looked = self._clock.now()

    def all(self) -> tuple[Token, ...]:
        """Every token that was not revoked, also those that have expired."""
        return tuple(self._by_id.values())

    def find(self, text: str) -> Token | None:
        """The token that somebody shows, also one that has expired; None where it is none, or was revoked."""
        form = _FORM.fullmatch(text)
        if form is None:
            return None
        token = self._by_id.get(form[1])
        right = hmac.compare_digest(_digest(form[2]), token.sha256 if token else _NOBODYS)
        return token if right else None

    def gone(self, text: str) -> str:
        """The id of what was a token here once; empty for what never was, or still is one."""
        form = _FORM.fullmatch(text)
        if form is None or form[1] in self._by_id or form[1] not in {deed.token for deed in self.history}:
            return ""
        return form[1]

    def is_valid(self, name: str, now: datetime) -> bool:
        """Whether a token, by its id, is neither revoked nor expired."""
        token = self._by_id.get(name)
        return token is not None and not is_expired(token, now)

    def create(self, person: str, role: Role, *, expires: datetime | None = None, by: str = "") -> tuple[Token, str]:
        """Make a token.

        Returns:
            What is kept of it, and the token itself, which nobody can find out later.

        Raises:
            StorageError: the file cannot be read or written.
        """
        secret, now = secrets.token_urlsafe(SECRET_BYTES), self._clock.now()
        token = Token("", person, role, now, _digest(secret), expires, by)

        def add(content: Content) -> Content:
            nonlocal token
            token = replace(
                token, id=_new_id({one.id for one in content.tokens} | {one.token for one in content.history})
            )
            deed = Deed(now, "created", token.id, person, role, by)
            return replace(content, tokens=(*content.tokens, token), history=(*content.history, deed))

        change(self.path, self._clock, add)
        self.look()
        return token, f"cd_{token.id}_{secret}"

    def revoke(self, names: Collection[str], *, by: str = "") -> tuple[Token, ...]:
        """Take tokens out, by their ids, for good; returns those that were there.

        Raises:
            StorageError: the file cannot be read or written.
        """
        gone: tuple[Token, ...] = ()

        def take_out(content: Content) -> Content:
            nonlocal gone
            gone = tuple(one for one in content.tokens if one.id in names)
            left = tuple(one for one in content.tokens if one not in gone)
            deeds = (Deed(self._clock.now(), "revoked", one.id, one.person, one.role, by) for one in gone)
            return replace(content, tokens=left, history=(*content.history, *deeds))

        change(self.path, self._clock, take_out)
        self.look()
        return gone

    def _is_fresh(self) -> bool:
        """Whether it was looked at a moment ago; a clock that was set back does not make it so."""
        return self._looked is not None and timedelta() <= self._clock.now() - self._looked < LOOK_EVERY

    def _mark(self) -> tuple[int, ...] | None:
        """What is another one when the file has changed, also its permissions; None where there is none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _take(self, content: Content | None) -> None:
        if content is None and self.required:
            self._lock_out(
                f"The tokens in {self.path} are gone, so that nobody is let in. Put the file back or make new tokens; "
                "to let in everybody on this machine, restart the desk."
            )
            return
        self.trouble = ""
        if content is not None:
            self.required = True
            self._by_id = {one.id: one for one in content.tokens}
            self.history = content.history

    def _lock_out(self, trouble: str) -> None:
        """Nobody comes in: a file that cannot be read says of nobody that they may."""
        self.trouble, self.required, self._by_id = trouble, True, {}


def is_expired(token: Token, now: datetime) -> bool:
    """Whether its time is over."""
    return token.expires is not None and token.expires <= now


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_id(taken: Collection[str]) -> str:
    while (made := "".join(secrets.choice(_SIGNS) for _ in range(8))) in taken:
        pass
    return made
