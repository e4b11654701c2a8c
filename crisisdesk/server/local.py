"""Whether a request comes from this machine itself, and from nobody who only reaches through it.

A browser on this machine is such a somebody: any page may make it ask a loopback address, also under a name of the
page's own that leads here (DNS rebinding). So is a proxy that carries in the requests of others.
"""

from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from aiohttp import HttpVersion11, web

from crisisdesk.commands import NAME_LENGTH
from crisisdesk.server.answers import Refused
from crisisdesk.settings.server import is_loopback
from crisisdesk.text import clean

PERSON: Final = "X-Crisisdesk-Person"
"""Who acts, where there is no token that says so: UTF-8, percent-encoded."""
NOBODY: Final = "somebody"

_PROXIES: Final = ("forwarded", "x-forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-", "cdn-")
"""How the headers begin in which proxies say for whom they ask."""
_CURE: Final = "make a token with `crisisdesk token create NAME`, and send 'Authorization: Bearer TOKEN'"
_OWN_SITE: Final = ("same-origin", "none")


def peer(request: web.Request) -> str:
    """From where a request comes: an IPv4 address, or the /64 of an IPv6 address, all of which one machine may have."""
    address = _address(request)
    if isinstance(address, IPv6Address) and not address.is_loopback:
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address or "?")


def named(request: web.Request) -> str:
    """Who says that they act."""
    shown = request.headers.get(PERSON, "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return clean(unquote(shown, errors="replace"), NAME_LENGTH) or NOBODY


def check_local(request: web.Request) -> None:
    """Let in who is on this machine, for a desk that has no tokens.

    Raises:
        Refused: it is somebody else, or may be.
    """
    address = _address(request)
    if address is None or not address.is_loopback:
        raise _refused("This desk has no tokens, so it lets in its own machine only")
    # nginx, as it comes, says neither for whom nor from where it asks, but does so in HTTP/1.0
    if any(name.lower().startswith(_PROXIES) for name in request.headers) or request.version < HttpVersion11:
        raise _refused("This desk has no tokens, so it takes nothing through a proxy")
    hosts = request.headers.getall("Host", [])
    asked = [*hosts, request.host]  # the latter is what stands in the request's first line, if a host does
    if len(hosts) != 1 or not all(_is_loopback(f"//{host}") for host in asked):
        raise _refused("This desk has no tokens, so it answers as 127.0.0.1 or localhost only")
    if not _is_own_page(request, hosts[0]):
        raise _refused("A page of another site may not use this desk through somebody's browser")


def _is_own_page(request: web.Request, host: str) -> bool:
    """Whether no page of another site has made a browser send it."""
    origins = request.headers.getall("Origin", [])
    if any(origin.lower() not in {f"http://{host.lower()}", f"https://{host.lower()}"} for origin in origins):
        return False
    return request.headers.get("Sec-Fetch-Site", "none").lower() in _OWN_SITE


def _is_loopback(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def _address(request: web.Request) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(request.remote or "")
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _refused(why: str) -> Refused:
    return Refused(HTTPStatus.FORBIDDEN, f"{why}; {_CURE}.")
