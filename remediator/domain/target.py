"""The one Kubernetes object a run may change."""

import re
from typing import Self

from remediator.domain.value import Value

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")

KINDS = ("deployment", "statefulset", "daemonset")
"""Kinds this daemon can change, in lower case as rule files write them."""


class Target(Value):
    """Names one object; the key of locks, cooldowns and incidents.

    The uid is not part of it: an object deleted and made anew is still the same target for a
    cooldown, and its uid is pinned by the change instead.
    """

    cluster: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def parse(cls, text: str, cluster: str) -> Self:
        """Read `deployment/checkout/api`. Raises ValueError saying which part is wrong."""
        parts = text.split("/")
        if len(parts) != 3:
            raise ValueError(f"not kind/namespace/name: {text!r} (for example deployment/checkout/api)")
        kind, namespace, name = parts
        wrong = misnamed(kind, namespace, name)
        if wrong is not None:
            raise ValueError(wrong)
        return cls(cluster=cluster, kind=kind, namespace=namespace, name=name)

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


def misnamed(kind: str, namespace: str, name: str) -> str | None:
    """Why these cannot name an object we may change, or None.

    Names follow Kubernetes' rules (RFC 1123 label and subdomain), so an empty, blank, `*` or
    option-like value can never reach a request.
    """
    if kind not in KINDS:
        return f"kind {kind!r} is not one this version can change (it can: {', '.join(KINDS)})"
    if not _DNS_LABEL.fullmatch(namespace):
        return f"{namespace!r} is not a namespace's name"
    if not _DNS_SUBDOMAIN.fullmatch(name) or ".." in name:
        return f"{name!r} is not an object's name"
    return None
