"""Reading fields of raw Kubernetes objects, where anything may be missing or of the wrong type."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from remediator.domain.value import JsonObject


def at(document: object, *path: str) -> Any:
    """The value at this path, or None when any part of the way is missing or not an object."""
    for key in path:
        if not isinstance(document, (dict, Mapping)):  # nearly always the first, which is told at once
            return None
        document = document.get(key)
    return document


def text(document: object, *path: str) -> str:
    """The text at this path, or an empty one."""
    value = at(document, *path)
    return value if isinstance(value, str) else ""


def count(document: object, *path: str) -> int | None:
    """The whole number, zero or more, at this path; None when there is none."""
    value = at(document, *path)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value


def objects(document: object, *path: str) -> list[JsonObject]:
    """The JSON objects of the list at this path; whatever else stands in it is left out."""
    value = at(document, *path)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def moment(document: object, *path: str) -> datetime | None:
    """The RFC 3339 time at this path; None when it is missing, unreadable or without a zone."""
    try:
        value = datetime.fromisoformat(text(document, *path))
    except ValueError:
        return None
    return value if value.tzinfo is not None else None


def condition(document: object, kind: str) -> JsonObject:
    """The condition of this type in an object's status, or an empty object."""
    return next((each for each in objects(document, "status", "conditions") if each.get("type") == kind), {})


def controller_uid(document: object) -> str | None:
    """The uid of the owner that controls this object; None for an orphan."""
    for owner in objects(document, "metadata", "ownerReferences"):
        if owner.get("controller") is True:
            return text(owner, "uid") or None
    return None
