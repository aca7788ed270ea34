"""Who controls what: ownerReferences between controllers and the things they make."""

from remediator.sandbox.kubernetes.selectors import label_selector
from remediator.sandbox.kubernetes.status import Json


def controller_of(obj: Json) -> Json | None:
    """The ownerReference with controller: true."""
    owners: list[Json] = obj["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def is_controlled_by(obj: Json, owner: Json) -> bool:
    """Whether `owner` (by uid) controls `obj`."""
    reference = controller_of(obj)
    return reference is not None and reference["uid"] == owner["metadata"]["uid"]


def controller_reference(owner: Json) -> Json:
    """The ownerReference by which `owner` controls something."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def selects(owner: Json, obj: Json) -> bool:
    """Whether the owner's selector fits the object's labels."""
    return label_selector(owner["spec"].get("selector"))(obj["metadata"].get("labels") or {})


def may_adopt(owner: Json, obj: Json) -> bool:
    """Whether `obj` has no controller and is what `owner` looks for."""
    alive = not owner["metadata"].get("deletionTimestamp") and not obj["metadata"].get("deletionTimestamp")
    return alive and controller_of(obj) is None and selects(owner, obj)


def adopted(owner: Json, obj: Json) -> Json:
    """`obj` with `owner` as its controller."""
    owners = [*(obj["metadata"].get("ownerReferences") or []), controller_reference(owner)]
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": owners}}
