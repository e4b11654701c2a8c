"""Whether a desk's address is one that may be shared: said before it is opened, and when somebody has it looked at."""

import shlex
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.errors import ConfigurationError
from crisisdesk.server.tokens import Tokens, is_expired
from crisisdesk.settings.server import ServerSettings
from crisisdesk.text import counted

SOON: Final = timedelta(days=14)
"""How long before it expires a token is spoken of."""


def refuse_without_tokens(server: ServerSettings, tokens: Tokens, file: str) -> None:
    """Look whether whoever can reach the desk has to say who they are; may block.

    Args:
        server: says where it listens.
        tokens: of that desk.
        file: its configuration, as a command is told of it.

    Raises:
        ConfigurationError: other machines reach it, and nobody has a token.
    """
    tokens.look()
    if server.is_shared and not tokens.all() and not tokens.trouble:
        raise ConfigurationError(
            f"{file}: other machines reach {server.listen} ('listen' under [server]), and nobody has a token to be "
            f"known by. Make one with `crisisdesk token create NAME --role responder -c {shlex.quote(file)}`, or "
            f"listen on 127.0.0.1:{server.listen.port}."
        )


def overheard(server: ServerSettings) -> str:
    """That tokens can be read on their way here; empty where they cannot, or never leave this machine."""
    if not server.is_shared or server.tls_certificate:
        return ""
    return (
        f"What goes to and from {server.listen} is not encrypted, so that tokens can be read on their way. Set "
        "'tls_certificate' and 'tls_key' under [server]; where a proxy encrypts, listen on 127.0.0.1 behind it."
    )


def summed_up(tokens: Tokens, now: datetime) -> tuple[str, str]:
    """Who has tokens, and what to do about some of them; empty where there is nothing."""
    found = tokens.all()
    if not tokens.required:
        return "nobody has a token, so only this machine is let in: crisisdesk token create NAME.", ""
    expired = [one for one in found if is_expired(one, now)]
    soon = [one for one in found if one not in expired and is_expired(one, now + SOON)]
    doubts = [f"{counted(len(expired), 'token has', 'tokens have')} expired."] * bool(expired)
    doubts += [f"That of {one.person} expires on {one.expires:%Y-%m-%d}." for one in soon]
    doubts += ["Nobody is let in: crisisdesk token create NAME."] * (len(expired) == len(found))
    people = len({one.person for one in found})
    return f"{counted(people, 'person has', 'people have')} {counted(len(found), 'token')}.", " ".join(doubts)
