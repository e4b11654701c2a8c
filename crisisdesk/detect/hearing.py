"""What the desk could not hear: silence that means nothing, and that no watch may take for calm."""

from typing import Any, Final

from crisisdesk.detect.windows import HOUR

KEPT: Final = 90 * 24
"""Hours that are remembered. A watch that nobody speaks of learns its hours late: when the next post comes."""
DOUBT: Final = 6.0
"""Minutes of an hour that may be in doubt; they change its number by a tenth at most."""


class Hearing:
    """How much of each hour could be heard; one for all watches of a desk. Moments are minutes since 1970."""

    def __init__(self) -> None:
        self.missing: tuple[str, ...] = ()
        """Sources that cannot be heard at present while others can: what is counted now is too little."""
        self.dropped: dict[str, int] = {}
        """Posts of late that were dropped because too many came at once, by watch: what it counts now is too little."""
        self._lost: dict[int, tuple[float, float]] = {}
        """Minutes of each hour that were deaf, and that are in doubt; without the hours that were heard in full."""
        self._told = 0.0
        self._known_from = 0

    def was_deaf(self, start: float, end: float) -> None:
        """Nothing could be heard between two moments, and what was said then does not come any more.

        What has been told of before counts once; later gaps come later. That holds for both kinds of gaps.
        """
        self._lose(start, end, deaf=True)

    def was_doubtful(self, start: float, end: float) -> None:
        """Nobody knows how much was heard between two moments: a source was missing, or posts may yet come late."""
        self._lose(start, end, deaf=False)

    def heard(self, hour: int) -> float:
        """The part of an hour (since 1970) in which posts could be heard, 0 to 1; 0 also where nobody can tell."""
        deaf, doubtful = self._lost.get(hour, (0.0, 0.0))
        return 0.0 if doubtful > DOUBT or hour < self._known_from else max(0.0, 1.0 - deaf / HOUR)

    def turn_back(self, now: float) -> None:
        """It is earlier than we thought: what was told of the time after it is not true."""
        self._told, self._known_from = min(self._told, now), min(self._known_from, int(now // HOUR))
        self._lost = {hour: lost for hour, lost in self._lost.items() if hour <= now // HOUR}

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        hours = [(hour, *lost) for hour, lost in self._lost.items()]
        return {"told": self._told, "known_from": self._known_from, "hours": hours}

    def restore(self, state: object) -> None:
        """Go on from what `state` gave, or from the list of gaps that older versions kept.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        again = Hearing()
        if isinstance(state, dict):
            hours = sorted((int(_number(hour)), _number(deaf), _number(doubt)) for hour, deaf, doubt in state["hours"])
            again._lost = {hour: (deaf, doubt) for hour, deaf, doubt in hours}
            again._told, again._known_from = _number(state["told"]), int(_number(state["known_from"]))
            again._forget()
        elif isinstance(state, list):
            for start, end in state:
                again.was_deaf(_number(start), _number(end))
        else:
            raise TypeError(f"{type(state).__name__} is not how gaps were ever kept")
        self._lost, self._told, self._known_from = again._lost, again._told, again._known_from

    def _lose(self, start: float, end: float, *, deaf: bool) -> None:
        """Share a gap out over its hours."""
        start, self._told = max(start, self._told, end - KEPT * HOUR), max(self._told, end)
        while start < end:
            hour = int(start // HOUR)
            until = min(end, (hour + 1.0) * HOUR)
            deaf_before, doubtful_before = self._lost.get(hour, (0.0, 0.0))
            more = until - start
            self._lost[hour] = (deaf_before + more, doubtful_before) if deaf else (deaf_before, doubtful_before + more)
            start = until
        self._forget()

    def _forget(self) -> None:
        """Of what lies so far back that it is not remembered, nobody can tell any more."""
        self._known_from = max(self._known_from, int(self._told // HOUR) - KEPT)
        while self._lost and (oldest := next(iter(self._lost))) < self._known_from:
            del self._lost[oldest]


def _number(value: object) -> float:
    """A moment, a number of minutes or of an hour.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"{value!r} is no moment and no number of minutes")
    return float(value)
