"""Which column of a table is which field of a post, as people say it: `time=Datum,text=Inhalt`."""

from difflib import get_close_matches
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.text import clean

FIELDS: Final = ("id", "source", "time", "text", "author", "lang", "url", "reach", "repost", "reply_to", "tags")
"""What is read of a post from outside."""
OPTION: Final = "--columns: "


def parse_columns(text: str, where: str = OPTION) -> dict[str, str]:
    """Read `time=created_at,text=body`: which of the file's columns is which of our fields.

    Args:
        text: what was written.
        where: begins what is said of a mistake in it.

    Raises:
        UsageError: it is not of that form or names a field that there is not.
    """
    columns: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        ours, equals, theirs = (clean(piece) for piece in part.partition("="))
        if not (equals and ours and theirs):
            raise UsageError(f"{where}'{clean(part, 60)}' has no '='; write it like time=created_at,text=body")
        if ours not in FIELDS:
            near = get_close_matches(ours, FIELDS, n=1)
            cure = f"did you mean '{near[0]}'?" if near else f"the fields are {', '.join(FIELDS)}"
            raise UsageError(f"{where}'{clean(ours, 60)}' is no field of a post; {cure}")
        if ours in columns:
            raise UsageError(f"{where}'{ours}' is given twice; keep one of them")
        columns[ours] = theirs
    return columns
