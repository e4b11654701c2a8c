"""A service that brings messages to people: the only file that knows Apprise, and all of it may block.

Apprise is asked for one service at a time and without its own dispatcher: its retries, its pools of threads and its
waiting would come between an alert and the loop that delivers it.
"""

import logging
import re
import threading
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from crisisdesk.errors import FatalOutputError
from crisisdesk.outputs.people.pagers import as_alarm, ends_alarms, keeps_alarms
from crisisdesk.outputs.people.refusals import why_not
from crisisdesk.outputs.people.texts import SHORT, Message, Space, Tone
from crisisdesk.text import clean

if TYPE_CHECKING:
    from apprise import AppriseAsset
    from apprise.plugins import NotifyBase

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 30.0
"""A service that takes a message slowly must not be told twice because of it."""
MOST_BYTES: Final = 3_900
"""What is longer than about 4 KB, ntfy makes a file of, which nobody opens at night."""
_BRACKETS: Final = 8
"""What Apprise puts between a title and a text where a service takes one of them only."""
_URGENT: Final = {
    "ntfy": ("max", "high", "default", "default", "default"),
    "gotify": ("emergency", "high", "normal", "normal", "normal"),
    "pover": ("high", "normal", "normal", "low", "normal"),
    "prowl": ("emergency", "high", "normal", "moderate", "normal"),
}
"""Services whose telephones ring by a priority of their own, by `Tone`; others know failure, warning, information."""
_PROBED: Final = frozenset({"json", "xml", "form", "ntfy", "gotify", "mailto", "matrix", "mmost", "rocket", "apprise"})
"""Services that people run themselves, so that a look at their server says something; with s at the end as well."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody is reached, which is a secret."""

    url: str = field(repr=False)
    """An Apprise address."""
    where: str
    """The setting that holds it: the name of an environment variable, or of a file."""


class Service:
    """The service behind an address.

    Args:
        name: of the output, for messages.
        address: where.
        tone: how urgent the message will be.
        about: the id of the incident that it will be about; empty where it does not matter.

    Raises:
        FatalOutputError: there is no such service, or the address is not complete.
    """

    def __init__(self, name: str, address: Address, tone: Tone = Tone.NEWS, about: str = "") -> None:
        self._name = name
        self._where = address.where
        with _overheard():
            self._schema, self._plugin = _plugin(name, address, tone, about)

    @property
    def keeps_alarms(self) -> bool:
        """Whether an incident is an alarm there, so that each has to be told by itself."""
        return keeps_alarms(self._schema)

    @property
    def ends_alarms(self) -> bool:
        """Whether the news that somebody has it, or that it is over, ends an alarm there."""
        return ends_alarms(self._schema)

    @property
    def space(self) -> Space:
        """What it takes, in bytes, so that it fits whatever is counted."""
        plugin = self._plugin
        room = min(int(plugin.body_maxlen or MOST_BYTES), MOST_BYTES)
        title = int(plugin.title_maxlen or 0)
        if room < SHORT:
            return Space(0, room, self._size)
        if title <= 0:  # it then stands above the text
            title = min(250, room // 4)
            room -= title + _BRACKETS
        return Space(min(title, 250), room, self._size)

    @property
    def server(self) -> tuple[str, int] | None:
        """Host and port of a server that people run themselves; None where it is somebody else's, or not known."""
        plugin = self._plugin
        schema = plugin.schema.removesuffix("s")
        if schema not in _PROBED or getattr(plugin, "mode", None) == "cloud":
            return None
        host = getattr(plugin, "smtp_host", None) or plugin.host
        return (host, plugin.port or (443 if plugin.secure else 80)) if host else None

    def send(self, message: Message) -> None:
        """Hand over a message; returns when the service has taken it.

        Raises:
            OutputError: it has not.
        """
        from apprise import NotifyFormat, NotifyType, OverflowMode  # noqa: PLC0415  slow to load, and only here

        news = NotifyType.SUCCESS if self.ends_alarms else NotifyType.INFO  # somebody has it: wake nobody else
        kinds = (NotifyType.FAILURE, NotifyType.WARNING, news, NotifyType.SUCCESS, NotifyType.INFO)
        with _overheard() as log:
            try:
                taken = self._plugin.notify(
                    body=self._written(message.body),
                    title=message.title,
                    notify_type=kinds[message.tone.value - 1],
                    body_format=NotifyFormat.MARKDOWN if self._reads_markdown else NotifyFormat.TEXT,
                    overflow=OverflowMode.TRUNCATE,
                )
            except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way, and its words may hold secrets
                log.append(f"{type(error).__name__}: {error}")
                taken = False
        if not taken:
            raise why_not(self._name, self._where, log)

    @property
    def _reads_markdown(self) -> bool:
        """Whether it takes nothing else.

        Then it gets our texts as they are, which hold no markup: Apprise would write a backslash before each full stop,
        also in links, and not every service takes that out again.
        """
        from apprise import NotifyFormat  # noqa: PLC0415  see above

        return self._plugin.resolve_format(NotifyFormat.TEXT) is NotifyFormat.MARKDOWN

    def _written(self, text: str) -> str:
        """A text as it is handed over; in Markdown a single line break is none."""
        return re.sub(r"(?<!\n)\n(?!\n)", "\n\n", text) if self._reads_markdown else text

    def _size(self, text: str) -> int:
        """In bytes, as the service will get it: what escapes signs makes them longer."""
        from apprise import NotifyFormat  # noqa: PLC0415  see above
        from apprise.conversion import convert_between  # noqa: PLC0415  the same

        there = self._plugin.resolve_format(NotifyFormat.TEXT)
        ours = NotifyFormat.MARKDOWN if self._reads_markdown else NotifyFormat.TEXT
        return len(str(convert_between(ours, there, self._written(text))).encode())


def _plugin(name: str, address: Address, tone: Tone, about: str) -> "tuple[str, NotifyBase]":
    """How the address begins, and what Apprise makes of it."""
    from apprise import Apprise  # noqa: PLC0415  see above
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415  the same
    from apprise.plugins import url_to_dict  # noqa: PLC0415  the same

    known = NotificationManager()
    url = address.url.strip()
    schema = clean(url.partition("://")[0], 40).lower() if "://" in url else ""
    parts: dict[str, Any] | None = url_to_dict(url)
    if parts is None:
        if schema not in known:
            raise FatalOutputError(_unknown(name, address.where, schema, known.schemas()))
        raise FatalOutputError(_incomplete(name, address.where, known[schema]))
    kind = known[parts["schema"]]
    if not kind.enabled:
        raise FatalOutputError(_lacking(name, address.where, kind))
    parts = {"rto": READ_SECONDS, "cto": CONNECT_SECONDS} | {key: it for key, it in parts.items() if it is not None}
    if urgent := _URGENT.get(parts["schema"].removesuffix("s")):
        parts.setdefault("priority", urgent[tone.value - 1])
    found = Apprise.instantiate(as_alarm(parts, about, tone), asset=_asset())
    if found is None:
        raise FatalOutputError(_incomplete(name, address.where, kind))
    return parts["schema"], found


def _unknown(name: str, where: str, schema: str, known: list[str]) -> str:
    """The schema is no secret where it is like a known one; anything else may be a part of one."""
    near = get_close_matches(schema, known, 1, 0.75)
    if schema in {"http", "https"}:
        hint = f"for a plain web hook write json{schema.removeprefix('http')}:// in place of {schema}://"
    elif near:
        hint = f"did you mean {near[0]}://?"
    else:
        hint = "write it like ntfy://… or mailto://…; https://appriseit.com/services lists all"
    return f"{name}: the address in {where} is of no known service; {hint}"


def _incomplete(name: str, where: str, kind: type[Any]) -> str:
    sample = clean(str(next(iter(kind.templates), "")), 100).replace("{schema}", _first(kind))
    how = f"write it like {sample}, see {kind.setup_url}" if sample else f"see {kind.setup_url}"
    return f"{name}: the address of {kind.service_name} in {where} is not complete; {how}"


def _lacking(name: str, where: str, kind: type[Any]) -> str:
    from apprise.plugins import requirements  # noqa: PLC0415  see above

    packages = " and ".join(requirements(kind)["packages_required"])
    lack = f"needs {packages}, which is not installed: pip install it" if packages else "does not work on this machine"
    return f"{name}: {kind.service_name}, which {where} names, {lack}, or choose another service"


def _first(kind: type[Any]) -> str:
    """How its addresses begin."""
    schema = kind.secure_protocol or kind.protocol
    return schema if isinstance(schema, str) else str(next(iter(schema)))


@cache
def _asset() -> "AppriseAsset":
    """Who writes; no pictures from elsewhere, and no following to where an answer points: it would lose the message."""
    from apprise import AppriseAsset  # noqa: PLC0415  see above

    return AppriseAsset(
        app_id="crisisdesk",
        app_desc="crisisdesk",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
    )


class _Ears(logging.Handler):
    """Hears what Apprise writes, for the thread that asked; nothing reaches the terminal, since it holds secrets."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.levelno == logging.DEBUG and "payload" in said.lower():
            return  # our own message: what strangers wrote is not to be taken for a reason
        if (log := getattr(self.heard, "log", None)) is not None:
            log.append(said)


@cache
def _ears() -> _Ears:
    logger, ears = logging.getLogger("apprise"), _Ears()
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(ears)
    logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # of a broken answer, too, it writes the whole address
    return ears


class _overheard:  # noqa: N801  it reads as a word
    """What Apprise writes in this thread meanwhile."""

    def __enter__(self) -> list[str]:
        import urllib3  # noqa: PLC0415  slow to load, and only here

        urllib3.disable_warnings()  # who writes verify=no knows it; a warning would be drawn over the console
        log: list[str] = []
        _ears().heard.log = log
        return log

    def __exit__(self, *_: object) -> None:
        _ears().heard.log = None
