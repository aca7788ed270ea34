"""The fields Kubernetes knows, from its published schema: types, list keys, what is atomic.

`schema.json` holds one type a line and was derived from the schema that client-go carries for server-side
apply (kubernetes/client-go, applyconfigurations/internal/internal.go, Apache-2.0), of a release newer than
1.33. A type is the name of a scalar ("string", "numeric", "boolean", "untyped"), the name of another type, or

    {"fields": {...}}                 a struct          {"list": T, "keys": [...]}   a list keyed by those fields
    {"map": T}                        a map             {"list": T, "set": true}     a set
    {"atomic": T}, "isAtomic": true   owned as a whole  {"list": T}                  an atomic list
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

Type = str | dict[str, Any]

UNTYPED = "untyped"
_INDEX = re.compile(r"\[\d+\]")
_NULL_WHEN_UNSET = {
    "creationTimestamp",
    "eventTime",
    "finishedAt",
    "firstTimestamp",
    "lastProbeTime",
    "lastTimestamp",
    "startedAt",
}
_SCALARS: dict[str, tuple[type, ...]] = {"string": (str,), "numeric": (int, float), "boolean": (bool,)}
_GO_NAMES = {"string": "string", "numeric": "int32", "boolean": "bool"}


@cache
def _types() -> dict[str, Type]:
    text = files(__package__).joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Type] = json.loads(text)
    return loaded


def resolve(kind: Type) -> Type:
    """The definition behind a name; scalars and inline types stay as they are."""
    if isinstance(kind, dict):
        return resolve(kind["atomic"]) if "atomic" in kind else kind
    return _types().get(kind, kind)


def is_atomic(kind: Type) -> bool:
    """Whether field ownership treats values of this type as one whole."""
    if isinstance(kind, dict) and "atomic" in kind:
        return True
    found = resolve(kind)
    if isinstance(found, str):
        return True
    if "list" in found:
        return "keys" not in found and not found.get("set")
    return bool(found.get("isAtomic"))


def field_type(kind: Type, name: str) -> Type:
    """The type of a struct's field or of a map's values; untyped where the schema is silent."""
    found = resolve(kind)
    if isinstance(found, dict):
        if "fields" in found:
            field: Type = found["fields"].get(name, UNTYPED)
            return field
        values: Type = found.get("map", UNTYPED)
        return values
    return UNTYPED


def element_type(kind: Type) -> Type:
    """The type of a list's elements."""
    found = resolve(kind)
    elements: Type = found.get("list", UNTYPED) if isinstance(found, dict) else UNTYPED
    return elements


def list_keys(kind: Type) -> list[str]:
    """The fields that name an element of a keyed list; none for atomic lists and sets."""
    found = resolve(kind)
    return list(found.get("keys", [])) if isinstance(found, dict) else []


def is_set(kind: Type) -> bool:
    """Whether a list is a set of scalars."""
    found = resolve(kind)
    return isinstance(found, dict) and bool(found.get("set"))


@dataclass(frozen=True)
class UnknownField:
    """A field the schema does not know, by its path."""

    path: str


@dataclass(frozen=True)
class WrongType:
    """A value that cannot be what its field wants."""

    path: str
    found: str
    wanted: str
    owner: str

    @property
    def go_field(self) -> str:
        """The field as Go's decoder names it: the struct it is in, and its path without indices."""
        return f"{self.owner}.{_INDEX.sub('', self.path)}"


Problem = UnknownField | WrongType


def problems(value: Any, kind: Type, path: str = "", owner: str = "") -> Iterator[Problem]:
    """Everything about `value` that its type does not allow, in document order.

    `owner` is the struct that `path` is a field of.
    """
    found = resolve(kind)
    if isinstance(kind, str) and isinstance(found, dict):
        owner = kind.rsplit(".", 1)[-1]
    if value is None or found == UNTYPED:
        return
    if isinstance(found, str):
        if not _fits(value, found):
            yield WrongType(path, _json_name(value), _GO_NAMES.get(found, found), owner)
    else:
        yield from _composite_problems(value, found, path, owner)


def _composite_problems(value: Any, found: dict[str, Any], path: str, owner: str) -> Iterator[Problem]:
    wanted: type = list if "list" in found else dict
    if not isinstance(value, wanted):
        yield WrongType(path, _json_name(value), "array" if wanted is list else "object", owner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from problems(item, found["list"], f"{path}[{index}]", owner)
    elif isinstance(value, dict):
        yield from _member_problems(value, found, path, owner)


def _member_problems(value: Any, found: dict[str, Any], path: str, owner: str) -> Iterator[Problem]:
    for name, member in value.items():
        inner = f"{path}.{name}" if path else name
        if "fields" not in found:
            yield from problems(member, found["map"], path, owner)
        elif name not in found["fields"]:
            yield UnknownField(inner)
        else:
            yield from problems(member, field_type(found, name), inner, owner)


def prune(value: Any, kind: Type) -> Any:
    """`value` without the fields the schema does not know and without nulls that Go would leave out."""
    found = resolve(kind)
    if isinstance(found, str):
        return value
    if isinstance(value, list) and "list" in found:
        return [prune(item, found["list"]) for item in value]
    if isinstance(value, dict):
        known = found.get("fields")
        return {
            name: prune(member, field_type(found, name))
            for name, member in value.items()
            if (member is not None or name in _NULL_WHEN_UNSET) and (known is None or name in known)
        }
    return value


def _fits(value: Any, scalar: str) -> bool:
    if isinstance(value, bool):
        return scalar == "boolean"
    return isinstance(value, _SCALARS.get(scalar, (object,)))


def _json_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    names: list[tuple[type, str]] = [(str, "string"), (int, "number"), (float, "number"), (list, "array")]
    return next((name for kind, name in names if isinstance(value, kind)), "object")
