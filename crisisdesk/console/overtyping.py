"""Keys that were meant for a window that has just closed."""

from typing import Final

from textual.events import Key

PAUSE_SECONDS: Final = 0.5
"""Who stops typing for so long has seen that the window has gone."""


class Overtyping:
    """Tells what somebody types on, after their answer has closed a window, from keys for the screen below it.

    It goes by the keys' own times, in seconds, so that a slow desk makes no burst of what was none.
    """

    def __init__(self) -> None:
        self._last = 0.0
        self._goes_on = False
        self.swallowed = 0
        """Keys since the last window closed that were for it."""

    def closed(self) -> None:
        """A window has closed with an answer."""
        self._goes_on, self.swallowed = True, 0

    def takes(self, key: Key) -> bool:
        """Whether a key is to do nothing: signs and enter, until there is a pause."""
        self._goes_on = self._goes_on and key.time - self._last < PAUSE_SECONDS
        self._last = max(self._last, key.time)
        taken = self._goes_on and (key.is_printable or key.key == "enter")
        self.swallowed += taken
        return taken
