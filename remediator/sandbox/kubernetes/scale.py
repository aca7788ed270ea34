"""The scale subresource: the same two numbers for every kind that has replicas."""

from remediator.sandbox.kubernetes.causes import wrong
from remediator.sandbox.kubernetes.resources import Resource
from remediator.sandbox.kubernetes.selectors import label_selector_text
from remediator.sandbox.kubernetes.status import Json, bad_request, invalid

SCALE = Resource("autoscaling", "v1", "scales", "Scale", schema="autoscaling.v1.Scale")
"""Not a resource of its own: what bodies of scale subresources are read as."""

_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Json) -> Json:
    """An object's Scale."""
    replicas, observed = obj["spec"].get("replicas", 0), obj.get("status", {}).get("replicas", 0)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: obj["metadata"][name] for name in _KEPT if name in obj["metadata"]},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {"replicas": observed, "selector": label_selector_text(obj["spec"].get("selector"))},
    }


def with_scale(obj: Json, scale: Json) -> Json:
    """The object with the number of replicas a Scale wants; the Scale's resourceVersion is a precondition.

    Raises:
        ApiError: 400 or 422.
    """
    metadata = scale.get("metadata") or {}
    name = obj["metadata"]["name"]
    if metadata.get("name", name) != name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        )
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        why = "must be greater than or equal to 0"
        raise invalid("autoscaling", "Scale", name, [wrong("spec.replicas", str(replicas), why)])
    kept = {**obj["metadata"]}
    if metadata.get("resourceVersion"):
        kept["resourceVersion"] = metadata["resourceVersion"]
    return {**obj, "metadata": kept, "spec": {**obj["spec"], "replicas": replicas}}
