"""What the server adds to an object on its own account: nobody owns these fields."""

import copy
from typing import Any

from remediator.sandbox.kubernetes.defaults import TEMPLATE_GENERATION, qos_class
from remediator.sandbox.kubernetes.status import Json, not_emulated

_FIRST_STATUS: dict[str, Json] = {
    "PodDisruptionBudget": {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
    "StatefulSet": {"replicas": 0, "availableReplicas": 0},
    "DaemonSet": {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    },
    "HorizontalPodAutoscaler": {"desiredReplicas": 0, "currentMetrics": None},
}
_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOLERATIONS = [
    {
        "key": f"node.kubernetes.io/{taint}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": 300,
    }
    for taint in ("not-ready", "unreachable")
]


def _admit_pod(obj: Json, suffix: str) -> None:
    """What the admission plug-ins add to a new pod: service account, its token volume, tolerations, priority."""
    if obj["spec"].get("initContainers"):
        raise not_emulated("pods with init containers")
    obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}
    spec = obj["spec"]
    account = spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = account
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    present = {entry.get("key") for entry in spec.get("tolerations", [])}
    missing = [copy.deepcopy(entry) for entry in _TOLERATIONS if entry["key"] not in present]
    spec["tolerations"] = [*spec.get("tolerations", []), *missing]
    if spec.get("automountServiceAccountToken") is False:
        return
    name = f"kube-api-access-{suffix}"
    spec["volumes"] = [*spec.get("volumes", []), _token_volume(name)]
    mount = {"name": name, "readOnly": True, "mountPath": _TOKEN_PATH}
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        container["volumeMounts"] = [*container.get("volumeMounts", []), dict(mount)]


def _token_volume(name: str) -> Json:
    namespace_path: Json = {
        "path": "namespace",
        "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
    }
    sources: list[Any] = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace_path]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 420}}


def _admit_service(spec: Json, suffix: str) -> None:
    """An address out of the cluster's range, unless it is headless or a name for another."""
    if spec["type"] == "ExternalName":
        return
    numbers = [ord(letter) % 250 + 1 for letter in suffix]
    spec.setdefault("clusterIP", f"10.96.{numbers[0]}.{sum(numbers) % 250 + 1}")
    spec["clusterIPs"] = [spec["clusterIP"]]
    spec.setdefault("ipFamilies", ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "SingleStack")


def admit_change(kind: str, before: Json, after: Json) -> None:
    """Add, in place, what the server adds to an object that is changed."""
    if kind == "DaemonSet" and before["spec"]["template"] != after["spec"]["template"]:
        annotations = after["metadata"]["annotations"]
        count = int(annotations[TEMPLATE_GENERATION]) + 1
        after["metadata"]["annotations"] = {**annotations, TEMPLATE_GENERATION: str(count)}


def admit(kind: str, obj: Json, suffix: str) -> None:
    """Add, in place, what the server adds to a new object; `suffix` is random.

    Raises:
        ApiError: 501, a pod the kubelet does not run.
    """
    if kind == "Pod":
        _admit_pod(obj, suffix)
    elif kind == "Event":
        obj.setdefault("reportingComponent", "")
        obj.setdefault("reportingInstance", "")
    elif kind == "Service":
        _admit_service(obj["spec"], suffix)
    elif kind in _FIRST_STATUS:
        obj["status"] = copy.deepcopy(_FIRST_STATUS[kind])
    elif kind == "Namespace":
        obj["spec"] = {"finalizers": ["kubernetes"]}
        obj["status"] = {"phase": "Active"}
