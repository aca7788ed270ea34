"""How few pods may be ready while a workload replaces its pods, by our own estimate."""

import re
from collections.abc import Iterable, Mapping
from math import ceil, floor

from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, count, text

INTERRUPTIBLE = "remediator.io/interruptible"
"""On a workload: `true` is its team's word that for a moment no pod may be ready."""

_PERCENT = re.compile(r"([0-9]{1,9})%")
_DEFAULTS = {"Deployment": "25%", "DaemonSet": 1, "StatefulSet": 1}
"""maxUnavailable where it is not said (apis/apps/v1 defaults)."""


class Estimate(Value):
    """The fewest ready pods a change may lead to, and what makes it so."""

    ready: int
    """Ready now."""
    lowest: int
    why: str


def while_rolling(workload: JsonObject, desired: int, ready: int) -> Estimate:
    """What a new template may do to the ready pods.

    Only ready pods can be lost: a controller removes those that are not ready first, and keeps as many
    available ones as the strategy says. Raises ValueError for a strategy it does not understand.
    """
    kind = text(workload, "kind")
    field = "strategy" if kind == "Deployment" else "updateStrategy"
    strategy = text(workload, "spec", field, "type") or "RollingUpdate"
    if kind not in _DEFAULTS or strategy not in ("RollingUpdate", "Recreate", "OnDelete"):
        raise ValueError(f"how a {kind} with the strategy {strategy} replaces its pods is not known")
    if strategy == "OnDelete":
        return Estimate(ready=ready, lowest=ready, why="its strategy is OnDelete")
    if strategy == "Recreate":
        return Estimate(ready=ready, lowest=0, why="its strategy is Recreate")
    if kind == "StatefulSet":
        return _of_statefulset(workload, desired, ready)
    away = _unavailable(kind, at(workload, "spec", field, "rollingUpdate"), desired)
    lowest = min(ready, max(0, desired - away))
    return Estimate(ready=ready, lowest=lowest, why=f"{away} of {desired} pods may be unavailable meanwhile")


def _of_statefulset(workload: JsonObject, desired: int, ready: int) -> Estimate:
    """With OrderedReady nothing is replaced while another pod is not ready (processMonotonic returns early in
    stateful_set_control.go); with Parallel a ready pod may go while one that is not ready waits below it.
    """
    rolling = at(workload, "spec", "updateStrategy", "rollingUpdate", "maxUnavailable")
    away = _resolved(rolling, _DEFAULTS["StatefulSet"], desired, up=True)
    why = f"a StatefulSet replaces {away} pod{'' if away == 1 else 's'} at a time"
    if text(workload, "spec", "podManagementPolicy") == "Parallel":
        return Estimate(ready=ready, lowest=max(0, ready - away), why=f"{why}, ready or not")
    return Estimate(
        ready=ready, lowest=min(ready, max(0, desired - away)), why=f"{why} and waits for the others"
    )


def while_scaling(workload: JsonObject, desired: int, ready: int, to: int) -> Estimate:
    """What wanting another number of replicas does to the ready pods.

    A Deployment ends those that are not ready first (controller_utils.go, ActivePodsWithRanks), a StatefulSet those
    of the highest numbers, ready or not.
    """
    ended = max(0, desired - to)
    first = ended if text(workload, "kind") == "StatefulSet" else max(0, ready - to)
    return Estimate(ready=ready, lowest=max(0, ready - first), why=f"{ended} of {desired} pods are ended")


def while_evicting(ready: int, pod_is_ready: bool) -> Estimate:
    """What the eviction of one pod does to the ready ones."""
    what = "one ready pod is evicted" if pod_is_ready else "the evicted pod is not ready"
    return Estimate(ready=ready, lowest=max(0, ready - pod_is_ready), why=what)


def healthy_wanted(budgets: Iterable[JsonObject], labels: Mapping[str, str]) -> int:
    """The most pods any PodDisruptionBudget that selects these labels wants healthy.

    Raises ValueError for one whose count its controller has not written yet.
    """
    wanted = 0
    for budget in budgets:
        if selects(at(budget, "spec", "selector"), labels):
            number = count(budget, "status", "desiredHealthy")
            if number is None:
                name = text(budget, "metadata", "name")
                raise ValueError(f"PodDisruptionBudget {name} does not say how many pods it wants healthy")
            wanted = max(wanted, number)
    return wanted


def surge_pods(workload: JsonObject, desired: int) -> int:
    """How many pods beyond the wanted ones a rolling update may make. Raises ValueError like while_rolling."""
    kind = text(workload, "kind")
    field = "strategy" if kind == "Deployment" else "updateStrategy"
    if text(workload, "spec", field, "type") not in ("", "RollingUpdate") or kind == "StatefulSet":
        return 0
    default = "25%" if kind == "Deployment" else 0
    return _resolved(at(workload, "spec", field, "rollingUpdate", "maxSurge"), default, desired, up=True)


def _unavailable(kind: str, rolling: object, desired: int) -> int:
    """maxUnavailable in pods, as ResolveFenceposts of the deployment controller and UnavailableCount of the
    DaemonSet controller round it: a Deployment's down, and to one where there is no surge either.
    """
    default, surge_default = _DEFAULTS[kind], "25%" if kind == "Deployment" else 0
    away = _resolved(at(rolling, "maxUnavailable"), default, desired, up=kind == "DaemonSet")
    surge = _resolved(at(rolling, "maxSurge"), surge_default, desired, up=True)
    return max(away, 1) if surge == 0 else away


def _resolved(value: object, default: object, desired: int, *, up: bool) -> int:
    """A count, or a percentage of the wanted pods."""
    value = default if value is None else value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    share = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if share is None:
        raise ValueError(f"{value!r} is no count of pods and no percentage")
    return (ceil if up else floor)(int(share[1]) * desired / 100)


def selects(selector: object, labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes these labels; one that cannot be read takes everything."""
    if not isinstance(selector, Mapping):
        return False
    if any(labels.get(name) != value for name, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(requirement: object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(text(requirement, "key")), at(requirement, "values") or ()
    match text(requirement, "operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case _:
            return True
