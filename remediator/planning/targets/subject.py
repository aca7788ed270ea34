"""Which of an alert's labels speak of its subject, and which only of the exporter that was scraped. Pure.

Prometheus adds labels of its own to whatever it scrapes: namespace, pod, container, service, node. When an
application is scraped they name the application. When kube-state-metrics is scraped they name
kube-state-metrics, while the subject stands in labels of the metric itself. Three things tell them apart:

- `exported_pod` and the like: the metric's own label made way for that of the scrape, so that every plain label
  of the scrape names the exporter. That is Prometheus' `honor_labels: false`. `exported_instance` says so as well: a
  gateway, a collector or another Prometheus passed on what it had from elsewhere.
- Labels that no scrape adds (`deployment`, `horizontalpodautoscaler`, `job_name` and so on) always are the metric's.
- Where `job`, `service`, `container` or `pod` says that an exporter was scraped (kube-state-metrics, the kubelet,
  anything called so-and-so-exporter), its own pod, container and service are told by their names.
  kube-prometheus-stack honours labels, and still leaves those of kube-state-metrics on every alert whose metric has
  none. Traefik is told by how it names a service, `shop-api-8080@kubernetes`: its pod is never the subject of that.
- A mesh measures requests on either side. Where it says to whom they went (Istio's `destination_workload`, Linkerd's
  `dst_deployment`), the pod may be that of whoever sent them.

What is still in doubt is asked of the cluster, see resolve.py.
"""

import re
from collections.abc import Mapping

from remediator.domain.answers import Refusal
from remediator.domain.value import Value

OF_A_SCRAPE = ("namespace", "pod", "container", "service", "node")
"""Labels that Prometheus adds to what it scrapes in Kubernetes, and that a metric may have as well."""
OF_A_METRIC = ("replicaset", "horizontalpodautoscaler", "job_name", "cronjob", "rollout", "ingress")
"""Labels that name an object and that no scrape adds."""
BESIDES = ("persistentvolumeclaim", "host", "path", "instance", "uid")
"""Labels that choose among objects, or tell what the alert is about when nothing else does."""

_WORKLOADS = ("deployment", "statefulset", "daemonset")
_OTHER_NAMES = {"horizontalpodautoscaler": ("horizontalpodautoscaler", "hpa")}
_LONGEST_NAME = 253
_EXPORTERS = re.compile(
    r"(?:.*[-_/])?(kube-state-metrics|kubelet|cadvisor|pushgateway|kminion|(?:otel|opentelemetry)-collector"
    r"|[a-z0-9]+[-_]exporter)(?:[-_][a-z0-9-]+)?"
)
_OF_TRAEFIK = re.compile(r"[^@]+@[a-z]+")
"""Its services, each with the provider that told of it (Traefik, routers and services: `name@provider`)."""


class Subject(Value):
    """What an alert says it is about."""

    namespace: str | None = None
    workload: tuple[str, str] | None = None
    """Kind, in lower case, and name."""
    named: Mapping[str, str] = {}
    """Objects by the label that names them; `container`, `node` and the labels of BESIDES among them."""
    exporter: str | None = None
    """Why plain labels of the scrape are left out, for a person; None where none are."""
    scraped: str | None = None
    """The exporter that was scraped, where its name says so. `container` may be one of its own, whose name need
    not say so: kube-prometheus scrapes kube-state-metrics through `kube-rbac-proxy-main`."""

    towards: str | None = None
    """The workload to which the requests went that a mesh measured; None where nothing says so."""

    def names_an_object(self) -> bool:
        """Whether a label names something that can be looked up in a namespace."""
        return self.workload is not None or any(
            each in self.named for each in (*OF_A_METRIC, "pod", "service")
        )


def subject_of(labels: Mapping[str, str]) -> Subject | Refusal:
    """Read an alert's labels. A refusal when they name two workloads."""
    workloads = _workloads(labels)
    if len(workloads) > 1:
        return Refusal(why="two candidates: " + " and ".join(f"{kind} {name}" for kind, name in workloads))
    exported = sorted(
        f"exported_{each}" for each in (*OF_A_SCRAPE, "instance") if f"exported_{each}" in labels
    )
    scraped = {
        name: value
        for name in OF_A_SCRAPE
        if (value := labels.get(f"exported_{name}" if exported else name)) is not None
    }
    exporter = f"{exported[0]} is there, so that plain labels name the exporter" if exported else None
    known = None if exported else _known_exporter(labels)
    if known is not None:
        # Never its namespace: honoured labels say the subject's.
        scraped = {
            name: value for name, value in scraped.items() if name == "namespace" or known not in value
        }
        exporter = f"it comes by way of {known}"
    elif not exported and _OF_TRAEFIK.fullmatch(labels.get("service", "")):
        scraped, exporter = {}, "it comes by way of Traefik"
    own = {name: value for name in (*OF_A_METRIC, *BESIDES) if (value := _label(labels, name)) is not None}
    namespace = scraped.pop("namespace", None)
    return Subject(
        namespace=namespace,
        workload=workloads[0] if workloads else None,
        named={**own, **scraped},
        exporter=exporter,
        scraped=known,
        towards=_towards(labels),
    )


def _workloads(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    """The workloads named by labels; more than one when they differ. `workload` alone names none."""
    named = [(kind, value) for kind in _WORKLOADS if (value := _label(labels, kind)) is not None]
    workload, workload_type = _label(labels, "workload"), _label(labels, "workload_type")
    if workload is not None and workload_type is not None:
        named.append((workload_type.lower(), workload))
    return list(dict.fromkeys(named))


def _label(labels: Mapping[str, str], name: str) -> str | None:
    """A label's value under any of its names. Where `exported_x` is there, plain `x` is never used."""
    for each in _OTHER_NAMES.get(name, (name,)):
        value = labels.get(f"exported_{each}", labels.get(each))
        if value is not None:
            return value
    return None


def _towards(labels: Mapping[str, str]) -> str | None:
    """Istio and Linkerd write `unknown`, or leave it out, where they cannot tell."""
    outbound = labels.get("direction") == "outbound"
    named = labels.get("destination_workload") or (labels.get("dst_deployment") if outbound else None)
    return named if named != "unknown" else None


def _known_exporter(labels: Mapping[str, str]) -> str | None:
    for name in ("job", "service", "container", "pod"):
        value = labels.get(name, "")
        # Anything longer is no name, and labels come from anywhere: the expression takes quadratic time.
        found = _EXPORTERS.fullmatch(value) if len(value) <= _LONGEST_NAME else None
        if found is not None:
            return found.group(1).replace("_", "-")
    return None
