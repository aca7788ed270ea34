"""`service` and `ingress`: the workload whose pods a Service selects."""

from collections.abc import Iterator, Mapping

from remediator.domain.answers import Refusal
from remediator.domain.target import KINDS
from remediator.domain.value import JsonObject
from remediator.planning.targets.answer import Absent, Answer, Candidates, Found, Place
from remediator.planning.targets.owner import found_as, owner_of, top_owner

_ENDED = ("Succeeded", "Failed")


async def of_service(place: Place, name: str) -> Answer:
    """The workload whose pods it selects; where there are none, the one whose pod template it selects.

    A service that is down may well have no pods, and its alert is about just that.
    """
    service = await place.kube.get("service", place.namespace, name)
    if service is None:
        return Absent(why=f"there is no Service {name} in namespace {place.namespace}")
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return Absent(why=f"Service {name} stands for {spec.get('externalName')}, outside of the cluster")
    selector = spec.get("selector")
    if not selector:
        return Absent(why=f"Service {name} has no selector: somebody else keeps its endpoints")
    pods = [
        each
        for each in await place.kube.list("pod", place.namespace, selector)
        if (each.get("status") or {}).get("phase") not in _ENDED
    ]
    if pods:
        return await _owners(place, name, pods)
    return await _by_template(place, name, selector)


async def _owners(place: Place, name: str, pods: list[JsonObject]) -> Answer:
    """The workloads of a Service's pods; each owner is followed once."""
    by_owner = {owner.uid if (owner := owner_of(each)) else _name(each): each for each in pods}
    found: dict[str, Found] = {}
    others: list[str] = []
    for pod in by_owner.values():
        above = await top_owner(place, pod, f"pod {_name(pod)}")
        if isinstance(above, Refusal):
            if above.passing:
                return above
            others.append(above.why)
        else:
            how = f"Service {name} selects pods of {above.said}"
            found[above.uid] = above.model_copy(update={"how": how})
    if not found:
        return Refusal(why=f"Service {name} selects no pods of a workload: {'; '.join(others)}")
    return Candidates(found=tuple(found.values()), others=tuple(others))


async def _by_template(place: Place, name: str, selector: Mapping[str, str]) -> Answer:
    """The workloads whose pods, were there any, the Service would select."""
    found = []
    for kind in KINDS:
        for workload in await place.kube.list(kind, place.namespace):
            labels = (workload["spec"]["template"].get("metadata") or {}).get("labels") or {}
            if selector.items() <= labels.items():
                said = f"{kind} {_name(workload)}"
                how = f"Service {name} selects no pods now, and those that {said} would make"
                each = found_as(place, kind, workload, how=how)
                if isinstance(each, Refusal):
                    return each
                found.append(each)
    if not found:
        said = ", ".join(f"{key}={value}" for key, value in sorted(selector.items()))
        return Absent(
            why=f"Service {name} selects no pods and no workload's template: its selector is {said}"
        )
    return Candidates(found=tuple(found))


async def of_ingress(place: Place, name: str) -> Answer:
    """The workload behind an Ingress that leads to one Service, or to one for the alert's host and path.

    A `service` label chooses as well, when it is one of those the Ingress leads to.
    """
    ingress = await place.kube.get("ingress", place.namespace, name)
    if ingress is None:
        return Refusal(why=f"there is no Ingress {name} in namespace {place.namespace}")
    named = place.subject.named
    services = sorted(set(_backends(ingress, named.get("host"), named.get("path"))))
    if named.get("service") in services:
        services = [named["service"]]
    if len(services) != 1:
        said = f"to {' and '.join(services)}" if services else "to no Service"
        return Refusal(why=f"Ingress {name} leads {said}, and the alert does not say to which")
    answer = await of_service(place, services[0])
    leads = f"Ingress {name} leads to Service {services[0]}"
    match answer:
        case Candidates():
            found = [each.model_copy(update={"how": f"{leads}; {each.how}"}) for each in answer.found]
            return answer.model_copy(update={"found": tuple(found)})
        case Refusal():
            return answer.model_copy(update={"why": f"{leads}; {answer.why}"})
    return Refusal(why=f"{leads}; {answer.why}")


def _backends(ingress: JsonObject, host: str | None, path: str | None) -> Iterator[str]:
    """The Services of an Ingress: those of a host's rules and of a path, when these are given and known."""
    spec = ingress.get("spec") or {}
    rules = spec.get("rules") or []
    of_host = [each for each in rules if host is not None and each.get("host") == host]
    paths = [each for rule in of_host or rules for each in (rule.get("http") or {}).get("paths") or []]
    of_path = [each for each in paths if path is not None and each.get("path") == path]
    backends = [each.get("backend") or {} for each in of_path or paths]
    if not of_host and not of_path:
        backends.append(spec.get("defaultBackend") or {})
    for backend in backends:
        service = (backend.get("service") or {}).get("name")
        if service:
            yield str(service)


def _name(obj: JsonObject) -> str:
    return str(obj["metadata"]["name"])
