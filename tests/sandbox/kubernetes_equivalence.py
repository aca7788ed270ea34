"""Whether two answers are the same but for what two clusters never share: uids, versions, times, random names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_IDENTITY = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![\d.])10\.\d+\.\d+\.\d+(?![\d.])"
)
"""A uid, or the address of a pod."""
_SECONDS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
_TIME_IN_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{9})?Z")
_MICROSECONDS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
_WORD = re.compile(r"[A-Za-z0-9]+")
_SUFFIX = re.compile(r"^[bcdfghjklmnpqrstvwxz2456789]{5}$")
_HASH = re.compile(r"^[bcdfghjklmnpqrstvwxz2456789]{6,11}$")
_STAMP = re.compile(r"^[0-9a-f]{14,17}$")
_VERSION_IN_TEXT = re.compile(
    r"(?<=in record \()\d+(?=\))|(?<=in the precondition \()\d+(?=\))|(?<=too old resource version: \d \()\d+(?=\))"
    r"|(?<=Too large resource version: 999999999, current: )\d+"
)
_PULL = re.compile(r"\d+m?s \(\d+m?s including waiting\)\. Image size: \d+ bytes")
_WHEN_CHANGED = {"f:lastTransitionTime", "f:lastUpdateTime"}
"""Whoever changed a time owns it, but a second change within a second changes nothing."""
_OBJECT = re.compile(r'"\{\\?".*\}"')
_GO_VALUE = re.compile(r"core\.\w+\{|v1\.\w+\{|0xc[0-9a-f]+|&\w+\.\w+\{")

VALUES_DROPPED = {
    "hostIP",
    "clusterIP",
    "clusterIPs",
    "containerID",
    "imageID",
    "sandboxID",
    "nodeName",
    "reportingInstance",
    "host",
    "serverAddress",
    "time",
}
"""Keys of which only the presence is compared."""


@dataclass
class Names:
    """What in the recording goes by which name in the emulator; each name belongs to one thing.

    `lists` are the versions of lists: those of the recording move on with objects that are not shown.
    """

    there: dict[str, str] = field(default_factory=dict)
    here: dict[str, str] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)

    def bind(self, recorded: str, seen: str) -> bool:
        """Whether the two may be the same thing."""
        if recorded in self.there or seen in self.here:
            return self.there.get(recorded) == seen
        self.there[recorded], self.here[seen] = seen, recorded
        return True

    def copy(self) -> "Names":
        """To try something out."""
        return Names(dict(self.there), dict(self.here), dict(self.lists))

    def become(self, other: "Names") -> None:
        """Keep what was tried out."""
        self.there, self.here, self.lists = other.there, other.here, other.lists

    def translate(self, value: Any) -> Any:
        """A recorded request in the emulator's names."""
        if isinstance(value, dict):
            return {self.translate(name): self.translate(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.translate(inner) for inner in value]
        if not isinstance(value, str):
            return value
        whole = self.there.get(value)
        if whole is not None:
            return whole
        text = self.translate_identities(value)
        return _WORD.sub(lambda found: self._word(found.group()), text)

    def translate_identities(self, text: str) -> str:
        """A text with the emulator's uids and addresses."""
        return _IDENTITY.sub(lambda found: self.there.get(found.group(), found.group()), text)

    def _word(self, word: str) -> str:
        if _SUFFIX.match(word) or _HASH.match(word):
            return self.there.get(word, word)
        return word


def differences(recorded: Any, seen: Any, names: Names, path: str = "") -> Iterator[str]:
    """Where they differ; names met for the first time are bound."""
    if isinstance(recorded, dict) and isinstance(seen, dict):
        yield from _object_differences(recorded, seen, names, path)
    elif isinstance(recorded, list) and isinstance(seen, list):
        yield from _list_differences(recorded, seen, names, path)
    elif isinstance(recorded, str) and isinstance(seen, str):
        if not _same_text(recorded, seen, names):
            yield f"{path}: recorded {recorded!r}, seen {seen!r}"
    elif recorded != seen or type(recorded) is not type(seen):
        yield f"{path}: recorded {recorded!r}, seen {seen!r}"


def _object_differences(
    recorded: dict[str, Any], seen: dict[str, Any], names: Names, path: str
) -> Iterator[str]:
    recorded = {names.translate(name): value for name, value in recorded.items()}
    for name in sorted(recorded.keys() | seen.keys(), key=_reading_order):
        here = f"{path}.{name}"
        if name in _WHEN_CHANGED:
            continue
        if name not in seen:
            yield f"{here}: recorded {recorded[name]!r}, not seen"
        elif name not in recorded:
            yield f"{here}: not recorded, seen {seen[name]!r}"
        else:
            yield from _field_differences(name, recorded, seen, names, here)


def _field_differences(
    name: str, recorded: dict[str, Any], seen: dict[str, Any], names: Names, here: str
) -> Iterator[str]:
    """Of a field that both have."""
    if name == "managedFields":
        yield from _owner_differences(recorded[name], seen[name], names, here)
    elif not (name == "message" and _GO_VALUE.search(str(recorded[name]))):
        if name == "continue":
            names.there[recorded[name]] = seen[name]
        elif name == "resourceVersion":
            yield from _version_differences(recorded, seen, names, here)
        elif name not in VALUES_DROPPED:
            yield from differences(recorded[name], seen[name], names, here)


def _reading_order(name: str) -> tuple[bool, bool, str]:
    """What names things comes before what is named by them."""
    return name == "metadata", name == "managedFields", name


def _version_differences(
    recorded: dict[str, Any], seen: dict[str, Any], names: Names, path: str
) -> Iterator[str]:
    if path.endswith("involvedObject.resourceVersion"):
        return  # the version the component that wrote the event happened to have
    if "uid" in recorded or "namespace" in recorded:
        there, here = f"version {recorded['resourceVersion']}", f"version {seen['resourceVersion']}"
        if not names.bind(there, here):
            yield f"{path}: recorded {there} which is {names.there.get(there)}, seen {here}"
    else:
        names.lists[recorded["resourceVersion"]] = seen["resourceVersion"]


def _owner_differences(recorded: Any, seen: Any, names: Names, path: str) -> Iterator[str]:
    if any(entry["apiVersion"] == "events.k8s.io/v1" for entry in recorded):
        return  # the fields of a resource that is not emulated
    there, here = ({_owner(entry): entry["fieldsV1"] for entry in entries} for entries in (recorded, seen))
    for owner in sorted(there.keys() | here.keys()):
        if owner not in here or owner not in there:
            yield f"{path}: {owner} only {'seen' if owner in here else 'recorded'}"
        else:
            yield from differences(there[owner], here[owner], names, f"{path}[{owner}]")


def _owner(entry: dict[str, Any]) -> str:
    return "/".join(
        str(entry.get(name, "")) for name in ("manager", "operation", "apiVersion", "subresource")
    )


def _list_differences(recorded: list[Any], seen: list[Any], names: Names, path: str) -> Iterator[str]:
    if len(recorded) != len(seen):
        yield f"{path}: recorded {len(recorded)} entries, seen {len(seen)}"
        return
    if path.endswith((".items", ".rows")):
        yield from _unordered_differences(recorded, seen, names, path)
        return
    for index, (one, other) in enumerate(zip(recorded, seen, strict=True)):
        yield from differences(one, other, names, f"{path}[{index}]")


def _unordered_differences(recorded: list[Any], seen: list[Any], names: Names, path: str) -> Iterator[str]:
    """Lists are sorted by name, and names are random: each entry must have one counterpart."""
    left = list(seen)
    for index, one in enumerate(recorded):
        closest: list[str] | None = None
        for other in left:
            tried = names.copy()
            found = list(differences(one, other, tried, f"{path}[{index}]"))
            if not found:
                names.become(tried)
                left.remove(other)
                break
            if closest is None or len(found) < len(closest):
                closest = found
        else:
            yield from closest or []


def _same_text(recorded: str, seen: str, names: Names) -> bool:
    if recorded == seen:
        return True
    for shape in (_SECONDS, _MICROSECONDS):
        if shape.match(recorded):
            return bool(shape.match(seen))
    for shape in (_OBJECT, _VERSION_IN_TEXT, _TIME_IN_TEXT, _PULL):
        recorded, seen = shape.sub("<value>", recorded), shape.sub("<value>", seen)
    there, here = _IDENTITY.findall(recorded), _IDENTITY.findall(seen)
    if len(there) != len(here) or not all(map(names.bind, there, here)):
        return False
    return _same_words(_IDENTITY.sub("<uid>", recorded), _IDENTITY.sub("<uid>", seen), names)


def _same_words(recorded: str, seen: str, names: Names) -> bool:
    there, here = _WORD.findall(recorded), _WORD.findall(seen)
    if _WORD.sub("", recorded) != _WORD.sub("", seen) or len(there) != len(here):
        return False
    return all(map(lambda one, other: _same_word(one, other, names), there, here))


def _same_word(recorded: str, seen: str, names: Names) -> bool:
    if _STAMP.match(recorded) and _STAMP.match(seen):
        return True
    if any(shape.match(recorded) and shape.match(seen) for shape in (_SUFFIX, _HASH)):
        return names.bind(recorded, seen)
    return recorded == seen
