"""What the facts of a test do to the emulated cluster, each at its time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from remediator.domain.target import Target
from remediator.sandbox.kubernetes import Emulator, ImageBehaviour
from remediator.sandbox.kubernetes.furniture import NODE
from remediator.sandbox.kubernetes.images import Images
from remediator.trial.case import Case, Health, NodeState, Workload, Write, images_of
from remediator.trial.world import namespace

_KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
_LOG = ("starting", "listening on 8080")


@dataclass(frozen=True)
class Happening:
    """Something that is done to the cluster at one time."""

    at: timedelta
    do: Callable[[Emulator], object]


def happenings(case: Case, begins: timedelta) -> Iterator[Happening]:
    """All of them; `begins` is when there is nothing yet."""
    for name, labels, annotations in _namespaces(case):
        made = namespace(name, labels, annotations=annotations)
        yield Happening(begins, partial(_create, made))
    for manifest in case.objects:
        yield Happening(begins, partial(_create, plain(manifest)))
    for workload in case.workloads:
        yield from _of_workload(workload)
    for write in case.writes:
        yield Happening(write.at, partial(_write, write))
    for state in case.node:
        yield Happening(state.at, partial(_node, state))


def behaviours(case: Case, now: Callable[[], timedelta]) -> Images:
    """How containers behave that start `now`, by their images."""
    known = {revision.image: revision for _, revision in images_of(case)}

    def behaviour(image: str) -> ImageBehaviour:
        revision = known.get(image)
        if revision is None:
            return ImageBehaviour.good(log=_LOG)
        turned = [each.health for each in revision.turns if each.at <= now()]
        return _behaviour(turned[-1] if turned else revision.health, revision.ready_after)

    return behaviour


def plain(value: Any) -> Any:
    """A value of a file as JSON has it: with lists."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _behaviour(health: Health, ready_after: timedelta) -> ImageBehaviour:
    match health:
        case "crashing":
            return ImageBehaviour.crash_looping(log=("starting", "fatal: it was told to crash"))
        case "out_of_memory":
            return ImageBehaviour.out_of_memory(log=("starting", "reading everything into memory"))
        case "unready":
            return ImageBehaviour.never_ready(log=("starting", "not ready yet"))
        case "unpullable":
            return ImageBehaviour.unpullable()
        case _:
            return ImageBehaviour.good(ready_after.total_seconds(), log=_LOG)


def _namespaces(case: Case) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    described = {each.namespace: each for each in case.namespaces}
    used = {Target.parse(each.workload, "").namespace for each in case.workloads}
    for name in sorted(used | set(described)):
        facts = described.get(name)
        yield name, dict(facts.labels) if facts else {}, dict(facts.annotations) if facts else {}


def _of_workload(workload: Workload) -> Iterator[Happening]:
    first, *later = workload.revisions
    target = Target.parse(workload.workload, "")
    manifest = _manifest(workload, target, first.image)
    yield Happening(first.at, partial(_create, manifest, by=first.by))
    if workload.autoscaler is not None:
        scaler = _autoscaler(workload, target)
        yield Happening(first.at, partial(_create, scaler))
    for revision in later:
        containers = [{"name": "app", "image": revision.image}]
        patch = {"spec": {"template": {"spec": {"containers": containers}}}}
        write = Write(at=revision.at, to=workload.workload, by=revision.by, patch=patch)
        yield Happening(revision.at, partial(_write, write))


def _manifest(workload: Workload, target: Target, image: str) -> dict[str, Any]:
    probe = {"httpGet": {"path": "/healthz", "port": 8080}}
    spec: dict[str, Any] = {
        "replicas": workload.replicas,
        "selector": {"matchLabels": {"app": target.name}},
        "template": {
            "metadata": {"labels": {"app": target.name}},
            "spec": {"containers": [{"name": "app", "image": image, "readinessProbe": probe}]},
        },
        **plain(workload.spec),
    }
    if target.kind == "daemonset":
        del spec["replicas"]
    if target.kind == "statefulset":
        spec["serviceName"] = target.name
    metadata = {
        "name": target.name,
        "namespace": target.namespace,
        "labels": dict(workload.labels),
        "annotations": dict(workload.annotations),
    }
    return {"apiVersion": "apps/v1", "kind": _KINDS[target.kind], "metadata": metadata, "spec": spec}


def _autoscaler(workload: Workload, target: Target) -> dict[str, Any]:
    bounds = workload.autoscaler
    assert bounds is not None
    scaled = {"apiVersion": "apps/v1", "kind": _KINDS[target.kind], "name": target.name}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": target.name, "namespace": target.namespace},
        "spec": {"minReplicas": bounds.min, "maxReplicas": bounds.max, "scaleTargetRef": scaled},
    }


def _create(manifest: dict[str, Any], emulator: Emulator, *, by: str = "kubectl") -> None:
    emulator.create(manifest, user=by, manager=by)


def _write(write: Write, emulator: Emulator) -> None:
    kind, *names = write.to.split("/")
    where = ("", names[0]) if len(names) == 1 else (names[0], names[1])
    emulator.patch(f"{kind}s", *where, plain(write.patch), user=write.by, manager=write.by)


def _node(state: NodeState, emulator: Emulator) -> None:
    emulator.patch("nodes", "", NODE, {"spec": {"unschedulable": state.state == "cordoned"}})
    found = emulator.get("nodes", "", NODE)
    assert found is not None
    ready = "Unknown" if state.state == "not_ready" else "True"
    conditions = [
        {**each, "status": ready} if each["type"] == "Ready" else each
        for each in found["status"]["conditions"]
    ]
    status = {"status": {"conditions": conditions}}
    emulator.patch("nodes", "", NODE, status, user="node-controller", subresource="status")
