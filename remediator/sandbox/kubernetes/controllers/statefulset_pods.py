"""The pods of a StatefulSet: their names, labels and counts (Kubernetes' pkg/controller/statefulset)."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from remediator.sandbox.kubernetes.controllers.history import HASH_LABEL, name_of, template_of
from remediator.sandbox.kubernetes.controllers.pods import is_available, is_terminating, pod_from, ready_since
from remediator.sandbox.kubernetes.status import Json

POD_NAME = "statefulset.kubernetes.io/pod-name"
POD_INDEX = "apps.kubernetes.io/pod-index"
_NAME = re.compile(r"(.*)-([0-9]+)")


def ordinal_of(stateful_set: Json, pod: Json) -> int | None:
    """The number in a pod's name; None if the pod is not called as the set's are."""
    found = _NAME.fullmatch(pod["metadata"]["name"])
    if found is None or found.group(1) != stateful_set["metadata"]["name"]:
        return None
    return int(found.group(2))


def identity(stateful_set: Json, ordinal: int) -> tuple[str, dict[str, str]]:
    """(name, labels) by which the pod of that number is known."""
    name = f"{stateful_set['metadata']['name']}-{ordinal}"
    return name, {POD_NAME: name, POD_INDEX: str(ordinal)}


def revision_of(pod: Json) -> str:
    """The name of the revision a pod was made of."""
    return str((pod["metadata"].get("labels") or {}).get(HASH_LABEL, ""))


def is_created(pod: Json) -> bool:
    """Whether it exists, and is not only planned."""
    return "phase" in pod.get("status", {})


def is_running_and_ready(pod: Json) -> bool:
    """Whether it runs and is Ready."""
    return pod.get("status", {}).get("phase") == "Running" and ready_since(pod) is not None


def is_healthy(pod: Json) -> bool:
    """Whether it is Ready and not on its way out."""
    return is_running_and_ready(pod) and not is_terminating(pod)


@dataclass
class Members:
    """A StatefulSet with its two revisions and its pods, as one look at them found it.

    replicas: one for each number the set wants; those that do not exist are planned.
    condemned: those with higher or lower numbers, the highest first.
    """

    stateful_set: Json
    current: Json
    update: Json
    now: datetime
    replicas: list[Json] = field(default_factory=list)
    condemned: list[Json] = field(default_factory=list)

    @classmethod
    def find(
        cls, stateful_set: Json, revisions: tuple[Json, Json], pods: list[Json], now: datetime
    ) -> "Members":
        """Sort the pods by their numbers; `revisions` are the current and the update revision."""
        members = cls(stateful_set, *revisions, now)
        numbered = {ordinal: pod for pod in pods if (ordinal := ordinal_of(stateful_set, pod)) is not None}
        start: int = (stateful_set["spec"].get("ordinals") or {}).get("start", 0)
        wanted = range(start, start + stateful_set["spec"]["replicas"])
        members.replicas = [numbered.get(ordinal) or members._planned(ordinal) for ordinal in wanted]
        left = sorted(numbered.keys() - set(wanted), reverse=True)
        members.condemned = [numbered[ordinal] for ordinal in left]
        return members

    @property
    def is_ordered(self) -> bool:
        """Whether one pod waits for the other (podManagementPolicy: OrderedReady)."""
        return bool(self.stateful_set["spec"]["podManagementPolicy"] != "Parallel")

    @property
    def partition(self) -> int:
        """The number below which pods keep the current revision."""
        rolling = self.stateful_set["spec"]["updateStrategy"].get("rollingUpdate") or {}
        return int(rolling.get("partition", 0))

    def is_available(self, pod: Json) -> bool:
        """Whether it runs and has been Ready for minReadySeconds."""
        settled = self.stateful_set["spec"].get("minReadySeconds", 0)
        return is_running_and_ready(pod) and is_available(pod, settled, self.now)

    def first_unhealthy(self) -> Json | None:
        """The unhealthy pod of the lowest number, those that are wanted first."""
        return next((pod for pod in [*self.replicas, *reversed(self.condemned)] if not is_healthy(pod)), None)

    def counts(self) -> Json:
        """The numbers in the status, as they were at this look."""
        pods = [pod for pod in [*self.replicas, *self.condemned] if is_created(pod)]
        staying = [revision_of(pod) for pod in pods if not is_terminating(pod)]
        return {
            "replicas": len(pods),
            "readyReplicas": sum(map(is_running_and_ready, pods)),
            "currentReplicas": staying.count(name_of(self.current)),
            "updatedReplicas": staying.count(name_of(self.update)),
            "availableReplicas": sum(map(self.is_available, pods)),
        }

    def _planned(self, ordinal: int) -> Json:
        revision = self.current if ordinal < self._first_of_update() else self.update
        pod = pod_from(self.stateful_set, template_of(revision))
        name, labels = identity(self.stateful_set, ordinal)
        labels = {**(pod["metadata"].get("labels") or {}), HASH_LABEL: name_of(revision), **labels}
        spec = {**pod["spec"], "hostname": name}
        if self.stateful_set["spec"].get("serviceName"):
            spec["subdomain"] = self.stateful_set["spec"]["serviceName"]
        return {"metadata": {**pod["metadata"], "name": name, "labels": labels}, "spec": spec}

    def _first_of_update(self) -> int:
        """The number from which on new pods are made of the update revision (newVersionedStatefulSetPod)."""
        spec = self.stateful_set["spec"]
        start: int = (spec.get("ordinals") or {}).get("start", 0)
        if "rollingUpdate" in spec["updateStrategy"]:
            return start + self.partition
        if spec["updateStrategy"]["type"] == "RollingUpdate":
            return start + int(self.stateful_set.get("status", {}).get("currentReplicas", 0))
        return start
