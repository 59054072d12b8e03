"""Checks JSON against the JSON Schema (draft 2020-12) that a plugin declares. The SDKs for JavaScript and C check the same
keywords and word what is wrong alike."""

import json
import re
from dataclasses import dataclass
from typing import Any

# Nested schemas beyond which one is taken for endless.
DEPTH_MAX = 64

# Keywords whose value is a schema, a list of schemas, or schemas by name.
ONE = {"items", "additionalProperties", "not"}
LIST = {"prefixItems", "allOf", "anyOf", "oneOf"}
NAMED = {"properties", "$defs", "definitions"}

CHECKED = ONE | LIST | NAMED | {
    "$ref", "type", "enum", "const", "required", "minProperties", "maxProperties", "minItems", "maxItems",
    "uniqueItems", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
}

# Keywords that tell something to readers alone.
TOLD = {
    "$schema", "$id", "$comment", "title", "description", "default", "examples", "example", "format", "deprecated",
    "readOnly", "writeOnly",
}

SIZES = {"string": ("Length", "characters"), "array": ("Items", "entries"), "object": ("Properties", "members")}

BOUNDS = {
    "minimum": ("at least", lambda value, limit: value < limit),
    "maximum": ("at most", lambda value, limit: value > limit),
    "exclusiveMinimum": ("more than", lambda value, limit: value <= limit),
    "exclusiveMaximum": ("less than", lambda value, limit: value >= limit),
}

@dataclass
class Mismatch:
    """What is wrong with a value."""

    path: str
    depth: int
    expected: str
    got: str


def known(schema: Any, what: str) -> None:
    """Raises if a schema has a keyword that is not checked."""
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword not in CHECKED | TOLD and not keyword.startswith("x-"):
            raise TypeError(
                f"the schema of the {what} has the keyword `{keyword}`, which the SDK does not check: leave it out, "
                "and check that in the code"
            )
        below = [value] if keyword in ONE else value if keyword in LIST else []
        for one in value.values() if keyword in NAMED else below:
            known(one, what)


def mismatch(schema: Any, value: Any) -> Mismatch | None:
    """The first thing that is wrong with a value; None if nothing is."""
    return Checker(schema).check(schema, value, [], 0)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or isinstance(value, float) and value.is_integer():
        return "integer"
    kinds = {float: "number", str: "string", list: "array", dict: "object"}
    return kinds[type(value)]


def _is_kind(value: Any, kind: str) -> bool:
    own = _kind(value)
    return own == kind or own == "integer" and kind == "number"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    is_scalar = value is None or not isinstance(value, list | dict)
    return f"`{text}`" if is_scalar and len(text) <= 40 else _kind(value)


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(one, right[name]) for name, one in left.items())
    return left == right


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"one of {', '.join(texts)}"


def _place(path: list) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "input"


def _wrong(path: list, expected: str, got: str) -> Mismatch:
    return Mismatch(_place(path), len(path), expected, got)


def _several(kind: str | list) -> list[str]:
    return [kind] if isinstance(kind, str) else kind


class Checker:
    """Checks values against the parts of one schema."""

    def __init__(self, root: Any):
        self.root = root

    def check(self, schema: Any, value: Any, path: list, depth: int) -> Mismatch | None:
        """The first thing that is wrong with a value by one schema."""
        if schema is None or schema is True:
            return None
        if schema is False:
            return _wrong(path, "nothing", _kind(value))
        if depth > DEPTH_MAX:
            return _wrong(path, f"at most {DEPTH_MAX} levels", "more")
        reference = schema.get("$ref")
        return (
            (self.check(self.named(reference), value, path, depth + 1) if reference else None)
            or self.kind(schema, value, path)
            or self.size(schema, value, path)
            or self.members(schema, value, path, depth)
            or self.items(schema, value, path, depth)
            or self.alternatives(schema, value, path, depth)
        )

    def named(self, reference: str) -> Any:
        """The schema that a reference names; one that allows nothing if there is none."""
        found = self.root if reference.startswith("#") else False
        for part in reference.removeprefix("#").split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            found = found.get(name, False) if isinstance(found, dict) else False
        return found

    def kind(self, schema: dict, value: Any, path: list) -> Mismatch | None:
        kinds = _several(schema.get("type", []))
        if kinds and not any(_is_kind(value, kind) for kind in kinds):
            return _wrong(path, " or ".join(kinds), _kind(value))
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if values is not None and not any(_same(one, value) for one in values):
            return _wrong(path, _listed([_shown(one) for one in values]), _shown(value))
        return None

    def size(self, schema: dict, value: Any, path: list) -> Mismatch | None:
        kind = _kind(value)
        if kind in SIZES:
            suffix, unit = SIZES[kind]
            least, most = schema.get(f"min{suffix}", 0), schema.get(f"max{suffix}")
            if len(value) < least:
                return _wrong(path, f"at least {least} {unit}", str(len(value)))
            if most is not None and len(value) > most:
                return _wrong(path, f"at most {most} {unit}", str(len(value)))
        pattern = schema.get("pattern")
        if kind == "string" and pattern is not None and not re.search(pattern, value):
            return _wrong(path, f"text that matches `{pattern}`", _shown(value))
        if kind in ("integer", "number"):
            for keyword, (words, breaks) in BOUNDS.items():
                if keyword in schema and breaks(value, schema[keyword]):
                    return _wrong(path, f"{words} {schema[keyword]}", str(value))
        return None

    def members(self, schema: dict, value: Any, path: list, depth: int) -> Mismatch | None:
        if not isinstance(value, dict):
            return None
        properties, more = schema.get("properties", {}), schema.get("additionalProperties")
        for name in schema.get("required", []):
            if name not in value:
                return _wrong([*path, name], self.expected(properties.get(name)), "nothing")
        for name, member in value.items():
            if name not in properties and more is False:
                names = ", ".join(f"`{name}`" for name in properties)
                return _wrong([*path, name], f"no other name than {names or 'none'}", _kind(member))
            found = self.check(properties.get(name, more), member, [*path, name], depth + 1)
            if found:
                return found
        return None

    def items(self, schema: dict, value: Any, path: list, depth: int) -> Mismatch | None:
        if not isinstance(value, list):
            return None
        first = schema.get("prefixItems", [])
        for at, item in enumerate(value):
            own = first[at] if at < len(first) else schema.get("items")
            found = self.check(own, item, [*path, at], depth + 1)
            if found:
                return found
            if schema.get("uniqueItems") and any(_same(one, item) for one in value[:at]):
                return _wrong([*path, at], "an entry that is not there yet", _shown(item))
        return None

    def alternatives(self, schema: dict, value: Any, path: list, depth: int) -> Mismatch | None:
        def checked(one: Any) -> Mismatch | None:
            return self.check(one, value, path, depth + 1)

        for one in schema.get("allOf", []):
            found = checked(one)
            if found:
                return found
        for name in ("anyOf", "oneOf"):
            several = schema.get(name)
            if several is None:
                continue
            wrong = [checked(one) for one in several]
            fit = wrong.count(None)
            if fit == 0:
                return self.nearest(several, wrong, value, path)
            if fit > 1 and name == "oneOf":
                return _wrong(path, "one alternative alone", f"a value of {fit}")
        if "not" in schema and checked(schema["not"]) is None:
            return _wrong(path, "a value that is not excluded", _shown(value))
        return None

    def nearest(self, several: list, found: list[Mismatch], value: Any, path: list) -> Mismatch:
        """What is wrong by the alternative that fits best, if one does."""
        best = max(found, key=lambda one: one.depth)
        if best.depth > len(path) + 1 or len(several) == 1:
            return best
        return _wrong(path, ", or ".join(self.expected(one) for one in several), self.got(value))

    def got(self, value: Any) -> str:
        names = list(value)[:5] if isinstance(value, dict) else []
        return f"object with `{'`, `'.join(names)}`" if names else _kind(value)

    def expected(self, schema: Any) -> str:
        """What a schema allows, in a few words."""
        if not isinstance(schema, dict):
            return "any value"
        if "$ref" in schema:
            return self.expected(self.named(schema["$ref"]))
        if "const" in schema:
            return _shown(schema["const"])
        if "enum" in schema:
            return _listed([_shown(one) for one in schema["enum"]])
        kind = " or ".join(_several(schema["type"])) if "type" in schema else "any value"
        names = schema.get("required", [])
        return f"object with `{'`, `'.join(names)}`" if names and kind == "object" else kind
