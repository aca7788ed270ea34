"""The pods of a DaemonSet: where they belong, what the controller adds to them, which are of the new template."""

from collections import defaultdict

from remediator.sandbox.kubernetes.controllers.history import HASH_LABEL
from remediator.sandbox.kubernetes.controllers.pods import is_finished, is_terminating, pod_from
from remediator.sandbox.kubernetes.defaults import TEMPLATE_GENERATION
from remediator.sandbox.kubernetes.selectors import node_named_by
from remediator.sandbox.kubernetes.status import Json

_GENERATION_LABEL = "pod-template-generation"
_TOLERATED = (
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
)


def should_run(daemon_set: Json, node: Json) -> bool:
    """Whether the node is one of those the DaemonSet is for; a cordoned one is, too."""
    wanted = daemon_set["spec"]["template"]["spec"].get("nodeSelector") or {}
    return bool(wanted.items() <= (node["metadata"].get("labels") or {}).items())


def by_node(pods: list[Json]) -> dict[str, list[Json]]:
    """Pods by the node they are meant for, oldest first, without those that are over."""
    found: dict[str, list[Json]] = defaultdict(list)
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"])):
        if not (is_finished(pod) and is_terminating(pod)):
            found[pod["spec"].get("nodeName") or node_named_by(pod["spec"]) or ""].append(pod)
    return found


def template_generation(daemon_set: Json) -> str:
    """How often the template changed, as the server counts it."""
    return str(daemon_set["metadata"]["annotations"][TEMPLATE_GENERATION])


def is_updated(daemon_set: Json, pod: Json, digest: str) -> bool:
    """Whether a pod is of the current template, whose hash is `digest`."""
    labels = pod["metadata"].get("labels") or {}
    same_generation = labels.get(_GENERATION_LABEL) == template_generation(daemon_set)
    return bool(same_generation or labels.get(HASH_LABEL) == digest)


def pod_for(daemon_set: Json, node: str, digest: str) -> Json:
    """The pod of one node."""
    template = daemon_set["spec"]["template"]
    pod = pod_from(daemon_set, template)
    labels = {
        **(template["metadata"].get("labels") or {}),
        HASH_LABEL: digest,
        _GENERATION_LABEL: template_generation(daemon_set),
    }
    here = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    affinity = template["spec"].get("affinity") or {}
    on_node = {
        **(affinity.get("nodeAffinity") or {}),
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [here]},
    }
    spec = {
        **pod["spec"],
        "affinity": {**affinity, "nodeAffinity": on_node},
        "tolerations": _tolerations(template["spec"].get("tolerations") or []),
    }
    return {"metadata": {**pod["metadata"], "labels": labels}, "spec": spec}


def _tolerations(own: list[Json]) -> list[Json]:
    added: list[Json] = [
        {"key": f"node.kubernetes.io/{taint}", "operator": "Exists", "effect": effect}
        for taint, effect in _TOLERATED
    ]
    return [*(entry for entry in own if entry not in added), *added]
