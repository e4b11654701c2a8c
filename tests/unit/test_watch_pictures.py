"""What the console is told of a watch before its figures can be trusted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from crisisdesk.app import App, Plan
from crisisdesk.cli.configured import desk_plan
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.engine.overview import spending_of, watch_picture
from crisisdesk.match import WatchRule
from crisisdesk.records import Incident, Kind, Mention, Numbers, Post, Scored, Severity, State
from crisisdesk.storage.store import Store

BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)


def scored(moment: datetime) -> Scored:
    return Scored(Mention(Post(str(moment), "test", moment, "well"), ("Acme",)), 0.1, 0.8, 0.1, model="test")


def picture(detector: WatchDetector, listening_since: datetime | None):
    return watch_picture(detector, None, spending_of(detector, (), detector.now), listening_since)


@pytest.fixture
def acme() -> WatchDetector:
    return WatchDetector("Acme", Standard(zone=ZoneInfo("Europe/Berlin")))


def test_a_live_watch_says_since_when_it_has_heard_nothing(acme: WatchDetector):
    acme.pass_time(BEGAN + timedelta(hours=3))
    assert picture(acme, BEGAN).unheard_since == BEGAN
    assert picture(acme, None).unheard_since is None  # a recording


@pytest.mark.parametrize("later", [timedelta(), timedelta(hours=5), timedelta(days=20)])
def test_one_post_is_enough_to_be_heard_also_after_a_restart(acme: WatchDetector, later: timedelta):
    acme.observe(scored(BEGAN))
    acme.pass_time(BEGAN + later)
    assert picture(acme, BEGAN).unheard_since is None
    again = WatchDetector("Acme")
    again.restore(acme.state())
    assert picture(again, BEGAN + later).unheard_since is None


def test_a_new_watch_says_how_many_days_it_knows(acme: WatchDetector):
    assert (picture(acme, None).learning, picture(acme, None).days_known) == (True, 0)
    for hour in range(24 * 12):
        acme.observe(scored(BEGAN + timedelta(hours=hour)))
        seen = picture(acme, None)
        assert seen.days_known < 7 if seen.learning else seen.days_known >= 7
    assert not seen.learning


def test_a_watch_says_where_its_people_live(acme: WatchDetector):
    assert picture(acme, None).zone == ZoneInfo("Europe/Berlin")
    assert picture(WatchDetector("Acme", replace(Standard(), zone=None)), None).zone is None


def desk(folder: Path, *watches: str, live: bool = True) -> Plan:
    """A desk that has heard nothing."""
    rules = {WatchRule(name, (name.casefold(),)): Standard() for name in watches}
    return Plan(rules, [], folder / "desk.db", folder, ReplayClock(BEGAN), load_model=lambda: None, live=live)


@pytest.mark.parametrize(("live", "since"), [(True, BEGAN), (False, None)])
async def test_only_a_live_desk_listens(tmp_path: Path, live: bool, since: datetime | None):
    async with App(desk(tmp_path, "Acme", live=live)) as app:
        (watch,) = (await app.desk.picture()).watches
    assert watch.unheard_since == since


async def test_incidents_are_sorted_by_the_worst_that_they_have_been(tmp_path: Path):
    def incident(name: str, severity: Severity, eased_from: Severity | None = None) -> Incident:
        numbers = Numbers(60, 9, 9, 1.0, 9, 1.0, 0.2, 1e-6)
        return Incident(name, name, Kind.SPIKE, State.OPEN, severity, BEGAN, BEGAN, numbers, "", eased_from=eased_from)

    found = (
        incident("notice", Severity.NOTICE),
        incident("amber", Severity.AMBER),
        incident("was-red", Severity.NOTICE, Severity.RED),
        incident("red", Severity.RED),
        incident("red-now-amber", Severity.AMBER, Severity.RED),
    )
    plan = desk(tmp_path, *(one.watch for one in found), live=False)
    async with await Store.open(plan.database) as store:
        for one in found:
            await store.save(one)
    async with App(plan) as app:
        shown = [one.id for one in (await app.desk.picture()).incidents]
    assert shown == ["red", "red-now-amber", "was-red", "amber", "notice"]


CONFIGURED = """
[desk]
name = "acme"
{desk}
[[watch]]
name = "Acme"
terms = ["acme"]
{watch}
[[source]]
kind = "bluesky"
"""


@pytest.mark.parametrize(
    ("of_desk", "of_watch", "console", "people"),
    [
        ("", "", None, None),
        ("Europe/Berlin", "", "Europe/Berlin", "Europe/Berlin"),
        ("Europe/Berlin", "America/New_York", "Europe/Berlin", "America/New_York"),
        ("", "America/New_York", None, "America/New_York"),
    ],
)
def test_the_console_tells_the_time_of_the_desk_and_knows_that_of_the_watch(
    tmp_path: Path, of_desk: str, of_watch: str, console: str | None, people: str | None
):
    desk, watch = (f'timezone = "{zone}"' if zone else "" for zone in (of_desk, of_watch))
    file = tmp_path / "crisisdesk.toml"
    file.write_text(CONFIGURED.format(desk=desk, watch=watch))
    plan = desk_plan(file)
    (standard,) = plan.watches.values()
    assert (plan.zone and str(plan.zone), standard.zone and str(standard.zone)) == (console, people)
    noon = int(BEGAN.timestamp() // 3600)
    assert standard.clock(noon)[1] == BEGAN.astimezone(ZoneInfo(people or "UTC")).hour
