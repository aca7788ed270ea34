"""The life of one Deployment, lived quickly: what Kubernetes and our memory would have recorded of it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from remediator.domain.change import RESTARTED_AT, exact_hash, revision_hash
from remediator.domain.history import AlertSpan, Tenure
from remediator.domain.value import JsonObject
from remediator.workloads.last_known_good import Choice, Facts, choose
from remediator.workloads.revision import Revision
from remediator.workloads.revisions import revisions_of

BEGAN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SOAK = timedelta(minutes=30)
UID = "uid-of-api"


def template(version: str, stamp: str | None = None) -> JsonObject:
    """A pod template of this version; `stamp` is a restart."""
    metadata: JsonObject = {"labels": {"app": "api"}, "creationTimestamp": None}
    if stamp is not None:
        metadata["annotations"] = {RESTARTED_AT: stamp}
    image = f"registry.example.com/shop/app:{version}"
    return {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": image}]}}


def version(name: str) -> str:
    """The revision hash of a version."""
    return revision_hash(template(name))


def replica_set(
    number: int, of: JsonObject, created_at: datetime, earlier: str = "", **more: Any
) -> JsonObject:
    """A ReplicaSet as the deployment controller makes it."""
    name = f"api-{exact_hash(of)[:10]}"
    annotations = {"deployment.kubernetes.io/revision": str(number)}
    if earlier:
        annotations["deployment.kubernetes.io/revision-history"] = earlier
    labels = {**of["metadata"]["labels"], "pod-template-hash": exact_hash(of)[:10]}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-of-{name}",
            "creationTimestamp": created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "annotations": annotations,
            "ownerReferences": [{"kind": "Deployment", "name": "api", "uid": UID, "controller": True}],
        },
        "spec": {"replicas": 0, "template": {**of, "metadata": {**of["metadata"], "labels": labels}}},
        "status": {"replicas": 0},
        **more,
    }


@dataclass
class Life:
    """Releases, restarts and rollbacks in the order they happen. Times only go forward."""

    now: datetime = BEGAN
    remembering: bool = True
    replica_sets: dict[str, JsonObject] = field(default_factory=dict)
    tenures: list[Tenure] = field(default_factory=list)
    alerts: list[AlertSpan] = field(default_factory=list)
    current: JsonObject = field(default_factory=dict)
    first_released: list[str] = field(default_factory=list)
    _number: int = 0

    def release(self, name: str, stamp: str | None = None) -> None:
        """Make this template the current one: a release, a restart or a rollback, as Kubernetes does it."""
        self.now += timedelta(seconds=1)
        wanted = template(name, stamp)
        if self.current and exact_hash(wanted) == exact_hash(self.current):
            return
        self.current = wanted
        if version(name) not in self.first_released:
            self.first_released.append(version(name))
        self._number += 1
        known = self.replica_sets.get(exact_hash(wanted))
        if known is None:
            self.replica_sets[exact_hash(wanted)] = replica_set(self._number, wanted, self.now)
        else:
            annotations = known["metadata"]["annotations"]
            earlier = annotations.get("deployment.kubernetes.io/revision-history")
            last = annotations["deployment.kubernetes.io/revision"]
            annotations["deployment.kubernetes.io/revision-history"] = (
                f"{earlier},{last}" if earlier else last
            )
            annotations["deployment.kubernetes.io/revision"] = str(self._number)
        self._remember(began_seen=True)

    def runs(self, minutes: float, *, available: bool = True) -> None:
        """Let time pass with the current version."""
        self.now += timedelta(minutes=minutes)
        if not self.remembering:
            return
        last = self.tenures[-1]
        seconds = max(last.longest_available_seconds, minutes * 60 if available else 0.0)
        self.tenures[-1] = last.model_copy(
            update={"longest_available_seconds": seconds, "last_seen_at": self.now}
        )

    def remember_from_now_on(self) -> None:
        """Our memory is switched on and has its first look."""
        if not self.remembering:
            self.remembering = True
            self._remember(began_seen=False)

    def alert(self, minutes_ago: float = 0, closed_at: datetime | None = None) -> None:
        began = self.now - timedelta(minutes=minutes_ago)
        self.alerts.append(AlertSpan(alertname="HighErrorRate", starts_at=began, closed_at=closed_at))

    def revisions(self) -> tuple[Revision, ...]:
        return revisions_of(deployment(self.current), self.replica_sets.values())

    def choose(self, **more: Any) -> Choice:
        return choose(self.facts(**more), SOAK)

    def facts(self, **more: Any) -> Facts:
        known: dict[str, Any] = {
            "current_revision": revision_hash(self.current),
            "revisions": self.revisions(),
            "tenures": tuple(self.tenures),
            "alert_spans": tuple(self.alerts),
            "now": self.now,
        }
        return Facts(**(known | more))

    def _remember(self, *, began_seen: bool) -> None:
        following = revision_hash(self.current)
        if not self.remembering or (self.tenures and self.tenures[-1].revision == following):
            return
        if self.tenures:
            ended = {"ended_at": self.now, "replaced_by": following}
            self.tenures[-1] = self.tenures[-1].model_copy(update=ended)
        self.tenures.append(
            Tenure(
                uid=UID,
                revision=following,
                template=self.current,
                began_at=self.now,
                began_seen=began_seen,
                last_seen_at=self.now,
            )
        )


def deployment(of: JsonObject) -> JsonObject:
    return {
        "kind": "Deployment",
        "metadata": {"name": "api", "uid": UID},
        "spec": {"replicas": 3, "template": of},
    }


def chosen(choice: Choice) -> str | None:
    """The version that was chosen, as its image's tag."""
    return choice.chosen.images[0].rpartition(":")[2] if choice.chosen is not None else None
