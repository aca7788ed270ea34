"""Whether a namespace's ResourceQuotas leave room for more pods of a template."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, objects, text
from remediator.workloads.quantity import quantity

_COUNTED = ("pods", "count/pods")
_PLAIN = ("cpu", "memory", "ephemeral-storage")


class Tightest(Value):
    """The quota that allows the fewest more pods."""

    pods: int
    """How many more it allows."""
    quota: str
    resource: str
    used: str
    hard: str


def tightest(quotas: Iterable[JsonObject], template: JsonObject) -> Tightest | None:
    """What limits pods of this template most; None when no quota limits them.

    What a container does not request counts as nothing: a LimitRange may fill it in, which is not looked at.
    Raises ValueError for a quota whose controller has not counted yet, and for what is no quantity.
    """
    found = [each for quota in quotas if _covers(quota, template) for each in _limits(quota, template)]
    return min(found, key=lambda each: each.pods, default=None)


def _limits(quota: JsonObject, template: JsonObject) -> Iterator[Tightest]:
    name = text(quota, "metadata", "name")
    hard, used = at(quota, "status", "hard"), at(quota, "status", "used")
    if not isinstance(hard, dict) or not isinstance(used, dict):
        raise ValueError(f"ResourceQuota {name} has not been counted yet")
    for resource, most in hard.items():
        needed = _needed(template, resource)
        if needed > 0:
            left = quantity(most) - quantity(used.get(resource, "0"))
            yield Tightest(
                pods=max(0, int(left // needed)),
                quota=name,
                resource=resource,
                used=str(used.get(resource, "0")),
                hard=str(most),
            )


def _needed(template: JsonObject, resource: str) -> Decimal:
    """What one pod takes of a quota's resource; nothing for what pods do not count towards."""
    if resource in _COUNTED:
        return Decimal(1)
    bound, _, name = resource.partition(".")
    if bound not in ("requests", "limits"):
        bound, name = "requests", resource if resource in _PLAIN else ""
    if not name:
        return Decimal(0)
    starting = objects(template, "spec", "initContainers")
    sidecars = [each for each in starting if each.get("restartPolicy") == "Always"]
    staying = [*objects(template, "spec", "containers"), *sidecars]
    running = sum((_of(each, bound, name) for each in staying), Decimal(0))
    return max([running, *(_of(each, bound, name) for each in starting)])


def _of(container: JsonObject, bound: str, name: str) -> Decimal:
    """A limit is the request where there is none (core/v1 defaults)."""
    value = at(container, "resources", bound, name)
    if value is None and bound == "requests":
        value = at(container, "resources", "limits", name)
    return quantity(value) if value is not None else Decimal(0)


def _covers(quota: JsonObject, template: JsonObject) -> bool:
    """Whether pods of this template count towards a quota; a scope that is not known here may."""
    effort_free = not any(
        at(each, "resources", bound)
        for each in objects(template, "spec", "containers")
        for bound in ("requests", "limits")
    )
    out = {"Terminating", "NotBestEffort" if effort_free else "BestEffort"}
    scopes = at(quota, "spec", "scopes")
    named = {each for each in scopes if isinstance(each, str)} if isinstance(scopes, list) else set()
    for requirement in objects(quota, "spec", "scopeSelector", "matchExpressions"):
        if text(requirement, "operator") == "Exists":
            named.add(text(requirement, "scopeName"))
        if text(requirement, "scopeName") == "PriorityClass" and text(requirement, "operator") == "In":
            wanted = at(requirement, "values") or ()
            if text(template, "spec", "priorityClassName") not in wanted:
                return False
    return not named & out
