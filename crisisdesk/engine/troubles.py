"""What is wrong with a desk that goes on all the same, for the people who look at it."""

from datetime import datetime

from crisisdesk.records import TOLD_FOR


class Troubles:
    """One sentence for each part that has trouble, with what to do."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._passed: dict[str, datetime] = {}

    def tell(self, part: str, trouble: str, passed: datetime | None = None) -> None:
        """Say what is wrong with a part; of what had `passed` at some moment, it is said for a while."""
        self.forget(part)
        self._told[part] = trouble
        if passed is not None:
            self._passed[part] = passed

    def forget(self, part: str) -> None:
        """It was not so, or is no more."""
        self._told.pop(part, None)
        self._passed.pop(part, None)

    def pass_time(self, now: datetime) -> None:
        """Let go of what has passed long since."""
        for part in [part for part, passed in self._passed.items() if now - passed > TOLD_FOR]:
            self.forget(part)

    def all(self) -> dict[str, str]:
        """The sentences, by part."""
        return dict(self._told)
