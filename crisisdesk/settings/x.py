"""[[source]] kind = "x": what X's filtered stream brings, and what it may cost."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from crisisdesk.settings.section import Label
from crisisdesk.settings.token import TokenSection, web_address

X_URL: Final = "https://api.x.com"


def _url(address: str) -> str:
    return web_address(address, X_URL)


Price = Annotated[float, Field(ge=0, le=1_000)]


class XSource(TokenSection):
    """[[source]] kind = "x": what is said on X of the watches, with the token of an app; what is read is billed."""

    kind: Literal["x"]
    name: Label = "x"
    url: Annotated[str, AfterValidator(_url)] = X_URL
    """Where X's API is; another address is for a proxy."""
    reposts: bool = False
    """Whether reposts come as well; each is billed, as is the post that it repeats."""
    authors: bool = True
    """Whether posts come with the name and the followers of their authors, which X bills beside the post."""
    fill_gaps: bool = True
    """Whether what was said during a break is searched for afterwards; these posts are billed like others."""
    history_hours: Annotated[float, Field(ge=0, le=168)] = 0.0
    """How far back a new watch learns from what was said before; these posts are billed, too."""
    backfill_minutes: Annotated[int, Field(ge=0, le=5)] = 0
    """How much X itself sends again after a break; it does so for Enterprise customers only."""
    price_per_post: Price = 0.005
    """What X bills for a post, USD."""
    price_per_author: Price = 0.01
    """What X bills for an author, once a day, USD."""
    most_a_month: Annotated[float, Field(gt=0)] | None = None
    """USD a month: if more is to be expected, the desk does not connect. None for no limit."""

    @property
    def where_tokens_are(self) -> str:
        return "X answers only to apps: make one at https://console.x.com, and put its Bearer token there"
