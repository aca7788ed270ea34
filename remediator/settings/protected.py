"""What is never touched, whatever a rule says: a built-in list, what the settings add, and what they point at."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from remediator.settings.load import Settings

BUILT_IN_NAMESPACES: Mapping[str, str] = {
    name: whose
    for whose, names in {
        "monitoring": "monitoring",
        "the network": "calico-apiserver calico-system cilium cilium-system metallb-system tigera-operator",
        "ingress": "ingress-nginx istio-ingress istio-system linkerd traefik",
        "admission": "cert-manager gatekeeper-system kyverno",
        "remediator": "remediator",
    }.items()
    for name in names.split()
}
"""Each with what lives there. The settings can add to it and take nothing away."""

_RESERVED = {"kube-": "Kubernetes itself", "openshift-": "OpenShift itself"}
"""Prefixes that the platforms keep for their own namespaces."""

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Service(NamedTuple):
    """A Service in this cluster."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Protected:
    """Namespaces and single workloads, each with what it is."""

    namespaces: Mapping[str, str] = field(default_factory=dict)
    targets: frozenset[str] = frozenset()
    """`kind/namespace/name`"""
    services: Mapping[Service, str] = field(default_factory=dict)
    """Services whose workloads we need ourselves: our database."""

    def why_namespace(self, name: str) -> str | None:
        """What a protected namespace holds; None for one that is not protected."""
        if name in self.namespaces:
            return self.namespaces[name]
        return next((whose for prefix, whose in _RESERVED.items() if name.startswith(prefix)), None)


def protected_by(settings: Settings, own_namespace: str | None) -> Protected:
    """What these settings protect; `own_namespace` is the one this process runs in, None outside of a cluster."""
    namespaces = {**dict.fromkeys(settings.protected_namespaces, "what the settings protect")}
    namespaces |= BUILT_IN_NAMESPACES
    for whose, urls in (
        ("the Alertmanager that is asked", settings.alertmanagers.urls),
        ("the Prometheus that is asked", (settings.prometheus.url or "",)),
    ):
        for url in urls:
            service = in_cluster(urlsplit(url).hostname or "", own_namespace)
            if service is not None:
                namespaces.setdefault(service.namespace, whose)
    if own_namespace:
        namespaces.setdefault(own_namespace, "remediator itself")
    found = (in_cluster(host, own_namespace) for host in _database_hosts(settings.database_url))
    services = {each: "remediator's own database" for each in found if each is not None}
    return Protected(namespaces, frozenset(settings.protected_targets), services)


def namespace_of_this_pod(directory: Path = _SERVICE_ACCOUNT) -> str | None:
    """The namespace this process runs in, as its ServiceAccount says; None outside of a cluster."""
    try:
        return (directory / "namespace").read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def in_cluster(host: str, own_namespace: str | None) -> Service | None:
    """The Service that a host name means within a cluster, or None for a name of elsewhere.

    `db` is of our own namespace, `db.data`, `db.data.svc` and `db-0.db.data.svc.cluster.local` name theirs. A name
    of two parts may also be of elsewhere: then a namespace is protected that is not there.
    """
    parts = host.lower().rstrip(".").split(".")
    if not host or _is_address(host) or parts == ["localhost"]:
        return None
    if "svc" in parts[2:]:
        before = parts[: parts.index("svc", 2)]
        return Service(before[-1], before[-2])
    if len(parts) == 1:
        return Service(own_namespace, parts[0]) if own_namespace else None
    return Service(parts[1], parts[0]) if len(parts) == 2 else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _database_hosts(url: str) -> list[str]:
    """The host names of `postgresql://user@one:5432,two:5432/name?host=three`.

    Addresses in brackets and the paths of sockets are left out.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    named = parts.netloc.rpartition("@")[2].split(",")
    for option in parts.query.split("&"):
        key, _, value = option.partition("=")
        named += value.split(",") if key == "host" else []
    hosts = (each.partition(":")[0] for each in named if not each.startswith("["))
    return [each for each in hosts if each and "/" not in each and "%2F" not in each.upper()]
