"""`docs/openapi.json` is what a running desk says of itself, and what it answers is what that says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from desks import Served, served

from crisisdesk.server import site

DOCUMENT = orjson.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_bytes())
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def problems(value: Any, schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """Where a value breaks the part of JSON Schema that the document uses; a key it does not name is a problem too."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    unknown = schema.keys() - {"type", "enum", "anyOf", "required", "properties", "additionalProperties", "items"}
    assert unknown <= {"description", "format", "minLength", "maxLength"}, f"this check does not know {unknown}"
    if "anyOf" in schema:
        if all(list(problems(value, choice)) for choice in schema["anyOf"]):
            yield f"{at}: none of the choices"
        return
    if not isinstance(value, TYPES[schema["type"]]):
        yield f"{at}: {value!r} is no {schema['type']}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    yield from inside(value, schema, at)


def inside(value: Any, schema: dict[str, Any], at: str) -> Iterator[str]:
    """The same of what a list or an object holds."""
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from problems(one, schema["items"], f"{at}[{number}]")
    if isinstance(value, dict) and schema.keys() != {"type"}:
        named, others = schema.get("properties", {}), schema.get("additionalProperties")
        yield from (f"{at}: no {key}" for key in schema.get("required", ()) if key not in value)
        for key, one in value.items():
            if key in named or isinstance(others, dict):
                yield from problems(one, named.get(key, others), f"{at}.{key}")
            else:
                yield f"{at}: {key} is not in the document"


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
                    assert list(problems(got.content, found["schema"], f"{method} {path}")) == []


async def test_what_is_much_work_to_describe_is_described_once(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(site, "document", lambda routes: asked.append(routes) or {})
    async with served(tmp_path) as desk:
        for _ in range(3):
            assert (await desk.get("/api/v1/openapi.json", "Vera")).status == 200
    assert len(asked) == 1
