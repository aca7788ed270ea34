"""What the server fills in: the values a client left out, kind by kind (Kubernetes v1.33)."""

import base64
from collections.abc import Callable

from remediator.sandbox.kubernetes.status import Json

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""The annotation in which the server counts the changes of a DaemonSet's template."""


def apply_defaults(kind: str, obj: Json, before: Json | None = None) -> None:
    """Fill in `obj`, in place, whatever it lacks; `before` is what it replaces."""
    if kind in _DEFAULTS:
        _DEFAULTS[kind](obj)
    if kind == "DaemonSet":
        _keep_template_generation(obj, before)


def _deployment(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _pod_template(spec)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    obj.setdefault("status", {})


def _replica_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _pod_template(spec)
    obj.setdefault("status", {"replicas": 0})


def _stateful_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    _pod_template(spec)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("partition", 0)
        rolling.pop("maxUnavailable", None)  # its feature gate is off in v1.33: the server drops the field
    spec.setdefault("revisionHistoryLimit", 10)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")


def _daemon_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _pod_template(spec)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)


def _keep_template_generation(obj: Json, before: Json | None) -> None:
    """A client cannot set it: it is 1 at first, and then what it was."""
    kept = before["metadata"]["annotations"][TEMPLATE_GENERATION] if before is not None else "1"
    annotations = obj["metadata"].get("annotations") or {}
    obj["metadata"]["annotations"] = {**annotations, TEMPLATE_GENERATION: kept}


def _pod(obj: Json) -> None:
    pod_spec(obj.setdefault("spec", {}))
    obj["spec"].setdefault("enableServiceLinks", True)
    obj.setdefault("status", {})


def _pod_template(spec: Json) -> None:
    template = spec.setdefault("template", {})
    template["metadata"] = {"creationTimestamp": None, **template.get("metadata", {})}
    pod_spec(template.setdefault("spec", {}))


def pod_spec(spec: Json) -> None:
    """The defaults of a pod's spec, alone or in a template."""
    for container in [*spec.get("containers", []), *spec.get("initContainers", [])]:
        _container(container)
    for volume in spec.get("volumes", []):
        _volume(volume)
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    if "serviceAccountName" in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")


def _container(container: Json) -> None:
    for port in container.get("ports", []):
        port.setdefault("protocol", "TCP")
    for variable in container.get("env", []):
        if "fieldRef" in variable.get("valueFrom", {}):
            variable["valueFrom"]["fieldRef"].setdefault("apiVersion", "v1")
    resources = container.setdefault("resources", {})
    for name, amount in resources.get("limits", {}).items():
        resources.setdefault("requests", {}).setdefault(name, amount)
    for probe in _PROBES:
        if probe in container:
            _probe(container[probe])
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image", "")))


def _pull_policy(image: str) -> str:
    tag = image.rsplit("/", 1)[-1].partition("@")[0].partition(":")[2]
    if "@" in image:
        return "IfNotPresent"
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _probe(probe: Json) -> None:
    if "httpGet" in probe:
        probe["httpGet"].setdefault("path", "/")
        probe["httpGet"].setdefault("scheme", "HTTP")
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")
    defaults = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    for name, value in defaults.items():
        probe.setdefault(name, value)


def _volume(volume: Json) -> None:
    for source in ("configMap", "secret", "projected", "downwardAPI"):
        if source in volume:
            volume[source].setdefault("defaultMode", 420)
    if "hostPath" in volume:
        volume["hostPath"].setdefault("type", "")
    if set(volume) == {"name"}:
        volume["emptyDir"] = {}


def qos_class(spec: Json) -> str:
    """Guaranteed, Burstable or BestEffort, from the containers' requests and limits."""
    resources: list[Json] = [container.get("resources", {}) for container in spec.get("containers", [])]
    if not any(entry.get("requests") or entry.get("limits") for entry in resources):
        return "BestEffort"
    wanted = ("cpu", "memory")
    limited = all(set(wanted) <= set(entry.get("limits", {})) for entry in resources)
    equal = all(entry.get("requests") == entry.get("limits") for entry in resources)
    return "Guaranteed" if limited and equal else "Burstable"


def _service(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    for port in spec.get("ports", []):
        port.setdefault("protocol", "TCP")
        port.setdefault("targetPort", port.get("port"))
    spec.setdefault("type", "ClusterIP")
    spec.setdefault("sessionAffinity", "None")
    spec.setdefault("internalTrafficPolicy", "Cluster")
    obj.setdefault("status", {"loadBalancer": {}})


def _namespace(obj: Json) -> None:
    metadata = obj["metadata"]
    metadata["labels"] = {**metadata.get("labels", {}), "kubernetes.io/metadata.name": metadata["name"]}
    obj.setdefault("spec", {})


def _node(obj: Json) -> None:
    obj.setdefault("spec", {})


def _event(obj: Json) -> None:
    obj.setdefault("source", {})
    for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
        obj.setdefault(name, None)


def _autoscaler(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)


def _endpoint_slice(obj: Json) -> None:
    """Lists without omitempty: Go writes a null where there is nothing."""
    obj.setdefault("endpoints", None)
    obj.setdefault("ports", None)


def _secret(obj: Json) -> None:
    obj.setdefault("type", "Opaque")
    written = obj.pop("stringData", None) or {}
    if written:
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in written.items()}
        obj["data"] = {**obj.get("data", {}), **encoded}


_DEFAULTS: dict[str, Callable[[Json], None]] = {
    "Deployment": _deployment,
    "ReplicaSet": _replica_set,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Pod": _pod,
    "Service": _service,
    "Namespace": _namespace,
    "Node": _node,
    "Event": _event,
    "HorizontalPodAutoscaler": _autoscaler,
    "EndpointSlice": _endpoint_slice,
    "Secret": _secret,
}
