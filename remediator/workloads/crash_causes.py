"""Why pods do not run, where the next pod of the same template would meet the same. Pure."""

from collections.abc import Iterable

from remediator.domain.value import JsonObject
from remediator.workloads.deaths import OUT_OF_MEMORY
from remediator.workloads.fields import at, condition, objects, text
from remediator.workloads.out_of_memory import kills_in
from remediator.workloads.stuck_pods import HOPELESS

_USELESS = HOPELESS - {"CrashLoopBackOff"}
"""Reasons of a waiting container that have nothing to do with the process in it."""
_OF_VERSION = ("pod-template-hash", "controller-revision-hash")


def met_again(pods: Iterable[JsonObject]) -> tuple[str, ...]:
    """A sentence for each unready pod, when the next pod would meet the same as every one of them; else none.

    A container that was killed for its memory is started again by the kubelet anyway.
    """
    said = [_why(pod) for pod in pods if not _ready(pod) and at(pod, "metadata", "deletionTimestamp") is None]
    known = tuple(each for each in said if each is not None)
    return known if len(known) == len(said) else ()


def pod_met_again(pods: Iterable[JsonObject], name: str) -> tuple[str, ...]:
    """A sentence when the successor of the pod of this name would meet the same; else none.

    Where another pod of the same version is ready, it need not.
    """
    every = tuple(pods)
    of_name = [each for each in every if text(each, "metadata", "name") == name]
    versions = {_version(each) for each in of_name}
    if any(_ready(each) and _version(each) in versions for each in every):
        return ()
    return met_again(of_name)


def _version(pod: JsonObject) -> str:
    labels = at(pod, "metadata", "labels")
    return next((text(labels, each) for each in _OF_VERSION if text(labels, each)), "")


def _ready(pod: JsonObject) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def _why(pod: JsonObject) -> str | None:
    for field in ("initContainerStatuses", "containerStatuses"):
        for container in objects(pod, "status", field):
            waits = text(container, "state", "waiting", "reason")
            ended = text(container, "state", "terminated", "reason")
            before = text(container, "lastState", "terminated", "reason")
            if waits in _USELESS:
                return f"{text(pod, 'metadata', 'name')}: {text(container, 'name')} is in {waits}"
            if OUT_OF_MEMORY in (ended, before) and container.get("ready") is not True:
                name = text(container, "name")
                told = [str(each) for each in kills_in([pod]) if each.container == name]
                return told[0] if told else f"{text(pod, 'metadata', 'name')}: {name} was {OUT_OF_MEMORY}"
    return None
