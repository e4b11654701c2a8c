"""Tells the case hour by hour: who posts what, who repeats and who answers, to the targets fixed beforehand."""

import math
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.cases.motrin.bank import Deck, Line, choose
from crisisdesk.cases.motrin.fill import Filler
from crisisdesk.cases.motrin.people import Crowd, People, Person
from crisisdesk.cases.motrin.style import TERMS, dress
from crisisdesk.cases.motrin.targets import (
    ORDINARY_NEGATIVE,
    ORDINARY_UNNAMED,
    OUTBREAK,
    Hour,
    ordinary,
    weekend,
)
from crisisdesk.cases.motrin.words import Words

SEED: Final = 20081114
LENGTH: Final = 140
"""Characters of a post at the time."""
FIRST_REACH: Final = 1_021
"""Followers of the one who speaks first: about 1,000, as the sources say."""
FIRST_ACTIVITY: Final = 8.0
"""How readily that person posts on, against others."""
CROWD: Final = 12
"""A conversation of fewer people mostly draws new ones."""
_ROLES: Final = ("mom", "other", "pro", "dad")


@dataclass(frozen=True, slots=True)
class Draft:
    """A post with what the file does not say: its phase, and whether it is meant as a complaint."""

    id: str
    time: datetime
    text: str
    person: Person
    phase: str
    negative: bool
    repost: str | None = None
    reply_to: str | None = None


@dataclass(slots=True)
class _Room:
    """One of the two conversations: ordinary chatter, or the affair."""

    complaints: Deck
    talk: Deck
    newcomers: float
    """Share of posts by people who have not posted in it."""
    reposts: float
    memory: timedelta
    """How far back people repeat and answer."""
    roles: tuple[int, ...]
    """Who says what anybody could say, in the order of `_ROLES`."""
    people: dict[str, Crowd] = field(default_factory=dict)
    recent: deque[Draft] = field(default_factory=deque)


class Story:
    """The whole case from one seed; `tell` may be called once."""

    def __init__(self, seed: int = SEED) -> None:
        self._rng = random.Random(seed)
        self._people = People(self._rng)
        self._ordinary = _Room(Deck(["ache"]), Deck(["daily"]), 0.5, 0.02, timedelta(hours=14), (30, 52, 3, 15))
        self._unnamed = Deck(["unnamed"])
        self._affair = _Room(
            Deck(["complaint-first", "complaint", "complaint-late"]),
            Deck(["talk-first", "talk", "talk-late"]),
            0.42,
            0.24,
            timedelta(hours=7),
            (46, 34, 9, 11),
        )
        self._texts: set[str] = set()
        self._words = Words(self._rng)
        self._filler = Filler(self._rng)
        self._count = 0

    def tell(self) -> list[Draft]:
        """Every post of the case, in order of time."""
        hours = {hour.start: hour for hour in weekend()}
        drafts: list[Draft] = []
        for start, expected in ordinary():
            for time, kind in self._plan(start, expected, hours.get(start)):
                phase = hours[start].phase if kind in {"complaint", "talk"} else "ordinary"
                drafts.append(self._post(time, kind, phase))
        return drafts

    def _plan(self, start: datetime, expected: float, hour: Hour | None) -> list[tuple[datetime, str]]:
        """The moments of an hour's posts and what each is: exact for the affair, by chance for ordinary chatter."""
        rng = self._rng
        kinds = []
        for _ in range(_poisson(expected, rng)):
            if rng.random() < ORDINARY_UNNAMED:
                kinds.append("unnamed")
            else:
                kinds.append("ache" if rng.random() < ORDINARY_NEGATIVE else "daily")
        if hour:
            kinds += ["complaint"] * hour.negative + ["talk"] * (hour.total - hour.negative)
        rng.shuffle(kinds)
        if start == OUTBREAK:
            kinds.sort(key=lambda kind: kind != "complaint")
        seconds = sorted(rng.sample(range(3600), len(kinds)))
        return [(start + timedelta(seconds=second), kind) for second, kind in zip(seconds, kinds, strict=True)]

    def _post(self, time: datetime, kind: str, phase: str) -> Draft:
        room = self._affair if phase != "ordinary" else self._ordinary
        while room.recent and time - room.recent[0].time > room.memory:
            room.recent.popleft()
        negative = kind in {"complaint", "ache"}
        draft = self._repost(room, time, phase, negative=negative) if kind != "unnamed" else None
        while draft is None:
            draft = self._original(room, time, kind, phase)
        room.recent.append(draft)
        self._texts.add(draft.text.lower())
        self._count += 1
        return draft

    def _original(self, room: _Room, time: datetime, kind: str, phase: str) -> Draft | None:
        """A post of somebody's own, or None when the line drawn cannot be used here."""
        rng = self._rng
        negative = kind in {"complaint", "ache"}
        deck = self._unnamed if kind == "unnamed" else room.complaints if negative else room.talk
        line = deck.draw(time, rng) if room is self._ordinary or room.people else deck.first()
        person = self._author(room, line.voice, time)
        text, reply_to = line.text, None
        if text.startswith("@{who}"):
            answered = self._heard(room, person, line)
            if answered is None or (negative and phase != "ordinary" and not answered.negative):
                return None
            text, reply_to = text.replace("{who}", answered.person.handle), answered.id
        text = choose(text, rng)
        if line.uses > 1 and not line.is_foreign:
            text = self._words.vary(text, "daily" if kind == "unnamed" else kind)
        text = dress(self._filler.fill(text, person, time), person, negative=negative, rng=rng)
        misses = (TERMS.search(text) is not None) is (kind == "unnamed")
        if misses or len(text) > LENGTH or text.lower() in self._texts or line.text in person.said:
            return None
        person.said.add(line.text)
        person.last = time
        return Draft(self._id(), time, text, person, phase, negative, reply_to=reply_to)

    def _heard(self, room: _Room, person: Person, line: Line) -> Draft | None:
        """A recent post that the reply fits, rather of somebody widely read; None when a few glances find none."""
        fitting: list[Draft] = []
        for draft in self._rng.choices(room.recent, k=40) if room.recent else ():
            text = draft.text.lower()
            answers = not line.to or any(word in text for word in line.to)
            if answers and draft.person is not person and not draft.repost:
                fitting.append(draft)
        return self._rng.choices(fitting, [math.sqrt(d.person.reach) for d in fitting])[0] if fitting else None

    def _repost(self, room: _Room, time: datetime, phase: str, *, negative: bool) -> Draft | None:
        """Somebody repeats a recent post, sooner the further it reached; None when nobody does."""
        rng = self._rng
        if rng.random() >= room.reposts:
            return None
        originals = [d for d in room.recent if d.negative is negative and not d.repost and TERMS.search(d.text)]
        originals = [d for d in originals if not d.text.startswith("@")]
        if not originals:
            return None
        weights = [d.person.reach**0.6 * math.exp((d.time - time) / timedelta(hours=1.5)) for d in originals]
        original = rng.choices(originals, weights)[0]
        person = self._author(room, original.person.voice if original.person.lang != "en" else "any", time)
        text = self._filler.quote(original.text, original.person.handle)
        if person is original.person or original.text in person.said or len(text) > LENGTH or not TERMS.search(text):
            return None
        person.said.add(original.text)
        person.last = time
        return Draft(self._id(), time, text, person, phase, negative, repost=original.id)

    def _author(self, room: _Room, voice: str, time: datetime) -> Person:
        """Somebody with that voice who has not just posted; for `any` one of the roles."""
        rng = self._rng
        opening = room is self._affair and not room.people
        if voice == "any":
            voice = "mom" if opening else rng.choices(_ROLES, room.roles)[0]
        crowd = room.people.setdefault(voice, Crowd())
        if rng.random() >= room.newcomers + CROWD / (CROWD + len(crowd.people)):
            for _ in range(4):
                person = crowd.pick(rng)
                if person.last is None or time - person.last > timedelta(minutes=10):
                    return person
        person = self._people.new(voice)
        if opening:
            person.reach, person.activity = FIRST_REACH, FIRST_ACTIVITY
        crowd.add(person)
        return person

    def _id(self) -> str:
        return f"motrin-{self._count + 1:04d}"


def _poisson(mean: float, rng: random.Random) -> int:
    """A count of independent events (Knuth's method; the means here are small)."""
    floor, product, count = math.exp(-mean), rng.random(), 0
    while product > floor:
        product *= rng.random()
        count += 1
    return count
