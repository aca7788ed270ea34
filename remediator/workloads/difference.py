"""What differs between two pod templates, in sentences for people and without anything secret."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from remediator.domain.change import RESTARTED_AT, revision_hash
from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, objects, text

_SECRET_NAME = re.compile(
    r"pass|pwd|secret|token|key|credential|auth|private|cert|salt|session|cookie|dsn|conn|webhook|signature",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"://[^/\s]*@|(?:pass\w*|pwd|secret|token|key|sig)\s*[=:]|bearer\s|-----BEGIN|hooks\.slack|[\w+/=-]{32}",
    re.IGNORECASE,
)
_FLAG = re.compile(r"(?P<name>--[\w.-]+)(?:=(?P<value>.*))?", re.DOTALL)
_LONGEST_VALUE = 80

_IN_SENTENCES_OF_THEIR_OWN = frozenset({"name", "image", "env"})
_PROBES = {
    "livenessProbe": "liveness probe",
    "readinessProbe": "readiness probe",
    "startupProbe": "startup probe",
}
_LISTS = {"containers": "container", "initContainers": "init container"}


def difference(from_template: JsonObject, to_template: JsonObject) -> list[str]:
    """One sentence for each thing that differs; none when both are the same version.

    Values are shown for images, plain environment variables, flags, resources and probes. What looks secret
    by its name or its form is shown as `***`; of references only the names of what they refer to.
    """
    if revision_hash(from_template) == revision_hash(to_template):
        return []
    sentences = [
        sentence
        for field, kind in _LISTS.items()
        for sentence in _containers(kind, at(from_template, "spec", field), at(to_template, "spec", field))
    ]
    sentences += _changed_keys("pod", at(from_template, "spec"), at(to_template, "spec"), frozenset(_LISTS))
    for field, ignored in {"labels": "pod-template-hash", "annotations": RESTARTED_AT}.items():
        maps = (at(from_template, "metadata", field), at(to_template, "metadata", field))
        sentences += _changed_keys(f"pod {field}", *maps, frozenset({ignored}))
    return sentences or ["Something outside containers, pod settings, labels and annotations changed."]


def _containers(kind: str, before: object, after: object) -> Iterator[str]:
    old, new = _by_name(before), _by_name(after)
    for name in sorted(old.keys() | new.keys()):
        where = f"{kind} {name}"
        if name not in new:
            yield f"{where}: removed (image {text(old[name], 'image')})."
        elif name not in old:
            yield f"{where}: added (image {text(new[name], 'image')})."
        else:
            yield from _container(where, old[name], new[name])
    if [*old] != [*new] and old.keys() == new.keys():
        yield f"{kind}s: their order changed."


def _container(where: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
    if old.get("image") != new.get("image"):
        yield f"{where}: image {text(old, 'image')} -> {text(new, 'image')}."
    yield from _environment(where, old, new)
    for field in sorted((old.keys() | new.keys()) - _IN_SENTENCES_OF_THEIR_OWN):
        before, after = old.get(field), new.get(field)
        if before == after:
            continue
        if field == "resources":
            yield f"{where}: resources {_flat(before)} -> {_flat(after)}."
        elif field in _PROBES:
            yield f"{where}: {_PROBES[field]} {_probe(before)} -> {_probe(after)}."
        elif field in ("command", "args"):
            yield f"{where}: {field} {_flags(before)} -> {_flags(after)}."
        elif field == "envFrom":
            yield f"{where}: environment from {_env_from(old)} -> {_env_from(new)}."
        else:
            yield f"{where}: {field} changed."


def _environment(where: str, old: JsonObject, new: JsonObject) -> Iterator[str]:
    before, after = _by_name(old.get("env")), _by_name(new.get("env"))
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{where}: environment variable {name} removed (was {_variable(before[name])})."
        elif name not in before:
            yield f"{where}: environment variable {name} added ({_variable(after[name])})."
        elif before[name] != after[name]:
            shown = f"{_variable(before[name])} -> {_variable(after[name])}"
            yield f"{where}: environment variable {name} {shown}."
    if before == after and old.get("env") != new.get("env"):
        yield f"{where}: order of environment variables changed."


def _variable(variable: JsonObject) -> str:
    source = variable.get("valueFrom")
    if isinstance(source, dict):
        return f"from {_reference(source)}"
    name, value = text(variable, "name"), text(variable, "value")
    return _plain(name, value) if value else "empty"


def _reference(source: JsonObject) -> str:
    """What a valueFrom refers to, by name."""
    names = {"secretKeyRef": "secret", "configMapKeyRef": "config map"}
    for field, kind in names.items():
        if field in source:
            return f"{kind} {text(source, field, 'name')} key {text(source, field, 'key')}"
    if "fieldRef" in source:
        return f"field {text(source, 'fieldRef', 'fieldPath')}"
    if "resourceFieldRef" in source:
        return f"resource {text(source, 'resourceFieldRef', 'resource')}"
    return "another source"


def _env_from(container: JsonObject) -> str:
    named = []
    for source in objects(container, "envFrom"):
        for field, kind in {"configMapRef": "config map", "secretRef": "secret"}.items():
            if field in source:
                named.append(f"{kind} {text(source, field, 'name')}")
    return ", ".join(named) or "nothing"


def _plain(name: str, value: str) -> str:
    if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value):
        return "***"
    return repr(value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "...")


def _flags(words: object) -> str:
    """The --flags among the words of a command. Any other word may be a script or a password: `...`."""
    if not isinstance(words, list) or not words:
        return "none"
    return " ".join(_flag(word) for word in words)


def _flag(word: object) -> str:
    found = _FLAG.fullmatch(word) if isinstance(word, str) else None
    if found is None:
        return "..."
    name, value = found["name"], found["value"]
    return name if value is None else f"{name}={_plain(name, value)}"


def _probe(probe: object) -> str:
    """A probe's numbers and where it asks; headers and commands stay out."""
    if not isinstance(probe, dict):
        return "none"
    shown: dict[str, Any] = {key: value for key, value in probe.items() if isinstance(value, int)}
    shown |= {"path": _plain("path", path)} if (path := text(probe, "httpGet", "path")) else {}
    for kind in ("httpGet", "tcpSocket", "grpc"):
        port = at(probe, kind, "port")
        shown |= {"port": port} if port is not None else {}
    shown |= {"exec": "..."} if "exec" in probe else {}
    return _flat(shown)


def _flat(value: object, prefix: str = "") -> str:
    """A nested map in one line: `limits.cpu=1 limits.memory=1Gi`."""
    if not isinstance(value, Mapping) or not value:
        return f"{prefix}={value}" if prefix else "none"
    return " ".join(_flat(value[key], f"{prefix}.{key}" if prefix else key) for key in sorted(value))


def _changed_keys(where: str, before: object, after: object, ignored: frozenset[str]) -> Iterator[str]:
    """Names of the keys whose values differ. Values stay out: nothing is known about them."""
    old, new = (value if isinstance(value, dict) else {} for value in (before, after))
    for key in sorted((old.keys() | new.keys()) - ignored):
        if old.get(key) != new.get(key):
            verb = "added" if key not in old else "removed" if key not in new else "changed"
            yield f"{where}: {key} {verb}."


def _by_name(items: object) -> dict[str, JsonObject]:
    return {text(each, "name"): each for each in objects({"items": items}, "items")}
