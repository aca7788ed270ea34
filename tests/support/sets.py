"""A StatefulSet or DaemonSet for stories."""

from typing import Any

from tests.support.story import deployment


def workload(kind: str, image: str, *, enabled: str | None = "act", **spec: Any) -> dict[str, Any]:
    """A StatefulSet or DaemonSet `db` in namespace `shop`."""
    made = deployment(image)
    annotations = {"remediator.io/rollback": "compatible", "remediator.io/interruptible": "true"}
    if enabled is not None:
        annotations["remediator.io/enabled"] = enabled
    made |= {"kind": kind}
    made["metadata"] = {"name": "db", "namespace": "shop", "annotations": annotations}
    made["spec"] |= {"selector": {"matchLabels": {"app": "db"}}}
    made["spec"]["template"]["metadata"]["labels"] = {"app": "db"}
    if kind == "StatefulSet":
        made["spec"]["serviceName"] = "db"
    else:
        del made["spec"]["replicas"]
    made["spec"] |= spec
    return made
