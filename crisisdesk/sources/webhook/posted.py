"""What somebody has posted over HTTP, packed or not, as JSON or as the fields of a form, and which posts it holds.

A form may leave out `time`: a person presses the button now. JSON may not, as everywhere: suites send in batches, hours
later too, and a morning's posts that all seem to be of this minute would be a flood that never was. The same
fields of a form without a time and an id are, within ten minutes, one post, sent again; later they are said anew.
What is signed counts by the time of the signature, so that it is the same post after a restart, too.
"""

import hashlib
import zlib
from collections import OrderedDict
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from crisisdesk.errors import InputError
from crisisdesk.settings.columns import FIELDS
from crisisdesk.sources.bodies import Body, posts_in
from crisisdesk.sources.posts import post_from
from crisisdesk.sources.webhook.refusals import Refused
from crisisdesk.sources.webhook.signature import Head
from crisisdesk.text import clean

FORM: Final = "application/x-www-form-urlencoded"
MAX_FIELDS: Final = 200
MAX_PIECES: Final = 100
"""Parts that a gzip body may be put together of."""
REPEATED: Final = timedelta(minutes=10)
MAX_REPEATED: Final = 50_000

_PLAIN: Final = frozenset({"", FORM, "text/plain", "application/octet-stream"})
_PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})
_WORST_TYPE: Final = 60


def check_form(head: Head) -> None:
    """Look whether it can be read at all, before there is a body.

    Raises:
        Refused: it is of a kind that we do not read.
    """
    kind = _kind(head)
    if kind not in _PLAIN and "json" not in kind:
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"'{clean(kind, _WORST_TYPE)}' is not read here; send posts as application/json, or a form as {FORM}.",
            what="what is neither JSON nor a form",
            cure="let them send JSON",
        )
    if head.encoding not in _PACKED | {"", "identity"}:
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Encoding '{clean(head.encoding, _WORST_TYPE)}' is not read here; send it as gzip, or unpacked.",
            what="what is packed in another way than gzip",
            cure="let them send it unpacked",
        )


class Reader:
    """Finds the posts of requests.

    Args:
        name: the source of posts that name none.
        most: bytes that a body may have unpacked.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._first: OrderedDict[bytes, datetime] = OrderedDict()

    def read(self, head: Head, body: bytes, arrival: datetime, sent: datetime | None = None) -> Body:
        """Find the posts of a request.

        Args:
            head: that passed `check_form`.
            body: as it was sent.
            arrival: when it came; later times are set back to it.
            sent: the time of a form that names none; None where nothing says when it was sent.

        Raises:
            Refused: it cannot be unpacked, or is too large then.
        """
        content = body if head.encoding in {"", "identity"} else _unpacked(body, self._most)
        if _kind(head) == FORM and not content.lstrip().startswith((b"{", b"[")):  # as `curl -d` calls all it sends
            return self._form(content, arrival, sent or arrival)
        return posts_in(content, self._name, arrival, self._most)

    def _form(self, content: bytes, arrival: datetime, sent: datetime) -> Body:
        try:
            pairs = _pairs(content)
        except ValueError:
            return Body(bad=((0, f"has more than {MAX_FIELDS} fields; a form is one post"),))
        fields: dict[str, object] = {}
        for key, value in pairs:
            if key == "tags" and key in fields:
                fields[key] = f"{fields[key]},{value}"
            elif key in FIELDS:
                fields.setdefault(key, value)
        try:
            if "time" not in fields:
                fields["time"] = self._sent_first(repr(sorted(fields.items())), sent).isoformat()
            return Body((post_from(fields, self._name, arrival),))
        except InputError as error:
            return Body(bad=((1, str(error)),))

    def _sent_first(self, fields: str, sent: datetime) -> datetime:
        """When such fields were sent first of late, so that what is sent again stays the same post."""
        digest = hashlib.blake2b(fields.encode("utf-8", "replace"), digest_size=16).digest()
        first = self._first.pop(digest, sent)
        if abs(sent - first) > REPEATED:
            first = sent
        self._first[digest] = first
        if len(self._first) > MAX_REPEATED:
            self._first.popitem(last=False)
        return first


def _pairs(content: bytes) -> list[tuple[str, str]]:
    """The fields of a form, which does not say in which letters it is written: UTF-8, or what old pages send.

    Raises:
        ValueError: there are too many.
    """
    letters = "cp1252" if unquote_to_bytes(content).decode("utf-8", "ignore").isascii() else "utf-8"
    return parse_qsl(content.decode(letters, "replace"), encoding=letters, errors="replace", max_num_fields=MAX_FIELDS)


def _kind(head: Head) -> str:
    return head.content_type.partition(";")[0].strip().lower()


def _unpacked(body: bytes, most: int) -> bytes:
    """The body without its packing; it is never unpacked further than `most`."""
    content, rest = b"", body
    try:
        for _ in range(MAX_PIECES):
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # gzip or zlib, as it says itself
            content += unpacker.decompress(rest, most + 1 - len(content))
            if len(content) > most:
                raise Refused(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"It has more than {most:,} bytes unpacked; send fewer posts at once.",
                    what=f"more than {most:,} bytes at once, packed",
                    cure="let them send fewer posts at once, or raise 'most_bytes' of the source",
                )
            rest = unpacker.unused_data
            if not unpacker.eof:
                break
            if not rest:
                return content
    except zlib.error:
        pass
    raise Refused(
        HTTPStatus.BAD_REQUEST,
        "It says that it is packed with gzip, and is not, or not wholly; send it again.",
        what="what cannot be unpacked",
        cure="let them send it unpacked",
    )
