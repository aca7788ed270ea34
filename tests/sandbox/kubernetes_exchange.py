"""One exchange: its request in the emulator's names, and whether the answer is the recorded one."""

import json
from typing import Any

from tests.sandbox.kubernetes_client import Answered, Json
from tests.sandbox.kubernetes_equivalence import Names, differences

_HEADERS = ("content-type", "warning", "retry-after")


def with_versions(names: Names, request: Json) -> Json:
    """The request with what it names by the names the emulator has given."""

    def versions(value: Any) -> Any:
        if isinstance(value, dict):
            result = {}
            for name, inner in value.items():
                is_version = name == "resourceVersion" and isinstance(inner, str)
                result[name] = _version(names, inner) if is_version else versions(inner)
            if value.get("path") == "/metadata/resourceVersion" and isinstance(value.get("value"), str):
                result["value"] = _version(names, value["value"])
            return result
        return [versions(inner) for inner in value] if isinstance(value, list) else value

    translated: Json = names.translate(versions(request))
    return translated


def _version(names: Names, recorded: str) -> str:
    as_list = names.lists.get(recorded, recorded)
    return names.there.get(f"version {recorded}", as_list).removeprefix("version ")


def answer_differences(recorded: Json, answer: Answered, names: Names) -> list[str]:
    """Where the answer is not the recorded one: in status, headers that matter or body."""
    if recorded["status"] != answer.status:
        return [f"status: recorded {recorded['status']}, seen {answer.status} {answer.text[:200]}"]
    found = []
    wanted = {name.lower(): value for name, value in recorded["headers"].items()}
    seen = {name.lower(): value for name, value in answer.headers.items()}
    for name in sorted(wanted.keys() | set(_HEADERS)):
        if wanted.get(name) != seen.get(name):
            found.append(f"header {name}: recorded {wanted.get(name)}, seen {seen.get(name)}")
    body: Any = recorded["body"]
    shown: Any = answer.text or None
    if isinstance(body, dict | list):
        shown = json.loads(answer.text)
    return [*found, *differences(body, shown, names)]
