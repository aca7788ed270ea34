"""metadata.managedFields: who owns which field, by comparing each write with what was there.

The rules are those of structured-merge-diff for the operation Update: a writer takes the fields whose value it
set or changed, the others lose them, and what is removed belongs to nobody; and for Apply (see
server_side_apply): a manager owns what it applied, others keep what it left as it was.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
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
            if member is not None or name == "lastProbeTime":
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
        if leaves.get(hidden[0], 0) in (None, {}):
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
    "HorizontalPodAutoscaler": {"spec": {"scaleTargetRef": {"x": 0}}},
    "Service": {"spec": {"x": 0}, "status": {"loadBalancer": {"x": 0}}, "metadata": {"x": 0}},
}
_DEFAULT_SKELETON: Json = {"spec": {"x": 0}, "status": {"x": 0}, "metadata": {"x": 0}}
"""What Go always encodes, because the field is no pointer: nobody owns such a struct as such."""


def _key(entry: Json) -> tuple[str, str, str]:
    return entry["manager"], entry["operation"], entry.get("subresource", "")


@dataclass(frozen=True)
class Writer:
    """Who writes which kind of object, when.

    `applied` are the paths an apply owns; None is an ordinary write.
    """

    kind: Type
    name: str
    manager: str
    api_version: str
    subresource: str
    now: str
    applied: frozenset[Path] | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells its entry from others."""
        return self.manager, "Update" if self.applied is None else "Apply", self.subresource


def update(entries: list[Json], before: Json | None, after: Json, writer: Writer) -> list[Json]:
    """The managedFields after `writer` turned `before` into `after`."""
    skeleton = _SKELETONS.get(writer.name, _DEFAULT_SKELETON)
    old, new = _leaves(before, writer.kind, skeleton), _leaves(after, writer.kind, skeleton)
    taken = {path for path, value in new.items() if path not in old or old[path] != value}
    gone = old.keys() - new.keys()
    others = [_without(entry, taken | gone) for entry in entries if _key(entry) != writer.key]
    own = next((entry for entry in entries if _key(entry) == writer.key), None)
    had = set(unfold(own["fieldsV1"])) if own is not None else set()
    owned = set(writer.applied) if writer.applied is not None else (had - gone) | taken
    left = [entry for entry in others if entry is not None]
    if not owned:
        return _in_order(left)
    entry = _entry(writer, owned)
    if own is not None and not taken and (owned == had or writer.applied is None):
        entry["time"] = own["time"]
    return _in_order([*left, entry])


def _without(entry: Json, lost: set[Path]) -> Json | None:
    paths = set(unfold(entry["fieldsV1"]))
    left = paths - lost
    if left == paths:
        return entry
    return {**entry, "fieldsV1": fold(left)} if left else None


def _entry(writer: Writer, owned: set[Path]) -> Json:
    manager, operation, subresource = writer.key
    entry = {
        "manager": manager,
        "operation": operation,
        "apiVersion": writer.api_version,
        "time": writer.now,
        "fieldsType": "FieldsV1",
        "fieldsV1": fold(owned),
    }
    return {**entry, "subresource": subresource} if subresource else entry


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


def unfold(tree: Json, path: Path = ()) -> Iterator[Path]:
    for name, inner in tree.items():
        if name == ".":
            yield path
        elif inner:
            yield from unfold(inner, (*path, name))
        else:
            yield (*path, name)
