"""What a cluster stands on: monitoring, DNS, network, ingress and admission, known by what they are called.

A list and no more: whoever runs something under a name of its own names it in `protected_targets`.
"""

import re
from collections.abc import Iterator

from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, objects, text

_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "k8s-app", "app")
"""Where charts and manifests say what something is; the first two are Kubernetes' recommended labels."""

_CALLED = {
    "monitoring": """
        alertmanager kube-prometheus kube-prometheus-stack kube-state-metrics metrics-server prometheus
        prometheus-adapter prometheus-agent prometheus-k8s prometheus-operator prometheus-pushgateway prometheus-server
        pushgateway thanos thanos-query thanos-receive thanos-ruler thanos-store victoria-metrics vmagent vmalert
        vmalertmanager vminsert vmselect vmsingle vmstorage
        """,
    "DNS": "coredns external-dns kube-dns node-local-dns nodelocaldns",
    "the network": """
        antrea antrea-agent antrea-controller aws-node calico calico-apiserver calico-kube-controllers calico-node
        calico-typha cilium cilium-agent cilium-envoy cilium-operator flannel kube-flannel kube-ovn kube-proxy
        kube-router metallb multus tigera-operator weave-net
        """,
    "ingress": """
        contour envoy-gateway haproxy-ingress ingress-nginx istio istio-ingressgateway istiod linkerd nginx-ingress
        nginx-ingress-controller traefik
        """,
    "admission": """
        cert-manager gatekeeper kyverno kyverno-admission-controller opa opa-gatekeeper policy-controller
        sealed-secrets
        """,
    "remediator itself": "remediator",
}
_PARTS = {name: part for part, names in _CALLED.items() for name in names.split()}

_EXPORTER = re.compile(
    r"prometheus-[a-z0-9-]+-exporter|(blackbox|consul|elasticsearch|haproxy|jmx|kafka|memcached|mongodb|mysqld?|nginx"
    r"|node|pgbouncer|postgres|process|rabbitmq|redis|snmp|statsd)-exporter"
)
"""Well-known ones: any other `-exporter` may be an application that exports invoices."""

_OPERATORS = {
    "monitoring.coreos.com": "monitoring",
    "operator.victoriametrics.com": "monitoring",
    "operator.tigera.io": "the network",
    "operator.openshift.io": "the platform",
}
"""API groups whose objects own nothing else."""


def why_furniture(workload: JsonObject) -> str | None:
    """A sentence why the cluster stands on this workload, or None.

    By its own labels and those of its pods, by its name, and by who owns it.
    """
    for where, name in _names(workload):
        part = "monitoring" if _EXPORTER.fullmatch(name) else _PARTS.get(name)
        if part is not None:
            return f"it is part of {part}, by its {where} {name}"
    for owner in objects(workload, "metadata", "ownerReferences"):
        part = _OPERATORS.get(text(owner, "apiVersion").partition("/")[0])
        if part is not None:
            return f"it is part of {part}, by its owner {text(owner, 'kind')} {text(owner, 'name')}"
    return None


def _names(workload: JsonObject) -> Iterator[tuple[str, str]]:
    yield "name", text(workload, "metadata", "name")
    for metadata in (at(workload, "metadata"), at(workload, "spec", "template", "metadata")):
        for label in _LABELS:
            yield f"label {label}", text(metadata, "labels", label)


def behind(service: JsonObject | None, name: str, workload: JsonObject) -> bool:
    """Whether a workload is what a Service of this name leads to, as far as can be told.

    By the Service's selector, which its pods have to fit; and by its name alone, because a Service may be gone,
    or have no selector.
    """
    if name in (text(workload, "metadata", "name"), text(workload, "spec", "serviceName")):
        return True
    selector = at(service, "spec", "selector")
    labels = at(workload, "spec", "template", "metadata", "labels")
    if not isinstance(selector, dict) or not selector or not isinstance(labels, dict):
        return False
    return selector.items() <= labels.items()


def backends(webhooks: JsonObject) -> Iterator[tuple[str, str]]:
    """Namespace and name of each Service that an admission webhook configuration calls."""
    for each in objects(webhooks, "webhooks"):
        service = at(each, "clientConfig", "service")
        if text(service, "namespace") and text(service, "name"):
            yield text(service, "namespace"), text(service, "name")
