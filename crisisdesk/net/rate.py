"""How often somebody may come: a bucket of tokens that fills up again."""

from datetime import datetime


class Rate:
    """So many a minute in the long run, and as many at once after a quiet minute."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._left = float(per_minute)
        self._last: datetime | None = None

    def wait(self, now: datetime) -> float:
        """Count one that comes; the seconds after which it may, where it is one too many, else 0."""
        passed = (now - (self._last or now)).total_seconds() / 60
        self._left = min(self._per_minute, self._left + max(0.0, passed) * self._per_minute)
        self._last = now
        if self._left < 1:
            return (1 - self._left) * 60 / self._per_minute
        self._left -= 1
        return 0.0
