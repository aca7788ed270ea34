"""What controllers of pods have in common: they look at an owner when it, one of its pods, or an orphan changes."""

from typing import ClassVar

from remediator.sandbox.kubernetes.controllers.events import Recorder
from remediator.sandbox.kubernetes.controllers.ownership import controller_of, may_adopt
from remediator.sandbox.kubernetes.controllers.pods import pod_key, seconds_to_available
from remediator.sandbox.kubernetes.controllers.queue import Controller
from remediator.sandbox.kubernetes.deletion import DeleteOptions, delete
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key
from remediator.sandbox.kubernetes.writes import Writes


class PodOwner(Controller):
    """A controller of one kind of apps/v1 (`plural`), whose objects own pods."""

    plural: ClassVar[str]

    def __init__(self, writes: Writes, loop: Loop, lag: float) -> None:
        super().__init__(writes, loop, lag)
        self.resource = find(self.plural)
        self.pods = find("pods")
        self.events = Recorder(writes, f"{self.resource.singular}-controller", self.manager)

    def observe(self, change: Change) -> None:
        if change.key.of_resource("apps", self.plural):
            if change.type != "DELETED":
                self.queue(change.key)
        elif change.key.of_resource("", "pods"):
            owner = controller_of(change.after)
            if owner is None:
                self._queue_adopters(change)
            elif owner["kind"] == self.resource.kind:
                self.queue(Key("apps", self.plural, change.key.namespace, owner["name"]))

    def _queue_adopters(self, change: Change) -> None:
        for key in self.store.keys("apps", self.plural, change.key.namespace):
            owner = self.store.get(key)
            if owner is not None and may_adopt(owner, change.after):
                self.queue(key)

    def create_pod(self, owner: Json, pod: Json) -> Json:
        """Make a pod."""
        return self.writes.create(self.pods, owner["metadata"]["namespace"], pod, self.origin)

    def delete_pod(self, pod: Json) -> None:
        """Begin to delete a pod."""
        delete(self.writes, self.pods, pod_key(pod), DeleteOptions(), self.origin)

    def write_status(self, owner: Json, status: Json) -> None:
        """Store the owner's status over whatever it is now; what changed nothing is no write."""
        key = Key("apps", self.plural, owner["metadata"]["namespace"], owner["metadata"]["name"])
        current = self.store.get(key)
        if current is not None:
            wanted = {**current, "status": status}
            self.writes.update(self.resource, key, current, wanted, self.origin, "status")

    def look_again_when_available(self, key: Key, pods: list[Json], min_ready_seconds: int) -> None:
        """Queue the owner for when the next of its pods that are Ready becomes available."""
        waiting = seconds_to_available(pods, min_ready_seconds, self.loop.clock.now())
        if waiting is not None:
            self.queue(key, max(waiting, self.lag))
