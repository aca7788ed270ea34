"""Server-side apply: what one manager wants of an object, merged with what others own.

By the rules of structured-merge-diff: a field another manager owns with another value is a conflict unless the
apply is forced; a field this manager applied before, leaves out now, and nobody else owns is removed.
"""

import copy
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from remediator.sandbox.kubernetes.managed_fields import Path, unfold
from remediator.sandbox.kubernetes.schema import Type, element_type, field_type, is_atomic, is_set, list_keys
from remediator.sandbox.kubernetes.status import ApiError, Cause, Json

_KEY_DEFAULTS = {"protocol": "TCP"}
_IDENTITY = ("apiVersion", "kind")
_IDENTITY_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


@dataclass(frozen=True)
class Applied:
    """The object after an apply, and the paths its manager owns by it."""

    wanted: Json
    paths: frozenset[Path]


def apply(before: Json, config: Json, kind: Type, manager: str, *, force: bool) -> Applied:
    """`before` with `config` applied by `manager`.

    Raises:
        ApiError: 409, others own fields with other values.
    """
    leaves = dict(applied_leaves(config, kind))
    entries = before["metadata"].get("managedFields") or []
    others = [entry for entry in entries if not _is_own(entry, manager)]
    present = dict(applied_leaves(before, kind))
    conflicts = [
        (_owner(entry), path)
        for entry in others
        for path in sorted(set(unfold(entry["fieldsV1"])) & leaves.keys())
        if present.get(path) != leaves[path]
    ]
    if conflicts and not force:
        raise _conflict(conflicts)
    wanted = _merged(before, config, kind)
    mine = [set(unfold(entry["fieldsV1"])) for entry in entries if _is_own(entry, manager)]
    owned_by_others = {path for entry in others for path in unfold(entry["fieldsV1"])}
    for path in sorted(set().union(*mine) - leaves.keys(), key=len, reverse=True):
        if not any(other[: len(path)] == path for other in owned_by_others):
            _remove(wanted, path, kind)
    return Applied(wanted, frozenset(leaves))


def applied_leaves(value: Any, kind: Type, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The paths an apply of `value` owns: leaves, and elements of keyed lists as such (their value is None)."""
    if isinstance(value, dict) and not is_atomic(kind) and value:
        for name, member in value.items():
            if not _names_the_object(path, name) and member is not None:
                yield from applied_leaves(member, field_type(kind, name), (*path, f"f:{name}"))
    elif isinstance(value, list) and not is_atomic(kind) and value:
        for item in value:
            if is_set(kind):
                yield (*path, f"v:{json.dumps(item)}"), item
            else:
                inner = (*path, _key_part(item, kind))
                yield inner, None
                yield from applied_leaves(item, element_type(kind), inner)
    else:
        yield path, value


def _names_the_object(path: Path, name: str) -> bool:
    if path == ("f:metadata",):
        return name in _IDENTITY_METADATA
    return not path and name in _IDENTITY


def _key(item: Json, kind: Type) -> Json:
    names = list_keys(kind)
    found = {name: item.get(name, _KEY_DEFAULTS.get(name)) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _key_part(item: Json, kind: Type) -> str:
    return f"k:{json.dumps(_key(item, kind), separators=(',', ':'), sort_keys=True)}"


def _is_own(entry: Json, manager: str) -> bool:
    return bool(
        entry["manager"] == manager and entry["operation"] == "Apply" and not entry.get("subresource")
    )


def _owner(entry: Json) -> str:
    shown = f'"{entry["manager"]}"'
    if entry.get("subresource"):
        shown += f' with subresource "{entry["subresource"]}"'
    return shown if entry["operation"] == "Apply" else f"{shown} using {entry['apiVersion']}"


def _conflict(conflicts: list[tuple[str, Path]]) -> ApiError:
    causes = [
        Cause("FieldManagerConflict", f"conflict with {owner}", _shown(path)) for owner, path in conflicts
    ]
    if len(conflicts) == 1:
        listed = f"1 conflict: {causes[0].message}: {causes[0].field}"
    else:
        fields: dict[str, list[str]] = defaultdict(list)
        for owner, path in conflicts:
            fields[owner].append(f"- {_shown(path)}")
        by_owner = (
            f"conflicts with {owner}:\n" + "\n".join(lines) for owner, lines in sorted(fields.items())
        )
        listed = f"{len(conflicts)} conflicts: " + "\n".join(by_owner)
    details = {"causes": [cause.body() for cause in causes]}
    return ApiError(409, f"Apply failed with {listed}", "Conflict", details)


def _shown(path: Path) -> str:
    text = ""
    for part in path:
        kind, _, rest = part.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "k":
            named = (f"{name}={json.dumps(value)}" for name, value in json.loads(rest).items())
            text += f"[{','.join(named)}]"
        else:
            text += f"[={rest}]"
    return text


def _merged(current: Any, config: Any, kind: Type) -> Any:
    if is_atomic(kind) or type(current) is not type(config):
        return copy.deepcopy(config)
    if isinstance(config, dict):
        result = dict(current)
        for name, value in config.items():
            if value is not None:
                result[name] = _merged(current.get(name), value, field_type(kind, name))
        return result
    if is_set(kind):
        return [*current, *(item for item in config if item not in current)]
    merged = {_key_part(item, kind): item for item in current}
    for item in config:
        part = _key_part(item, kind)
        merged[part] = _merged(merged.get(part), item, element_type(kind))
    return list(merged.values())


def _remove(obj: Any, path: Path, kind: Type) -> None:
    kind_of, _, name = path[0].partition(":")
    if kind_of == "f":
        if len(path) > 1 and isinstance(obj, dict) and name in obj:
            _remove(obj[name], path[1:], field_type(kind, name))
        if isinstance(obj, dict) and (len(path) == 1 or obj.get(name) in ({}, [])):
            obj.pop(name, None)
        return
    for item in list(obj):
        part = f"v:{json.dumps(item)}" if kind_of == "v" else _key_part(item, kind)
        if part == path[0] and len(path) == 1:
            obj.remove(item)
        elif part == path[0]:
            _remove(item, path[1:], element_type(kind))
