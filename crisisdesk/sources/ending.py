"""Connections that end by themselves, and those that are told to end at the same moment."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from crisisdesk.sources.broken import BREAKS


async def to_its_end(connect: Callable[[], Coroutine[Any, Any, None]]) -> Exception:
    """What ended the connection; a task group that breaks in the moment in which it is cancelled forgets the latter.

    Raises:
        Exception: a fault that is no break, and so nothing to be mended by trying again.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    error = await asyncio.create_task(_break_of(connect))
    if task and task.cancelling() > before:
        raise asyncio.CancelledError
    return error


async def _break_of(connect: Callable[[], Coroutine[Any, Any, None]]) -> Exception:
    try:
        await connect()
    except ExceptionGroup as broken:
        breaks, faults = broken.split(BREAKS)
        if faults is not None:
            raise faults from None
        return breaks.exceptions[0] if breaks else broken
    except BREAKS as error:
        return error
    raise AssertionError("a connection has no end but a break")
