"""The annotation by which anybody with kubectl makes the daemon stand still."""

from remediator.domain.switch import Scope, Switch
from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, objects, text

PAUSED = "remediator.io/paused"
"""On a namespace or a workload; its value says why."""

NO_REASON = "no reason given"


def paused(found: JsonObject, scope: Scope, value: str) -> Switch | None:
    """The switch that this object's annotation is, or None where it carries none."""
    why = at(found, "metadata", "annotations", PAUSED)
    if why is None:
        return None
    return Switch(
        source="annotation",
        scope=scope,
        value=value,
        who=_annotated_by(found),
        why=str(why).strip() or NO_REASON,
    )


def _annotated_by(found: JsonObject) -> str:
    """The field manager that owns the annotation: the nearest the cluster keeps to a name."""
    for entry in objects(found, "metadata", "managedFields"):
        owned = at(entry, "fieldsV1", "f:metadata", "f:annotations", f"f:{PAUSED}")
        if owned is not None and text(entry, "manager"):
            return text(entry, "manager")
    return "somebody"
