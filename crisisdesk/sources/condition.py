"""How a source that listens to a line is doing, in the words of its status."""

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError
from crisisdesk.records import TOLD_FOR


class Condition:
    """Whether a line stands and speaks, and what is wrong."""

    def __init__(self) -> None:
        self.state = "connecting"
        self.trouble = ""

    def connected(self) -> None:
        """The line stands; whether one that was mute speaks again is for its first sign of life to say."""
        if self.state != "blind":
            self.heard()

    def heard(self) -> None:
        """It says something."""
        self.state, self.trouble = "live", ""

    def broken(self, trouble: object, *, mute: bool) -> None:
        """It has ended, or said nothing any more; it is tried again.

        Raises:
            FatalSourceError: the trouble is one, so that trying again cannot help.
        """
        if isinstance(trouble, FatalSourceError):
            self.state, self.trouble = "failed", str(trouble)
            raise trouble
        self.state = "blind" if mute or self.state == "blind" else "connecting"
        self.trouble = f"{trouble}; trying again"


class Missing:
    """What was not to be had is told until the next shift has read it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = clock.now()
        self._said = ""

    def tell(self, said: str) -> None:
        """Say this from now on."""
        self._since, self._said = self._clock.now(), said

    @property
    def told(self) -> str:
        """What there is to say; empty where nothing is missing, or it was long ago."""
        return self._said if self._clock.now() - self._since <= TOLD_FOR else ""
