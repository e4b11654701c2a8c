"""Connections that end by themselves, and those that are told to end at the same moment."""

import asyncio
from collections.abc import Coroutine


async def to_its_end(connection: Coroutine[None, None, Exception]) -> Exception:
    """What ended it; a task group that breaks in the moment in which it is cancelled forgets the latter."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    error = await asyncio.create_task(connection)
    if task and task.cancelling() > before:
        raise asyncio.CancelledError
    return error
