"""Strategic merge patch: like a merge patch, but keyed lists are merged element by element.

Which lists are keyed, and by what, comes from the schema; the patch key is the first of the list's keys
(a container port is named by containerPort here, by containerPort and protocol in field ownership).
"""

import copy
from typing import Any

from remediator.sandbox.kubernetes.schema import Type, element_type, field_type, is_set, list_keys
from remediator.sandbox.kubernetes.status import ApiError, not_emulated

_DIRECTIVE = "$patch"


def apply_strategic_merge(document: Any, patch: Any, kind: Type) -> Any:
    """`document` merged with `patch` by the rules of its type.

    Raises:
        ApiError: a list element lacks its key (500, as the real server), or the patch uses a directive
            that is not emulated (501).
    """
    if not isinstance(patch, dict):
        return patch
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != _DIRECTIVE}
    if directive == "delete":
        return {}
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if name.startswith("$"):
            result = _apply_directive(result, name, value)
    for name, value in patch.items():
        if not name.startswith("$"):
            _merge_member(result, name, value, field_type(kind, name))
    return result


def _apply_directive(result: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    if name == "$retainKeys":
        return {key: member for key, member in result.items() if key in value}
    if name.startswith("$setElementOrder/"):
        return result
    if name.startswith("$deleteFromPrimitiveList/"):
        field = name.split("/", 1)[1]
        kept = [item for item in result.get(field, []) if item not in value]
        return {**result, field: kept}
    if name == _DIRECTIVE and value == "merge":
        return result
    raise not_emulated(f"the strategic merge directive {name}: {value!r}")


def _merge_member(result: dict[str, Any], name: str, value: Any, kind: Type) -> None:
    if value is None:
        result.pop(name, None)
    elif isinstance(value, list):
        result[name] = _merge_list(result.get(name), value, kind)
    elif isinstance(value, dict):
        merged = apply_strategic_merge(result.get(name), value, kind)
        replaces_nothing = value.get(_DIRECTIVE) == "replace" and name not in result
        if value.get(_DIRECTIVE) == "delete" or replaces_nothing:
            result.pop(name, None)
        else:
            result[name] = merged
    else:
        result[name] = value


def _merge_list(current: Any, patch: list[Any], kind: Type) -> list[Any]:
    existing = current if isinstance(current, list) else []
    keys = list_keys(kind)
    if not keys:
        if is_set(kind):
            return existing + [item for item in patch if item not in existing]
        return copy.deepcopy(patch)
    return _merge_keyed(existing, patch, keys[0], element_type(kind))


def _merge_keyed(existing: list[Any], patch: list[Any], key: str, kind: Type) -> list[Any]:
    if any(item.get(_DIRECTIVE) == "replace" for item in patch if isinstance(item, dict)):
        return [item for item in patch if item.get(_DIRECTIVE) != "replace"]
    merged = {item[key]: item for item in existing if isinstance(item, dict) and key in item}
    added: list[Any] = []
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise ApiError(500, f"map: {_go_map(item)} does not contain declared merge key: {key}")
        name = item[key]
        if item.get(_DIRECTIVE) == "delete":
            merged.pop(name, None)
        elif name in merged:
            merged[name] = apply_strategic_merge(merged[name], item, kind)
        else:
            added.append(apply_strategic_merge({}, item, kind))
    return [*added, *merged.values()]


def _go_map(value: Any) -> str:
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go_map(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(_go_map(item) for item in value) + "]"
    return {True: "true", False: "false", None: "<nil>"}.get(value, str(value)) if not value else str(value)


go_map = _go_map
"""How Go prints a decoded JSON value in a message."""
