"""A desk that follows a script: it shows what a test puts there and remembers what was asked of it."""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from textual.app import App

from crisisdesk.console.app import Console
from crisisdesk.desk import ChartPoint, Picture, WatchPicture
from crisisdesk.errors import UsageError
from crisisdesk.inquiries import acts
from crisisdesk.playbooks.format import Playbook, parse
from crisisdesk.records import (
    Answering,
    Change,
    Chosen,
    Event,
    Evidence,
    Incident,
    Inquiry,
    Kind,
    Mention,
    Need,
    Numbers,
    OutputStatus,
    Phrase,
    PlaybookRef,
    Post,
    Quote,
    Scored,
    Severity,
    Silence,
    SourceStatus,
    Stage,
    State,
    Verdict,
)

NOW = datetime(2008, 11, 16, 1, 14, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")

PLAYBOOK = """---
title: Offensive advertisement
id: offensive-ad
owner: Head of Communications
language: en
reviewed: 2026-10-01
review-every: 180 days
strategy: "rebuild: we caused it, so we apologise"
approve: Duty Officer
---
# Offensive advertisement

> People feel mocked by us. Listen first, say that you heard it, stop the ad, answer as a person.

## First 15 minutes (Duty Officer)
- [ ] Read the ten posts in the alert. Is it about us? (2 min)
- [ ] Acknowledge the alert, so that others know you have it. (1 min)
- [ ] Pause all planned posts and the campaign. (5 min) @Social
- [ ] Send the holding statement below for approval. (5 min)

## First hour (Head of Communications)
- [ ] Post the holding statement where the anger is, then on our site.
- [ ] Tell staff and the agency.
- [ ] Decide whether the ad stops; write down why. (20 min)

## Do not
- Delete comments.
- Argue, or say "if anyone was offended".

## Holding statement [en]
We have heard you about {{campaign}}. You are right to tell us. We have stopped it while we look at it,
and {{name}} will answer here by {{next_update}}.

## Holding statement [de]
Wir haben eure Kritik an {{campaign}} gelesen. Danke, dass ihr so offen seid. Die Anzeige ist gestoppt,
{{name}} antwortet hier bis {{next_update}}.
"""

WORDS = (
    ("negative", "so carrying my baby is a FASHION statement now? who signed this off #motrinmoms"),
    ("negative", "just watched that ad. never felt so talked down to by a headache pill"),
    ("neutral", "what is #motrinmoms? it is all over my page tonight"),
    ("negative", "my back is fine, thanks. my patience is not. pull it."),
    ("positive", "lol at the wrap jokes, you people are brilliant tonight"),
    ("neutral", "somebody explain the pain reliever thing to a dad please"),
    ("negative", "dear marketing, we do not wear our babies to look official. we wear them because they cry"),
    ("negative", "not buying that brand again, and I told my whole playgroup"),
    ("positive", "motrin got me through a fever last week, still grateful"),
    ("neutral", "RT the ad is on their front page, link in my blog"),
)
AUTHORS = (
    "slingmama",
    "two_under_two",
    "porchlight",
    "katydidnt",
    "northshorecarla",
    "dadofthree",
    "mamabird",
    "quilter77",
)


def scored(number: int, text: str, label: str = "negative", **post: object) -> Scored:
    """A mention with that judgement; the higher the number, the older."""
    chances = {"negative": 0.04, "neutral": 0.06, "positive": 0.03} | {label: 0.91}
    fields = {
        "id": f"p{number}",
        "source": "reconstruction",
        "time": NOW - timedelta(seconds=19 * number),
        "text": text,
        "author": AUTHORS[number % len(AUTHORS)],
        "reach": (number * 7919) % 2400,
    } | post
    total = sum(chances.values())
    return Scored(Mention(Post(**fields), ("Motrin",)), *(chance / total for chance in chances.values()), model="test")


def quote(number: int, text: str, **changes: object) -> Quote:
    """A post as evidence."""
    plain = Quote(
        f"q{number}", "reconstruction", NOW - timedelta(minutes=7 * number), AUTHORS[number], text, 900, None, 0.94,
        neutral=0.05, positive=0.01, model="minilm-posts-v1@6f62c8f3a1d0",
    )  # fmt: skip
    return replace(plain, **changes)


FIRST = quote(
    5, "has anybody seen the new pain reliever ad? I am speechless", time=NOW - timedelta(hours=21, minutes=34)
)


def incident(**changes: object) -> Incident:
    """The red incident of Saturday night."""
    evidence = Evidence(
        phrases=(
            Phrase("#motrinmoms", 58, 0.0),
            Phrase("fashion statement", 31, 0.0),
            Phrase("talked down", 17, 0.01),
            Phrase("😡", 12, 0.0),
        ),
        posts=(
            quote(
                1, WORDS[0][1], reach=12_400, copies=14, url="https://social.example/slingmama/1", role=Chosen.TYPICAL
            ),
            quote(2, WORDS[6][1], reach=5_310, copies=3, role=Chosen.WIDEST),
            quote(3, WORDS[1][1], reach=1_018, role=Chosen.WIDEST),
            quote(4, WORDS[7][1], reach=640, role=Chosen.NEWEST),
        ),
        first=FIRST,
        signals=(FIRST, quote(6, WORDS[0][1], time=NOW - timedelta(hours=21, minutes=2), reach=310)),
        people=71,
        reach=48_200,
        voices=(("slingmama", 12_400), ("two_under_two", 5_310), ("porchlight", 1_018)),
        languages=(("en", 81), ("es", 2), ("de", 1)),
        sources=(("reconstruction", 84),),
    )
    plain = Incident(
        id="motrin-1",
        watch="Motrin",
        kind=Kind.SPIKE,
        state=State.OPEN,
        severity=Severity.RED,
        opened=NOW - timedelta(hours=21, minutes=34),
        updated=NOW,
        numbers=Numbers(60, 84, 118, 6.2, 71, 0.71, 0.18, 2e-15),
        why="84 negative posts by 71 people within one hour, where 6 are usual; 71% of all posts are negative, usually "
        "18%. New is talk of “#motrinmoms” and “fashion statement”.",
        why_de="84 negative Beiträge von 71 Menschen innerhalb einer Stunde, üblich sind 6; 71 % aller Beiträge sind "
        "negativ, sonst 18 %. Neu ist die Rede von „#motrinmoms“ und „fashion statement“.",
        evidence=evidence,
        playbook=PlaybookRef(
            "offensive-ad",
            "Offensive advertisement",
            "Read the ten posts in the alert. Is it about us?",
            "“ad” and “campaign” in 41 of 84 posts",
        ),
    )
    return replace(plain, **changes)


def flood(**changes: object) -> Incident:
    """Few accounts that make themselves look like a crowd."""
    posts = (
        quote(1, "MOTRIN poisons babies!! share before they delete this", copies=220),
        quote(2, "boycott the makers of Motrin, pass it on", copies=80),
    )
    return incident(
        **{
            "id": "flood-1",
            "kind": Kind.BRIGADING,
            "severity": Severity.NOTICE,
            "opened": NOW - timedelta(minutes=4),
            "numbers": Numbers(60, 300, 314, 0.0, 9, 0.96, 0.18, 0.03),
            "why": "300 copies by 9 accounts in 30 minutes; on most days there is no such flood.",
            "why_de": "300 Kopien von 9 Konten in 30 Minuten; an den meisten Tagen gibt es keine solche Flut.",
            "evidence": Evidence(
                posts=posts, first=posts[0], people=9, reach=60,
                voices=(("two_under_two", 12), ("porchlight", 3), ("a_bot", 0)),
                languages=(("en", 300),), sources=(("reconstruction", 300),),
            ),
            "playbook": PlaybookRef("brigading", "A flood of copies", "Read each of the repeated texts once."),
        }
        | changes
    )  # fmt: skip


def silence(**changes: object) -> Incident:
    """A source that says nothing, though it is connected."""
    since = NOW - timedelta(hours=2, minutes=14)
    return incident(
        **{
            "id": "bluesky-blind-1",
            "watch": "bluesky",
            "kind": Kind.BLIND,
            "severity": Severity.AMBER,
            "opened": since + timedelta(minutes=2),
            "numbers": Numbers(134, 0, 0, 7_912.0, 0, 0.0, 0.0, 0.0),
            "why": "bluesky has been silent since 18:00 EST; usually there is no pause. Anger may go unseen.",
            "why_de": "bluesky schweigt seit 18:00 EST; sonst gibt es keine Pause. Ärger kann ungesehen bleiben.",
            "evidence": Evidence(),
            "playbook": PlaybookRef(
                "gone-silent",
                "A source has gone silent",
                "Read the sentence that says why. Does it name a setting, a password or an address?",
                "kind blind",
            ),
        }
        | changes
    )


def amber(**changes: object) -> Incident:
    """An older, smaller one that somebody has."""
    return incident(
        **{
            "id": "aspirin-7",
            "watch": "Pain relievers",
            "severity": Severity.AMBER,
            "state": State.ACKNOWLEDGED,
            "acknowledged_by": "anna",
            "acknowledged_at": NOW - timedelta(minutes=50),
            "opened": NOW - timedelta(hours=3),
            "numbers": Numbers(180, 22, 61, 7.5, 19, 0.36, 0.21, 4e-6),
        }
        | changes
    )


def chart(hours: int = 72) -> tuple[ChartPoint, ...]:
    """Three days: ordinary chatter with a daily rhythm, complaints from Friday night, a flood at the end."""
    points = []
    for back in range(hours, 0, -1):
        moment = NOW.replace(minute=0) - timedelta(hours=back - 1)
        usual = 1.2 + (moment.hour % 24) / 9
        flood = {0: 84, 1: 71, 2: 58, 3: 36, 4: 22, 5: 17, 6: 9, 7: 11, 8: 8, 9: 6}.get(back - 1)
        complaints = flood if flood is not None else (back * 5) % 4 + (6 if back < 24 else 0)
        points.append(ChartPoint(moment, complaints, complaints * 2 + 3, usual, usual * 2 + 3))
    return tuple(points)


def motrin() -> Picture:
    """Saturday night: one red incident nobody has, one amber that somebody has, and a notice."""
    old = incident(
        id="motrin-0", state=State.RESOLVED, severity=Severity.NOTICE, verdict=Verdict.PLANNED,
        opened=NOW - timedelta(days=9), resolved_at=NOW - timedelta(days=8, hours=20),
    )  # fmt: skip
    return Picture(
        now=NOW,
        incidents=(incident(), amber(), old),
        watches=(
            WatchPicture("Motrin", Severity.RED, False, 84, 118, 6.2, 0.64, 0.18, chart()),
            WatchPicture("Pain relievers", Severity.AMBER, True, 9, 31, 3.4, 0.29, 0.21, chart()[:-9]),
        ),
        mentions=tuple(scored(n, WORDS[n % len(WORDS)][1], WORDS[n % len(WORDS)][0]) for n in range(60)),
        sources=(SourceStatus("reconstruction", "live", NOW - timedelta(seconds=3), 9_120, 9_120, matched=8_411),),
        outputs=(OutputStatus("mqtt", "live", 4),),
        waiting=12,
        model="minilm-sentiment-1",
        notice="Reconstruction: synthetic posts on the documented timeline of November 2008; no real names.",
    )


def abroad() -> Picture:
    """A calm hour in which most of what is said is French and Spanish."""
    words = (
        "fr la pub Motrin est une honte, porter son bébé ce n'est pas une mode",
        "es el anuncio de motrin es un insulto para las mamás, no vuelvo a comprarlo",
        "fr franchement insultante cette pub de Motrin. jamais plus",
    )
    others = [scored(n, words[n % 3][3:]) for n in range(34)]
    found = [
        replace(one, mention=replace(one.mention, language=words[n % 3][:2], apart=("Motrin",)))
        for n, one in enumerate(others)
    ]
    calm = replace(
        motrin().watches[0], severity=None, negative_hour=4, total_hour=11, other_hour=(("fr", 23), ("es", 11))
    )
    return replace(motrin(), incidents=(), watches=(calm,), mentions=(*found[:5], *motrin().mentions[1:3], *found[5:]))


ASKED = (
    ("@motrin who thought of this? I want an answer, not a coupon", (Need.ADDRESSED, Need.QUESTION, Need.NEGATIVE)),
    ("@motrin is the recalled batch also sold in Canada? My pharmacy does not know", (Need.ADDRESSED, Need.QUESTION)),
    ("is motrin safe while I am nursing?", (Need.QUESTION,)),
)


def inquiry(number: int, **changes: object) -> Inquiry:
    """A post that needs an answer; the higher the number, the less it weighs."""
    text, needs = ASKED[number % len(ASKED)]
    came = NOW - timedelta(minutes=134 - 17 * number)
    post = Post(
        f"i{number}", "bluesky", came, text, AUTHORS[number % len(AUTHORS)], "en",
        f"https://bsky.app/profile/{AUTHORS[number % len(AUTHORS)]}/post/{number}", (number * 7919) % 2400,
    )  # fmt: skip
    return replace(Inquiry(f"i{number}", "Motrin", post, 0.93, needs, 9.0 - number, came), **changes)


def asked() -> Picture:
    """Saturday night with four posts that need an answer, one of which somebody has, and one that was answered."""
    also = Post("i0b", "bluesky", NOW - timedelta(minutes=140), "@motrin hello?", AUTHORS[0])
    answered = {"stage": Stage.ANSWERED, "person": "anna", "moved": NOW - timedelta(minutes=12)}
    return replace(
        motrin(),
        inquiries=(
            inquiry(0, others=(also,), posts=6),
            inquiry(1, stage=Stage.TAKEN, person="anna", moved=NOW - timedelta(minutes=20)),
            inquiry(2),
            inquiry(3, had_by="ben", moved=NOW - timedelta(minutes=5)),
            inquiry(4, **answered),
        ),
        answering=(
            Answering(
                "Motrin", waiting=3, taken=1, answered_today=9, median=timedelta(minutes=34), most=timedelta(hours=3),
                oldest=NOW - timedelta(minutes=134), missed=4,
            ),
        ),
    )  # fmt: skip


class ScriptedDesk:
    """Implements `Desk`: shows `shown`, and writes every action into `asked`."""

    def __init__(self, shown: Picture) -> None:
        self.shown = shown
        self.asked: list[tuple[object, ...]] = []
        self.book: Playbook | None = parse(PLAYBOOK, Path("playbooks/offensive-ad.md")).playbook
        self.error: Exception | None = None
        self.taken = 0
        self._touched = asyncio.Event()

    def put(self, picture: Picture) -> None:
        """Show this from now on."""
        self.shown = replace(picture, number=self.shown.number + 1)
        self._touched.set()
        self._touched = asyncio.Event()

    async def picture(self) -> Picture:
        self.taken += 1
        if self.error:
            raise self.error
        return self.shown

    async def changed(self, since: Picture) -> None:
        if since.number == self.shown.number:
            await self._touched.wait()

    async def timeline(self, incident: str) -> tuple[Change, ...]:
        opened = NOW - timedelta(hours=21, minutes=34)
        return (
            Change(incident, 1, Event.OPENED, opened, Severity.AMBER, reason="9 negative by 8 people in 3 h, usual 2"),
            Change(
                incident, 2, Event.RAISED, NOW - timedelta(hours=2), Severity.RED, reason="58 negative posts in an hour"
            ),
        )

    async def playbook(self, incident: str) -> Playbook | None:  # noqa: ARG002 - the protocol's
        return self.book

    async def acknowledge(self, incident: str, person: str, *, instead_of: str = "") -> Incident:
        asked = ("acknowledge", incident, person, *filter(None, [instead_of]))
        return self._do(*asked, state=State.ACKNOWLEDGED, acknowledged_by=person)

    async def assign(self, incident: str, person: str, to: str, note: str = "") -> Incident:
        return self._do("assign", incident, person, to, note, assigned_to=to)

    async def silence(self, incident: str, person: str, until: datetime, reason: str) -> Incident:
        silence = Silence(until, person, reason, Severity.RED)
        return self._do("silence", incident, person, until, reason, silence=silence)

    async def lift(self, incident: str, person: str) -> Incident:
        return self._do("lift", incident, person, silence=None)

    async def note(self, incident: str, person: str, text: str) -> Incident:
        return self._do("note", incident, person, text)

    async def resolve(self, incident: str, person: str, verdict: Verdict) -> Incident:
        return self._do("resolve", incident, person, verdict, state=State.RESOLVED, verdict=verdict)

    async def judge(self, incident: str, person: str, verdict: Verdict) -> Incident:
        return self._do("judge", incident, person, verdict, verdict=verdict)

    async def take(self, inquiry: str, person: str) -> Inquiry:
        return self._answer("take", inquiry, person)

    async def give_back(self, inquiry: str, person: str) -> Inquiry:
        return self._answer("give_back", inquiry, person)

    async def answer(self, inquiry: str, person: str) -> Inquiry:
        return self._answer("answer", inquiry, person)

    async def pass_over(self, inquiry: str, person: str, reason: str = "") -> Inquiry:
        return self._answer("pass_over", inquiry, person, reason)

    def _answer(self, act: str, inquiry: str, person: str, *more: str) -> Inquiry:
        self.asked.append((act, inquiry, person, *more))
        before = next(one for one in self.shown.inquiries if one.id == inquiry)
        after = getattr(acts, act)(before, person, NOW, *more)
        found = [after if one is before else one for one in self.shown.inquiries]
        self.put(replace(self.shown, inquiries=tuple(sorted(found, key=lambda one: (not one.is_open, -one.weight)))))
        return after

    def _do(self, *asked: object, **changes: object) -> Incident:
        self.asked.append(asked)
        found = next((i for i in self.shown.incidents if i.id == asked[1]), None)
        if found is None or found.is_open is (asked[0] == "judge"):
            raise UsageError(f"The incident {asked[1]} is already over [/nothing]; nothing was changed.")
        after = replace(found, **changes)
        self.put(replace(self.shown, incidents=tuple(after if i is found else i for i in self.shown.incidents)))
        return after


@pytest.fixture
def picture() -> Picture:
    return motrin()


@pytest.fixture
def picture_asked() -> Picture:
    return asked()


@pytest.fixture
def picture_abroad() -> Picture:
    return abroad()


@pytest.fixture
def make_incident() -> Callable[..., Incident]:
    return incident


@pytest.fixture
def make_flood() -> Callable[..., Incident]:
    return flood


@pytest.fixture
def make_silence() -> Callable[..., Incident]:
    return silence


@pytest.fixture
def make_mention() -> Callable[..., Scored]:
    return scored


@pytest.fixture
def desk(picture: Picture) -> ScriptedDesk:
    return ScriptedDesk(picture)


@pytest.fixture
def console(desk: ScriptedDesk) -> App[None]:
    return Console(desk, "berta", NEW_YORK)


@pytest.fixture(autouse=True, scope="session")
def what_is_loaded_stays() -> None:
    """Every drawn line makes a dozen objects; searching all that is imported for garbage each time costs a third."""
    gc.collect()
    gc.freeze()
