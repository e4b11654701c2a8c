"""[[source]] kind = "feed": RSS and Atom, which also covers Reddit, channels and searches."""

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, model_validator

from crisisdesk.settings.duration import parse_duration
from crisisdesk.settings.section import FilePath, Label, Section, Variable, secret
from crisisdesk.text import clean

MOST_FEEDS: Final = 200
SHORTEST: Final = timedelta(minutes=1)
LONGEST: Final = timedelta(days=1)

_HOW: Final = 'write it like "10 minutes"'


def _addresses(value: object) -> tuple[str, ...]:
    """One address, or a list of them."""
    urls = [value] if isinstance(value, str) else value
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise ValueError(
            'must be an address in quotes such as "https://example.org/feed", or a list of them in brackets'
        )
    if len(urls) > MOST_FEEDS:
        raise ValueError(f"names more than {MOST_FEEDS} feeds; share them out among several [[source]]")
    for url in urls:
        if what := _wrong_address(url):
            raise ValueError(f"'{clean(_public(url), 100)}' {what}")
    if twice := next((url for url in urls if urls.count(url) > 1), None):
        raise ValueError(f"names '{clean(_public(twice), 100)}' twice; take one out")
    return tuple(urls)


def _wrong_address(url: str) -> str:
    """What is wrong with the address of a feed, and how it is written; empty where nothing is."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        return 'is no address of a feed; write it like "https://example.org/feed"'
    if not url.isprintable() or re.search(r"\s", url):
        return "holds blanks; write them as %20"
    if parts.username is not None:
        return "holds a name or a password; write 'username' and 'password_env' instead"
    return ""


def _public(url: str) -> str:
    """An address without the name and the password in it."""
    return re.sub(r"//(?:[^/]*|[^@/]*:.*)@", "//…@", url)


def _every(value: object) -> timedelta:
    """How often to read."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"must be a time in quotes or a number of seconds; {_HOW}")  # noqa: TRY004
    shown = clean(str(value), 40)
    if isinstance(value, str):
        if (span := parse_duration(value)) is None:
            raise ValueError(f"'{shown}' does not say how often; {_HOW}")
        value = span.total_seconds()
    if not SHORTEST.total_seconds() <= value <= LONGEST.total_seconds():
        raise ValueError(f"'{shown}' is not between a minute and a day: servers shut out those who ask too often")
    return timedelta(seconds=value)


def _agent(value: str) -> str:
    if not value or not value.isascii() or clean(value, 300) != value:
        raise ValueError('must be printable, without accents, like "linux:acme-desk:1.0 (by /u/yourname)"')
    return value


class FeedSource(Section):
    """[[source]] kind = "feed": what blogs, newspapers, forums, channels and searches offer as RSS or Atom."""

    kind: Literal["feed"]
    url: Annotated[tuple[str, ...], BeforeValidator(_addresses)]
    """The feeds, one or a list."""
    name: Label = "feed"
    """What status lines call it."""
    every: Annotated[timedelta, BeforeValidator(_every)] = timedelta(minutes=10)
    """How often each is read, unless its server asks for more patience."""
    user_agent: Annotated[str, AfterValidator(_agent)] | None = None
    """Who we are to the servers, such as "linux:acme-desk:1.0 (by /u/yourname)" for Reddit; None for crisisdesk."""
    username: str | None = None
    """Who we are where feeds are not for everybody; None where they are."""
    password_env: Variable | None = None
    """The environment variable that holds the password."""
    password_file: FilePath | None = None
    """The file whose first line is the password."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        has_password = bool(self.password_env or self.password_file)
        if self.password_env and self.password_file:
            raise ValueError("has both 'password_env' and 'password_file'; keep one of them")
        if has_password != bool(self.username):
            given, missing = ("a password", "'username'") if has_password else ("a 'username'", "'password_env'")
            raise ValueError(f"has {given} but no {missing}; add it")
        if self.username and len({urlsplit(url).netloc for url in self.url}) > 1:
            raise ValueError(
                "would tell its password to several servers; write a [[source]] for each, with a 'name' of its own"
            )
        return self

    def authorization(self, environ: Mapping[str, str]) -> str:
        """The header that lets us in; empty where none is needed. The password is never kept in the settings.

        Raises:
            ConfigurationError: it is not where the settings say.
        """
        password = secret("password", f'[[source]] "{self.name}"', self.password_env, self.password_file, environ)
        if password is None:
            return ""
        return "Basic " + b64encode(f"{self.username}:{password}".encode()).decode("ascii")
