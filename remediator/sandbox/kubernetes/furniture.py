"""What every cluster has before its first user comes: namespaces and a node."""

from remediator.sandbox.kubernetes.clock import rfc3339
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.writes import Writes

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
NODE = "node-1"
_SYSTEM = Origin("system:apiserver", "kube-apiserver", "create", client=False)
_KUBELET = Origin(f"system:node:{NODE}", "kubelet", "update", client=False)
_CAPACITY = {"cpu": "2", "ephemeral-storage": "100Gi", "memory": "8Gi", "pods": "110"}


def furnish(writes: Writes) -> None:
    """Create them."""
    for name in NAMESPACES:
        writes.create(find("namespaces"), "", {"metadata": {"name": name}}, _SYSTEM)
    labels = {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    nodes = find("nodes")
    node = writes.create(nodes, "", {"metadata": {"name": NODE, "labels": labels}, "spec": {}}, _KUBELET)
    status = _node_status(rfc3339(writes.clock.now()))
    writes.update(nodes, writes.key(nodes, "", NODE), node, {**node, "status": status}, _KUBELET, "status")


def _node_status(now: str) -> Json:
    return {
        "capacity": _CAPACITY,
        "allocatable": _CAPACITY,
        "conditions": [
            _condition("MemoryPressure", "False", "KubeletHasSufficientMemory", now),
            _condition("DiskPressure", "False", "KubeletHasNoDiskPressure", now),
            _condition("PIDPressure", "False", "KubeletHasSufficientPID", now),
            _condition("Ready", "True", "KubeletReady", now),
        ],
        "addresses": [
            {"type": "InternalIP", "address": "127.0.0.1"},
            {"type": "Hostname", "address": NODE},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {
            "architecture": "amd64",
            "containerRuntimeVersion": "containerd://1.7.0",
            "kubeletVersion": "v1.33.13",
            "operatingSystem": "linux",
            "osImage": "emulator",
            "kernelVersion": "0",
        },
    }


def _condition(kind: str, status: str, reason: str, now: str) -> Json:
    return {
        "type": kind,
        "status": status,
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": reason,
    }
