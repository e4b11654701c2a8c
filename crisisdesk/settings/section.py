"""What the tables of the configuration are made of, and where their secrets are looked up."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from crisisdesk.errors import ConfigurationError, UsageError
from crisisdesk.settings.usual import parse_zone
from crisisdesk.text import clean

_ALIKE: Final = 0.85
"""How alike two variables are of which one may be the other, misspelt."""


class Section(BaseModel):
    """A table of the file: nothing unknown, nothing guessed, nothing changed later."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


def below(path: object, info: ValidationInfo) -> Path:
    """A path as it is meant: relative to the configuration file; `-` stays standard input."""
    if not isinstance(path, str) or not path or "\0" in path:
        raise ValueError("must be a path in quotes")
    folder = Path((info.context or {}).get("folder", ""))
    try:
        return Path(path) if path == "-" else folder / Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"'{clean(path, 60)}' names the home of somebody whom this machine does not know") from None


def _zone(value: object) -> ZoneInfo:
    """A time zone by its name."""
    if not isinstance(value, str):
        raise ValueError('must be a text in quotes such as "Europe/Berlin"')  # noqa: TRY004
    try:
        return parse_zone(value)
    except UsageError as error:
        raise ValueError(str(error)) from None


def label(name: str) -> str:
    """A name as people see it."""
    if not name or clean(name, 200) != name:
        raise ValueError("must be a printable name, without spaces before and after")
    return name


def variable(name: str) -> str:
    """The name of an environment variable; a secret that was put there by mistake is not repeated."""
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        raise ValueError(
            "must be the name of an environment variable, in capitals such as DESK_TOKEN, whose value is the secret"
        )
    return name


class Placed(str):
    """The name of an environment variable, which knows where in the configuration it stands."""

    __slots__ = ("place",)
    place: str
    """`FILE:LINE: `; empty where that is not known."""


def placed(name: str, info: ValidationInfo) -> Placed:
    """The same name with its place: the first line that holds it in quotes."""
    context = info.context or {}
    found, quoted = Placed(name), re.compile(rf"[\"']{re.escape(name)}[\"']")
    lines = enumerate(context.get("text", "").split("\n"), 1)
    line = next((number for number, text in lines if quoted.search(text) and not text.lstrip().startswith("#")), 0)
    found.place = f"{context['file']}:{line}: " if line else ""
    return found


FilePath = Annotated[Path, BeforeValidator(below)]
Label = Annotated[str, AfterValidator(label)]
Variable = Annotated[str, AfterValidator(variable), AfterValidator(placed)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]


def place_of(variable: str | None) -> str:
    """Where a variable stands in the configuration, to begin a message with."""
    return variable.place if isinstance(variable, Placed) else ""


def secret(what: str, table: str, variable: str | None, file: Path | None, environ: Mapping[str, str]) -> str | None:
    """Look up a secret, which is never kept in the settings; None where none is set.

    Args:
        what: it is, such as `password`.
        table: whose it is, such as `[[output]] "mqtt"`.
        variable: the environment variable that holds it.
        file: the file whose first line it is.
        environ: the environment.

    Raises:
        ConfigurationError: it is not where the settings say.
    """
    if variable:
        if variable not in environ:
            near = get_close_matches(variable, environ, n=1, cutoff=_ALIKE)
            cure = f"did you mean {near[0]}?" if near else "set it."
            raise ConfigurationError(f"{place_of(variable)}{table}: the environment has no {variable}; {cure}")
        return environ[variable]
    if not file:
        return None
    try:
        return file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no UTF-8 text"
        raise ConfigurationError(f"{file}: the {what} of {table} cannot be read ({reason}).") from None
