"""One revision of a workload: a template that is or once was the current one."""

from datetime import datetime

from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import controller_uid, objects, text

_OF_POD = "controller-revision-hash"


class Revision(Value):
    """What one ReplicaSet (of a Deployment) or ControllerRevision (of the other kinds) tells.

    Several revisions may be the same version (`hash`), because every restart makes a new one.
    """

    number: int
    earlier_numbers: tuple[int, ...] = ()
    """Numbers it had before it was taken up again, rising; a ControllerRevision does not tell them."""
    name: str
    """Of the ReplicaSet or ControllerRevision."""
    uid: str
    pod_hashes: tuple[str, ...] = ()
    """What the label controller-revision-hash of its pods may be; empty for a ReplicaSet, which owns its pods."""
    template: JsonObject
    """The pod template without the pod-template-hash label. A copy; not to be changed."""
    hash: str
    """revision_hash: names the version."""
    exact: str
    """exact_hash: names the template, restart stamp included."""
    images: tuple[str, ...]
    created_at: datetime
    desired: int = 0
    ready: int = 0
    available: int = 0
    born_numbered: bool = True
    """Whether its first known number is the one it was created with."""
    rolled_away: bool = False
    """Kubernetes' numbers prove that people went back past this version, and it was not current since."""
    taken_up_again: bool = False
    """They prove that people went back past this version, and that it was current once more after that."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every number it is known to have had, rising."""
        return (*self.earlier_numbers, self.number)

    def is_of(self, pod: JsonObject) -> bool:
        """Whether the pod was made from this revision."""
        return controller_uid(pod) == self.uid or text(pod, "metadata", "labels", _OF_POD) in self.pod_hashes


def title(revision: Revision) -> str:
    """For people: `revision 7 (app:v41)`."""
    names = image_names(revision.template)
    return f"revision {revision.number} ({names})" if names else f"revision {revision.number}"


def image_names(template: JsonObject) -> str:
    """The images of a template without their registries: `app:v41, proxy:v2`."""
    return ", ".join(_short(image) for image in images(template))


def images(template: JsonObject) -> tuple[str, ...]:
    """The images of a template's containers, in their order."""
    named = (text(each, "image") for each in objects(template, "spec", "containers"))
    return tuple(each for each in named if each)


def every_image(template: JsonObject) -> frozenset[str]:
    """The images of all containers, those of init containers as well."""
    named = objects(template, "spec", "initContainers") + objects(template, "spec", "containers")
    return frozenset(text(each, "image") for each in named) - {""}


def _short(image: str) -> str:
    """`app:v41` of `registry:5000/shop/app:v41@sha256:...`; with a digest alone, its first 12 digits."""
    name, _, image_digest = image.rsplit("/", 1)[-1].partition("@")
    if ":" in name or not image_digest:
        return name
    return f"{name}@{image_digest.partition(':')[2][:12]}"
