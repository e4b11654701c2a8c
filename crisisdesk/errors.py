"""What can go wrong, as a person should read it.

    CrisisdeskError          exit code 1: the work failed
    ├── UsageError           exit code 2: the call or the configuration has to be changed first
    │   └── ConfigurationError    names file, line and key
    ├── InputError           a line or frame that cannot be read: reported, counted, skipped
    ├── StorageError         the database cannot be opened, read or written
    ├── SourceError          a network or file that posts come from
    │   └── FatalSourceError      trying again will not help: names the setting to mend
    ├── OutputError          an alert did not leave the building; it is tried again
    │   ├── RefusedError          this message only: others may pass meanwhile
    │   └── FatalOutputError      trying again will not help: names the setting to mend
    └── ModelError           the model cannot be fetched, loaded or imported, or what its labels mean is unclear

Every message says what happened, where, and what to do; it is shown as it stands, without a traceback.
"""


class CrisisdeskError(Exception):
    """Something failed for a reason that a person can act on."""

    exit_code = 1


class UsageError(CrisisdeskError):
    """The command or the configuration asks for something that does not exist."""

    exit_code = 2


class ConfigurationError(UsageError):
    """The configuration file cannot be used as it is; the message names file, line and key."""


class InputError(CrisisdeskError):
    """One line or frame is not a post; the run goes on without it."""


class StorageError(CrisisdeskError):
    """The database cannot be opened, read or written."""


class SourceError(CrisisdeskError):
    """A source does not deliver at the moment; it is tried again."""


class FatalSourceError(SourceError):
    """A source will never deliver as it is set up; the message names the setting to mend."""


class OutputError(CrisisdeskError):
    """An output did not take a notification at the moment; it is tried again."""


class RefusedError(OutputError):
    """The outside is there and does not take this one notification; it is tried again, and others are not held up."""


class FatalOutputError(OutputError):
    """An output will never take a notification as it is set up; the message names the setting to mend."""


class ModelError(CrisisdeskError):
    """The sentiment model cannot be fetched, loaded or imported; the message says what lacks and where to get it."""
