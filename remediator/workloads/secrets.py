"""Which Secrets a pod template names. Names are all this daemon ever knows of a Secret."""

from collections.abc import Iterator

from remediator.domain.value import JsonObject
from remediator.workloads.fields import objects, text


def mentioned_secrets(template: JsonObject) -> set[str]:
    """Names of the Secrets this template's volumes and environment take something from."""
    return set(_names(template)) - {""}


def _names(template: JsonObject) -> Iterator[str]:
    for volume in objects(template, "spec", "volumes"):
        yield text(volume, "secret", "secretName")
        for source in objects(volume, "projected", "sources"):
            yield text(source, "secret", "name")
    for container in objects(template, "spec", "containers") + objects(template, "spec", "initContainers"):
        for source in objects(container, "envFrom"):
            yield text(source, "secretRef", "name")
        for variable in objects(container, "env"):
            yield text(variable, "valueFrom", "secretKeyRef", "name")
