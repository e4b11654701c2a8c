"""Why a server gives no answer, in plain words."""

import os

import aiohttp


def why_no_answer(error: Exception) -> str:
    """What broke a connection, or kept it from coming about: part of a sentence, without what only engineers know."""
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is not known, or this machine is not connected"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not to be trusted"
    if isinstance(error, aiohttp.ClientSSLError):
        return "it does not speak https as it should"
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return "it broke off"
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number).lower() if number else type(error).__name__
