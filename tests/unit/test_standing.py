"""A configuration that is edited while the desk runs: a swap at 2 a.m. needs no restart."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crisisdesk.cli import standing
from crisisdesk.cli.standing import KEPT, StandingOrders
from crisisdesk.settings import load

NIGHT = datetime(2026, 12, 24, 2, tzinfo=UTC)
BASE = """\
[desk]
name = "acme"
[[watch]]
name = "Motrin"
terms = ["motrin"]
[[source]]
kind = "bluesky"
[[output]]
kind = "notify"
name = "push"
url_env = { "Anna Berg" = "ANNA_PUSH", "Ben Cole" = "BEN_PUSH" }
[[rota]]
name = "comms"
[[rota.shift]]
people = "Anna Berg"
"""
SWAP = '[[rota.swap]]\nfrom = "2026-12-24 01:00"\nto = "2026-12-24 08:00"\nperson = "Ben Cole"\n'


@pytest.fixture(autouse=True)
def quick(monkeypatch) -> None:
    monkeypatch.setattr(standing, "LOOK_EVERY", 0.02)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "crisisdesk.toml"
    path.write_text(BASE, encoding="utf-8")
    return path


@contextlib.asynccontextmanager
async def watched(file: Path) -> AsyncIterator[tuple[StandingOrders, Callable]]:
    """The orders, and a way to wait for the next change of them."""
    orders, news = StandingOrders(file, load(file)), asyncio.Event()

    async def changed() -> None:
        async with asyncio.timeout(5):
            await news.wait()
        news.clear()

    watching = asyncio.create_task(orders.watch(news.set))
    try:
        yield orders, changed
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


def on(orders: StandingOrders) -> str | None:
    return orders.current.rotas["comms"].who(NIGHT)


async def test_a_swap_is_taken_over_at_once(file):
    async with watched(file) as (orders, changed):
        assert on(orders) == "Anna Berg"
        file.write_text(BASE + SWAP, encoding="utf-8")
        await changed()
        assert (on(orders), orders.trouble) == ("Ben Cole", "")


async def test_another_file_in_its_place_and_links_that_lead_elsewhere(file, tmp_path):
    real, newer = tmp_path / "1.toml", tmp_path / "2.toml"
    real.write_text(BASE, encoding="utf-8")
    newer.write_text(BASE + SWAP, encoding="utf-8")
    file.unlink()
    file.symlink_to(real)
    async with watched(file) as (orders, changed):
        (tmp_path / "link").symlink_to(newer)
        (tmp_path / "link").replace(file)
        await changed()
        assert on(orders) == "Ben Cole"
        (tmp_path / "swap").write_text(BASE, encoding="utf-8")
        (tmp_path / "swap").replace(file)
        await changed()
        assert on(orders) == "Anna Berg"


async def test_the_same_size_and_the_same_time_hide_no_edit(file):
    times = file.stat()
    async with watched(file) as (orders, changed):
        file.write_text(BASE.replace('people = "Anna Berg"', 'people = "Ben Cole" '), encoding="utf-8")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
        await changed()
        assert on(orders) == "Ben Cole"


async def test_a_broken_edit_changes_nothing_and_is_told_with_its_line(file):
    async with watched(file) as (orders, changed):
        before = orders.current
        file.write_text(BASE + SWAP.replace("Ben Cole", "Ben Coal"), encoding="utf-8")
        await changed()
        cure = (
            "'person' in [[rota.swap]] of \"comms\": 'Ben Coal' has no address in any output; did you mean 'Ben Cole'?"
        )
        assert orders.trouble == f"{file}:19: {cure} {KEPT}"
        assert orders.current is before
        file.write_text(BASE + SWAP, encoding="utf-8")
        await changed()
        assert (on(orders), orders.trouble) == ("Ben Cole", "")


async def test_of_several_mistakes_the_first_is_told_and_how_many_more(file):
    async with watched(file) as (orders, changed):
        file.write_text(BASE.replace('people = "Anna Berg"', 'peopel = "Anna"') + "[[wacht]]\n", encoding="utf-8")
        await changed()
        assert orders.trouble.startswith(f"{file}:14: ")
        assert "(2 more: crisisdesk oncall)" in orders.trouble


async def test_a_file_that_goes_away_leaves_the_orders(file):
    async with watched(file) as (orders, changed):
        file.unlink()
        await changed()
        assert orders.trouble == f"{file}: cannot be read (no such file or directory); check the path. {KEPT}"
        assert on(orders) == "Anna Berg"
        file.write_text(BASE, encoding="utf-8")
        await changed()
        assert orders.trouble == ""


async def test_what_is_being_written_is_left_alone(file, monkeypatch):
    monkeypatch.setattr(standing, "LOOK_EVERY", 0.2)
    async with watched(file) as (orders, changed):
        with file.open("w", encoding="utf-8") as handle:
            for part in (BASE[:40], BASE[40:200], BASE[200:] + SWAP):
                handle.write(part)
                handle.flush()
                await asyncio.sleep(0.1)
                assert orders.trouble == ""
        await changed()
        assert (on(orders), orders.trouble) == ("Ben Cole", "")


async def test_other_tables_wait_for_a_restart_which_is_told(file):
    async with watched(file) as (orders, changed):
        text = BASE.replace('terms = ["motrin"]', 'terms = ["motrin", "advil"]').replace('"acme"', '"acme-2"') + SWAP
        file.write_text(text, encoding="utf-8")
        await changed()
        assert orders.trouble == f"{file}: what was edited in [desk] and [[watch]] counts after a restart of the desk."
        assert on(orders) == "Ben Cole"
        assert orders.settings.watches[0].terms == ("motrin",)


async def test_the_link_in_messages_waits_for_a_restart(file):
    async with watched(file) as (orders, changed):
        file.write_text(f'{BASE}[calling]\nlink = "https://desk.example/{{incident}}"\n', encoding="utf-8")
        await changed()
        assert orders.trouble == f"{file}: what was edited in 'link' of [calling] counts after a restart of the desk."


async def test_a_new_address_cannot_be_called_before_a_restart(file):
    dora = BASE.replace('"Ben Cole" =', '"Dora Ek" = "DORA", "Ben Cole" =')
    async with watched(file) as (orders, changed):
        file.write_text(dora + SWAP.replace("Ben Cole", "Dora Ek"), encoding="utf-8")
        await changed()
        assert "'Dora Ek' has no address in any output" in orders.trouble
        assert "; what was edited in [[output]] counts after a restart of the desk." in orders.trouble
        assert on(orders) == "Anna Berg"


async def test_chains_calling_and_planned_events_are_taken_over(file):
    planned = (
        '[[planned]]\nwatch = "Motrin"\nfrom = "2026-11-27 06:00"\nto = "2026-11-30 00:00"\nreason = "Black Friday"\n'
    )
    chain = '[[chain]]\nname = "red"\n[[chain.step]]\ntell = "comms"\n'
    async with watched(file) as (orders, changed):
        assert [one.name for one in orders.current.chains] == ["everybody"]
        file.write_text(BASE + planned + chain + '[calling]\ngroup_wait = "1 minute"\n', encoding="utf-8")
        await changed()
        assert [one.name for one in orders.current.chains] == ["red"]
        assert orders.current.group_wait.total_seconds() == 60
        assert [one.reason for one in orders.planned] == ["Black Friday"]
        assert orders.trouble == ""


async def test_an_edit_between_the_start_and_the_first_look_is_not_missed(file):
    settings = load(file)
    file.write_text(BASE + SWAP, encoding="utf-8")
    orders, news = StandingOrders(file, settings), asyncio.Event()
    watching = asyncio.create_task(orders.watch(news.set))
    await asyncio.wait_for(news.wait(), 5)
    watching.cancel()
    assert on(orders) == "Ben Cole"


async def test_a_comment_is_no_news(file):
    async with watched(file) as (orders, changed):
        file.write_text(BASE + "# on holiday: nobody\n", encoding="utf-8")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(changed(), 0.3)
        assert orders.trouble == ""


async def test_a_pipe_is_read_once(tmp_path, file):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    orders = StandingOrders(pipe, load(file))
    await asyncio.wait_for(orders.watch(lambda: None), 5)
    assert on(orders) == "Anna Berg"
