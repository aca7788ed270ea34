"""The EndpointSlice controller: which pods a Service with a selector leads to, and whether they are ready."""

from typing import Any

from remediator.sandbox.kubernetes.clock import rfc3339
from remediator.sandbox.kubernetes.controllers.ownership import controller_reference, is_controlled_by
from remediator.sandbox.kubernetes.controllers.pods import is_finished, is_terminating, ready_since
from remediator.sandbox.kubernetes.controllers.queue import Controller
from remediator.sandbox.kubernetes.loop import Loop
from remediator.sandbox.kubernetes.resources import find
from remediator.sandbox.kubernetes.status import Json
from remediator.sandbox.kubernetes.store import Change, Key
from remediator.sandbox.kubernetes.writes import Writes

_MANAGED_BY = "endpointslice-controller.k8s.io"
_GATHERED = 20
"""Lags: what happens to the pods meanwhile is one change of the slice, as in the recordings."""
_TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"


class EndpointSliceController(Controller):
    """Keeps one slice a Service, however many pods: of IPv4, as the emulator's pods are."""

    def __init__(self, writes: Writes, loop: Loop, lag: float) -> None:
        super().__init__(writes, loop, lag)
        self._slices = find("endpointslices")

    def observe(self, change: Change) -> None:
        if change.key.of_resource("", "services"):
            self.queue(change.key)
        elif change.key.of_resource("", "pods"):
            for service in self.store.objects("", "services", change.key.namespace):
                if _selects(service, change.after):
                    key = Key("", "services", change.key.namespace, service["metadata"]["name"])
                    self.queue(key, _GATHERED * self.lag)

    def reconcile(self, key: Key) -> None:
        service = self.store.get(key)
        if service is None or not service["spec"].get("selector") or is_terminating(service):
            return
        pods = [pod for pod in self.store.objects("", "pods", key.namespace) if _belongs(service, pod)]
        kept = self._kept(service)
        wanted = {"endpoints": _in_order(pods, kept), "ports": _ports(service, pods)}
        if kept is None:
            self._create(service, wanted)
            return
        metadata = {name: value for name, value in kept["metadata"].items() if name != "annotations"}
        changed = any(kept.get(name) != value for name, value in wanted.items())
        if changed:
            at = Key("discovery.k8s.io", "endpointslices", key.namespace, metadata["name"])
            after = {**kept, "metadata": metadata, **wanted}
            self.writes.update(self._slices, at, kept, after, self.origin)

    def _kept(self, service: Json) -> Json | None:
        found = self.store.objects("discovery.k8s.io", "endpointslices", service["metadata"]["namespace"])
        return next((each for each in found if is_controlled_by(each, service)), None)

    def _create(self, service: Json, wanted: Json) -> None:
        name = service["metadata"]["name"]
        labels = {"endpointslice.kubernetes.io/managed-by": _MANAGED_BY, "kubernetes.io/service-name": name}
        metadata = {
            "generateName": f"{name}-",
            "labels": labels,
            "annotations": {_TRIGGER: rfc3339(self.loop.clock.now())},
            "ownerReferences": [controller_reference(service)],
        }
        made = {"metadata": metadata, "addressType": "IPv4", **wanted}
        self.writes.create(self._slices, service["metadata"]["namespace"], made, self.origin)


def _selects(service: Json, pod: Json) -> bool:
    selector: Json = service["spec"].get("selector") or {}
    return bool(selector) and selector.items() <= (pod["metadata"].get("labels") or {}).items()


def _belongs(service: Json, pod: Json) -> bool:
    has_address = bool((pod.get("status") or {}).get("podIP"))
    return _selects(service, pod) and has_address and not is_finished(pod)


def _in_order(pods: list[Json], kept: Json | None) -> list[Json] | None:
    """Endpoints stay where they were; new ones come last."""
    known = [each["targetRef"]["uid"] for each in (kept or {}).get("endpoints") or []]
    position = {uid: number for number, uid in enumerate(known)}
    ordered = sorted(pods, key=lambda pod: position.get(pod["metadata"]["uid"], len(known)))
    return [_endpoint(pod) for pod in ordered] or None


def _endpoint(pod: Json) -> Json:
    metadata, ready = pod["metadata"], ready_since(pod) is not None
    terminating = is_terminating(pod)
    target = {name: metadata[name] for name in ("namespace", "name", "uid")}
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": ready and not terminating, "serving": ready, "terminating": terminating},
        "targetRef": {"kind": "Pod", **target},
        "nodeName": pod["spec"]["nodeName"],
        "zone": "local-a",
    }


def _ports(service: Json, pods: list[Json]) -> list[Json] | None:
    """The Service's ports as these pods' containers name them; one that none of them names is left out."""
    found = []
    for port in service["spec"].get("ports") or []:
        number = _number(port.get("targetPort", port["port"]), pods)
        if pods and number is not None:
            found.append({"name": port.get("name", ""), "protocol": port["protocol"], "port": number})
    return found or None


def _number(target: Any, pods: list[Json]) -> int | None:
    if isinstance(target, int):
        return target
    for pod in pods:
        for container in pod["spec"]["containers"]:
            for port in container.get("ports") or []:
                if port.get("name") == target:
                    return int(port["containerPort"])
    return None
