"""The shipped file: the drafts as JSON lines without their labels, packed the same on every machine and day."""

import gzip
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from crisisdesk.cases import NOTICE
from crisisdesk.cases.motrin.story import Draft

PATH: Final = Path(__file__).with_name("posts.jsonl.gz")
SOURCE: Final = "reconstruction"
"""What each post names as its source, so that none can be taken for a post of 2008."""


def content(drafts: Iterable[Draft]) -> bytes:
    """One JSON object a line in UTF-8; the first also carries the notice, in a field that readers of posts ignore."""
    lines: list[str] = []
    for draft in drafts:
        post = {
            "id": draft.id,
            "source": SOURCE,
            "time": f"{draft.time:%Y-%m-%dT%H:%M:%SZ}",
            "text": draft.text,
            "author": draft.person.handle,
            "lang": draft.person.lang,
            "reach": draft.person.reach,
        }
        if draft.repost:
            post["repost"] = draft.repost
        if draft.reply_to:
            post["reply_to"] = draft.reply_to
        if not lines:
            post["notice"] = NOTICE
        lines.append(json.dumps(post, ensure_ascii=False, separators=(",", ":")))
    return ("\n".join(lines) + "\n").encode()


def packed(data: bytes) -> bytes:
    """The data as gzip without a file name or a time of packing."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as archive:
        archive.write(data)
    return buffer.getvalue()
