"""Whether a value is as a document with JSON Schema says, for the part of it that the project's documents use."""

from typing import Any, Final

Schema = dict[str, Any]

TYPES: Final[dict[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
KNOWN: Final = {"type", "enum", "const", "required", "properties", "additionalProperties", "items", "oneOf", "anyOf"}
UNCHECKED: Final = {"description", "format", "minLength", "maxLength"}


def resolved(schema: Schema, document: Schema) -> Schema:
    """What a reference means."""
    while reference := schema.get("$ref"):
        schema = document
        for part in reference.removeprefix("#/").split("/"):
            schema = schema[part]
    return schema


def problems(value: Any, schema: Schema, document: Schema, at: str = "") -> list[str]:
    """Where a value breaks its schema; a key that this does not name is a problem too."""
    schema = resolved(schema, document)
    assert set(schema) <= KNOWN | UNCHECKED, f"this check does not know {set(schema) - KNOWN - UNCHECKED}"
    found = []
    choices = schema.get("oneOf") or schema.get("anyOf") or ()
    if choices and all(problems(value, choice, document) for choice in choices):
        found.append(f"{at}: none of the choices")
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r} is none of {schema['enum']}")
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not isinstance(value, tuple(kind for name in names for kind in TYPES[name])):
            return [*found, f"{at}: {value!r} is no {names}"]
    return [*found, *_inside(value, schema, document, at)]


def _inside(value: Any, schema: Schema, document: Schema, at: str) -> list[str]:
    """The same of what a list or an object holds."""
    found = [f"{at}: {key} is missing" for key in schema.get("required", ()) if key not in value]
    if "properties" in schema:
        for key, inner in value.items():
            rule = schema["properties"].get(key)
            found += problems(inner, rule, document, f"{at}.{key}") if rule else [f"{at}.{key}: not documented"]
    if isinstance(others := schema.get("additionalProperties"), dict):
        found += [line for inner in value.values() for line in problems(inner, others, document, at)]
    for inner in value if "items" in schema else ():
        found += problems(inner, schema["items"], document, f"{at}[]")
    return found
