"""Desks elsewhere, as the command line names them: their addresses, and the tokens that let one in."""

import os
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from getpass import getpass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import typer

from crisisdesk.cli.console import EXAMPLE
from crisisdesk.cli.terminal import say
from crisisdesk.console.line import DeniedError
from crisisdesk.errors import UsageError
from crisisdesk.settings.token import web_address
from crisisdesk.text import clean

VARIABLE: Final = "CRISISDESK_TOKEN"
"""The environment variable that may hold the token."""


def address(url: str) -> str:
    """The address that is meant, without a path; https where no scheme is named.

    Raises:
        UsageError: it is none, or a token must not go there.
    """
    try:
        return web_address(url if "://" in url else f"https://{url}", EXAMPLE)
    except ValueError as error:
        raise UsageError(f"The address of the desk: {error}.") from None


def trusted(authority: Path | None) -> ssl.SSLContext:
    """Whose certificates are trusted: those that this machine knows, and those of an authority of one's own.

    Raises:
        UsageError: its file cannot be used.
    """
    context = ssl.create_default_context()
    if authority is not None:
        try:
            context.load_verify_locations(authority)
        except (OSError, ValueError) as error:
            reason = "it is no certificate in PEM" if isinstance(error, ssl.SSLError) else _why(error)
            raise UsageError(f"--ca: {clean(str(authority), 200)} cannot be used: {reason}.") from None
    return context


class Tokens:
    """Where the token for a desk is found: in a file, in the environment, or kept from the last time.

    Args:
        url: of the desk.
        file: that the call names.
        environ: may hold one.
        folder: of the user's, where they are kept.
    """

    def __init__(self, url: str, file: Path | None, environ: Mapping[str, str], folder: Path) -> None:
        self._url = url
        self._file = file
        self._environ = environ
        self._kept = folder / "tokens" / quote(url.partition("://")[2], safe=".")

    def find(self) -> tuple[str, str]:
        """The token and where it comes from; both empty where there is none.

        Raises:
            UsageError: what should hold it cannot be read, or holds none.
        """
        if self._file is not None:
            try:
                return _token(self._file.read_text("utf-8"), f"--token-file {self._file}"), f"in {self._file}"
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"--token-file: {self._file} cannot be read: {_why(error)}.") from None
        if given := self._environ.get(VARIABLE, ""):
            return _token(given, f"${VARIABLE}"), f"in ${VARIABLE}"
        with suppress(OSError, UnicodeDecodeError, UsageError):
            return _token(self._kept.read_text("utf-8"), ""), f"kept in {self._kept}"
        return "", ""

    def ask(self) -> str:
        """Ask for one on the terminal, where nobody sees it.

        Raises:
            DeniedError: what was typed is none.
        """
        typed = getpass(f"Your token for {self._url.partition('://')[2]}: ")
        try:
            return _token(typed, "What you typed")
        except UsageError as error:
            raise DeniedError(str(error)) from None

    def offer_to_keep(self, token: str) -> None:
        """Ask whether to keep one that has let somebody in, and keep it then."""
        if not typer.confirm("Keep it for the next time, in a file that only you can read?", default=False, err=True):
            return
        try:
            self._kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._kept.unlink(missing_ok=True)
            with os.fdopen(os.open(self._kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
                opened.write(f"{token}\n")
        except OSError as error:
            say(f"It could not be kept in {self._kept} ({_why(error)}); it will be asked for again.", "warning")
        else:
            say(f"It is kept in {self._kept}; remove that file, and it is forgotten.")


def _token(text: str, where: str) -> str:
    """The first line."""
    token = text.strip().split("\n", 1)[0].strip()
    if not re.fullmatch(r"cd_[!-~]+", token):
        raise UsageError(f"{where} holds no token; one begins with cd_: copy it whole, as it was handed to you.")
    return token


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or "it is no text").lower()
