"""The kinds of objects we read or write, and the paths they have in the Kubernetes API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from remediator.errors import Permanent

_LABEL_NAME = re.compile(r"([A-Za-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_FIELD_SPECIAL, _ESCAPED = re.compile(r"[\\,=]"), r"\\\g<0>"
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind and where it is found."""

    kind: str
    api_version: str
    plural: str
    namespaced: bool = True
    custom: bool = False
    """Of a CustomResourceDefinition, which a cluster need not have: then there are simply none."""

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The path of one object, or of all in a namespace when `name` is None.

        Raises Permanent for a name that would lead to another path than its own.
        """
        parts = ["apis" if "/" in self.api_version else "api", self.api_version]
        if self.namespaced:
            parts += ["namespaces", _segment(namespace)]
        parts.append(self.plural)
        if name is not None:
            parts.append(_segment(name))
        return "/" + "/".join(parts)


_RESOURCES = {
    "deployment": Resource("Deployment", "apps/v1", "deployments"),
    "statefulset": Resource("StatefulSet", "apps/v1", "statefulsets"),
    "daemonset": Resource("DaemonSet", "apps/v1", "daemonsets"),
    "replicaset": Resource("ReplicaSet", "apps/v1", "replicasets"),
    "controllerrevision": Resource("ControllerRevision", "apps/v1", "controllerrevisions"),
    "pod": Resource("Pod", "v1", "pods"),
    "event": Resource("Event", "v1", "events"),
    "configmap": Resource("ConfigMap", "v1", "configmaps"),
    "service": Resource("Service", "v1", "services"),
    "endpointslice": Resource("EndpointSlice", "discovery.k8s.io/v1", "endpointslices"),
    "podmetrics": Resource("PodMetrics", "metrics.k8s.io/v1beta1", "pods"),
    "resourcequota": Resource("ResourceQuota", "v1", "resourcequotas"),
    "ingress": Resource("Ingress", "networking.k8s.io/v1", "ingresses"),
    "job": Resource("Job", "batch/v1", "jobs"),
    "horizontalpodautoscaler": Resource(
        "HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers"
    ),
    "poddisruptionbudget": Resource("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
    "rollout": Resource("Rollout", "argoproj.io/v1alpha1", "rollouts", custom=True),
    "canary": Resource("Canary", "flagger.app/v1beta1", "canaries", custom=True),
    "scaledobject": Resource("ScaledObject", "keda.sh/v1alpha1", "scaledobjects", custom=True),
    "verticalpodautoscaler": Resource(
        "VerticalPodAutoscaler", "autoscaling.k8s.io/v1", "verticalpodautoscalers", custom=True
    ),
}

NAMESPACE = Resource("Namespace", "v1", "namespaces", namespaced=False)
VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS = (
    Resource(
        f"{what}WebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        f"{what.lower()}webhookconfigurations",
        namespaced=False,
    )
    for what in ("Validating", "Mutating")
)
NODE = Resource("Node", "v1", "nodes", namespaced=False)


def resource(kind: str) -> Resource:
    """Look up a kind written as in `Target.kind`. Raises Permanent for one that is not in the table."""
    try:
        return _RESOURCES[kind]
    except KeyError:
        raise Permanent(f"kind {kind!r} is not one of {', '.join(_RESOURCES)}") from None


def label_selector(selector: Mapping[str, str]) -> str:
    """`a=b,c=d`. Raises Permanent for an empty selector, which would select everything, and for
    names and values that are not labels', which could say more than one requirement.
    """
    if not selector:
        raise Permanent("an empty selector would select everything")
    for name, value in selector.items():
        if not _LABEL_NAME.fullmatch(name) or not _LABEL_VALUE.fullmatch(value):
            raise Permanent(f"{name}={value} cannot be a label and its value")
    return ",".join(f"{name}={value}" for name, value in selector.items())


def field_selector(selector: Mapping[str, str]) -> str:
    """`a=b,c=d` with the escapes of apimachinery's fields.EscapeValue. Raises Permanent when empty."""
    if not selector:
        raise Permanent("an empty selector would select everything")
    return ",".join(f"{name}={_FIELD_SPECIAL.sub(_ESCAPED, value)}" for name, value in selector.items())


def _segment(name: str | None) -> str:
    """One part of a path; what may be one is the rule of apimachinery's path.IsValidPathSegmentName."""
    if not name or name in (".", "..") or "/" in name or "%" in name:
        raise Permanent(f"{name!r} is not a name")
    return quote(name, safe="")
