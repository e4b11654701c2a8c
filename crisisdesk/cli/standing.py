"""The orders of a running desk: who edits the configuration at 2 a.m. needs no restart and nobody who can do one."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crisisdesk.cli.orders import agreed, planned
from crisisdesk.errors import ConfigurationError
from crisisdesk.settings.explain import heading
from crisisdesk.settings.load import load
from crisisdesk.settings.model import Settings
from crisisdesk.settings.oncall.reach import wrong
from crisisdesk.text import unforeseen

if TYPE_CHECKING:
    from crisisdesk.detect.planned import Planned
    from crisisdesk.oncall.chain import Orders

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at the file."""
LIVE: Final = ("calling", "rotas", "chains", "planned")
"""What is taken over at once; all else when the desk is restarted."""
KEPT: Final = "Until it is mended, people are called as agreed before the edit."


class StandingOrders:
    """What is agreed about calling people, as the file says it now; `watch` keeps it fresh.

    An edit that cannot be used changes nothing, and `trouble` says where the mistake is. Outputs stay those of the
    start: whom an edited one reaches counts after a restart.
    """

    def __init__(self, path: Path, settings: Settings) -> None:
        self.settings = settings
        """The configuration in force."""
        self.current: Orders = agreed(settings)
        self.planned: Sequence[Planned] = planned(settings)
        self.trouble = ""
        """What is wrong with the last edit, or waits for a restart; empty where nothing is or does."""
        self._path = path
        self._began = settings
        self._seen: bytes | None = None
        self._read: bytes | None = b""  # so that an edit since the start is not missed

    async def watch(self, changed: Callable[[], None]) -> None:
        """Take over what is edited, until cancelled; calls `changed` within two seconds after each edit.

        It looks at what the file holds, and so outlives every way to edit one: in place, another file in its place, a
        link that leads elsewhere, a disk across the network. What is being written is left alone until two looks agree.
        """
        while not await asyncio.to_thread(_is_pipe, self._path):
            found = await asyncio.to_thread(_content, self._path)
            settled, self._seen = found == self._seen, found
            if settled and found != self._read:
                self._read = found
                if await self._take_over():
                    changed()
            await asyncio.sleep(LOOK_EVERY)

    async def _take_over(self) -> bool:
        """Read the file again; says whether anything is different now."""
        before = self.settings, self.trouble
        try:
            written = await asyncio.to_thread(load, self._path)
            self._use(written)
        except ConfigurationError as error:
            first, *more = str(error).split("\n")
            end = "" if first.endswith((".", "?")) else "."
            others = f" ({len(more)} more: crisisdesk oncall)" if more else ""
            self.trouble = f"{first}{others}{end} {KEPT}"
        except Exception as error:  # noqa: BLE001 - the orders of before are better than none
            self.trouble = f"{self._path}: {unforeseen(error)} {KEPT}"
        return before != (self.settings, self.trouble)

    def _use(self, written: Settings) -> None:
        """Call as it is written from now on, by the outputs that there are.

        Raises:
            ConfigurationError: not by these.
        """
        settings = self._began.model_copy(update={name: getattr(written, name) for name in LIVE})
        known = settings.model_copy(update={"watches": written.watches, "sources": written.sources})
        elsewhere = [name for name in Settings.model_fields if name not in LIVE and _differ(self._began, written, name)]
        parts = [heading(Settings.model_fields[name].alias or name) for name in elsewhere]
        if written.calling.link != self._began.calling.link:  # outputs know it from the start on
            parts.append("'link' of [calling]")
        tables = " and ".join(parts)
        later = f"what was edited in {tables} counts after a restart of the desk" if tables else ""
        for _, what in wrong(known):
            raise ConfigurationError(f"{self._path}: {what}; {later}")
        self.settings, self.current, self.planned = settings, agreed(settings), planned(settings)
        self.trouble = f"{self._path}: {later}." if later else ""


def _differ(one: Settings, other: Settings, name: str) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _is_pipe(path: Path) -> bool:
    """Whether it can be read only once, as from `-c <(…)`."""
    return path.exists() and not path.is_file()


def _content(path: Path) -> bytes | None:
    """What the file holds; None where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None
