"""One container of one pod as the kubelet knows it: its state, its restarts, its logs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from remediator.sandbox.kubernetes.clock import rfc3339
from remediator.sandbox.kubernetes.images import ImageBehaviour, Mode
from remediator.sandbox.kubernetes.status import Json

FIRST_BACKOFF = 10.0
"""Seconds before the second restart or pull; each further wait is twice as long."""
LONGEST_BACKOFF = 300.0
"""Seconds no wait exceeds."""


class State(Enum):
    """The three states a container can show."""

    WAITING = "waiting"
    RUNNING = "running"
    TERMINATED = "terminated"


@dataclass
class Instance:
    """One start of a container, and what it wrote."""

    pod: str
    behaviour: ImageBehaviour
    started_at: datetime
    ended_at: datetime | None = None

    def lines(self, now: datetime) -> Iterator[tuple[datetime, str]]:
        """What it has written until now, and when."""
        for line in self.behaviour.log:
            shown = line.replace("{time}", rfc3339(self.started_at)).replace("{pod}", self.pod)
            yield self.started_at, shown
        at, number = self.started_at, 1
        while self.behaviour.tick_seconds and at <= (self.ended_at or now):
            yield at, f"{rfc3339(at)} tick {number}"
            at, number = at + timedelta(seconds=self.behaviour.tick_seconds), number + 1


@dataclass
class Container:
    """What the kubelet keeps about one container."""

    pod: str
    spec: Json
    behaviour: ImageBehaviour
    identity: str
    state: State = State.WAITING
    waiting: Json = field(default_factory=lambda: {"reason": "ContainerCreating"})
    terminated: Json | None = None
    last_terminated: Json | None = None
    ready: bool = False
    restarts: int = 0
    backoff: float = 0.0
    failed_probes: int = 0
    instances: list[Instance] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.spec["name"])

    @property
    def image(self) -> str:
        """Its image."""
        return str(self.spec["image"])

    @property
    def has_started(self) -> bool:
        """Whether it has ever run."""
        return bool(self.instances)

    @property
    def seconds_to_ready(self) -> float | None:
        """Seconds from start until Ready; None if that never comes."""
        probe = self.spec.get("readinessProbe")
        if probe is None:
            return 0.0
        if self.behaviour.mode in (Mode.NEVER_READY, Mode.CRASH_LOOPING):
            return None
        return float(probe.get("initialDelaySeconds", 0)) + self.behaviour.ready_after

    def start(self, now: datetime) -> None:
        """It runs; this is a restart if it ran before."""
        if self.has_started:
            self.restarts += 1
        if self.terminated is not None:
            self.last_terminated, self.terminated = self.terminated, None
        self.state = State.RUNNING
        self.ready = False
        self.instances.append(Instance(self.pod, self.behaviour, now))

    def exit(self, now: datetime, code: int, number: int) -> None:
        """It ended with that exit code."""
        self.state, self.ready = State.TERMINATED, False
        self.instances[-1].ended_at = now
        self.terminated = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else self.behaviour.exit_reason,
            "startedAt": rfc3339(self.instances[-1].started_at),
            "finishedAt": rfc3339(now),
            "containerID": f"containerd://{self.identity}{number:04x}",
        }

    def wait(self, reason: str, message: str = "") -> None:
        """It waits, and says why."""
        self.state, self.ready = State.WAITING, False
        if self.terminated is not None:
            self.last_terminated, self.terminated = self.terminated, None
        self.waiting = {"reason": reason, **({"message": message} if message else {})}

    def next_backoff(self) -> float:
        """How long to wait now; the next time it is twice as long."""
        self.backoff = min(self.backoff * 2, LONGEST_BACKOFF) if self.backoff else FIRST_BACKOFF
        return self.backoff

    def lost(self) -> None:
        """The pod ends before this container ever ran."""
        self.state = State.TERMINATED
        self.terminated = {
            "exitCode": 137,
            "reason": "ContainerStatusUnknown",
            "message": "The container could not be located when the pod was terminated",
            "startedAt": None,
            "finishedAt": None,
        }

    def status(self) -> Json:
        """Its entry in status.containerStatuses."""
        shown: Json = {
            "name": self.name,
            "state": self._state(),
            "lastState": {"terminated": self.last_terminated} if self.last_terminated else {},
            "ready": self.ready,
            "restartCount": self.restarts,
            "image": self.image,
            "imageID": "",
            "started": self.state is State.RUNNING,
        }
        if self.has_started:
            shown["imageID"] = f"{self.image.partition('@')[0].rsplit(':', 1)[0]}@sha256:{self.identity:0>64}"
            shown["containerID"] = f"containerd://{self.identity}{len(self.instances):04x}"
            shown["resources"] = self.spec.get("resources", {})
        mounts = self.spec.get("volumeMounts")
        if mounts:
            shown["volumeMounts"] = [_mount_status(mount) for mount in mounts]
        return shown

    def _state(self) -> Json:
        if self.state is State.RUNNING:
            return {"running": {"startedAt": rfc3339(self.instances[-1].started_at)}}
        if self.state is State.TERMINATED:
            return {"terminated": self.terminated}
        return {"waiting": self.waiting}


def _mount_status(mount: Json) -> Json:
    shown: Json = {name: mount[name] for name in ("name", "mountPath", "readOnly") if name in mount}
    return {**shown, **({"recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {})}
