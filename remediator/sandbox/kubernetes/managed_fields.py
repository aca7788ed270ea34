"""metadata.managedFields: who owns which field, by comparing each write with what was there.

The rules are those of structured-merge-diff for the operation Update: a writer takes the fields whose value it
set or changed, the others lose them, and what is removed belongs to nobody. Server-side apply is not emulated.
"""

import json
from collections.abc import Iterator
from typing import Any

from remediator.sandbox.kubernetes.schema import Type, element_type, field_type, is_atomic, is_set, list_keys
from remediator.sandbox.kubernetes.status import Json

Path = tuple[str, ...]
Leaves = dict[Path, Any]

_UNOWNED = ("apiVersion", "kind")
_UNOWNED_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
)


def owned_paths(value: Any, kind: Type, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every path of `value` that can be owned, with its value (None for a map or element as such)."""
    if isinstance(value, dict) and not is_atomic(kind) and value:
        yield path, None
        for name, member in value.items():
            yield from owned_paths(member, field_type(kind, name), (*path, f"f:{name}"))
    elif isinstance(value, list) and not is_atomic(kind) and value:
        yield path, None
        for item in value:
            yield from _element_paths(item, kind, path)
    else:
        yield path, value


def _element_paths(item: Any, kind: Type, path: Path) -> Iterator[tuple[Path, Any]]:
    if is_set(kind):
        yield (*path, f"v:{json.dumps(item)}"), item
        return
    name = {key: item.get(key) for key in list_keys(kind) if item.get(key) is not None}
    text = json.dumps(name, separators=(",", ":"), sort_keys=True)
    yield from owned_paths(item, element_type(kind), (*path, f"k:{text}"))


def _leaves(obj: Json | None, kind: Type, skeleton: Json) -> Leaves:
    shown = {name: value for name, value in (obj or {}).items() if name not in _UNOWNED}
    metadata = shown.get("metadata", {})
    shown["metadata"] = {name: value for name, value in metadata.items() if name not in _UNOWNED_METADATA}
    leaves = dict(owned_paths(shown, kind))
    for hidden in owned_paths(skeleton, kind):
        if hidden[0] in leaves and leaves[hidden[0]] is None:
            del leaves[hidden[0]]
    return {path: value for path, value in leaves.items() if path not in ((), ("f:metadata",))}


_POD_TEMPLATE: Json = {"metadata": {"x": 0}, "spec": {"containers": [{"name": ""}]}}
_SKELETONS: dict[str, Json] = {
    "Deployment": {"spec": {"strategy": {"x": 0}, "template": _POD_TEMPLATE}, "status": {"x": 0}},
    "ReplicaSet": {"spec": {"template": _POD_TEMPLATE}, "status": {"x": 0}},
    "StatefulSet": {
        "spec": {"updateStrategy": {"x": 0}, "template": _POD_TEMPLATE},
        "status": {"x": 0},
    },
    "DaemonSet": {
        "spec": {"updateStrategy": {"x": 0}, "template": _POD_TEMPLATE},
        "status": {"x": 0},
    },
    "Pod": {"spec": {"containers": [{"name": ""}]}, "status": {"x": 0}},
    "Event": {"involvedObject": {"x": 0}, "source": {"x": 0}, "metadata": {"x": 0}},
    "Role": {"rules": [{}]},
}
_DEFAULT_SKELETON: Json = {"spec": {"x": 0}, "status": {"x": 0}, "metadata": {"x": 0}}
"""What Go always encodes, because the field is no pointer: nobody owns such a struct as such."""


def _key(entry: Json) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


def update(
    entries: list[Json],
    before: Json | None,
    after: Json,
    *,
    kind: Type,
    name: str,
    manager: str,
    api_version: str,
    subresource: str,
    now: str,
) -> list[Json]:
    """The managedFields after `manager` turned `before` into `after`."""
    skeleton = _SKELETONS.get(name, _DEFAULT_SKELETON)
    old, new = _leaves(before, kind, skeleton), _leaves(after, kind, skeleton)
    taken = {path for path, value in new.items() if path not in old or old[path] != value}
    gone = old.keys() - new.keys()
    mine = (manager, "Update", subresource)
    result: list[Json] = []
    owned: set[Path] = set()
    for entry in entries:
        paths = set(_unfold(entry["fieldsV1"]))
        if _key(entry) == mine:
            owned = paths
            continue
        left = paths - taken - gone
        if left == paths:
            result.append(entry)
        elif left:
            result.append({**entry, "fieldsV1": fold(left)})
    own = next((entry for entry in entries if _key(entry) == mine), None)
    if not taken:
        if own is not None and owned - gone:
            result.append({**own, "fieldsV1": fold(owned - gone)})
        return _in_order(result)
    entry = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": api_version,
        "time": now,
        "fieldsType": "FieldsV1",
        "fieldsV1": fold((owned - gone) | taken),
    }
    if subresource:
        entry["subresource"] = subresource
    return _in_order([*result, entry])


def _in_order(entries: list[Json]) -> list[Json]:
    return sorted(entries, key=lambda entry: (entry["operation"], entry["time"], entry["manager"]))


def fold(paths: set[Path]) -> Json:
    """A set of paths as FieldsV1: nested maps, "." for an owned thing that also has owned members."""
    tree: Json = {}
    for path in paths:
        here = tree
        for part in path:
            here = here.setdefault(part, {})
    for path in paths:
        here = tree
        for part in path:
            here = here[part]
        if here and path:
            here["."] = {}
    return _sorted(tree)


def _sorted(tree: Json) -> Json:
    return {name: _sorted(tree[name]) for name in sorted(tree)}


def _unfold(tree: Json, path: Path = ()) -> Iterator[Path]:
    for name, inner in tree.items():
        if name == ".":
            yield path
        elif inner:
            yield from _unfold(inner, (*path, name))
        else:
            yield (*path, name)
