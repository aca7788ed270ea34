"""How many pods a rollout may have: maxSurge, maxUnavailable, and proportional scaling."""

import math
from typing import Any

from remediator.sandbox.kubernetes.controllers.revisions import DESIRED, MAXIMUM
from remediator.sandbox.kubernetes.status import Json


def resolve(value: Any, total: int, *, round_up: bool) -> int:
    """A number or percentage of `total`."""
    if isinstance(value, int):
        return value
    share = int(str(value).rstrip("%")) * total / 100
    return math.ceil(share) if round_up else math.floor(share)


def is_rolling(deployment: Json) -> bool:
    """Whether the strategy is RollingUpdate."""
    return bool(deployment["spec"]["strategy"]["type"] == "RollingUpdate")


def fenceposts(deployment: Json) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods: surge rounds up, unavailable down, never both zero."""
    spec = deployment["spec"]
    rolling = spec["strategy"].get("rollingUpdate") or {}
    surge = resolve(rolling.get("maxSurge", 0), spec["replicas"], round_up=True)
    unavailable = resolve(rolling.get("maxUnavailable", 0), spec["replicas"], round_up=False)
    return (0, 1) if surge == 0 and unavailable == 0 else (surge, unavailable)


def max_surge(deployment: Json) -> int:
    """Pods there may be above `replicas`."""
    return fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Json) -> int:
    """Pods that may be missing from `replicas`."""
    replicas: int = deployment["spec"]["replicas"]
    if not is_rolling(deployment) or replicas == 0:
        return 0
    return min(fenceposts(deployment)[1], replicas)


def wanted(replica_sets: list[Json]) -> int:
    """The sum of spec.replicas."""
    return sum(rs["spec"]["replicas"] for rs in replica_sets)


def observed(replica_sets: list[Json], field: str) -> int:
    """The sum of one field of status."""
    return sum(rs.get("status", {}).get(field, 0) for rs in replica_sets)


def new_replica_set_size(deployment: Json, every: list[Json], current: int) -> int:
    """How large the new ReplicaSet, now `current`, may be made at once."""
    replicas: int = deployment["spec"]["replicas"]
    if not is_rolling(deployment):
        return replicas
    ceiling = replicas + max_surge(deployment)
    total = wanted(every)
    if total >= ceiling:
        return current
    return current + min(ceiling - total, replicas - current)


def size_annotations(deployment: Json) -> dict[str, str]:
    """The two annotations by which scaling is told from a rollout."""
    replicas = deployment["spec"]["replicas"]
    return {DESIRED: str(replicas), MAXIMUM: str(replicas + max_surge(deployment))}


def is_scaling(deployment: Json, replica_sets: list[Json]) -> bool:
    """Whether `replicas` changed since the active ReplicaSets were sized."""
    replicas = str(deployment["spec"]["replicas"])
    active = [rs for rs in replica_sets if rs["spec"]["replicas"] > 0]
    return any((rs["metadata"].get("annotations") or {}).get(DESIRED, replicas) != replicas for rs in active)


def proportional_sizes(deployment: Json, active: list[Json]) -> dict[str, int]:
    """New sizes by name when a Deployment is scaled in the middle of a rollout."""
    replicas = deployment["spec"]["replicas"]
    allowed = replicas + max_surge(deployment) if replicas > 0 else 0
    to_add = allowed - wanted(active)
    ordered = sorted(active, key=lambda rs: rs["metadata"]["creationTimestamp"], reverse=to_add > 0)
    ordered.sort(key=lambda rs: -rs["spec"]["replicas"])
    sizes: dict[str, int] = {}
    added = 0
    for replica_set in ordered:
        share = _share(replica_set, deployment, to_add, added)
        sizes[replica_set["metadata"]["name"]] = replica_set["spec"]["replicas"] + share
        added += share
    if ordered and to_add:
        first = ordered[0]["metadata"]["name"]
        sizes[first] = max(0, sizes[first] + to_add - added)
    return sizes


def _share(replica_set: Json, deployment: Json, to_add: int, added: int) -> int:
    size = replica_set["spec"]["replicas"]
    if size == 0 or to_add in (0, added):
        return 0
    fraction = _fraction(replica_set, deployment)
    left = to_add - added
    return min(fraction, left) if to_add > 0 else max(fraction, left)


def _fraction(replica_set: Json, deployment: Json) -> int:
    size: int = replica_set["spec"]["replicas"]
    replicas = deployment["spec"]["replicas"]
    if replicas == 0:
        return -size
    before = int((replica_set["metadata"].get("annotations") or {}).get(MAXIMUM, "0"))
    if before == 0:
        return 0
    share: int = round(size * (replicas + max_surge(deployment)) / before)
    return share - size
