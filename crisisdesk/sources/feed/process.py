"""The process that reads one feed: a line of JSON and the document on standard input, a line of JSON on its output."""

import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Final

import orjson

from crisisdesk.errors import InputError
from crisisdesk.sources.feed.document import read_document

MOST_MEMORY: Final = 1 << 30
"""Bytes of address space."""
MOST_SECONDS: Final = 60
"""Of the processor, if nobody is left who would end it sooner."""


def main() -> None:
    """Read it."""
    with suppress(ImportError, ValueError, OSError):  # systems without such limits have the one of time
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    head, _, content = sys.stdin.buffer.read().partition(b"\n")
    try:
        answer = asdict(read_document(content, **orjson.loads(head)))
    except InputError as error:
        answer = {"reason": str(error)}
    sys.stdout.buffer.write(orjson.dumps(answer))


if __name__ == "__main__":
    main()
