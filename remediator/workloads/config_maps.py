"""Which ConfigMaps a pod template cannot start without, and whether one holds what it held."""

from collections.abc import Iterator

from remediator.domain.value import JsonObject, digest
from remediator.workloads.fields import at, objects, text


def referenced_config_maps(template: JsonObject) -> set[str]:
    """Names of the ConfigMaps this template's volumes and environment need; optional ones are left out."""
    needed = [each for each in _found(template) if at(each, "optional") is not True]
    return {text(each, "name") for each in needed} - {""}


def mentioned_config_maps(template: JsonObject) -> set[str]:
    """Names of all ConfigMaps this template's volumes and environment take something from."""
    return {text(each, "name") for each in _found(template)} - {""}


def content_hash(config_map: JsonObject) -> str:
    """Names what a ConfigMap holds: the same for equal content, whatever its metadata."""
    return digest({part: config_map.get(part) or {} for part in ("data", "binaryData")})


def _found(template: JsonObject) -> Iterator[object]:
    yield from _of_volumes(template)
    yield from _of_environment(template)


def _of_volumes(template: JsonObject) -> Iterator[object]:
    for volume in objects(template, "spec", "volumes"):
        yield at(volume, "configMap")
        for source in objects(volume, "projected", "sources"):
            yield at(source, "configMap")


def _of_environment(template: JsonObject) -> Iterator[object]:
    containers = objects(template, "spec", "containers") + objects(template, "spec", "initContainers")
    for container in containers:
        for source in objects(container, "envFrom"):
            yield at(source, "configMapRef")
        for variable in objects(container, "env"):
            yield at(variable, "valueFrom", "configMapKeyRef")
