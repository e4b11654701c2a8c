"""Servers that the tests of several files listen to."""

from collections.abc import AsyncIterator

import pytest
from mastodons import Home
from xs import Network


@pytest.fixture
async def home() -> AsyncIterator[Home]:
    """A Mastodon server."""
    async with Home() as server:
        yield server


@pytest.fixture
async def elsewhere() -> AsyncIterator[Home]:
    """Another one."""
    async with Home() as server:
        yield server


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """X."""
    async with Network() as server:
        yield server
