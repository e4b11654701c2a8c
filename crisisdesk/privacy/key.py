"""The key of the pseudonyms, in a file beside the database: whoever has both can find a person among the pseudonyms.

Without it what was pseudonymised is anonymous, for the desk as for everybody: what a network deletes, or somebody asks
to have erased, is no longer found there.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from crisisdesk.errors import StorageError
from crisisdesk.privacy.files import is_open_to_others
from crisisdesk.privacy.pseudonyms import Pseudonyms
from crisisdesk.records import Correction

ENDING: Final = ".key"
BYTES: Final = 32


class KeyFile:
    """The key of one database. It is made when something is pseudonymised for the first time."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ENDING)
        self._pseudonyms: Pseudonyms | None = None

    def known(self) -> Pseudonyms | None:
        """The pseudonyms that were given so far; None where there were none, or the key is lost.

        Raises:
            StorageError: the key cannot be read, or others can read it.
        """
        if self._pseudonyms is None and self.path.exists():
            self._pseudonyms = Pseudonyms(self._read())
        return self._pseudonyms

    def needed(self) -> Pseudonyms:
        """The same; where there is no key, one is made, and is on the disk when this returns.

        Raises:
            StorageError: it cannot be read or made, or others can read it.
        """
        found = self.known()
        if found is None:
            found = self._pseudonyms = Pseudonyms(self._made())
        return found

    @property
    def used(self) -> Pseudonyms | None:
        """The pseudonyms that were asked for in this run."""
        return self._pseudonyms

    @property
    def trouble(self) -> str:
        """That others can read it, also where it is not needed yet; empty where all is well."""
        return self._opened if is_open_to_others(self.path) else ""

    def forms(self, correction: Correction) -> tuple[Correction, ...]:
        """A correction of a post as it was said, and of the same post by its pseudonym.

        Raises:
            StorageError: the key cannot be read, or others can read it.
        """
        names = self.known()
        return (correction,) if names is None else (correction, names.of_correction(correction))

    @property
    def _opened(self) -> str:
        return (
            f"The key {self.path} can be read by others, who can find out by it whom the pseudonyms mean: "
            f"chmod 600 {self.path}, and think of who may have read it."
        )

    def _read(self) -> bytes:
        if is_open_to_others(self.path):
            raise StorageError(self._opened)
        try:
            key = bytes.fromhex(self.path.read_text(encoding="ascii"))
        except OSError as error:
            raise StorageError(
                f"The key {self.path} cannot be read ({error.strerror}); the desk's user has to be its owner."
            ) from None
        except ValueError:
            key = b""
        if len(key) != BYTES:
            raise StorageError(
                f"The key {self.path} is damaged; restore it from a copy. Where there is none, move it away: whom the "
                "pseudonyms so far mean is not known any more then."
            )
        return key

    def _made(self) -> bytes:
        key, half_made = secrets.token_bytes(BYTES), self.path.with_name(f"{self.path.name}.new")
        try:
            with suppress(FileNotFoundError):
                half_made.unlink()
            with os.fdopen(os.open(half_made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"{key.hex()}\n")
                file.flush()
                os.fsync(file.fileno())
            half_made.replace(self.path)
        except OSError as error:
            raise StorageError(
                f"The key {self.path} cannot be made ({error.strerror}); its folder has to be writable. Until then "
                "nothing is pseudonymised."
            ) from None
        return key
