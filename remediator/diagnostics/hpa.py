"""What scales the target: its HorizontalPodAutoscaler, and the KEDA ScaledObject behind it."""

from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Diagnostic
from remediator.workloads.autoscalers import of_workload
from remediator.workloads.fields import at, condition, count, objects, text

_LONGEST = 300
_SCALED_BY_KEDA = "ScaledObject"
_PAUSES = ("autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas")
_METRICS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


class Hpa(Diagnostic):
    """Current, desired, least and most replicas, what it measures, its conditions, and whether KEDA made it."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        target = run.target
        workload = await kit.kube.get(target.kind, target.namespace, target.name)
        if workload is None:
            return Evidence(step=self.key(), summary=f"{target} does not exist", failed=True)
        scalers = of_workload(workload, await kit.kube.list("horizontalpodautoscaler", target.namespace))
        keda = of_workload(workload, await kit.kube.list("scaledobject", target.namespace))
        rows = [_autoscaler(each) for each in scalers]
        scaled = [_scaled_object(each) for each in keda]
        said = [_said(each) for each in rows] + [_said_of_keda(each) for each in scaled]
        wanted = count(workload, "spec", "replicas")
        return Evidence(
            step=self.key(),
            summary="; ".join(said) or f"nothing scales it: {wanted} replicas are asked for",
            details={"replicas": wanted, "autoscalers": rows, "scaled_objects": scaled},
        )


def _autoscaler(hpa: JsonObject) -> JsonObject:
    owners = objects(hpa, "metadata", "ownerReferences")
    return {
        "name": text(hpa, "metadata", "name"),
        "least": count(hpa, "spec", "minReplicas") or 1,
        "most": count(hpa, "spec", "maxReplicas"),
        "current": count(hpa, "status", "currentReplicas"),
        "desired": count(hpa, "status", "desiredReplicas"),
        "metrics": _metrics(hpa),
        "conditions": [
            {name: text(each, name)[:_LONGEST] for name in ("type", "status", "reason", "message")}
            for each in objects(hpa, "status", "conditions")
        ],
        "limited": _limited(hpa),
        "last_scale_at": text(hpa, "status", "lastScaleTime"),
        "made_by": next(
            (text(each, "name") for each in owners if text(each, "kind") == _SCALED_BY_KEDA), None
        ),
    }


def _limited(hpa: JsonObject) -> str | None:
    """Why it may not scale as its metrics ask for, or None. That it is at its most is what matters at night."""
    limited = condition(hpa, "ScalingLimited")
    return text(limited, "reason") if text(limited, "status") == "True" else None


def _metrics(hpa: JsonObject) -> list[str]:
    """Each metric as `name: current / target`, as kubectl shows it; current is unknown where it is not told."""
    told = [_measured(each, "current") for each in objects(hpa, "status", "currentMetrics")]
    current = {name: value for name, value in told if name}
    wanted = [_measured(each, "target") for each in objects(hpa, "spec", "metrics")]
    return [f"{name}: {current.get(name, 'unknown')} / {value}" for name, value in wanted if name]


def _measured(metric: JsonObject, part: str) -> tuple[str, str]:
    inner = at(metric, _METRICS.get(text(metric, "type"), "")) or {}
    name = text(inner, "name") or text(inner, "metric", "name")
    container = text(inner, "container")
    value = at(inner, part) or {}
    if at(value, "averageUtilization") is not None:
        shown = f"{value['averageUtilization']}%"
    else:
        shown = str(at(value, "averageValue") or at(value, "value") or "unknown")
    return (f"{container}/{name}" if container else name), shown


def _scaled_object(scaled: JsonObject) -> JsonObject:
    """Of its triggers only the types: their metadata may say where, and with what, something is reached."""
    annotations = at(scaled, "metadata", "annotations") or {}
    return {
        "name": text(scaled, "metadata", "name"),
        "least": count(scaled, "spec", "minReplicaCount") or 0,
        "most": count(scaled, "spec", "maxReplicaCount") or 100,
        "triggers": [text(each, "type") for each in objects(scaled, "spec", "triggers")],
        "paused": [f"{name}={annotations[name]}" for name in _PAUSES if name in annotations],
        "ready": text(condition(scaled, "Ready"), "status") or "Unknown",
        "active": text(condition(scaled, "Active"), "status") or "Unknown",
        "fallback": text(condition(scaled, "Fallback"), "status") or "Unknown",
    }


def _said(row: JsonObject) -> str:
    failing = [f"{each['type']} is False ({each['reason']})" for each in row["conditions"] if _fails(each)]
    # One that cannot measure anything says that it wants 0.
    wants = f"wants {row['desired']}" if not failing else f"does not work: {', '.join(failing)}"
    said = f"{row['name']}: {row['current']} of {row['least']} to {row['most']} replicas, {wants}"
    if not failing and row["desired"] is not None and row["desired"] == row["most"]:
        said += ", which is all it may"
    elif row["limited"]:
        said += f", limited ({row['limited']})"
    return said + (f"; made by ScaledObject {row['made_by']}" if row["made_by"] else "")


def _fails(each: JsonObject) -> bool:
    return each["type"] in ("AbleToScale", "ScalingActive") and each["status"] == "False"


def _said_of_keda(row: JsonObject) -> str:
    said = f"ScaledObject {row['name']}: {row['least']} to {row['most']} by {', '.join(row['triggers']) or 'nothing'}"
    if row["paused"]:
        said += f", paused ({', '.join(row['paused'])})"
    return said + (", not ready" if row["ready"] == "False" else "")
