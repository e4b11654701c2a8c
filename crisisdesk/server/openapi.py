"""The OpenAPI 3.1 document of a desk, from its table of routes and the types of what it answers."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from crisisdesk.records import Role
from crisisdesk.server.bodies import MOST_BYTES
from crisisdesk.server.routes import Body, Route

Schema = dict[str, Any]

INFO: Final = {
    "title": "crisisdesk",
    "version": "1.0.0",
    "summary": "Incidents, watches and answers of a desk.",
    "description": "Keys may be added; none is renamed or removed within version 1. Times are RFC 3339 in UTC, "
    'shares are between 0 and 1. A refusal is `{"error": "what; what to do"}`.',
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}  # fmt: skip
_TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of a person, from `crisisdesk token create`; it says who acts. A desk without any answers "
    "its own machine only, and there `X-Crisisdesk-Person` says who acts.",
}  # fmt: skip
_REASONS: Final = {
    "400": "Something in the request is wrong; the sentence says what.",
    "401": "There is no token, or it is not known here, or has expired.",
    "403": "The role of this token is too low, or a desk without tokens was asked from elsewhere.",
    "404": "There is no such thing; the sentence names the nearest.",
    "408": "The body did not come in time.",
    "409": "It makes no sense as things are: somebody was first, or it is over.",
    "413": f"The body has more than {MOST_BYTES:,} bytes.",
    "415": "The body is no JSON.",
    "429": "Too many requests; `Retry-After` says when to come again.",
    "503": "The desk lets nobody in at the moment, or all its streams are in use.",
}
_LOOKING: Final = ("400", "401", "403", "429", "503")
_ACTING: Final = ("408", "409", "413", "415")
_ROLES: Final = {
    Role.VIEWER: "For viewers and all others with a token.",
    Role.RESPONDER: "For responders and editors.",
    Role.EDITOR: "For editors.",
    Role.OWNER: "For commands on the desk's own machine.",
}


def document(routes: Iterable[Route]) -> Schema:
    """All that can be asked, as a JSON object."""
    schemas: Schema = {"Error": _object({"error": {"type": "string"}})}
    paths: Schema = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": INFO,
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": {status: _refusal(reason) for status, reason in _REASONS.items()},
            "securitySchemes": {"token": _TOKEN},
        },
    }


def _operation(route: Route, schemas: Schema) -> Schema:
    parts = re.findall(r"\{(\w+)\}", route.path)
    told = " ".join(filter(None, (route.note, _ROLES[route.role] if route.role else "Open to everybody.")))
    operation: Schema = {
        "operationId": _name(route),
        "summary": route.summary,
        "description": told,
        "parameters": [*map(_part, parts), *(_query(name, *one) for name, one in route.query.items())],
        "responses": {"200": _answer(route, schemas), **_refusals(route, has_parts=bool(parts))},
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _body(route.body)}}}
    if route.role is None:
        operation["security"] = []
    return operation


def _name(route: Route) -> str:
    """Like `post_incidents_acknowledge`."""
    words = re.findall(r"\w+", re.sub(r"\{\w+\}", "one" if route.path.endswith("}") else "", route.path))
    return "_".join([route.method.lower(), *(word for word in words if word not in {"api", "v1"})])


def _part(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query(name: str, told: str, schema: Mapping[str, object]) -> Schema:
    return {"name": name, "in": "query", "required": False, "description": told, "schema": dict(schema)}


def _answer(route: Route, schemas: Schema) -> Schema:
    if isinstance(route.gives, str):
        kind = "object" if "json" in route.gives else "string"
        return {"description": route.summary, "content": {route.gives: {"schema": {"type": kind}}}}
    schema = _object({key: _schema(kind, schemas) for key, kind in route.gives.items()}, closed=False)
    return {"description": route.summary, "content": {"application/json": {"schema": schema}}}


def _refusals(route: Route, *, has_parts: bool) -> Schema:
    if route.role is None:
        return {"503": {"description": "It does not."}} if route.path == "/readyz" else {}
    known = [*_LOOKING, *(["404"] if has_parts else []), *(_ACTING if route.changes else [])]
    return {status: {"$ref": f"#/components/responses/{status}"} for status in sorted(known)}


def _refusal(reason: str) -> Schema:
    error = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {"description": reason, "content": {"application/json": error}}


def _body(body: Body) -> Schema:
    """The object that a request brings; what need not be there may be empty."""
    keys = {key: dict(one.schema) for key, one in body.keys.items()}
    for key in keys.keys() - {*body.needed, *body.either}:
        keys[key].pop("minLength", None)
    either = {"oneOf": [{"required": [key]} for key in body.either]} if body.either else {}
    return _object(keys) | {"required": list(body.needed)} | either


def _object(keys: Mapping[str, Schema], *, closed: bool = True) -> Schema:
    found: Schema = {"type": "object", "properties": dict(keys), "required": list(keys)}
    return found | {"additionalProperties": False} if closed else found


def _schema(kind: Any, schemas: Schema) -> Schema:  # noqa: ANN401 - any type that pydantic knows
    """The schema of a type; those of the types that it is made of are put beside each other, under their names."""
    inside = TypeAdapter(tuple[kind])  # what stands at the root itself would have no name
    found = inside.json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    schemas.update(_without_titles(found.pop("$defs", {})))
    return _without_titles(found["prefixItems"][0])


def _without_titles(schema: Schema) -> Schema:
    """The same without names that only repeat those of the keys."""
    return {
        key: _without_titles(value) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key != "title" or isinstance(value, dict)
    }
