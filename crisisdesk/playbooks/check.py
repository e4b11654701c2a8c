"""Everything that can be said about playbooks before a crisis, for `crisisdesk playbook check`."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from crisisdesk.playbooks.choice import fold
from crisisdesk.playbooks.format import Parsed, Playbook, Problem, load
from crisisdesk.playbooks.library import playbook_files
from crisisdesk.playbooks.shape import Report


def check(paths: Sequence[Path], today: date) -> list[Problem]:
    """Problems of files and of the playbooks in folders, sorted by path and line.

    A file is also compared with its neighbours in the same folder, of which nothing else is reported.
    """
    problems: list[Problem] = []
    asked: dict[Path, Parsed] = {}
    for path in paths:
        files = _files(path, problems)
        asked.update((file, load(file)) for file in files if file not in asked)
    around = {path: parsed.playbook for path, parsed in asked.items()} | _neighbours(asked)
    playbooks = {path: playbook for path, playbook in around.items() if playbook}
    for parsed in asked.values():
        problems.extend(parsed.problems)
        if parsed.playbook:
            problems.extend(_judge(parsed.playbook, parsed.lines, playbooks, today))
    return sorted(problems)


def _files(path: Path, problems: list[Problem]) -> list[Path]:
    if not path.is_dir():
        return [] if path.name.lower() == "readme.md" else [path]
    files = playbook_files(path)
    if not files:
        problems.append(
            Problem(str(path), 1, "error", "there is no playbook in this folder", "put in a file that ends in .md")
        )
    return files


def _neighbours(asked: Iterable[Path]) -> dict[Path, Playbook | None]:
    known = {path.resolve() for path in asked}
    found = (file for folder in {path.parent for path in asked} if folder.is_dir() for file in playbook_files(folder))
    return {file: load(file).playbook for file in found if file.resolve() not in known}


def _judge(
    playbook: Playbook, lines: Mapping[str, int], playbooks: Mapping[Path, Playbook], today: date
) -> Iterable[Problem]:
    """What can only be said with the date and the other playbooks at hand."""
    report = Report(str(playbook.path))
    _check_review(playbook, lines["reviewed"], today, report)
    for other in _alike(playbook, playbooks, lambda one: one.id):
        report.error(lines["id"], f'the id "{playbook.id}" is also that of {other}', "give every playbook its own")
    if playbook.translation_of:
        _check_translation(playbook, lines, playbooks.values(), report)
    else:
        for other in _alike(playbook, playbooks, _match):
            report.warning(
                lines.get("words", lines.get("watches", lines.get("kinds", 1))),
                f"{other} matches the same incidents equally well",
                "change the words, watches or kinds of one, or write translation-of",
            )
    return report.problems


def _check_review(playbook: Playbook, line: int, today: date, report: Report) -> None:
    age = today - playbook.reviewed
    overdue = (age - playbook.review_every).days
    if age.days < 0:
        report.warning(
            line, f"reviewed on {playbook.reviewed}, which is still to come", "write the day of the last review"
        )
    elif overdue > 0:
        report.warning(
            line,
            f"the review is {overdue} {'day' if overdue == 1 else 'days'} overdue",
            f"ask {playbook.owner} to read it again and write the new date",
        )


def _alike(playbook: Playbook, playbooks: Mapping[Path, Playbook], key: Callable[[Playbook], Hashable]) -> list[Path]:
    """The other files that have the same key; translations are nobody's rivals."""
    groups: dict[Hashable, list[Path]] = defaultdict(list)
    for path, one in sorted(playbooks.items()):
        groups[key(one)].append(path)
    return [path for path in groups[key(playbook)] if path != playbook.path]


def _match(playbook: Playbook) -> Hashable:
    """What decides whether and how well it fits; a translation has only its original's."""
    if playbook.translation_of:
        return (playbook.id, playbook.language)
    return (
        frozenset(playbook.kinds),
        frozenset(fold(watch) for watch in playbook.watches),
        frozenset(fold(word) for word in playbook.words),
        playbook.at_least,
    )


def _check_translation(
    playbook: Playbook, lines: Mapping[str, int], playbooks: Iterable[Playbook], report: Report
) -> None:
    line = lines["translation-of"]
    original = next((one for one in playbooks if one.id == playbook.translation_of), None)
    if original is None:
        report.error(line, f'there is no playbook "{playbook.translation_of}"', "write the id of the original")
    elif original.translation_of:
        report.error(line, f'"{original.id}" is a translation itself', f"write {original.translation_of}")
    elif original.language == playbook.language:
        report.error(lines["language"], f"it has the language of its original, {original.language}", "write its own")
    for key in sorted(lines.keys() & {"kinds", "watches", "words", "at-least"}):
        report.warning(lines[key], f"a translation is chosen with its original, {key} is not used", "remove this line")
