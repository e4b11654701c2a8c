"""What docs/privacy.md promises is what the programme does: somebody signs it."""

import re
from datetime import timedelta
from pathlib import Path

from typer.main import get_command

from crisisdesk.cli.main import commands
from crisisdesk.desk import MENTIONS_KEPT
from crisisdesk.detect import evidence, memory, people, usual
from crisisdesk.detect.windows import WINDOWS
from crisisdesk.engine.forgetting import CUT_EVERY
from crisisdesk.engine.progress import KNOWN
from crisisdesk.outputs.deliver import OWED_FOR
from crisisdesk.outputs.mqtt.output import STATE_SECONDS
from crisisdesk.privacy.pseudonyms import Pseudonyms
from crisisdesk.privacy.terms import KEEP_EVIDENCE, KEEP_POSTS
from crisisdesk.records import SIGNALS
from crisisdesk.server import pictures
from crisisdesk.settings import load
from crisisdesk.settings.privacy import LONGEST, SHORTEST
from crisisdesk.sources.bluesky import source as bluesky
from crisisdesk.sources.mastodon import heard as mastodon
from crisisdesk.sources.mastodon.server import LIMIT
from crisisdesk.sources.mastodon.source import RECOLLECTED
from crisisdesk.sources.x import heard as x
from crisisdesk.storage import audit, outbox, snapshot

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
DAY = timedelta(days=1)


def test_times_and_numbers_on_the_page_are_those_of_the_programme():
    assert (KEEP_POSTS, SHORTEST, LONGEST, KEEP_EVIDENCE) == (30 * DAY, 2 * DAY, 3650 * DAY, 730 * DAY)
    assert (WINDOWS[-1], memory.KEPT, MENTIONS_KEPT) == (24 * 60, 4_000, 500)
    assert bluesky.REMEMBERED == mastodon.REMEMBERED == x.REMEMBERED == 20_000
    assert RECOLLECTED * LIMIT == 4_000
    assert bluesky.REPAIRED == 1_000
    assert evidence.TYPICAL + evidence.WIDEST + evidence.NEWEST + SIGNALS == 12
    assert (evidence.VOICES, people.POSTS_AN_HOUR) == (5, 2)
    assert (usual.KEPT, KNOWN) == (1_000, 200_000)
    assert people.QUARTERS * people.QUARTER == 30 * 60
    assert (OWED_FOR, outbox.SHOWN_FOR, audit.KEPT) == (DAY, 30 * DAY, 366 * DAY)
    assert timedelta(seconds=STATE_SECONDS) == 7 * DAY
    assert pictures.KEPT_SECONDS * 60 == snapshot.LEFT_FOR == CUT_EVERY.total_seconds() == DAY.total_seconds() / 24


def test_the_example_can_be_used(tmp_path: Path):
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "crisisdesk.toml"
    file.write_text(f'[desk]\nname = "acme"\n{example}')
    assert load(file).watches[0].keep_posts == KEEP_POSTS


def test_every_option_that_the_page_names_is_there():
    (forget,) = (one for name, one in get_command(commands).commands.items() if name == "forget")
    known = {option for parameter in forget.params for option in parameter.opts}
    used = re.findall(r"`crisisdesk forget ([^`]*)`", PAGE) + re.findall(
        r"^crisisdesk forget (.*)$", PAGE, re.MULTILINE
    )
    named = {option for line in used for option in re.findall(r"--[a-z]+", line.partition("#")[0])}
    assert named <= known
    assert {"--author", "--post", "--show", "--list", "--again"} <= named


def test_the_pseudonym_that_is_shown_looks_like_one():
    (shown,) = set(re.findall(r"person-[0-9a-f]+", PAGE))
    assert Pseudonyms(b"any").person(shown) == shown


def test_what_machines_are_told_is_quoted_as_it_is():
    lifecycle = (Path(__file__).parents[2] / "crisisdesk" / "incidents" / "lifecycle.py").read_text(encoding="utf-8")
    reasons = re.findall(r"“([^”]{20,})”", " ".join(PAGE.partition("What has left")[2].partition("##")[0].split()))
    assert len(reasons) == 4
    for reason in reasons[1:]:
        assert reason in lifecycle
