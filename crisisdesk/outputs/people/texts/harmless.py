"""Outside text on its way to a telephone: nothing in it calls a room, hides a link or draws. Pure.

Slack, Teams, Discord, Telegram and Mattermost each read signs of their own in what they show, and Apprise escapes only
some of them. So the signs themselves are exchanged for others that look alike and mean nothing to any of them.
"""

import re
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from crisisdesk.records import Change, Evidence, Incident, Notification, Phrase, PlaybookRef, Quote
from crisisdesk.text import clean

LONGEST_LINK: Final = 500
"""Characters; a longer one is no link that anybody follows at night."""

_LOOK_ALIKES: Final = str.maketrans(
    {
        "@": "＠",  # calls people and whole rooms: @here, @channel, @everyone
        "<": "‹",  # the same, to Slack, Discord and Teams: <!here>, <@U123>, <at>
        ">": "›",
        "[": "(",  # a link that says it leads elsewhere: [your bank](https://…)
        "]": ")",
        "`": "'",  # code, which swallows what follows
        "*": "∗",
        "~": "∼",
        "|": "¦",
        "\\": "∖",
    }
)
_RUNS: Final = re.compile(r"_{2,}")
_SCHEME: Final = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}):(?=//|[^\s/])", re.IGNORECASE)
_HARMFUL: Final = frozenset({"javascript", "data", "vbscript", "file", "tg", "slack", "intent"})
"""What some programmes make a link of, and what must not be one."""


def harmless(text: str, limit: int = 4_000) -> str:
    """A line of outside text that is only ever shown."""
    text = _RUNS.sub("_", clean(text, limit).translate(_LOOK_ALIKES))
    return _SCHEME.sub(lambda found: f"{found[1]} :" if found[1].lower() in _HARMFUL else found[0], text)


def link(url: str | None) -> str | None:
    """The address of a web page as it can be followed; None where it is none, or would call somebody or mislead."""
    if not url or len(url) > LONGEST_LINK or not url.isascii() or re.search(r"[\s<>\"'`|\\^{}\[\]*]", url):
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc or not url.isprintable():
        return None
    return url.replace("@", "%40")


def harmless_notification(notification: Notification) -> Notification:
    """The same with every text of it harmless, whoever it came from."""
    return Notification(_change(notification.change), _incident(notification.incident))


def _change(change: Change) -> Change:
    return replace(change, person=_or_none(change.person), reason=harmless(change.reason))


def _incident(incident: Incident) -> Incident:
    silence = incident.silence
    return replace(
        incident,
        watch=harmless(incident.watch, 200),
        why=harmless(incident.why),
        why_de=harmless(incident.why_de),
        evidence=_evidence(incident.evidence),
        playbook=_playbook(incident.playbook) if incident.playbook else None,
        acknowledged_by=_or_none(incident.acknowledged_by),
        assigned_to=_or_none(incident.assigned_to),
        had_by=_or_none(incident.had_by),
        silence=silence and replace(silence, person=harmless(silence.person), reason=harmless(silence.reason)),
    )


def _evidence(evidence: Evidence) -> Evidence:
    phrases = tuple(Phrase(harmless(one.text, 100), one.posts, one.usual) for one in evidence.phrases)
    return Evidence(phrases=phrases, posts=tuple(map(_quote, evidence.posts)))


def _quote(quote: Quote) -> Quote:
    return replace(quote, author=_or_none(quote.author), text=harmless(quote.text), url=link(quote.url))


def _playbook(playbook: PlaybookRef) -> PlaybookRef:
    return replace(playbook, title=harmless(playbook.title, 200), next_step=harmless(playbook.next_step, 500))


def _or_none(text: str | None) -> str | None:
    return None if text is None else harmless(text, 100)
