"""Facts of the workload that the run is about."""

import json
from datetime import timedelta

from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.errors import Permanent
from remediator.kit import Kit
from remediator.workloads.autoscalers import autoscalers_of
from remediator.workloads.config_maps import mentioned_config_maps
from remediator.workloads.fields import at, condition, count, objects, text

_LATELY = timedelta(days=1)


async def seen(run: RunView, kit: Kit) -> SeenWorkload:
    """The workload. Raises Permanent when it is gone, else as the reader does."""
    found = await look_at(kit.kube, run.target)
    if found is None:
        raise Permanent(f"{run.target} does not exist")
    return found


async def run_id(run: RunView, _: Kit) -> str:
    return str(run.run_id)


async def kind(run: RunView, _: Kit) -> str:
    return run.target.kind


async def namespace(run: RunView, _: Kit) -> str:
    return run.target.namespace


async def name(run: RunView, _: Kit) -> str:
    return run.target.name


async def selector(run: RunView, kit: Kit) -> str:
    return ",".join(f"{label}={value}" for label, value in sorted((await _labels(run, kit)).items()))


async def match_labels(run: RunView, kit: Kit) -> str:
    return json.dumps(await _labels(run, kit), sort_keys=True)


async def _labels(run: RunView, kit: Kit) -> dict[str, str]:
    workload = (await seen(run, kit)).workload
    labels = at(workload, "spec", "selector", "matchLabels")
    if not labels or at(workload, "spec", "selector", "matchExpressions"):
        raise Permanent("labels alone do not say which pods are its own")
    return dict(labels)


async def container(run: RunView, kit: Kit) -> str:
    return text(await main_container(run, kit), "name")


async def main_container(run: RunView, kit: Kit) -> JsonObject:
    """Its only container, or the one that is called as the workload is."""
    found = objects((await seen(run, kit)).template, "spec", "containers")
    named = [each for each in found if text(each, "name") == run.target.name]
    (one,) = named if named else found if len(found) == 1 else (None,)
    if one is None:
        raise Permanent(f"it has several: {', '.join(text(each, 'name') for each in found)}")
    return one


async def replicas(run: RunView, kit: Kit) -> str:
    """Of what is stopped before a database is touched, and started again: never of the database's own server."""
    for each in kit.databases.configured:
        if each.server == str(run.target):
            writers = ", ".join(each.targets) or "what writes to it, which remediator.yml does not name"
            raise Permanent(f"it is the server of database {each.name}, which stays up: stop {writers}")
    wanted = count((await seen(run, kit)).workload, "spec", "replicas")
    if wanted is None:
        raise Permanent(f"{run.target} has no number of replicas")
    if wanted == 0:
        raise Permanent("it has 0 just now, so somebody has scaled it down before")
    return str(wanted)


async def autoscaler(run: RunView, kit: Kit) -> str:
    workload = (await seen(run, kit)).workload
    listed = await kit.kube.list("horizontalpodautoscaler", run.target.namespace)
    listed = [*listed, *await kit.kube.list("scaledobject", run.target.namespace)]
    found = autoscalers_of(workload, listed)
    return ", ".join(f"{each.kind} {each.name}" for each in found) or "none"


async def ready_pod(run: RunView, kit: Kit) -> str:
    pods = (await seen(run, kit)).pods
    names = sorted(
        text(each, "metadata", "name") for each in pods if text(condition(each, "Ready"), "status") == "True"
    )
    if not names:
        raise Permanent(f"none of its {len(pods)} pods is ready")
    return names[0]


async def config_map(run: RunView, kit: Kit) -> str:
    """The only one it uses; of several the only one that has changed lately."""
    names = mentioned_config_maps((await seen(run, kit)).template)
    if len(names) > 1:
        since = kit.clock.now() - _LATELY
        stretches = await kit.history.config_stretches(run.target, names)
        changed = {each.name for each in stretches if each.ended_at is not None and each.ended_at > since}
        names = changed if len(changed) == 1 else names
    return _only(names, "ConfigMap")


async def secret(run: RunView, kit: Kit) -> str:
    return _only({name for name, _ in await _secrets(run, kit)}, "Secret")


async def secret_key(run: RunView, kit: Kit) -> str:
    return _only({key for _, key in await _secrets(run, kit)} - {""}, "key of a Secret")


async def _secrets(run: RunView, kit: Kit) -> set[tuple[str, str]]:
    """Name and key of each that its environment takes; the key is empty where it takes all. None is ever read."""
    found = set()
    for each in objects((await seen(run, kit)).template, "spec", "containers"):
        for source in objects(each, "envFrom"):
            found.add((text(source, "secretRef", "name"), ""))
        for variable in objects(each, "env"):
            reference = at(variable, "valueFrom", "secretKeyRef")
            found.add((text(reference, "name"), text(reference, "key")))
    return {each for each in found if each[0]}


def _only(names: set[str], what: str) -> str:
    if len(names) != 1:
        raise Permanent(f"it names several: {', '.join(sorted(names))}" if names else f"it names no {what}")
    return next(iter(names))


async def health(run: RunView, kit: Kit) -> str:
    """The path of its readiness probe, through the first Service that selects its pods."""
    template = (await seen(run, kit)).template
    labels = at(template, "metadata", "labels") or {}
    path = text(await main_container(run, kit), "readinessProbe", "httpGet", "path")
    if not path.startswith("/"):
        raise Permanent("it has no readiness probe over HTTP")
    for service in await kit.kube.list("service", run.target.namespace):
        wanted, ports = at(service, "spec", "selector"), objects(service, "spec", "ports")
        if wanted and ports and wanted.items() <= labels.items():
            address = f"{text(service, 'metadata', 'name')}:{count(ports[0], 'port')}"
            return f"/api/v1/namespaces/{run.target.namespace}/services/{address}/proxy{path}"
    raise Permanent("no Service selects its pods")
