"""Kubernetes Events as the controllers, the scheduler and the kubelet write them."""

from remediator.sandbox.kubernetes.clock import rfc3339, rfc3339_micro
from remediator.sandbox.kubernetes.effects import Origin
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import ApiError, Json
from remediator.sandbox.kubernetes.store import Key
from remediator.sandbox.kubernetes.writes import Writes


class Recorder:
    """Writes Events; the same one again counts up instead of making another."""

    def __init__(self, writes: Writes, component: str, manager: str, host: str = "") -> None:
        self._writes = writes
        self._component = component
        self._host = host
        self._origin = Origin(user=f"system:{component}", manager=manager, client=False)
        self._seen: dict[tuple[str, str, str, str, str], Key] = {}
        self._names = 0

    def normal(self, about: Json, reason: str, message: str, field: str = "") -> None:
        """Say that something happened as it should."""
        self._record("Normal", about, reason, message, field)

    def warning(self, about: Json, reason: str, message: str, field: str = "") -> None:
        """Say that something went wrong."""
        self._record("Warning", about, reason, message, field)

    def _record(self, kind: str, about: Json, reason: str, message: str, field: str) -> None:
        same = (about["metadata"]["uid"], kind, reason, message, field)
        key = self._seen.get(same)
        if key is not None and self._writes.store.get(key) is not None:
            self._count_up(key)
            return
        namespace = about["metadata"].get("namespace", "default")
        event = self._event(kind, about, reason, message, field)
        try:
            stored = self._writes.create(find("events"), namespace, event, self._origin)
        except ApiError as refusal:
            if refusal.code in (403, 404):
                return
            raise
        self._seen[same] = Key("", "events", namespace, stored["metadata"]["name"])

    def _count_up(self, key: Key) -> None:
        now = rfc3339(self._writes.clock.now())
        self._writes.patch(
            find("events"),
            key,
            lambda event: {**event, "count": event.get("count", 1) + 1, "lastTimestamp": now},
            self._origin,
        )

    def _event(self, kind: str, about: Json, reason: str, message: str, field: str) -> Json:
        now = self._writes.clock.now()
        self._names += 1
        stamp = f"{int(now.timestamp() * 1_000_000) * 1000 + self._names % 1000:x}"
        metadata = about["metadata"]
        subject = {
            "kind": about["kind"],
            "namespace": metadata.get("namespace", ""),
            "name": metadata["name"],
            "uid": metadata["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": metadata["resourceVersion"],
        }
        if field:
            subject["fieldPath"] = field
        event: Json = {
            "metadata": {"name": f"{metadata['name']}.{stamp}"},
            "involvedObject": subject,
            "reason": reason,
            "message": message,
            "type": kind,
            "reportingComponent": self._component,
        }
        if self._component == "default-scheduler":
            instance = f"{self._component}-emulator"
            return {
                **event,
                "source": {},
                "eventTime": rfc3339_micro(now),
                "action": "Binding",
                "reportingInstance": instance,
            }
        source = {"component": self._component, **({"host": self._host} if self._host else {})}
        times = {"firstTimestamp": rfc3339(now), "lastTimestamp": rfc3339(now), "count": 1}
        instance_of = {"reportingInstance": self._host} if self._host else {}
        return {**event, **times, "source": source, **instance_of}
