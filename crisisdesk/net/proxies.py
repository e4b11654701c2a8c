"""The proxy that the environment names for an address, as companies have it between their people and the world."""

from base64 import b64encode
from typing import Final, NamedTuple
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from crisisdesk.settings.server import is_loopback


class Proxy(NamedTuple):
    """What a request over a proxy needs."""

    url: URL | None
    """Without whom it is used by; None where there is none."""
    known: dict[str, str]
    """By what it knows us, as headers."""


NONE: Final = Proxy(None, {})


def proxy_of(url: URL) -> Proxy:
    """The proxy for an address.

    aiohttp could look it up itself (`trust_env`), but would then send what a `.netrc` holds as well, and ask a proxy
    for what is on this machine.
    """
    host = url.host or ""
    found = "" if is_loopback(host) or proxy_bypass(host) else getproxies().get(url.scheme, "")
    if not found:
        return NONE
    proxy = URL(found if "://" in found else f"http://{found}")
    if proxy.user is None:
        return Proxy(proxy, {})
    told = b64encode(f"{proxy.user}:{proxy.password or ''}".encode()).decode("ascii")
    return Proxy(proxy.with_user(None), {"Proxy-Authorization": f"Basic {told}"})
