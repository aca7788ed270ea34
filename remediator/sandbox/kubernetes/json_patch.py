"""JSON patch (RFC 6902) and JSON merge patch (RFC 7396), as the API server applies them.

Where the server departs from RFC 6902 (its library is evanphx/json-patch), so does this: `replace` of a key
that is missing in a map adds it, and `test` of a missing key holds against null. Array indexes may be negative.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any


class PatchFailed(Exception):
    """An operation of a JSON patch cannot be done, or a test does not hold."""


def same(left: Any, right: Any) -> bool:
    """Equality of JSON values: unlike Python's, true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(one, two) for one, two in zip(left, right, strict=True))
    return type(left) is type(right) and bool(left == right)


def apply_json_patch(document: Any, operations: Sequence[Mapping[str, Any]]) -> Any:
    """`document` after all operations; the argument is left as it is.

    Raises:
        PatchFailed: one of them failed, so none counts.
    """
    result = copy.deepcopy(document)
    for operation in operations:
        _apply(result, operation)
    return result


def apply_merge_patch(document: Any, patch: Any) -> Any:
    """`document` merged with `patch`: null removes, lists are replaced whole."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = apply_merge_patch(result.get(name), value)
    return result


def _apply(document: Any, operation: Mapping[str, Any]) -> None:
    name = operation.get("op")
    parent, key = _locate(document, operation.get("path"))
    match name:
        case "test":
            _test(parent, key, operation.get("value"))
        case "add":
            _add(parent, key, copy.deepcopy(operation.get("value")))
        case "replace":
            _replace(parent, key, copy.deepcopy(operation.get("value")))
        case "remove":
            _remove(parent, key)
        case "copy":
            source, source_key = _locate(document, operation.get("from"))
            _add(parent, key, copy.deepcopy(_get(source, source_key)))
        case "move":
            source, source_key = _locate(document, operation.get("from"))
            value = _get(source, source_key)
            _remove(source, source_key)
            target, target_key = _locate(document, operation.get("path"))
            _add(target, target_key, value)
        case _:
            raise PatchFailed(f"unexpected kind: {name}")


def _locate(document: Any, path: Any) -> tuple[Any, str]:
    if not isinstance(path, str) or "/" not in path:
        raise PatchFailed(f"no container for {path!r}")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    here = document
    for part in parts[:-1]:
        here = _get(here, part)
    if not isinstance(here, dict | list):
        raise PatchFailed(f"nothing below {path!r}")
    return here, parts[-1]


def _index(container: list[Any], key: str) -> int:
    try:
        index = int(key)
    except ValueError as error:
        raise PatchFailed(f"{key!r} is no index") from error
    if not -len(container) <= index < len(container):
        raise PatchFailed(f"index {index} is out of bounds")
    return index


def _get(container: Any, key: str) -> Any:
    if isinstance(container, dict):
        return container.get(key)
    if isinstance(container, list):
        return container[_index(container, key)]
    raise PatchFailed(f"nothing at {key!r}")


def _test(container: Any, key: str, wanted: Any) -> None:
    if not same(_get(container, key), wanted):
        raise PatchFailed(f"testing value at {key!r} failed")


def _add(container: Any, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        index = len(container) if key == str(len(container)) else _index(container, key)
        container.insert(index if index >= 0 else len(container) + index, value)


def _replace(container: Any, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container[_index(container, key)] = value


def _remove(container: Any, key: str) -> None:
    if isinstance(container, list):
        del container[_index(container, key)]
    elif key in container:
        del container[key]
    else:
        raise PatchFailed(f"unable to remove nonexistent key {key!r}")
