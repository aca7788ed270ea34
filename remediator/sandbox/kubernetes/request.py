"""What a request asks for: verb, resource, namespace, name, subresource, and its options."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from remediator.sandbox.kubernetes.status import Json, bad_request

_READ_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Call:
    """One request as it came; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def flag(self, name: str) -> bool:
        """Whether a query parameter says true."""
        return self.query.get(name, "").lower() in ("true", "1")


@dataclass(frozen=True)
class Route:
    """A resource request, taken apart; `group` and `version` are "" and "v1" in the core group."""

    verb: str
    group: str
    version: str
    namespace: str
    plural: str
    name: str
    subresource: str
    old_watch: bool = False

    @property
    def full_resource(self) -> str:
        """`pods`, or `pods/log`."""
        return f"{self.plural}/{self.subresource}" if self.subresource else self.plural


def parse_route(call: Call) -> Route | None:
    """The resource a request is about; None if its path is no resource's."""
    parts = [part for part in call.path.split("/") if part]
    if len(parts) >= 3 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) >= 4 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    old_watch = rest[0] == "watch" and len(rest) > 1
    if old_watch:
        rest = rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3:
        return None
    plural, name, subresource = [*rest, "", ""][:3]
    if plural == "namespaces" and not namespace:
        namespace = name
    verb = _verb(call, name, old_watch)
    return Route(verb, group, version, namespace, plural, name, subresource, old_watch)


def _verb(call: Call, name: str, old_watch: bool) -> str:
    verb = _READ_VERBS.get(call.method, call.method.lower())
    if verb == "get" and old_watch:
        return "watch"
    if verb == "get" and not name:
        return "watch" if call.flag("watch") else "list"
    return "deletecollection" if verb == "delete" and not name else verb


@dataclass(frozen=True)
class Parsed:
    """A JSON body, and the keys that stood in it twice (their paths)."""

    value: Any
    duplicates: tuple[str, ...]


def parse_json(body: bytes) -> Parsed:
    """Read a body.

    Raises:
        json.JSONDecodeError: it is not JSON.
    """
    duplicates: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> Json:
        result: Json = {}
        for name, value in found:
            if name in result:
                duplicates.append(name)
            result[name] = value
        return result

    value = json.loads(body.decode("utf-8", errors="replace"), object_pairs_hook=pairs)
    return Parsed(value, tuple(duplicates))


def integer(call: Call, name: str) -> int | None:
    """A whole number from the query.

    Raises:
        ApiError: 400, it is none.
    """
    text = call.query.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error
