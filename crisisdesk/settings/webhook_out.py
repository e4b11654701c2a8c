"""[[output]] kind = "webhook": a server that is told of every change."""

import re
import ssl
from collections.abc import Mapping
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, model_validator
from yarl import URL

from crisisdesk.errors import ConfigurationError
from crisisdesk.settings.section import FilePath, Label, Section, Variable, secret
from crisisdesk.settings.server import is_loopback
from crisisdesk.settings.webhook import SHORTEST_SECRET
from crisisdesk.text import clean

_SAMPLE = '"https://example.org/hook"'


class Whom(NamedTuple):
    """Who is told, with what is never kept in the settings."""

    url: str
    shown: str
    """What messages call it: its host, or where a secret address stands."""
    is_secret: bool
    """Whether nobody may read the address."""
    secret: str | None
    token: str | None


def _public(address: str) -> str:
    """An address of the web in which nothing is secret; a wrong one is not repeated, since it may be."""
    if URL(_address(address)).user is not None:
        raise ValueError("holds a name or a password; put the whole address where nobody reads it, and say 'url_env'")
    return address


def _address(address: str) -> str:
    try:
        url = URL(address) if re.fullmatch(r"https?://[^\s#]+", address, re.IGNORECASE) else None
        is_one = url is not None and bool(url.host) and address.isprintable()
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError(f"is no address of the web; write it like {_SAMPLE}")
    return address


class WebhookOutput(Section):
    """[[output]] kind = "webhook": every change is posted to an address, signed."""

    kind: Literal["webhook"]
    name: Label = "webhook"
    """What status lines call it, and under which name its debts are kept."""
    url: Annotated[str, AfterValidator(_public)] | None = None
    """Where to."""
    url_env: Variable | None = None
    """The environment variable that holds the address, where whoever knows it may post there."""
    url_file: FilePath | None = None
    """The file whose first line is that address."""
    secret_env: Variable | None = None
    """The environment variable that holds the secret with which we sign."""
    secret_file: FilePath | None = None
    """The file whose first line is the secret."""
    token_env: Variable | None = None
    """The environment variable that holds a token, for a receiver that cannot check signatures."""
    token_file: FilePath | None = None
    """The file whose first line is the token."""
    ca_file: FilePath | None = None
    """Who vouches for the receiver's certificate, in PEM; None for those whom this machine trusts."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        addresses = [key for key in ("url", "url_env", "url_file") if getattr(self, key)]
        if not addresses:
            raise ValueError(f"has no 'url'; add url = {_SAMPLE}, or 'url_env' if the address is a secret")
        if len(addresses) > 1:
            raise ValueError(f"has both '{addresses[0]}' and '{addresses[1]}'; keep one of them")
        for what in ("secret", "token"):
            if getattr(self, f"{what}_env") and getattr(self, f"{what}_file"):
                raise ValueError(f"has both '{what}_env' and '{what}_file'; keep one of them")
        if self.url:
            self._check_open(URL(self.url))
        return self

    def _check_open(self, url: URL) -> None:
        """What is wrong with an address that is no secret.

        Raises:
            ValueError: says it.
        """
        if what := self._unsafe(url):
            raise ValueError(f"has a 'url' that {what}")
        knows_us = self.secret_env or self.secret_file or self.token_env or self.token_file
        if not (knows_us or is_loopback(url.host or "")):
            raise ValueError("has no 'secret_env', so that the receiver cannot tell the desk from strangers; add it")

    def _unsafe(self, url: URL) -> str:
        """Why what travels to this address is not safe; empty where it is."""
        if url.scheme == "https":
            return ""
        if self.ca_file:
            return "does not begin with https://, though there is a 'ca_file'; mend one of them"
        is_secret = not self.url or self.token_env or self.token_file
        if is_secret and not is_loopback(url.host or ""):
            return (
                "does not begin with https://, though a secret travels; http:// is for this machine, and for receivers "
                "elsewhere that check the signature"
            )
        return ""

    def whom(self, environ: Mapping[str, str]) -> Whom:
        """Look up the address and what goes with it.

        Raises:
            ConfigurationError: something is not where the settings say, or cannot be used.
        """
        table = f'[[output]] "{self.name}"'
        own = secret("secret", table, self.secret_env, self.secret_file, environ)
        if own is not None and len(own) < SHORTEST_SECRET:
            raise ConfigurationError(
                f"{table}: its secret has fewer than {SHORTEST_SECRET} characters and could be guessed; "
                "`openssl rand -hex 32` makes a good one."
            )
        token = secret("token", table, self.token_env, self.token_file, environ)
        if token is not None and not re.fullmatch(r"[!-~]+", token := token.strip()):
            key = "token_env" if self.token_env else "token_file"
            raise ConfigurationError(f"{table}: what {key} names holds no token; copy it as it stands.")
        if self.url:
            shown = clean(URL(self.url).host_port_subcomponent or "", 100)
            return Whom(self.url, shown, False, own, token)
        hidden = self._hidden(table, environ, token)
        return Whom(hidden, f"the address in {self.url_env or self.url_file}", True, own, token)

    def _hidden(self, table: str, environ: Mapping[str, str], token: str | None) -> str:
        """The address where it is a secret."""
        found = (secret("address", table, self.url_env, self.url_file, environ) or "").strip()
        try:
            url = URL(_address(found))
        except ValueError as error:
            what = str(error)
        else:
            what = self._unsafe(url)
            if url.user is not None and token:
                what = "holds a name or a password, and there is a token besides; keep one of them"
        if what:
            key = "url_env" if self.url_env else "url_file"
            raise ConfigurationError(f"{table}: what {key} names {what}.")
        return found

    def encryption(self) -> ssl.SSLContext | None:
        """Whom we believe to be the receiver; None for whom this machine trusts.

        Raises:
            ConfigurationError: the file that vouches cannot be used.
        """
        if not self.ca_file:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
            raise ConfigurationError(
                f'{self.ca_file}: the certificate of those who vouch for [[output]] "{self.name}" cannot be used '
                f"({clean(str(reason), 100)}); it must be PEM."
            ) from None
