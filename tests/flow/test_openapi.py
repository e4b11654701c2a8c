"""`docs/openapi.json` is what a running desk says of itself, and what it answers is what that says."""

from pathlib import Path
from typing import Any

import orjson
from desks import Served, served
from schemas import problems

from crisisdesk.server import site

DOCUMENT = orjson.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_bytes())


async def test_the_document_is_that_of_a_running_desk(tmp_path):
    async with served(tmp_path) as desk:
        said = (await desk.get("/api/v1/openapi.json", "Vera")).content
    assert said == DOCUMENT, "the routes have changed: make openapi"


async def asked(desk: Served, path: str, method: str, incident: str) -> Any:
    filled = path.replace("{incident}", incident).replace("{watch}", "Acme").replace("{inquiry}", "0")
    bodies = {
        "assign": {"to": "Ben Cole"},
        "silence": {"minutes": 5, "reason": "x"},
        "notes": {"note": "x"},
        "resolve": {"verdict": "real"},
        "judge": {"verdict": "planned"},
        "forget": {"author": "nobody who ever wrote"},
    }
    if method == "get":
        return await desk.get(filled, "Edda")
    return await desk.post(filled, bodies.get(path.rpartition("/")[2], {}), "Edda")


async def test_every_answer_is_as_the_document_says(tmp_path):
    streams = {"/api/v1/stream", "/api/v1/picture"}
    async with served(tmp_path) as desk:
        incident = (await desk.incident()).id
        for path, methods in DOCUMENT["paths"].items():
            for method, operation in methods.items():
                if path in streams:
                    continue
                got = await asked(desk, path, method, incident)
                described = operation["responses"][str(got.status)]
                if "$ref" in described:
                    described = DOCUMENT["components"]["responses"][described["$ref"].rpartition("/")[2]]
                    assert got.status in {404, 409}, f"{method} {path}: {got}"
                kind, found = next(iter(described["content"].items()))
                assert got.headers["Content-Type"].startswith(kind.partition(";")[0])
                if kind == "application/json":
                    assert problems(got.content, found["schema"], DOCUMENT, f"{method} {path}") == []


async def test_what_is_much_work_to_describe_is_described_once(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(site, "document", lambda routes: asked.append(routes) or {})
    async with served(tmp_path) as desk:
        for _ in range(3):
            assert (await desk.get("/api/v1/openapi.json", "Vera")).status == 200
    assert len(asked) == 1
