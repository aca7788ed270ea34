"""Tables, as `kubectl get` asks for them: columns and cells per kind, as the server prints them.

`table_columns.json` holds what the server says about columns, by kind ("*": of all), taken from recordings.
"""

import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from remediator.sandbox.kubernetes.clock import parse_rfc3339
from remediator.sandbox.kubernetes.negotiation import partial
from remediator.sandbox.kubernetes.status import Json

Row = Callable[[Json, datetime], list[Any]]


def _age(obj: Json, now: datetime) -> str:
    return duration((now - parse_rfc3339(obj["metadata"]["creationTimestamp"])).total_seconds())


def duration(seconds: float) -> str:
    """A time span the way kubectl shows it: 45s, 3m5s, 12m, 5h2m, 3d4h, 40d."""
    whole = int(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return f"{minutes}m{whole % 60}s" if whole % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d"


def _deployment(obj: Json, now: datetime) -> list[Any]:
    status, spec = obj.get("status", {}), obj["spec"]
    ready = f"{status.get('readyReplicas', 0)}/{spec['replicas']}"
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    containers = spec["template"]["spec"]["containers"]
    return [
        obj["metadata"]["name"],
        ready,
        updated,
        available,
        _age(obj, now),
        *_containers(containers),
        _selector(spec),
    ]


def _replica_set(obj: Json, now: datetime) -> list[Any]:
    status, spec = obj.get("status", {}), obj["spec"]
    numbers = [spec["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0)]
    containers = spec["template"]["spec"]["containers"]
    return [obj["metadata"]["name"], *numbers, _age(obj, now), *_containers(containers), _selector(spec)]


def _stateful_set(obj: Json, now: datetime) -> list[Any]:
    ready = f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj['spec']['replicas']}"
    containers = obj["spec"]["template"]["spec"]["containers"]
    return [obj["metadata"]["name"], ready, _age(obj, now), *_containers(containers)]


def _daemon_set(obj: Json, now: datetime) -> list[Any]:
    status, spec = obj.get("status", {}), obj["spec"]
    selected = spec["template"]["spec"].get("nodeSelector") or {}
    nodes = ",".join(f"{key}={selected[key]}" for key in sorted(selected)) or "<none>"
    return [
        obj["metadata"]["name"],
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        nodes,
        _age(obj, now),
        *_containers(spec["template"]["spec"]["containers"]),
        _selector(spec),
    ]


def _controller_revision(obj: Json, now: datetime) -> list[Any]:
    owners = obj["metadata"].get("ownerReferences") or []
    owner = next((entry for entry in owners if entry.get("controller")), None)
    of = "<none>"
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        of = f"{owner['kind'].lower()}{'.' if group else ''}{group}/{owner['name']}"
    return [obj["metadata"]["name"], of, obj.get("revision", 0), _age(obj, now)]


def _containers(containers: list[Json]) -> list[str]:
    return [",".join(one["name"] for one in containers), ",".join(one["image"] for one in containers)]


def _selector(spec: Json) -> str:
    labels = (spec.get("selector") or {}).get("matchLabels") or {}
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


def _pod(obj: Json, now: datetime) -> list[Any]:
    status = obj.get("status", {})
    statuses = status.get("containerStatuses", [])
    ready = f"{sum(1 for one in statuses if one['ready'])}/{len(obj['spec']['containers'])}"
    restarts = sum(one["restartCount"] for one in statuses)
    cells = [obj["metadata"]["name"], ready, _pod_reason(obj), str(restarts), _age(obj, now)]
    none = "<none>"
    return [*cells, status.get("podIP", none), obj["spec"].get("nodeName", none), none, none]


def _pod_reason(obj: Json) -> str:
    status = obj.get("status", {})
    reason: str = status.get("phase", "")
    for one in reversed(status.get("containerStatuses", [])):
        waiting, ended = one["state"].get("waiting"), one["state"].get("terminated")
        if waiting and waiting.get("reason"):
            reason = waiting["reason"]
        elif ended:
            reason = ended.get("reason", "")
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else reason


def _service(obj: Json, now: datetime) -> list[Any]:
    spec = obj["spec"]
    ports = ",".join(f"{port['port']}/{port['protocol']}" for port in spec.get("ports", []))
    selector = ",".join(f"{key}={value}" for key, value in sorted((spec.get("selector") or {}).items()))
    address = spec.get("clusterIP", "None")
    return [
        obj["metadata"]["name"],
        spec["type"],
        address,
        "<none>",
        ports or "<none>",
        _age(obj, now),
        selector or "<none>",
    ]


def _event(obj: Json, now: datetime) -> list[Any]:
    seen = obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"]["creationTimestamp"]
    about = obj["involvedObject"]
    return [
        duration((now - parse_rfc3339(seen)).total_seconds()),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        obj.get("message", ""),
    ]


def _node(obj: Json, now: datetime) -> list[Any]:
    conditions = obj.get("status", {}).get("conditions", [])
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    shown = "Ready" if ready else "NotReady"
    shown += ",SchedulingDisabled" if obj["spec"].get("unschedulable") else ""
    version = obj.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")
    return [obj["metadata"]["name"], shown, "<none>", _age(obj, now), version]


def _namespace(obj: Json, now: datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("status", {}).get("phase", ""), _age(obj, now)]


def _config_map(obj: Json, now: datetime) -> list[Any]:
    return [obj["metadata"]["name"], len(obj.get("data") or {}), _age(obj, now)]


def _secret(obj: Json, now: datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj["type"], len(obj.get("data") or {}), _age(obj, now)]


def _other(obj: Json, _: datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj["metadata"]["creationTimestamp"]]


_WORKLOAD_TAIL = ("Age", "-Containers", "-Images", "-Selector")
_COLUMNS: dict[str, tuple[tuple[str, ...], Row]] = {
    "Deployment": (("Name", "Ready", "Up-to-date", "Available", *_WORKLOAD_TAIL), _deployment),
    "ReplicaSet": (("Name", "#Desired", "#Current", "#Ready", *_WORKLOAD_TAIL), _replica_set),
    "StatefulSet": (("Name", "Ready", *_WORKLOAD_TAIL[:-1]), _stateful_set),
    "DaemonSet": (
        (
            "Name",
            "#Desired",
            "#Current",
            "#Ready",
            "#Up-to-date",
            "#Available",
            "Node Selector",
            *_WORKLOAD_TAIL,
        ),
        _daemon_set,
    ),
    "ControllerRevision": (("Name", "Controller", "Revision", "Age"), _controller_revision),
    "Pod": (
        ("Name", "Ready", "Status", "Restarts", "Age", "-IP", "-Node", "-Nominated Node", "-Readiness Gates"),
        _pod,
    ),
    "Service": (("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "-Selector"), _service),
    "Event": (("Last Seen", "Type", "Reason", "Object", "Message"), _event),
    "Node": (("Name", "Status", "Roles", "Age", "Version"), _node),
    "Namespace": (("Name", "Status", "Age"), _namespace),
    "ConfigMap": (("Name", "Data", "Age"), _config_map),
    "Secret": (("Name", "Type", "Data", "Age"), _secret),
}
_OTHER: tuple[tuple[str, ...], Row] = (("Name", "Created At"), _other)


@cache
def _descriptions() -> dict[str, dict[str, str]]:
    text = files(__package__).joinpath("table_columns.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, str]] = json.loads(text)
    return loaded


def _definition(kind: str, name: str) -> Json:
    """A column: `#` marks a number, `-` a column shown only in wide output."""
    shown = name.lstrip("#-")
    described = {**_descriptions()["*"], **_descriptions().get(kind, {})}
    return {
        "name": shown,
        "type": "integer" if name.startswith("#") else "string",
        "format": "name" if shown == "Name" else "",
        "description": described.get(shown, ""),
        "priority": 1 if name.startswith("-") else 0,
    }


def table(kind: str, metadata: Json, objects: list[Json], include: str, now: datetime) -> Json:
    """A Table of these objects; `include` is the request's includeObject (None, Metadata or Object)."""
    columns, cells = _COLUMNS.get(kind, _OTHER)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(kind, name) for name in columns],
        "rows": [{"cells": cells(obj, now), "object": _shown(obj, include)} for obj in objects],
    }


def _shown(obj: Json, include: str) -> Json | None:
    if include == "None":
        return None
    return obj if include == "Object" else partial(obj)
