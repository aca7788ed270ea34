"""The recordings of a real API server: their files, and one scenario's exchanges in order."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.sandbox.kubernetes_client import Json

RECORDINGS = Path(__file__).parent.parent / "recordings"


def load(recording: str) -> Json:
    """A recording, with its table of managed fields put back in."""
    loaded: Json = json.loads((RECORDINGS / f"{recording}.json").read_text())
    table = loaded.pop("managedFieldsTable", [])
    return _resolved(loaded, table) if table else loaded


def _resolved(value: Any, table: list[Any]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"$ref"}:
            return table[value["$ref"]]
        return {name: _resolved(inner, table) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, table) for inner in value]
    return value


def exchanges_of(recordings: Sequence[str]) -> list[Json]:
    """What was asked and answered in these recordings, made at the same time, in order.

    A name that comes again gets a number. What kubectl sent was recorded without its time: it all has that of the
    beginning, and a replay waits for the states it shows.
    """
    found = [
        exchange for each in recordings for exchange in load(each)["exchanges"] if exchange.get("request")
    ]
    found.sort(key=lambda exchange: float(exchange.get("at", 0.0)))
    seen: Counter[str] = Counter()
    for exchange in found:
        exchange.setdefault("at", 0.0)
        name = exchange["name"]
        seen[name] += 1
        if seen[name] > 1:
            exchange["name"] = f"{name} ({seen[name]})"
        _without_a_stream_of_one(exchange)
    return found


def _without_a_stream_of_one(exchange: Json) -> None:
    """The recorder kept every answer to a watch as a list, even one that was no stream of events."""
    response = exchange["response"]
    body = response["body"]
    if isinstance(body, str):
        response["stream"] = False
    elif response.get("stream") and (response["status"] != 200 or (body and "object" not in body[0])):
        response.update(stream=False, body=body[0])


def as_created(recording: str, name: str) -> Json:
    """The Pod that this exchange shows, as its maker had sent it."""
    shown = next(each for each in exchanges_of([recording]) if each["name"] == name)["response"]["body"]
    made_by_server = (
        "nodeName",
        "priority",
        "preemptionPolicy",
        "serviceAccount",
        "serviceAccountName",
        "tolerations",
    )
    spec = {key: value for key, value in shown["spec"].items() if key not in (*made_by_server, "volumes")}
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        del container["volumeMounts"]
    metadata = {key: shown["metadata"][key] for key in ("name", "labels")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def count() -> int:
    """How many exchanges there are in all recordings."""
    return sum(len(exchanges_of([path.stem])) for path in RECORDINGS.glob("*.json"))
