"""How many distinct people are behind the negative posts of the last so many minutes, at the price of one addition."""

from array import array
from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Any, Final, Self

from crisisdesk.detect.restored import whole_number

KEPT: Final = 20_000
"""People that are known apart; in a greater crowd the longest silent count once more when they speak again."""
SAVED: Final = 1_000
"""Of them, those who spoke last, that are known apart after a restart: the loud ones are always among them."""

MOST: Final = 65_535
"""Posts of one minute that are counted: two bytes, so that the minutes of a day take 6 kB."""


class Speakers:
    """Each person counts in the minute of the newest post, so a window's people are a sum. Minutes are since 1970."""

    def __init__(self, minutes: int) -> None:
        self._posts = array("H", [0]) * minutes
        self._people = array("H", [0]) * minutes
        self._newest: OrderedDict[int, int] = OrderedDict()
        self._now = 0

    def add(self, voice: int, minute: int) -> None:
        """A voice, by its digest, has spoken; what is older than the minutes kept is no matter any more."""
        self._pass_time(minute)
        width = len(self._posts)
        slot = minute % width
        if minute <= self._now - width or self._posts[slot] == MOST:
            return
        self._posts[slot] += 1
        known = self._newest.get(voice)
        if known is not None and known >= minute:
            return
        if known is not None and known > self._now - width:
            self._people[known % width] -= 1
        self._people[slot] += 1
        self._newest[voice] = minute
        self._newest.move_to_end(voice)
        if len(self._newest) > KEPT:
            self._newest.popitem(last=False)

    def since(self, minute: int) -> tuple[int, int]:
        """Posts and people from that minute on."""
        width = len(self._posts)
        first = max(minute, self._now - width + 1) % width
        last = self._now % width
        if minute > self._now:
            return 0, 0
        return _sum(self._posts, first, last), _sum(self._people, first, last)

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as plain values: posts and people of the minutes that have any, newest people.

        Under 60 kB as JSON, however great the crowd.
        """
        kept = range(self._now - len(self._posts) + 1, self._now + 1)
        rows = ((minute, self._posts[minute % len(kept)], self._people[minute % len(kept)]) for minute in kept)
        # Behind one that spoke lately may stand an older one, whose post came late.
        voices = [one for one in self._newest.items() if one[1] in kept][-SAVED:]
        return {"now": self._now, "minutes": [row for row in rows if row[1]], "voices": voices}

    @classmethod
    def restored(cls, state: dict[str, Any], minutes: int) -> Self:
        """Those that `state` told of.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape, or more people speak in a minute than it counts.
        """
        speakers = cls(minutes)
        now = speakers._now = whole_number("minutes of speakers", state["now"], 0, 1 << 40)
        for minute, posts, people in state["minutes"]:
            place = whole_number("minutes of speakers", minute, now - minutes + 1, now) % minutes
            speakers._posts[place] = whole_number("posts of speakers", posts, 0, MOST)
            speakers._people[place] = whole_number("people of a minute", people, 0, posts)
        speakers._newest = OrderedDict(state["voices"])
        for minute, people in Counter(speakers._newest.values()).items():
            whole_number("minutes of speakers", minute, now - minutes + 1, now)
            whole_number("people of a minute", people, 0, speakers._people[minute % minutes])
        return speakers

    def _pass_time(self, minute: int) -> None:
        width = len(self._posts)
        for empty in range(max(self._now + 1, minute - width + 1), minute + 1):
            self._posts[empty % width] = self._people[empty % width] = 0
        self._now = max(self._now, minute)
        while self._newest and next(iter(self._newest.values())) <= self._now - width:
            self._newest.popitem(last=False)


def _sum(ring: Sequence[int], first: int, last: int) -> int:
    """From one place on to another, both included, over the end where the other stands before it."""
    return sum(ring[first : last + 1]) if first <= last else sum(ring[first:]) + sum(ring[: last + 1])
