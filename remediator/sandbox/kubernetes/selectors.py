"""Label and field selectors, as query strings and as metav1.LabelSelector."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from remediator.sandbox.kubernetes.status import Json, bad_request

Labels = Mapping[str, str]
Matches = Callable[[Labels], bool]

_SET = re.compile(r"^\s*([^\s!=,()]+)\s+(in|notin)\s*\(([^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*([^\s!=,()]+)\s*(==|=|!=)\s*([^\s!=,()]*)\s*$")
_EXISTS = re.compile(r"^\s*(!?)\s*([^\s!=,()]+)\s*$")
_COMMA = re.compile(r",(?![^()]*\))")


def parse_label_selector(text: str) -> Matches:
    """What `labelSelector=` asks for.

    Raises:
        ApiError: 400, it cannot be parsed.
    """
    tests = [_requirement(part) for part in _COMMA.split(text)] if text.strip() else []
    return lambda labels: all(test(labels) for test in tests)


def _requirement(text: str) -> Matches:
    if found := _SET.match(text):
        key, operator, listed = found.groups()
        values = [value.strip() for value in listed.split(",")]
        return _expression(key, "In" if operator == "in" else "NotIn", values)
    if found := _EQUAL.match(text):
        key, operator, value = found.groups()
        return _expression(key, "NotIn" if operator == "!=" else "In", [value])
    if found := _EXISTS.match(text):
        return _expression(found.group(2), "DoesNotExist" if found.group(1) else "Exists", [])
    words = text.split()
    seen = words[1] if len(words) > 1 else text
    raise bad_request(f"unable to parse requirement: found '{seen}', expected: in, notin, =, ==, !=, gt, lt")


def _expression(key: str, operator: str, values: list[str]) -> Matches:
    match operator:
        case "In":
            return lambda labels: labels.get(key) in values
        case "NotIn":
            return lambda labels: labels.get(key) not in values
        case "Exists":
            return lambda labels: key in labels
        case "DoesNotExist":
            return lambda labels: key not in labels
        case _:
            raise bad_request(f"{operator!r} is not a valid label selector operator")


def label_selector(selector: Json | None) -> Matches:
    """What a metav1.LabelSelector selects; an empty one selects everything, none at all nothing."""
    if selector is None:
        return lambda _: False
    wanted = selector.get("matchLabels") or {}
    tests = [_expression(key, "In", [value]) for key, value in wanted.items()]
    for entry in selector.get("matchExpressions") or []:
        tests.append(_expression(entry["key"], entry["operator"], entry.get("values") or []))
    return lambda labels: all(test(labels) for test in tests)


def label_selector_text(selector: Json | None) -> str:
    """A selector in the form of a query string, as the scale subresource shows it."""
    wanted = (selector or {}).get("matchLabels") or {}
    return ",".join(f"{key}={wanted[key]}" for key in sorted(wanted))


def node_named_by(spec: Json) -> str | None:
    """The node a pod's required affinity names by metadata.name, as the DaemonSet controller writes it."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or []:
        for entry in term.get("matchFields") or []:
            if entry["key"] == "metadata.name" and entry["operator"] == "In":
                name: str = entry["values"][0]
                return name
    return None


def parse_field_selector(text: str, supported: tuple[str, ...]) -> Callable[[Json], bool]:
    """What `fieldSelector=` asks for, of the fields this resource can be selected by.

    Raises:
        ApiError: 400, malformed or a field that is not supported.
    """
    tests: list[tuple[str, bool, str]] = []
    for part in [part for part in text.split(",") if part.strip()]:
        found = re.match(r"^\s*([^=!]+?)\s*(==|=|!=)\s*(.*?)\s*$", part)
        if not found:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        field, operator, value = found.groups()
        if field not in ("metadata.name", "metadata.namespace", *supported):
            raise bad_request(f"field label not supported: {field}")
        tests.append((field, operator != "!=", value))
    return lambda obj: all((_field(obj, field) == value) is wanted for field, wanted, value in tests)


def _field(obj: Json, path: str) -> str:
    if path == "source":
        return str(_dig(obj, "source.component") or _dig(obj, "reportingComponent") or "")
    value = _dig(obj, path)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return str(value)


def _dig(obj: Json, path: str) -> Any:
    here: Any = obj
    for part in path.split("."):
        here = here.get(part) if isinstance(here, dict) else None
    return here
