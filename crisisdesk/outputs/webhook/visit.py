"""A look at a receiver: whether it is there and would know us. It is told nothing."""

from http import HTTPStatus
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import OutputError, RefusedError
from crisisdesk.outputs.webhook.answer import judge
from crisisdesk.outputs.webhook.line import SECONDS, Line, Receiver
from crisisdesk.records import Foreseen

_SAYS_NOTHING: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_DOUBTFUL: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})


async def visit(receiver: Receiver, clock: Clock, seconds: float = SECONDS) -> Foreseen:
    """Ask a receiver whether it is there, without telling it anything.

    Raises:
        OutputError: it is not, or not well.
    """
    line = Line(receiver, clock, seconds)
    async with line.open():
        answer = await line.ask("OPTIONS")
    said = f"{receiver.shown} answers; whether it takes alerts shows when the desk runs."
    if answer.status in _SAYS_NOTHING:
        return Foreseen(said)
    try:
        judge(answer, receiver.shown, is_heard=not receiver.sees_secrets)
    except RefusedError:
        return Foreseen(said)
    except OutputError as error:
        if answer.status not in _DOUBTFUL:
            raise
        return Foreseen(said, f"{error} That was for a question that carries no alert, which some answer so.")
    return Foreseen(said)
