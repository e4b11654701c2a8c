"""Where connections come in, as many as there is room for.

Then the first of those who have not brought a whole request makes room; where all have, others wait outside, in the
queue of the operating system. So nobody can keep others out by being slow, nor use up the files that the rest of the
desk needs, also not by many connections that never agree on how to encrypt.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, NoReturn

from crisisdesk.server.certificate import Certificate
from crisisdesk.server.connection import Connection
from crisisdesk.settings.server import Address

MOST_CONNECTIONS: Final = 512
"""At once; half the files that a process may usually have open."""
HANDSHAKE_SECONDS: Final = 10.0
"""How long the two sides may take to agree on how to encrypt."""

_QUEUE: Final = 128
_LOOK_AGAIN: Final = 0.1
_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Door:
    """Lets connections in.

    Args:
        connection: makes what speaks with one who has connected.
        certificate: for https; None for http.
    """

    def __init__(self, connection: Callable[[], Connection], certificate: Certificate | None) -> None:
        self._connection = connection
        self._certificate = certificate
        self._sockets: list[socket.socket] = []
        self._letting_in: list[asyncio.Task[NoReturn]] = []
        self._inside: dict[asyncio.Task[None], Connection] = {}

    async def open(self, address: Address) -> Address:
        """Let in whoever comes to an address from now on; returns it with its port, where that was to be a free one.

        Raises:
            OSError: it is not to be had.
        """
        self._sockets = await _listening(address)
        self._letting_in = [asyncio.create_task(self._let_in(one)) for one in self._sockets]
        return Address(address.host, self._sockets[0].getsockname()[1])

    @property
    def bound(self) -> Address:
        """Where it is, by numbers: what a name stands for may be another address tomorrow."""
        host, port, *_ = self._sockets[0].getsockname()
        return Address(host, port)

    async def close(self) -> None:
        """Let nobody in any more; those who are in stay."""
        for task in self._letting_in:
            task.cancel()
        await asyncio.wait(self._letting_in)
        for one in self._sockets:
            one.close()

    async def wait_closed(self) -> None:
        """Return when nobody is in any more; who has brought no whole request is sent away."""
        while self._send_away():
            pass
        if self._inside:
            await asyncio.wait(self._inside)

    async def _let_in(self, listening: socket.socket) -> NoReturn:
        while True:
            try:
                connected, _ = await asyncio.get_running_loop().sock_accept(listening)
            except OSError:  # whoever knocked is gone, or this process may open nothing more at the moment
                await asyncio.sleep(_LOOK_AGAIN)
                continue
            try:
                await self._make_room()
            except asyncio.CancelledError:
                connected.close()
                raise
            connection = self._connection()
            task = asyncio.create_task(self._stay(connection, connected))
            self._inside[task] = connection
            task.add_done_callback(partial(self._left, connected))

    async def _make_room(self) -> None:
        """Return when there is room for one more."""
        while len(self._inside) >= MOST_CONNECTIONS and not self._send_away():  # noqa: ASYNC110 - aiohttp has no event
            await asyncio.sleep(_LOOK_AGAIN)

    def _send_away(self) -> bool:
        """Whether there is somebody without a whole request, of whom the first is sent away."""
        for task, connection in self._inside.items():
            if not connection.is_at_work and not task.cancelling():
                return task.cancel()
        return False

    async def _stay(self, connection: Connection, connected: socket.socket) -> None:
        """Speak with one who has connected until that is over."""
        try:
            with suppress(OSError):  # they do not agree on how to encrypt
                tls = await asyncio.to_thread(self._certificate.context) if self._certificate else None
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: connection, connected, ssl=tls, ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None
                )
                await connection.gone.wait()
        finally:
            connection.abort()

    def _left(self, connected: socket.socket, task: asyncio.Task[None]) -> None:
        del self._inside[task]
        connected.close()  # for one who was sent away before anybody spoke


async def _listening(address: Address) -> list[socket.socket]:
    """Sockets on all that a host's name stands for and this machine has; `::` stands for IPv4 as well.

    Raises:
        OSError: one of them is not to be had.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    both = address.host == "::" and socket.has_dualstack_ipv6()
    opened: list[socket.socket] = []
    absent: OSError | None = None
    for family, where in dict.fromkeys((family, where) for family, _, _, _, where in found):
        try:
            one = socket.create_server(where, family=family, backlog=_QUEUE, dualstack_ipv6=both)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                for other in opened:
                    other.close()
                raise
            absent = error
        else:
            one.setblocking(False)
            opened.append(one)
    if not opened:
        raise absent or OSError(errno.EADDRNOTAVAIL, "")
    return opened
