"""What the server refuses in how a workload is to be rolled out (Kubernetes' pkg/apis/apps/validation)."""

from collections.abc import Iterator
from typing import Any

from remediator.sandbox.kubernetes.causes import not_allowed, not_negative, required, unsupported, wrong
from remediator.sandbox.kubernetes.status import Cause, Json, not_emulated

_MAY_CHANGE = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)
_TYPES = "must be 'RollingUpdate' or 'OnDelete'"


def refuse_unemulated(kind: str, spec: Json) -> None:
    """Refuse what no controller here does.

    Raises:
        ApiError: 501.
    """
    if spec.get("volumeClaimTemplates"):
        raise not_emulated("volumeClaimTemplates: there are no volumes")
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    if kind == "DaemonSet" and not _is_zero(rolling.get("maxSurge", 0)):
        raise not_emulated("maxSurge of a DaemonSet")


def strategy_causes(kind: str, spec: Json) -> Iterator[Cause]:
    """What is wrong with a workload's strategy."""
    if kind == "Deployment":
        yield from _deployment_causes(spec.get("strategy", {}))
    elif kind == "StatefulSet":
        yield from _stateful_set_causes(spec)
    elif kind == "DaemonSet":
        yield from _daemon_set_causes(spec.get("updateStrategy", {}))


def frozen_spec_causes(before: Json, after: Json) -> Iterator[Cause]:
    """What is wrong with a change of a StatefulSet's spec: most of it stays as it was made."""
    if any(before.get(name) != after.get(name) for name in (before | after) if name not in _MAY_CHANGE):
        *most, last = (f"'{name}'" for name in _MAY_CHANGE)
        fields = f"{', '.join(most)} and {last}"
        yield not_allowed("spec", f"updates to statefulset spec for fields other than {fields} are forbidden")


def _deployment_causes(strategy: Json) -> Iterator[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in ("Recreate", "RollingUpdate"):
        yield unsupported("spec.strategy.type", str(kind), ["Recreate", "RollingUpdate"])
    elif kind == "Recreate" and rolling is not None:
        why = "may not be specified when strategy `type` is 'Recreate'"
        yield not_allowed("spec.strategy.rollingUpdate", why)
    elif rolling is not None and all(_is_zero(rolling.get(n)) for n in ("maxUnavailable", "maxSurge")):
        shown = 'intstr.IntOrString{Type:0, IntVal:0, StrVal:""}'
        field = "spec.strategy.rollingUpdate.maxUnavailable"
        yield wrong(field, shown, "may not be 0 when `maxSurge` is 0")


def _is_zero(value: Any) -> bool:
    return value in (0, "0", "0%")


def _stateful_set_causes(spec: Json) -> Iterator[Cause]:
    policy = spec.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        yield wrong("spec.podManagementPolicy", f'"{policy}"', "must be 'OrderedReady' or 'Parallel'")
    strategy = spec.get("updateStrategy", {})
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    field = "spec.updateStrategy.rollingUpdate"
    if kind not in ("RollingUpdate", "OnDelete"):
        yield wrong("spec.updateStrategy", f'{{Type:"{kind}"}}', _TYPES)
    elif kind == "OnDelete" and rolling is not None:
        yield wrong(field, str(rolling), "only allowed for updateStrategy 'RollingUpdate'")
    yield from not_negative(rolling or {}, "partition", f"{field}.partition")


def _daemon_set_causes(strategy: Json) -> Iterator[Cause]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if kind not in ("RollingUpdate", "OnDelete"):
        yield unsupported("spec.updateStrategy.type", str(kind), ["OnDelete", "RollingUpdate"])
    elif kind == "RollingUpdate" and _is_zero((rolling or {}).get("maxUnavailable", 0)):
        why = "cannot be 0 when maxSurge is 0"
        yield required("spec.updateStrategy.rollingUpdate.maxUnavailable", why)
