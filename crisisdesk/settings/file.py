"""[[source]] kind = "file": posts in a file, read once or followed, or piped in."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from crisisdesk.errors import UsageError
from crisisdesk.settings.columns import parse_columns
from crisisdesk.settings.section import FilePath, Label, Section, Zone
from crisisdesk.text import clean


def _columns(value: object) -> dict[str, str]:
    """Our field name -> the file's."""
    if not isinstance(value, str):
        raise ValueError('must be a text in quotes such as "time=Datum,text=Inhalt"')  # noqa: TRY004
    try:
        return parse_columns(value, "")
    except UsageError as error:
        raise ValueError(str(error)) from None


class FileSourceSettings(Section):
    """[[source]] kind = "file": posts in JSON lines or CSV, `.gz` too."""

    kind: Literal["file"]
    path: FilePath
    """The file; `-` is standard input."""
    name: Label = ""
    """What status lines call it, and the source of posts that name none; the file's name where nothing is set."""
    columns: Annotated[dict[str, str], BeforeValidator(_columns)] = Field(default_factory=dict)
    """Our field name -> the table's column, or the name in JSON, such as "time=Datum,text=Inhalt"."""
    follow: bool = False
    """Whether what is appended is read as it comes, and the file that takes its place when it is rotated."""
    speed: Annotated[float, Field(ge=0.1)] | None = None
    """Seconds of the recording in each second: 1 as it came, 60 an hour in a minute; as fast as it goes without."""
    timezone: Zone | None = None
    """Where times that name no zone were written; of UTC without."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: object) -> object:
        if isinstance(values, dict) and isinstance(path := values.get("path"), str) and "name" not in values:
            return values | {"name": "standard input" if path == "-" else clean(Path(path).name, 200) or "file"}
        return values

    @model_validator(mode="after")
    def _can_be_followed(self) -> Self:
        if self.follow and self.speed is not None:
            raise ValueError(
                "has both 'follow' and 'speed'; keep one of them: what is followed comes when it is written"
            )
        if self.follow and str(self.path) == "-":
            raise ValueError("follows standard input, which is read as it comes; take 'follow' out")
        if self.follow and self.path.suffix.lower() == ".gz":
            raise ValueError(
                "follows a packed file, to which nothing can be added; follow the one that is packed later"
            )
        return self
