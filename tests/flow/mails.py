"""A mail server, which takes what it is sent, or does not; and a server that says nothing."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mail:
    """Speaks SMTP as far as programmes do that hand something in."""

    password: str = "right"  # noqa: S105  of nobody
    at_end: str = "250 taken"
    """What it says of a whole message."""
    taken: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        try:
            await say("220 mail.example")
            while line := (await reader.readline()).decode().strip():
                verb, _, rest = line.partition(" ")
                if verb.upper() == "EHLO":
                    await say("250-mail.example\r\n250 AUTH PLAIN")
                elif verb.upper() == "AUTH":
                    given = b64decode(rest.split()[-1]).decode().split("\0")[-1]
                    await say("235 welcome" if given == self.password else "535 5.7.8 wrong: " + given)
                elif verb.upper() == "DATA":
                    await say("354 go on")
                    body = await reader.readuntil(b"\r\n.\r\n")
                    if self.at_end.startswith("250"):
                        found = message_from_bytes(body, policy=policy.default)
                        assert isinstance(found, EmailMessage)
                        self.taken.append(found)
                    await say(self.at_end)
                else:
                    await say("221 bye" if verb.upper() == "QUIT" else "250 fine")
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def mail(**settings: str) -> AsyncIterator[Mail]:
    server = Mail(**settings)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@asynccontextmanager
async def silence() -> AsyncIterator[int]:
    """The port of a server that takes what comes, and says nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError, ConnectionError):
            while await reader.read(1_000):
                pass
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
