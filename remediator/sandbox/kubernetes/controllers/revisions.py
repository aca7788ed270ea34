"""Templates, their hashes, and the revision annotations of ReplicaSets."""

import copy
import json

from remediator.sandbox.kubernetes.status import Json

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.deployment.rollback.to",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAXIMUM,
)
_SAFE_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: Json, collisions: int = 0) -> str:
    """A hash that equal templates share; not the value Kubernetes would give.

    32-bit FNV-1a of the canonical JSON, written like Kubernetes does (its decimal digits as safe letters).
    """
    text = json.dumps(bare_template(template), sort_keys=True, separators=(",", ":"))
    value = 0x811C9DC5
    for byte in f"{text}{collisions or ''}".encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return "".join(_SAFE_LETTERS[ord(digit) % len(_SAFE_LETTERS)] for digit in str(value))


def bare_template(template: Json) -> Json:
    """A pod template without its hash label: what two revisions are compared by."""
    bare = copy.deepcopy(template)
    labels = bare.get("metadata", {}).get("labels") or {}
    labels.pop(HASH_LABEL, None)
    return bare


def hashed(template: Json, digest: str) -> Json:
    """A pod template with its hash label."""
    result = bare_template(template)
    metadata = result.setdefault("metadata", {})
    metadata["labels"] = {**(metadata.get("labels") or {}), HASH_LABEL: digest}
    return result


def revision_of(obj: Json) -> int:
    """The revision of a Deployment or ReplicaSet; 0 if it has none."""
    text = (obj["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def newest_of(template: Json, replica_sets: list[Json]) -> Json | None:
    """The ReplicaSet that runs this template; the oldest if there are several."""
    wanted = bare_template(template)
    by_age = sorted(replica_sets, key=age_order)
    return next((rs for rs in by_age if bare_template(rs["spec"]["template"]) == wanted), None)


def age_order(obj: Json) -> tuple[str, str]:
    """Sorts oldest first, then by name."""
    return obj["metadata"]["creationTimestamp"], obj["metadata"]["name"]


def annotations_for(deployment: Json, current: Json, revision: int) -> Json:
    """A ReplicaSet's annotations, given its Deployment's and the revision it is to have.

    A ReplicaSet that had an older revision is being rolled back to: that one moves to its history.
    """
    copied = deployment["metadata"].get("annotations") or {}
    result = {**current, **{name: value for name, value in copied.items() if name not in _NOT_COPIED}}
    had = current.get(REVISION, "")
    if (int(had) if had.isdigit() else 0) >= revision:
        return result
    result[REVISION] = str(revision)
    if had:
        earlier = current.get(REVISION_HISTORY, "")
        result[REVISION_HISTORY] = f"{earlier},{had}" if earlier else had
    return result
