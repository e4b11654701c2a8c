"""The playbooks of a desk, as they stand in their folder now. A broken edit never takes a playbook away."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from watchfiles import awatch

from crisisdesk.playbooks.choice import choose
from crisisdesk.playbooks.format import Parsed, Playbook, load
from crisisdesk.records import PlaybookRef, Spike

_LOOK_EVERY: Final = 0.5
"""Seconds between two looks at what a watch does not tell: another folder in its place, a disk across the network."""


def playbook_files(folder: Path) -> list[Path]:
    """The files of a folder that are playbooks: `*.md` but README.md and hidden ones, sorted by name.

    Raises:
        OSError: the folder is missing or may not be read.
    """
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() == ".md" and path.name.lower() != "readme.md" and not path.name.startswith(".")
    )


@dataclass(frozen=True, slots=True)
class _Shelf:
    """One reading of the folder. Replaced as a whole, so that a reader in another thread never sees half of it."""

    playbooks: Mapping[Path, Playbook] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()


class Library:
    """The playbooks in `folder`, read at once; `watch` keeps them fresh.

    A file whose edit broke stays as it was before the edit, and `troubles` says so.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shelf = _Shelf()
        self.reload()

    def all(self) -> tuple[Playbook, ...]:
        """Every playbook, by id."""
        return tuple(sorted(self._shelf.playbooks.values(), key=lambda playbook: playbook.id))

    def get(self, playbook: str) -> Playbook | None:
        """The playbook with this id."""
        return next((one for one in self._shelf.playbooks.values() if one.id == playbook), None)

    def choose(self, spike: Spike) -> PlaybookRef | None:
        """The playbook that fits a spike, its first step and why; None if not even a general one is there."""
        return choose(self.all(), spike)

    def troubles(self) -> tuple[str, ...]:
        """What is wrong in the folder, a sentence for each file, with its line and its cure."""
        return self._shelf.troubles

    def reload(self) -> bool:
        """Read the folder again; says whether anything is different now."""
        before = self._shelf
        self._shelf = self._read(before)
        return self._shelf != before

    async def watch(self, changed: Callable[[], None]) -> None:
        """Keep reading what is edited, until cancelled; calls `changed` within a second after each edit.

        Outlives a folder that is removed, replaced or not there yet.
        """
        while True:
            seen = await asyncio.to_thread(_look, self._folder)
            if await asyncio.to_thread(self.reload):
                changed()
            if seen is None:
                await asyncio.sleep(_LOOK_EVERY)
            else:
                await self._watch_folder(seen, changed)

    async def _watch_folder(self, seen: "_Look", changed: Callable[[], None]) -> None:
        """Watch until the path leads to another folder, or to none; `seen` is how it was when it was read last."""
        try:
            async for told in awatch(
                self._folder,
                watch_filter=lambda _, path: path.lower().endswith(".md"),
                debounce=300,
                step=50,
                rust_timeout=int(_LOOK_EVERY * 1000),
                yield_on_timeout=True,
                recursive=False,
            ):
                now = await asyncio.to_thread(_look, self._folder)
                if now is None or now.folder != seen.folder:
                    return
                different, seen = bool(told) or now != seen, now
                if different and await asyncio.to_thread(self.reload):
                    changed()
        except FileNotFoundError:  # it went away between the look and the watch
            return

    def _read(self, before: _Shelf) -> _Shelf:
        try:
            files = playbook_files(self._folder)
        except OSError as error:
            trouble = f"The folder {self._folder} cannot be read ({error.strerror}); " + (
                "put it back. The playbooks read last stay in use."
                if before.playbooks
                else "create it and put playbooks in."
            )
            return _Shelf(before.playbooks, (trouble,))
        if not files:
            return _Shelf(troubles=(f"There is no playbook in {self._folder}; put one in, a file that ends in .md.",))
        return _shelve({path: load(path) for path in files}, before.playbooks)


def _shelve(read: Mapping[Path, Parsed], before: Mapping[Path, Playbook]) -> _Shelf:
    playbooks: dict[Path, Playbook] = {}
    troubles: dict[Path, str] = {}
    for path, parsed in read.items():
        playbook = parsed.playbook or before.get(path)
        if playbook:
            playbooks[path] = playbook
        if parsed.playbook is None:
            troubles[path] = _broken(path, parsed, kept=playbook is not None)
    for path, other in _doubles(playbooks, before):
        troubles[path] = (
            f'{_short(path)} has the same id as {_short(other)}, "{playbooks.pop(path).id}"; give it its own.'
        )
    return _Shelf(playbooks, tuple(troubles[path] for path in sorted(troubles)))


def _doubles(playbooks: Mapping[Path, Playbook], before: Mapping[Path, Playbook]) -> Iterable[tuple[Path, Path]]:
    """Files whose id another one has, with that other one: of two the one that had it before the edit keeps it."""
    owners: dict[str, Path] = {}
    found = []
    for path in sorted(playbooks, key=lambda path: (path not in before or before[path].id != playbooks[path].id, path)):
        owner = owners.setdefault(playbooks[path].id, path)
        if owner != path:
            found.append((path, owner))
    return found


def _broken(path: Path, parsed: Parsed, *, kept: bool) -> str:
    errors = [problem for problem in parsed.problems if problem.severity == "error"]
    more = f" ({len(errors) - 1} more: crisisdesk playbook check {path})" if len(errors) > 1 else ""
    use = "Until then the version before the edit stays in use." if kept else "Until then it is not in use."
    said = f"{errors[0].what}; {errors[0].cure}{more}"
    return f"{_short(path)}, line {errors[0].line}: {said}{'' if said.endswith(('?', '.')) else '.'} {use}"


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at the folder shows without reading a file."""

    folder: tuple[int, int]
    """What tells the folder from another one that was put in its place."""
    files: tuple[tuple[str, int, int], ...]
    """Name, time of the last change in nanoseconds and size in bytes of each; 0 and 0 for what leads nowhere."""


def _look(folder: Path) -> _Look | None:
    """How the folder is now; None if there is none."""
    try:
        found = folder.stat()
        return _Look((found.st_dev, found.st_ino), tuple(map(_look_at, playbook_files(folder))))
    except OSError:
        return None


def _look_at(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return path.name, 0, 0
    return path.name, found.st_mtime_ns, found.st_size
