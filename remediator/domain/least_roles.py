"""Roles and bindings that grant exactly some rights, as Kubernetes takes them. Pure."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from remediator.domain.rights import Needed, Right

_API = "rbac.authorization.k8s.io"
_LABELS = {"app.kubernetes.io/name": "remediator"}

Manifest = dict[str, Any]


class ServiceAccount(NamedTuple):
    """Whose rights they are."""

    namespace: str
    name: str


def cluster_role(needed: Iterable[Needed], account: ServiceAccount) -> list[Manifest]:
    """What cannot be granted in a namespace, and its binding."""
    return _granted("ClusterRole", "remediator", [each.right for each in needed], account, {})


def roles(needed: Sequence[Needed], namespace: str, account: ServiceAccount) -> list[Manifest]:
    """What is granted in a namespace: to look, and apart from it to act, so that either can be taken away."""
    found: list[Manifest] = []
    for to in ("look", "act"):
        rights = [each.right for each in needed if each.to == to]
        if rights:
            found += _granted("Role", f"remediator-{to}", rights, account, {"namespace": namespace})
    return found


def _granted(
    kind: str, name: str, rights: Collection[Right], account: ServiceAccount, where: dict[str, str]
) -> list[Manifest]:
    metadata = {"name": name, **where, "labels": _LABELS}
    return [
        {"apiVersion": f"{_API}/v1", "kind": kind, "metadata": metadata, "rules": _rules(rights)},
        {
            "apiVersion": f"{_API}/v1",
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": _API, "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", **account._asdict()}],
        },
    ]


def _rules(rights: Collection[Right]) -> list[Manifest]:
    """Resources of one group with the same verbs stand together."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for verb, group, resource in rights:
        verbs.setdefault((group, resource), set()).add(verb)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), each in sorted(verbs.items()):
        together.setdefault((group, tuple(sorted(each))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(each)}
        for (group, each), resources in together.items()
    ]
