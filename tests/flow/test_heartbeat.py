"""What a running desk says of itself to machines that watch it."""

from datetime import UTC, datetime

from disks import desk_on

from crisisdesk.cli.outputs import heartbeat
from crisisdesk.records import Severity


async def test_a_heartbeat_says_that_the_desk_cannot_write_and_when_it_can_again(tmp_path, monkeypatch):
    async with desk_on(tmp_path, monkeypatch) as desk:
        assert heartbeat(desk.app)["troubles"] == []
        await desk.app.store.read(lambda database: database.execute("PRAGMA query_only = ON"))
        await desk.hears("Acme", Severity.AMBER)
        said = heartbeat(desk.app)["troubles"]
        assert any("is not saved, but sent" in one and "change its permissions" in one for one in said), said
        await desk.app.store.read(lambda database: database.execute("PRAGMA query_only = OFF"))
        await desk.app.rounds.look(datetime.now(UTC))
        assert heartbeat(desk.app)["troubles"] == []
