"""Finding and reading the configuration. Reading changes nothing and creates nothing."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings.explain import explain
from crisisdesk.settings.file import FileSourceSettings
from crisisdesk.settings.model import Settings
from crisisdesk.settings.number import PATTERN, parse_number
from crisisdesk.settings.oncall.reach import wrong
from crisisdesk.settings.places import Place, line_of, lines_of
from crisisdesk.settings.server import is_loopback
from crisisdesk.settings.webhook import WebhookSource
from crisisdesk.text import clean

FILE_NAME: Final = "crisisdesk.toml"
VARIABLE: Final = "CRISISDESK_CONFIG"

_AT: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_NUMBER: Final = re.compile(rf"[ \t]*([\w-]+)[ \t]*=[ \t]*({PATTERN})[ \t]*(?:#.*)?", re.ASCII)
"""A line that gives a key nothing but a number, as people write it."""
_CURLY: Final = re.compile("[„“”‟‚‘’‛«»‹›]")
"""Quotes of word processors and telephones, in several languages."""
_EITHER: Final = re.compile(r"[1-9]\d{0,2}\.\d{3}", re.ASCII)
"""A fraction to TOML, and thousands to half of Europe."""


def find(explicit: Path | None, environ: Mapping[str, str], cwd: Path, user_dir: Path) -> Path | None:
    """The configuration to use: as named in the call, then `$CRISISDESK_CONFIG`, then the first there is.

    Args:
        explicit: what `--config` says.
        environ: the environment.
        cwd: the working directory.
        user_dir: this user's folder for crisisdesk's configuration.

    Returns:
        The file, which need not exist if it was named; None if there is none.
    """
    if explicit:
        return explicit
    if named := environ.get(VARIABLE):
        return Path(named)
    places = (cwd / FILE_NAME, user_dir / FILE_NAME)
    return next((place for place in places if place.is_file()), None)


def load(path: Path) -> Settings:
    """Read a configuration file; paths in it are relative to its folder.

    Raises:
        ConfigurationError: everything that is wrong with it, one line each with file, line, key and cure.
    """
    text = _text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(_syntax(path, text, str(error))) from None
    lines = lines_of(text)
    if ambiguous := [*_ambiguous(path, text, lines)]:
        raise ConfigurationError("\n".join(ambiguous))
    try:
        settings = Settings.model_validate(data, context={"folder": path.parent, "file": path, "text": text})
    except ValidationError as error:
        raise ConfigurationError(explain(error, data, lines, str(path))) from None
    if problems := [
        *_twice(path, settings, lines), *_same_file(path, settings, lines), *_open_to_all(path, settings, lines),
        *(f"{path}:{line_of(lines, place)}: {what}" for place, what in wrong(settings)),
    ]:  # fmt: skip
        raise ConfigurationError("\n".join(problems))
    return settings


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"{path}: cannot be read ({reason.lower()}); check the path.") from None


def _syntax(path: Path, text: str, message: str) -> str:
    """A mistake in the TOML itself, with its line."""
    at = _AT.search(message)
    line = at[1] if at and at[1] else str(text.rstrip().count("\n") + 1)
    what = clean(_AT.sub("", message), 200)
    written = text.split("\n")[int(line) - 1].rstrip("\r")
    if number := _NUMBER.fullmatch(written):
        return f"{path}:{line}: {_cure_of(number)}"
    if _is_curly(written, what, int(at[2]) if at and at[2] else 0):
        straight = clean(_CURLY.sub('"', written), 200)
        return f"{path}:{line}: the quotes are not those of a programme; write straight ones: {straight}"
    if what.startswith("Cannot overwrite") or "twice" in what:
        return f"{path}:{line}: this key or table is there already; keep one of them"
    cure = "write key = value, texts in quotes, lists in [brackets]"
    if what.startswith("Unclosed array"):
        cure = "put a comma between every two entries of the list and ] at its end"
    return f"{path}:{line}: is not TOML: {what[:1].lower()}{what[1:]}; {cure}"


def _is_curly(line: str, what: str, column: int) -> bool:
    """Whether TOML stumbled over quotes as word processors set them: at the place itself, or for want of their end."""
    there = line[column - 1 : column] if column else ""
    return bool(_CURLY.search(line if what.startswith(("Unterminated", "Illegal character")) else there))


def _ambiguous(path: Path, text: str, lines: Mapping[Place, int]) -> Iterator[str]:
    """Numbers such as 1.000, which TOML reads as one and hardly anybody means so."""
    written = text.split("\n")
    for line in sorted(set(lines.values())):
        number = _NUMBER.fullmatch(written[line - 1].rstrip("\r"))
        if number and _EITHER.fullmatch(number[2]):
            yield f"{path}:{line}: {_cure_of(number)}"


def _cure_of(number: re.Match[str]) -> str:
    """What to write in place of a number with a decimal comma or signs for thousands."""
    key, written = number.groups()
    fraction = f", or {written}0 if a fraction is meant" if _EITHER.fullmatch(written) else ""
    return f"'{key}' is {written}; write {key} = {parse_number(written):.12g}{fraction}"


def _twice(path: Path, settings: Settings, lines: Mapping[Place, int]) -> list[str]:
    """Names that stand for two things."""
    problems: list[str] = []
    lists = {"watch": settings.watches, "source": settings.sources, "output": settings.outputs}
    for table, entries in {**lists, "rota": settings.rotas, "chain": settings.chains}.items():
        first: dict[str, int] = {}
        for index, entry in enumerate(entries):
            line = line_of(lines, (table, index, "name"))
            if entry.name in first:
                problems.append(
                    f'{path}:{line}: two [[{table}]] are called "{entry.name}" (the other in line '
                    f"{first[entry.name]}); give each its own name"
                )
            first.setdefault(entry.name, line)
    return problems


def _same_file(path: Path, settings: Settings, lines: Mapping[Place, int]) -> Iterator[str]:
    """Files that two sources read, so that every post would count twice: once as the post of each."""
    first: dict[Path, int] = {}
    for index, source in enumerate(settings.sources):
        if isinstance(source, FileSourceSettings):
            line, file = line_of(lines, ("source", index, "path")), source.path.resolve()
            if file in first:
                yield f"{path}:{line}: another [[source]] (line {first[file]}) reads this file; take one of them out"
            first.setdefault(file, line)


def _open_to_all(path: Path, settings: Settings, lines: Mapping[Place, int]) -> Iterator[str]:
    """Webhooks to which strangers could post what they like."""
    address = settings.server.listen
    for index, source in enumerate(settings.sources):
        if isinstance(source, WebhookSource) and source.is_open and not is_loopback(address.host):
            yield (
                f'{path}:{line_of(lines, ("source", index))}: [[source]] "{source.name}" takes posts of everybody who '
                f"reaches {address}; give it a 'secret_env' or 'secret_file', or listen on 127.0.0.1 under [server]"
            )
