"""Where connections come in, as many as there is room for; others wait outside, in the queue of the operating system.

So nobody, however many they are, can use up the files that the rest of the desk needs; also not those who connect and
then never agree on how to encrypt.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn

from crisisdesk.server.certificate import Certificate
from crisisdesk.server.connection import Connection
from crisisdesk.settings.server import Address

MOST_CONNECTIONS: Final = 512
"""At once; half the files that a process may usually have open."""
HANDSHAKE_SECONDS: Final = 10.0
"""How long the two sides may take to agree on how to encrypt."""

_QUEUE: Final = 128
_ACCEPT_AGAIN: Final = 0.1
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
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, address: Address) -> Address:
        """Let in whoever comes to an address from now on; returns it with its port, where that was to be a free one.

        Raises:
            OSError: it is not to be had.
        """
        self._sockets = await _listening(address)
        for one in self._sockets:
            self._begin(self._let_in(one))
        return Address(address.host, self._sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Let nobody in any more; those who are in stay."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in self._sockets:
            one.close()

    async def _let_in(self, listening: socket.socket) -> NoReturn:
        while True:
            await self._room.acquire()
            try:
                connected, _ = await asyncio.get_running_loop().sock_accept(listening)
            except OSError:  # whoever knocked is gone, or this process may open nothing more at the moment
                self._room.release()
                await asyncio.sleep(_ACCEPT_AGAIN)
            else:
                self._begin(self._stay(connected))

    async def _stay(self, connected: socket.socket) -> None:
        """Speak with one who has connected until that is over."""
        connection = self._connection()
        try:
            tls = await asyncio.to_thread(self._certificate.context) if self._certificate else None
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection, connected, ssl=tls, ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None
            )
            await connection.gone.wait()
        except OSError:  # they did not agree on how to encrypt
            connected.close()
        finally:
            self._room.release()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


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
