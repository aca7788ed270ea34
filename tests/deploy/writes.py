"""Writes of the executor that admission has to judge: what it does, and what whoever stole its token would try."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Workload = dict[str, Any]

FACES: Mapping[str, str] = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
}


def workload(kind: str, namespace: str) -> Workload:
    """A workload with one of everything that may stay and must not change. It never gets a pod."""
    labels = {"app": "web"}
    made: Workload = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {
            "name": "web",
            "namespace": namespace,
            "labels": {"team": "web"},
            "annotations": {"note": "kept", "remediator.io/rollback": "compatible"},
        },
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": dict(labels), "annotations": {"checksum": "1"}},
                "spec": _pod(),
            },
        },
    }
    if kind != "DaemonSet":
        made["spec"]["replicas"] = 2
    if kind == "StatefulSet":
        made["spec"]["serviceName"] = "web"
    return made


def _pod() -> Workload:
    return {
        "serviceAccountName": "web",
        "nodeSelector": {"nowhere": "true"},
        "securityContext": {"runAsNonRoot": True},
        "volumes": [
            {"name": "config", "configMap": {"name": "web-1"}},
            {"name": "certificate", "secret": {"secretName": "web-tls"}},
            {"name": "sockets", "hostPath": {"path": "/run/web", "type": "Directory"}},
        ],
        "containers": [
            {
                "name": "web",
                "image": "registry.example:5000/team/web:v2",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                "env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "web-database", "key": "url"}}}],
                "ports": [{"containerPort": 8080, "protocol": "TCP"}],
            }
        ],
    }


def template(each: Workload) -> Workload:
    """The pod template of a workload."""
    found: Workload = each["spec"]["template"]
    return found


def pod(each: Workload) -> Workload:
    """Its pod."""
    found: Workload = template(each)["spec"]
    return found


def web(each: Workload) -> Workload:
    """The one container."""
    found: Workload = pod(each)["containers"][0]
    return found


@dataclass(frozen=True)
class Write:
    """One write to the workload above."""

    name: str
    change: Callable[[Workload], object]
    refused: str | None = None
    """A part of what is said to it; None for what remediator does."""
    not_of: tuple[str, ...] = ()
    """Kinds that have no such thing."""

    def of(self, kind: str) -> bool:
        """Whether a workload of this kind can be written so."""
        return kind not in self.not_of

    def done_to(self, before: Workload) -> Workload:
        """The workload as it would be."""
        after = deepcopy(before)
        self.change(after)
        return after


def _annotate(**notes: str) -> Callable[[Workload], object]:
    named = {f"remediator.io/{name.replace('_', '-')}": value for name, value in notes.items()}
    return lambda each: each["metadata"]["annotations"].update(named)


def _both(*changes: Callable[[Workload], object]) -> Callable[[Workload], object]:
    return lambda each: [change(each) for change in changes]


def _restart(each: Workload) -> None:
    template(each)["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = "2026-01-05T12:00:00Z"


def _replicas(number: int) -> Callable[[Workload], object]:
    return lambda each: each["spec"].update(replicas=number)


def _older(each: Workload) -> None:
    web(each).update(image="registry.example:5000/team/web:v1", args=["--old"])
    web(each)["env"].append({"name": "OLD", "value": "1"})
    pod(each)["volumes"][0] = {"name": "config", "configMap": {"name": "web-0"}}
    template(each)["metadata"]["annotations"] = {"checksum": "0"}


CLAIM = Write("claim", _annotate(epoch="7"))
RESTART = Write("restart", _both(_annotate(epoch="7", attempt="1/0/0"), _restart))
ROLLBACK = Write("rollback", _both(_annotate(epoch="7", attempt="1/0/0", rolled_back_from="a1"), _older))
DIGEST = Write(
    "to a digest", lambda each: web(each).update(image="registry.example:5000/team/web@sha256:" + "a" * 64)
)

SCALE = Write("scale", _both(_annotate(epoch="7", attempt="1/0/0"), _replicas(3)), not_of=("DaemonSet",))

OURS = (CLAIM, RESTART, ROLLBACK, DIGEST, SCALE)

_NOTES, _TEMPLATE, _POD = (
    "no annotation of a workload but",
    "nothing of a workload but its pod template and",
    "no ServiceAccount, host",
)
_SCALES = "scales to 1 to 1000 replicas"
_ATTEMPT = _annotate(attempt="1/0/0")
_VOLUME, _CONTAINER, _IMAGE, _SECRET = (
    "adds no volume",
    "adds no container",
    "another version of the one",
    "no Secret that",
)


def _volume(**what: object) -> Callable[[Workload], object]:
    return lambda each: pod(each)["volumes"].append({"name": "added", **what})


def _sidecar(each: Workload) -> None:
    pod(each)["containers"].append({"name": "more", "image": "registry.example:5000/team/web:v2"})


def _initially(each: Workload) -> None:
    pod(each)["initContainers"] = [{"name": "first", "image": "registry.example:5000/team/web:v2"}]


def _environment(**source: object) -> Callable[[Workload], object]:
    return lambda each: web(each).update(source)


def _context(**what: object) -> Callable[[Workload], object]:
    return lambda each: web(each)["securityContext"].update(what)


def _image(name: str) -> Callable[[Workload], object]:
    return lambda each: web(each).update(image=name)


_OTHER_SECRET = {"name": "X", "valueFrom": {"secretKeyRef": {"name": "admin", "key": "token"}}}

STOLEN = (
    Write("opt in", _annotate(enabled="true"), _NOTES),
    Write("say that a rollback is compatible", _annotate(rollback="anything"), _NOTES),
    Write("take an annotation away", lambda each: each["metadata"]["annotations"].pop("note"), _NOTES),
    Write(
        "change an annotation", lambda each: each["metadata"]["annotations"].update(note="changed"), _NOTES
    ),
    Write("labels", lambda each: each["metadata"]["labels"].update(team="other"), "no labels, finalizers"),
    Write("take labels away", lambda each: each["metadata"].pop("labels"), "no labels, finalizers"),
    Write(
        "a finalizer",
        lambda each: each["metadata"].update(finalizers=["a.example/b"]),
        "no labels, finalizers",
    ),
    Write("scale up", _replicas(3), _SCALES, ("DaemonSet",)),
    Write("scale up too far", _both(_ATTEMPT, _replicas(1001)), _SCALES, ("DaemonSet",)),
    Write("switch it off", _both(_ATTEMPT, _replicas(0)), _SCALES, ("DaemonSet",)),
    Write("scale another version up", _both(_ATTEMPT, _replicas(3), _older), _SCALES, ("DaemonSet",)),
    Write("wait for longer", lambda each: each["spec"].update(minReadySeconds=60), _TEMPLATE),
    Write("pause it", lambda each: each["spec"].update(paused=True), _TEMPLATE, ("StatefulSet", "DaemonSet")),
    Write(
        "another account",
        lambda each: pod(each).update(serviceAccountName="admin", serviceAccount="admin"),
        _POD,
    ),
    Write("mount the token", lambda each: pod(each).update(automountServiceAccountToken=True), _POD),
    Write("the network of the node", lambda each: pod(each).update(hostNetwork=True), _POD),
    Write("the processes of the node", lambda each: pod(each).update(hostPID=True), _POD),
    Write("the memory of the node", lambda each: pod(each).update(hostIPC=True), _POD),
    Write("run as root", lambda each: pod(each).update(securityContext={"runAsUser": 0}), _POD),
    Write("no context at all", lambda each: pod(each).update(securityContext={}), _POD),
    Write("on one node", lambda each: pod(each).update(nodeName="control-plane"), _POD),
    Write("another pull secret", lambda each: pod(each).update(imagePullSecrets=[{"name": "theirs"}]), _POD),
    Write("see the other containers", lambda each: pod(each).update(shareProcessNamespace=True), _POD),
    Write("a directory of the node", _volume(hostPath={"path": "/"}), _VOLUME),
    Write("another directory", lambda each: pod(each)["volumes"][2]["hostPath"].update(path="/"), _VOLUME),
    Write("a volume of a Secret", _volume(secret={"secretName": "admin"}), _VOLUME),
    Write(
        "a token for elsewhere",
        _volume(projected={"sources": [{"serviceAccountToken": {"path": "t"}}]}),
        _VOLUME,
    ),
    Write("data of somebody else", _volume(persistentVolumeClaim={"claimName": "db"}), _VOLUME),
    Write("a driver", _volume(csi={"driver": "secrets-store.csi.k8s.io"}), _VOLUME),
    Write("another server's files", _volume(nfs={"server": "10.0.0.1", "path": "/"}), _VOLUME),
    Write("one more container", _sidecar, _CONTAINER),
    Write("one that runs first", _initially, _CONTAINER),
    Write("another name", lambda each: web(each).update(name="other"), _CONTAINER),
    Write("privileged", _context(privileged=True, allowPrivilegeEscalation=True), _CONTAINER),
    Write("capabilities", _context(capabilities={"add": ["SYS_ADMIN"]}), _CONTAINER),
    Write("a container's context taken away", lambda each: web(each).pop("securityContext"), _CONTAINER),
    Write("a port of the node", lambda each: web(each)["ports"][0].update(hostPort=8080), _CONTAINER),
    Write("another image", _image("registry.example:5000/team/shell:v1"), _IMAGE),
    Write("another registry", _image("evil.example/team/web:v2"), _IMAGE),
    Write("another port", _image("registry.example:6000/team/web:v2"), _IMAGE),
    Write("a longer name", _image("registry.example:5000/team/web-shell:v2"), _IMAGE),
    Write("a path below", _image("registry.example:5000/team/web/shell:v2"), _IMAGE),
    Write("a variable of another Secret", lambda each: web(each)["env"].append(_OTHER_SECRET), _SECRET),
    Write("all of a Secret", _environment(envFrom=[{"secretRef": {"name": "admin"}}]), _SECRET),
)

NOT_A_RESTART = (
    Write("scale", SCALE.change, "changes no number of replicas", ("DaemonSet",)),
    Write("roll back", ROLLBACK.change, "leaves the version of a workload as it is"),
    Write(
        "an argument", lambda each: web(each).update(args=["sh"]), "leaves the version of a workload as it is"
    ),
    Write(
        "a note on the pods",
        lambda each: template(each)["metadata"]["annotations"].update(x="1"),
        "one annotation",
    ),
    Write(
        "a label of the pods",
        lambda each: template(each)["metadata"]["labels"].update(x="1"),
        "leaves the labels",
    ),
)
"""What rollback writes and restart-only does not let through."""
