"""When two names of images mean the same image."""

from typing import Literal, TypeAlias

from remediator.domain.value import JsonObject
from remediator.workloads.fields import objects, text

Comparison: TypeAlias = Literal["digest", "tag"]
"""What two names were found the same by. A tag can be moved to another image; a digest cannot."""


def same_image(one: str, other: str) -> Comparison | None:
    """Whether two names, as they stand in templates, mean the same image.

    Digests decide where both have one. Otherwise registry, path and tag must be the same to the letter:
    `app` is not `docker.io/library/app`, because which of them a node means is the node's configuration.
    """
    name, _, digest = one.partition("@")
    other_name, _, other_digest = other.partition("@")
    if digest and other_digest:
        return "digest" if digest == other_digest else None
    return "tag" if name == other_name else None


def among_images(image: str, template: JsonObject) -> Comparison | None:
    """Whether a container of this template, one that runs first included, has the image."""
    containers = [*objects(template, "spec", "initContainers"), *objects(template, "spec", "containers")]
    found = {same_image(image, text(each, "image")) for each in containers}
    return "digest" if "digest" in found else "tag" if "tag" in found else None
