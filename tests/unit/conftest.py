"""What several unit tests stand on."""

from pathlib import Path

import pytest

from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.storage.store import Store


@pytest.fixture
async def register(tmp_path: Path):
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        register = Register(store, Rules(), lambda _: None, ())
        await register.load()
        yield register
