"""Objects a real API server sent, from tests/recordings."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from remediator.domain.value import JsonObject

RECORDINGS = Path(__file__).parent.parent / "recordings"


@cache
def exchanges(scenario: str) -> list[JsonObject]:
    document = json.loads((RECORDINGS / f"{scenario}.json").read_text(encoding="utf-8"))
    found: list[JsonObject] = document["exchanges"]
    return found


def body(scenario: str, name: str) -> JsonObject:
    """The answer to the exchange of this name."""
    found: JsonObject = next(each for each in exchanges(scenario) if each["name"] == name)["response"]["body"]
    return found


def items(scenario: str, name: str) -> list[JsonObject]:
    listed: list[JsonObject] = body(scenario, name)["items"]
    return listed


@dataclass
class Cluster:
    """What the watches of the recorded rollout had shown up to one event."""

    deployment: JsonObject
    replica_sets: dict[str, JsonObject] = field(default_factory=dict)
    pods: dict[str, JsonObject] = field(default_factory=dict)


def rollout_event_by_event() -> Iterator[Cluster]:
    """The recorded rollout as the three watches saw it together, from the Deployment's creation on."""
    events = []
    for kind in ("deployment", "replicasets", "pods"):
        (watch,) = exchanges(f"deployment-rollout-watch-{kind}")
        response = watch["response"]
        for seconds, event in zip(response["event_seconds"], response["body"], strict=True):
            if event["type"] != "BOOKMARK":
                events.append((seconds, kind, event))
    cluster = Cluster(deployment={})
    for _, kind, event in sorted(events, key=lambda each: each[0]):
        changed = event["object"]
        if kind == "deployment":
            cluster.deployment = changed
        else:
            known = cluster.replica_sets if kind == "replicasets" else cluster.pods
            known[changed["metadata"]["uid"]] = changed
            if event["type"] == "DELETED":
                del known[changed["metadata"]["uid"]]
        if cluster.deployment:
            yield cluster
