"""Which sources a desk finds blind, how much it makes of it, and what it says."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from crisisdesk.engine.listening import Ear
from crisisdesk.engine.silences import Patience, Silences
from crisisdesk.records import Kind, Severity, SourceStatus, Spike

MONDAY = datetime(2024, 3, 4, 9, tzinfo=UTC)
LOOK = timedelta(seconds=10)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOTICE, AMBER, RED = Severity.NOTICE, Severity.AMBER, Severity.RED


class Listened:
    """A desk's sources, and what is said of them; posts come every so often while a source is `live`."""

    def __init__(self, *names: str, watches: tuple[str, ...] = (), own: tuple[str, ...] = (), zone: str = "") -> None:
        self.now = MONDAY
        self.sources = {name: SourceStatus(name, "live") for name in names}
        self.every = dict.fromkeys(names, LOOK)
        self.pushes = dict.fromkeys(names, True)
        self._make: Callable[[], Silences] = lambda: Silences(
            names, watches, own, now=self.now, zone=ZoneInfo(zone) if zone else None
        )
        self.silences = self._make()
        self.said: list[tuple[datetime, Spike]] = []
        self._due = dict.fromkeys(names, MONDAY)

    def is_(self, name: str, state: str, trouble: str = "") -> None:
        self.sources[name] = replace(self.sources[name], state=state, trouble=trouble)

    def mute(self, name: str) -> None:
        """Live, and says nothing any more."""
        self._due[name] = datetime.max.replace(tzinfo=UTC)

    def speaks(self, name: str) -> None:
        self.is_(name, "live")
        self._due[name] = self.now

    def last(self, lasting: timedelta, each: Callable[[], None] = lambda: None) -> None:
        """Let time pass, with a look every ten seconds."""
        until = self.now + lasting
        while self.now < until:
            self.now += LOOK
            each()
            self.look()

    def last_days(self, days: int) -> None:
        """The same with as few looks as there can be."""
        for _ in range(days * 24 * 60 * 60 // 54):
            self.now += timedelta(seconds=54)
            self.look()

    def look(self) -> None:
        for name, status in self.sources.items():
            if status.state == "live" and self.now >= self._due[name]:
                self.sources[name] = replace(status, posts=status.posts + 1)
                self._due[name] = self.now + self.every[name]
        ears = [Ear(status, self.pushes[name]) for name, status in self.sources.items()]
        self.said += [(self.now, spike) for spike in self.silences.look(self.now, ears)]

    def restart(self, *, forgets: bool = False) -> None:
        """The desk is started anew, with what it has kept."""
        kept = orjson.dumps(self.silences.state())
        self.silences = self._make()
        if not forgets:
            self.silences.restore(orjson.loads(kept))
        self.sources = {name: replace(status, posts=0) for name, status in self.sources.items()}

    @property
    def heard(self) -> list[tuple[str, Severity | None, timedelta]]:
        """Changes of what was said: name, severity, time since the beginning."""
        changes, known = [], {}
        for moment, spike in self.said:
            if known.get(spike.watch) != spike.severity:
                changes.append((spike.watch, spike.severity, moment - MONDAY))
            known[spike.watch] = spike.severity
        return changes

    @property
    def why(self) -> str:
        return self.said[-1][1].why


def severities(listened: Listened) -> list[Severity | None]:
    return [severity for _, severity, _ in listened.heard]


def test_a_source_that_speaks_is_no_incident():
    desk = Listened("bluesky")
    desk.last(3 * HOUR)
    assert desk.heard == []


def test_a_mute_stream_is_a_notice_within_minutes_amber_when_it_lasts_and_red_when_nothing_else_is_heard():
    desk = Listened("bluesky")
    desk.last(2 * HOUR)
    desk.mute("bluesky")
    desk.last(6 * HOUR)
    (_, first, at), (_, second, later), (_, third, last) = desk.heard
    assert (first, second, third) == (NOTICE, AMBER, RED)
    assert 2 * MINUTE <= at - 2 * HOUR <= 3 * MINUTE
    assert later - at == timedelta(minutes=30) - LOOK
    assert last - at == 3 * HOUR - LOOK


def test_it_says_since_when_and_what_is_usual_by_the_clocks_of_the_desk():
    desk = Listened("bluesky", zone="Europe/Berlin")
    desk.last(2 * HOUR)
    desk.mute("bluesky")
    desk.last(10 * MINUTE)
    _, spike = desk.said[-1]
    assert spike.kind is Kind.BLIND
    assert spike.watch == "bluesky"
    assert spike.why == "bluesky has been silent since 12:00 CET; usually there is no pause. Anger may go unseen."
    assert spike.why_de == ("bluesky schweigt seit 12:00 CET; sonst gibt es keine Pause. Ärger kann ungesehen bleiben.")
    assert (spike.numbers.window_minutes, spike.numbers.negative, spike.numbers.authors) == (10, 0, 0)
    assert spike.numbers.expected > 60
    assert spike.numbers.probability < 1e-9


def test_a_silence_over_midnight_names_the_day():
    desk = Listened("bluesky")
    desk.last(2 * HOUR)
    desk.mute("bluesky")
    desk.last(25 * HOUR)
    assert "silent since Mon 11:00 UTC;" in desk.why
    desk.silences.look(MONDAY + timedelta(days=9), [])
    (spike,) = desk.silences.look(MONDAY + timedelta(days=9), [Ear(desk.sources["bluesky"])])
    assert "silent since 4 Mar 11:00 UTC;" in spike.why
    assert "schweigt seit 4. März 11:00 UTC;" in spike.why_de


def test_it_ends_with_the_first_post_and_says_how_long_it_lasted():
    desk = Listened("bluesky")
    desk.last(2 * HOUR)
    desk.mute("bluesky")
    desk.last(HOUR)
    desk.speaks("bluesky")
    desk.look()
    assert severities(desk) == [NOTICE, AMBER, None]
    assert desk.why == "bluesky is heard again, after 1 h"
    desk.last(HOUR)
    assert len(desk.said) == len([one for one in desk.said if one[1].severity]) + 2  # at the first look, and now


def test_one_that_comes_and_goes_is_one_incident_until_it_is_steady():
    desk = Listened("bluesky")
    desk.last(HOUR)
    for _ in range(10):
        desk.mute("bluesky")
        desk.last(6 * MINUTE)
        desk.speaks("bluesky")
        desk.last(MINUTE)
    assert severities(desk) == [NOTICE, None, NOTICE, AMBER]
    desk.last(11 * MINUTE)
    assert severities(desk)[-1] is None


def test_one_of_two_that_is_lost_wakes_nobody():
    desk = Listened("bluesky", "mastodon")
    desk.last(2 * HOUR)
    desk.is_("mastodon", "connecting", "no connection to social.example (timeout); trying again")
    desk.last(12 * HOUR)
    assert desk.heard[0][:2] == ("mastodon", NOTICE)
    assert [severity for name, severity, _ in desk.heard] == [NOTICE, AMBER]
    assert desk.why == (
        "mastodon has not been heard since 11:00 UTC; no connection to social.example (timeout); trying again. "
        "Anger may go unseen."
    )


def test_a_desk_that_hears_nothing_calls_once_and_says_so():
    desk = Listened("bluesky", "mastodon")
    desk.every["mastodon"] = timedelta(minutes=1)
    desk.last(6 * HOUR)
    for name in desk.sources:
        desk.is_(name, "connecting", "no connection")
    desk.last(5 * HOUR)
    assert [name for name, severity, _ in desk.heard if severity is RED] == ["bluesky"]
    assert all("this desk would not notice a crisis" in spike.why for _, spike in desk.said[-2:])
    desk.speaks("mastodon")
    desk.last(MINUTE)
    assert desk.heard[-2:] == [("bluesky", AMBER, desk.heard[-1][2]), ("mastodon", None, desk.heard[-1][2])] or (
        {desk.heard[-1][:2], desk.heard[-2][:2]} == {("bluesky", AMBER), ("mastodon", None)}
    )


def test_a_source_that_has_failed_is_blind_at_once_and_names_the_setting_to_mend():
    desk = Listened("mastodon", "bluesky")
    desk.is_("mastodon", "failed", "social.example refuses the token; check 'token_file' of the source.")
    desk.last(MINUTE)
    assert desk.heard == [("mastodon", NOTICE, LOOK)]
    assert "; social.example refuses the token; check 'token_file' of the source. Anger" in desk.why
    desk.last(HOUR)
    assert severities(desk) == [NOTICE, AMBER]


@pytest.mark.parametrize(("pushes", "after"), [(True, timedelta(minutes=10)), (False, timedelta(days=1))])
def test_one_that_has_never_delivered_is_told_of_and_calls_nobody(pushes: bool, after: timedelta):
    desk = Listened("x")
    desk.pushes["x"] = pushes
    desk.mute("x")
    desk.last(after + 5 * HOUR)
    assert desk.heard == [("x", NOTICE, after)]
    assert desk.why.startswith("x has not sent a single post since the desk began to listen at ")
    desk.speaks("x")
    desk.last(MINUTE)
    assert severities(desk) == [NOTICE, None]


def test_a_rare_source_whose_connection_is_lost_is_missed_within_the_hour_and_back_when_it_is_connected():
    desk = Listened("feed", "bluesky")
    desk.every["feed"] = timedelta(hours=8)
    desk.pushes["feed"] = False
    desk.last(timedelta(days=2))
    desk.is_("feed", "connecting", "feeds.example answers HTTP 503; trying again")
    desk.last(20 * MINUTE)
    assert desk.heard == []
    desk.last(20 * MINUTE)
    assert "feed has not been heard since Wed 09:00 UTC;" in desk.why or "since 09:00 UTC;" in desk.why
    desk.is_("feed", "live")
    desk.last(MINUTE)
    assert severities(desk) == [NOTICE, None]


@pytest.mark.parametrize("pushes", [True, False])
def test_a_desk_of_which_no_source_is_connected_calls_soon(pushes: bool):
    desk = Listened("mastodon", "feed")
    for name in ("mastodon", "feed"):
        desk.pushes[name] = pushes
        desk.is_(name, "connecting", "no connection")
    desk.last(9 * MINUTE)
    assert desk.heard == []
    desk.last(2 * MINUTE)
    assert severities(desk) == [NOTICE, NOTICE]
    desk.last(10 * MINUTE)
    assert severities(desk) == [NOTICE, NOTICE, AMBER]  # one call is enough


def test_a_stream_that_is_lost_is_missed_sooner_than_what_is_asked_now_and_then():
    desk = Listened("bluesky", "feed", "x")
    for name in ("feed", "x"):
        desk.every[name] = timedelta(hours=8)
        desk.pushes[name] = name == "x"
    desk.last(timedelta(days=1))
    for name in ("feed", "x"):
        desk.is_(name, "connecting", "no connection")
    desk.last(11 * MINUTE)
    assert [name for name, *_ in desk.heard] == ["x"]
    desk.last(20 * MINUTE)
    assert [name for name, *_ in desk.heard] == ["x", "feed"]


def test_a_file_that_has_ended_is_not_blind():
    desk = Listened("posts.jsonl")
    desk.last(HOUR)
    desk.is_("posts.jsonl", "ended")
    desk.last(5 * HOUR)
    assert desk.heard == []


def test_a_desk_that_slept_finds_nobody_blind():
    desk = Listened("bluesky")
    desk.last(HOUR)
    desk.mute("bluesky")
    desk.now += timedelta(hours=9)
    desk.last(MINUTE)
    desk.speaks("bluesky")
    desk.last(HOUR)
    assert desk.heard == []


def test_a_clock_that_is_set_back_finds_nobody_blind_and_a_silence_ends_all_the_same():
    desk = Listened("bluesky")
    desk.last(3 * HOUR)
    desk.now -= timedelta(hours=2)
    desk.speaks("bluesky")
    desk.last(HOUR)
    assert desk.heard == []
    desk.mute("bluesky")
    desk.last(10 * MINUTE)
    desk.now -= timedelta(hours=1)
    desk.speaks("bluesky")
    desk.last(MINUTE)
    assert severities(desk) == [NOTICE, None]


@pytest.mark.parametrize("back", [True, False])
def test_a_restart_in_a_silence_neither_ends_nor_forgets_it(back: bool):
    desk = Listened("bluesky")
    desk.last(2 * HOUR)
    desk.is_("bluesky", "connecting", "no connection")
    desk.last(HOUR)
    desk.restart()
    desk.last(MINUTE)
    assert severities(desk) == [NOTICE, AMBER]
    assert "since 11:00 UTC" in desk.why
    if back:
        desk.speaks("bluesky")
        desk.last(MINUTE)
        assert severities(desk) == [NOTICE, AMBER, None]


def test_what_was_forgotten_is_ended_when_the_source_is_heard():
    """The incident is in the database; of the silence nothing is known any more."""
    desk = Listened("bluesky")
    desk.last(2 * HOUR)
    desk.is_("bluesky", "failed", "no")
    desk.last(HOUR)
    desk.restart(forgets=True)
    desk.speaks("bluesky")
    desk.last(MINUTE)
    assert desk.said[-1][1].severity is None


def test_a_source_that_is_called_like_a_watch_is_told_apart():
    desk = Listened("acme", watches=("acme", "other"), own=("acme",))
    assert desk.silences.names == {"acme", "source acme"}
    desk.is_("acme", "failed", "no")
    desk.last(MINUTE)
    assert desk.said[-1][1].watch == "source acme"


def test_own_accounts_that_have_gone_to_sleep_are_a_notice_and_never_more():
    desk = Listened("bluesky", watches=("acme",), own=("acme",))
    for _ in range(12):
        desk.silences.own("acme", desk.now)
        desk.last_days(1)
    posted = desk.now - timedelta(days=1)
    desk.last_days(14)
    ((name, severity, _), *rest) = [one for one in desk.heard if one[1] is not None]
    assert (name, severity, rest) == ("acme", NOTICE, [])
    assert desk.why == (
        f"The accounts of acme have not posted since {posted.day} {posted:%b} 09:00 UTC; usually a post comes every "
        "day. Is that meant so?"
    )
    desk.silences.own("acme", desk.now)
    desk.look()
    assert desk.heard[-1][:2] == ("acme", None)


def test_own_accounts_are_not_missed_while_a_source_is():
    desk = Listened("bluesky", own=("acme",))
    for _ in range(30):
        desk.silences.own("acme", desk.now)
        desk.last(MINUTE)
    desk.is_("bluesky", "failed", "no")
    desk.last_days(12)
    assert "acme" not in {spike.watch for _, spike in desk.said if spike.severity}


def test_an_unknown_watch_has_no_own_accounts():
    desk = Listened("bluesky")
    desk.silences.own("acme", desk.now)
    assert desk.silences.names == {"bluesky"}


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: state.pop("own"),
        lambda state: state.update(sources=7),
        lambda state: state["sources"].update(bluesky=None),
        lambda state: state["sources"]["bluesky"].pop("since"),
        lambda state: state["sources"]["bluesky"].update(lasted="long"),
        lambda state: state["sources"]["bluesky"]["rhythm"].update(heard=[]),
    ],
)
def test_what_is_damaged_is_refused_and_the_desk_listens_on(damage: Callable[[dict[str, object]], object]):
    desk = Listened("bluesky", own=("acme",))
    desk.last(MINUTE)
    before = desk.silences.state()
    state = orjson.loads(orjson.dumps(before))
    damage(state)
    with pytest.raises((KeyError, TypeError, ValueError)):
        desk.silences.restore(state)
    assert desk.silences.state() == before


def test_patience_can_be_set():
    silences = Silences(["bluesky"], now=MONDAY, patience=Patience(first_pushed=20.0))
    said = [silences.look(MONDAY + n * LOOK, [Ear(SourceStatus("bluesky", "live"))]) for n in range(1, 4)]
    assert [bool([one for one in spikes if one.severity]) for spikes in said] == [False, True, True]


def test_one_that_is_connected_and_mute_is_told_to_be_blind_until_it_speaks():
    desk = Listened("bluesky", "new")
    desk.mute("new")
    desk.last(2 * HOUR)
    desk.mute("bluesky")
    desk.last(HOUR)
    bluesky, new = (desk.silences.told(status) for status in desk.sources.values())
    assert (bluesky.state, bluesky.trouble) == ("blind", "connected, but silent for longer than is plausible")
    assert new == desk.sources["new"], "of which nothing is known yet"
    lost = SourceStatus("bluesky", "connecting", trouble="no connection")
    assert desk.silences.told(lost) == lost
    assert desk.silences.told(SourceStatus("other", "live")).state == "live"
    desk.speaks("bluesky")
    desk.look()
    assert desk.silences.told(desk.sources["bluesky"]).state == "live"


def test_a_source_that_the_desk_keeps_waiting_is_not_silent():
    silences = Silences(["posts.jsonl"], now=MONDAY)
    ear = Ear(SourceStatus("posts.jsonl", "live", posts=5000), pushes=False)
    for n in range(1, 361):
        silences.look(MONDAY + n * LOOK, [replace(ear, status=replace(ear.status, posts=n))])
    held, free = (
        [silences.look(MONDAY + n * LOOK, [ear], waiting) for n in range(start, start + 100)]
        for start, waiting in ((361, ["posts.jsonl"]), (461, ()))
    )
    assert not any(spike.severity for spikes in held for spike in spikes)
    assert free[-1][0].severity is NOTICE


def test_an_entrance_that_nobody_has_used_yet_does_not_make_a_desk_hear():
    desk = Listened("bluesky", "webhook")
    desk.pushes["webhook"] = False
    desk.mute("webhook")
    desk.last(2 * HOUR)
    desk.is_("bluesky", "connecting", "no connection")
    desk.last(4 * HOUR)
    assert severities(desk) == [NOTICE, AMBER, RED]
