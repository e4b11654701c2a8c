"""All that waits for one address, as one message. Pure.

Several changes of an incident are told as the state after the last of them; of several incidents the worst is told in
full, the others in a line each.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from crisisdesk.outputs.people.texts.full import full
from crisisdesk.outputs.people.texts.harmless import harmless
from crisisdesk.outputs.people.texts.matter import Matter, headline, lines, matters, news, reason
from crisisdesk.outputs.people.texts.reader import Message, Reader, Space, Tone
from crisisdesk.records import Notification

SHORT: Final = 500
"""A service that takes less than this is told what, why and where to look, and no more."""
TRIAL: Final = "crisisdesk-test"
"""What a test is about."""
LISTED: Final = 10
"""Further incidents that get a line of their own."""
_PLAIN: Final = str.maketrans({"…": "...", "–": "-", "“": '"', "”": '"', "„": '"'})
"""One other sign, and a text message holds 70 characters in place of 160."""


def message(notifications: Sequence[Notification], reader: Reader, space: Space) -> Message:
    """All that waits for an address, in one message.

    Args:
        notifications: at least one; of one incident the oldest first.
        reader: whose address it is.
        space: what the service takes.
    """
    found = matters(notifications)
    tone = found[0].tone if len({one.tone for one in found}) == 1 or found[0].calls else Tone.NEWS
    about = found[0].incident.id
    if space.body < SHORT:
        return Message("", _short(found, reader, space), tone, about)
    body = _calls(found, reader, space) if found[0].calls else _news(found, reader, space)
    return Message(_title(found, reader, space), body, tone, about)


def trial(name: str, reader: Reader, now: datetime, space: Space) -> Message:
    """A message that only shows that messages come through."""
    title, body = reader.words.test(harmless(name, 200), reader.words.moment(now, now, reader.zone))
    if space.body < SHORT:
        return Message("", space.cut(f"{title}. {body}".translate(_PLAIN), space.body), Tone.TRIAL, TRIAL)
    return Message(space.cut(title, space.title), body, Tone.TRIAL, TRIAL)


def _title(found: Sequence[Matter], reader: Reader, space: Space) -> str:
    first, rest = found[0], len(found) - 1
    if not first.calls:
        said = reader.words.several(len(found)) if rest else news(first, reader, brief=True).rstrip(".")
        return space.cut(said, space.title)
    end = f" ({reader.words.more(rest)})" if rest else ""
    return space.cut(headline(first, reader), space.title - space.size(end)) + end


def _calls(found: Sequence[Matter], reader: Reader, space: Space) -> str:
    """The worst incident in full, and a line for each of the others."""
    if len(found) == 1:
        return full(found[0], reader, space, space.body)
    above = f"\n\n{reader.words.others()}\n"
    others = above + _listed(found[1:], reader, space, space.body // 2 - space.size(above))
    return full(found[0], reader, space, space.body - space.size(others)) + others


def _news(found: Sequence[Matter], reader: Reader, space: Space) -> str:
    """A line for each incident; of a single one what it is about, since its news is the title, and where to look."""
    if len(found) > 1:
        return space.cut(_listed(found, reader, space, space.body), space.body)
    incident = found[0].incident
    about = (reader.words.headline(incident), reader.address(incident))
    return space.cut("\n".join(filter(None, (news(found[0], reader, brief=True), *about))), space.body)


def _listed(found: Sequence[Matter], reader: Reader, space: Space, room: int) -> str:
    """A line for each incident, as far as they fit, and how many there are besides."""
    shown = list(lines(found[:LISTED], reader))
    while True:
        rest = len(found) - len(shown)
        said = "\n".join([*shown, f"… {reader.words.more(rest)}"] if rest else shown)
        if len(shown) <= 1 or space.size(said) <= room:
            return said
        shown.pop()


def _short(found: Sequence[Matter], reader: Reader, space: Space) -> str:
    """A text message: what, why, and where to look, of which the first and the last matter most."""
    first, rest = found[0], len(found) - 1
    said = (headline(first, reader) + "." if first.calls else news(first, reader, brief=True)).translate(_PLAIN)
    end = f" ({reader.words.more(rest)})" if rest else ""
    address = reader.address(first.incident)
    if address and space.size(f"{end} {address}") <= space.body * 2 // 3:
        end += f" {address}"
    why = f" {reason(first, reader)}".rstrip().translate(_PLAIN) if first.calls else ""
    if space.size(said + why + end) > space.body:
        why = ""
    room = space.body - space.size(why + end)
    if space.size(said) > room:
        said = space.cut(said, room - 2)  # where one sign stands, "..." will
    return space.cut(said.translate(_PLAIN) + why + end, space.body)
