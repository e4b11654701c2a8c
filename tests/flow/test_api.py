"""What a running desk answers over HTTP: what is there, who may see and do it, and how it refuses."""

import pytest
from desks import served

from crisisdesk.records import Severity


async def test_a_viewer_sees_incidents_watches_and_what_the_desk_runs_on(tmp_path):
    async with served(tmp_path) as desk:
        incident = await desk.incident()
        for path in ("me", "incidents", "watches", "sources", "playbooks", "oncall", "inquiries", "openapi.json"):
            assert (await desk.get(f"/api/v1/{path}", "Vera")).status == 200, path
        shown = await desk.get(f"/api/v1/incidents/{incident.id}", "Vera")
        assert shown.content["incident"]["severity"] == "amber"
        assert (await desk.get("/api/v1/watches/Acme", "Vera")).content["watch"]["name"] == "Acme"
