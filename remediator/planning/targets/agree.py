"""What several labels lead to together: one workload, or the refusal that names the candidates."""

from remediator.domain.answers import Refusal
from remediator.planning.targets.answer import Absent, Answer, Candidates, Found, Place, container_names
from remediator.planning.targets.subject import OF_A_METRIC, Subject

_PERSONS = "remediator changes workloads only"


def weighed(chosen: Found | None, answer: Answer) -> Found | Refusal:
    """What is chosen after one more label, which is weaker than those before it.

    The first label must lead to exactly one workload. That it leads nowhere is a refusal as well: a weaker
    label may then name the exporter and not the subject.
    """
    if isinstance(answer, Refusal):
        return answer
    if isinstance(answer, Absent):
        return Refusal(why=answer.why) if chosen is None else _also(chosen, answer.why)
    if chosen is not None:
        same = [each for each in answer.found if each.target == chosen.target]
        if same:
            return _also(chosen, same[0].how).model_copy(update={"on_pod": chosen.on_pod | same[0].on_pod})
        return Refusal(why=f"two candidates: {'; but '.join([chosen.how, *_said(answer)])}")
    if len(answer.found) == 1 and not answer.others:
        return answer.found[0]
    return Refusal(why=f"more than one candidate: {'; '.join(_said(answer))}")


def _said(answer: Candidates) -> list[str]:
    return [*[each.how for each in answer.found], *answer.others]


def _also(chosen: Found, how: str) -> Found:
    return chosen.model_copy(update={"how": f"{chosen.how}; {how}"})


async def with_container(place: Place, chosen: Found, container: str) -> Found | Refusal:
    """A container never names a workload, but the workload has to have it.

    Admission may have added it to the pods only, as service meshes do. Where an exporter was scraped, one that
    the workload does not have is taken for the exporter's.
    """
    if container in chosen.containers | chosen.on_pod:
        return chosen
    if chosen.on_pod or not chosen.selector:
        return _no_container(place, chosen, container)
    pods = await place.kube.list("pod", chosen.target.namespace, chosen.selector)
    if any(container in container_names(each["spec"]) for each in pods):
        return chosen
    return _no_container(place, chosen, container)


def _no_container(place: Place, chosen: Found, container: str) -> Found | Refusal:
    if place.subject.scraped is not None:
        return _also(chosen, f"container {container!r} is taken for one of {place.subject.scraped}")
    return Refusal(why=f"two candidates: {chosen.how}; but {chosen.said} has no container {container!r}")


def towards(subject: Subject, found: Found | Refusal) -> Found | Refusal:
    """What was found, unless a mesh says that the requests went to another workload: that one fails, or this one."""
    if isinstance(found, Refusal) or subject.towards in (None, found.target.name):
        return found
    return Refusal(why=f"two candidates: {found.how}; but the requests went to {subject.towards}")


def without_namespace(subject: Subject, chosen: Found | None) -> Found | Refusal:
    """An alert without a namespace: none is ever assumed, and an entry of `targets:` is believed."""
    kind, name = subject.workload or next(
        (each, subject.named[each]) for each in (*OF_A_METRIC, "pod", "service") if each in subject.named
    )
    if chosen is None:
        because = f" ({subject.exporter})" if subject.exporter is not None else ""
        return Refusal(
            why=f"the alert names {kind} {name!r} but no namespace{because}, and none is ever assumed"
        )
    if subject.workload not in (None, (chosen.target.kind, chosen.target.name)):
        return Refusal(why=f"two candidates: {chosen.how}; but its labels name {kind} {name!r}")
    return chosen


def nothing_named(subject: Subject) -> Refusal:
    """Why an alert whose labels name nothing to look up has no target, and what to do about it."""
    named = subject.named
    if "persistentvolumeclaim" in named:
        claim = f"PersistentVolumeClaim {named['persistentvolumeclaim']!r}"
        return Refusal(
            why=f"it is about {claim}: {_PERSONS}; to make room or grow the volume is a person's. An entry of "
            "targets: may say whose it is"
        )
    node = named.get("node") or (named.get("instance") if _is_of_nodes(subject) else None)
    if node is not None:
        return Refusal(why=f"it is about node {node!r}: {_PERSONS}; to cordon or drain a node is a person's")
    because = f" ({subject.exporter})" if subject.exporter is not None else ""
    return Refusal(
        why=f"the alert names no workload{because}: it has no label deployment, statefulset, daemonset, pod, "
        "service or the like, and no entry of targets: matches it"
    )


def _is_of_nodes(subject: Subject) -> bool:
    return "node-exporter" in (subject.exporter or "")
