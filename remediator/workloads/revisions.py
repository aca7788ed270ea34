"""The revisions of a Deployment, as its ReplicaSets tell them."""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from datetime import datetime
from itertools import pairwise

from remediator.domain.change import exact_hash, revision_hash
from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at, controller_uid, count, moment, objects, text

NUMBER = "deployment.kubernetes.io/revision"
"""Annotation by the deployment controller: the number of a ReplicaSet's revision."""

EARLIER_NUMBERS = "deployment.kubernetes.io/revision-history"
"""Annotation by the deployment controller: the numbers a re-used ReplicaSet had before, with commas."""


class Revision(Value):
    """One ReplicaSet of a Deployment: a template that is or once was the current one.

    Several revisions may be the same version (`hash`), because every restart makes a new ReplicaSet.
    """

    number: int
    earlier_numbers: tuple[int, ...] = ()
    """Numbers it had before it was taken up again, rising."""
    replica_set: str
    replica_set_uid: str
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
    rolled_away: bool = False
    """Kubernetes' numbers prove that people went back past this version, and it was not current since."""
    taken_up_again: bool = False
    """They prove that people went back past this version, and that it was current once more after that."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every number it is known to have had, rising."""
        return (*self.earlier_numbers, self.number)


class Stretch(Value):
    """A time in which one version was the current one, by the creation of ReplicaSets alone."""

    hash: str
    began_at: datetime
    ended_at: datetime


def revisions_of(deployment: JsonObject, replica_sets: Iterable[JsonObject]) -> tuple[Revision, ...]:
    """The revisions of this Deployment, newest first.

    Only ReplicaSets it controls by uid count. One without a readable revision number, uid or creation time
    is left out: nothing could be concluded from it.
    """
    uid = text(deployment, "metadata", "uid")
    found = [_revision(each) for each in replica_sets if uid and controller_uid(each) == uid]
    known = sorted(
        (each for each in found if each is not None),
        key=lambda revision: (revision.number, revision.created_at, revision.replica_set_uid),
        reverse=True,
    )
    left = _left_behind(known)
    return tuple(_with_evidence(each, known, left) for each in known)


def current_revision(deployment: JsonObject, revisions: Sequence[Revision]) -> Revision | None:
    """The revision whose template is exactly the Deployment's; None while the controller has not made it.

    When several have it the oldest is meant, as in FindNewReplicaSet of Kubernetes' deployment controller.
    """
    template = at(deployment, "spec", "template")
    if not isinstance(template, dict):
        return None
    exact = exact_hash(template)
    same = [each for each in revisions if each.exact == exact]
    return min(same, key=lambda each: (each.created_at, each.number), default=None)


def rollout_began(current: Revision, revisions: Sequence[Revision]) -> datetime:
    """When the current version was rolled out, judged by ReplicaSets: restarts of it are not rollouts.

    For a version that was taken up again this is its first creation, hence earlier than the truth.
    """
    began = current.created_at
    for revision in sorted(revisions, key=lambda each: each.number, reverse=True):
        if revision.number > current.number:
            continue
        if revision.hash != current.hash:
            break
        began = min(began, revision.created_at)
    return began


def title(revision: Revision) -> str:
    """For people: `revision 7 (app:v41)`."""
    names = image_names(revision.template)
    return f"revision {revision.number} ({names})" if names else f"revision {revision.number}"


def image_names(template: JsonObject) -> str:
    """The images of a template without their registries: `app:v41, proxy:v2`."""
    return ", ".join(_short(image) for image in _images(template))


def stretches(revisions: Sequence[Revision]) -> tuple[Stretch, ...]:
    """When each version was the current one, oldest first, as far as creation times prove it.

    A ReplicaSet that is taken up again gets a new number but no new time, so that only a stretch which began
    and ended with the creation of a ReplicaSet has known ends. The current version's stretch has none.
    """
    known = []
    for numbers, after in _contiguous(revisions):
        begun = _born_with(numbers[0], revisions)
        ended = _born_with(after, revisions)
        if begun is not None and ended is not None and begun.created_at <= ended.created_at:
            stretch = Stretch(hash=begun.hash, began_at=begun.created_at, ended_at=ended.created_at)
            known.append(stretch)
    return tuple(known)


def _contiguous(revisions: Sequence[Revision]) -> Iterator[tuple[list[int], int]]:
    """Runs of neighbouring numbers of one version, each with the number that came after it."""
    version_of = _versions_by_number(revisions)
    numbers = sorted(version_of)
    run = numbers[:1]
    for number, following in pairwise(numbers):
        if following == number + 1 and version_of[following] == version_of[number]:
            run.append(following)
            continue
        yield run, number + 1
        run = [following]


def _born_with(number: int, revisions: Sequence[Revision]) -> Revision | None:
    """The revision that was created with this number; None for one that was re-used, or is gone."""
    return next((each for each in revisions if each.numbers[0] == number), None)


def _versions_by_number(revisions: Iterable[Revision]) -> dict[int, str]:
    return {number: each.hash for each in revisions for number in each.numbers}


def _left_behind(revisions: Sequence[Revision]) -> dict[str, int]:
    """For each version that people went back past: the number at which they last did.

    A version that first appeared before this one and was current after it proves it. Going forward again to
    a newer version that had been left (a release tried once more) proves nothing against the older.
    """
    version_of = _versions_by_number(revisions)
    first: dict[str, int] = {}
    for number in sorted(version_of):
        first.setdefault(version_of[number], number)
    returns = {
        version: [number for number in version_of if number > born and first[version_of[number]] < born]
        for version, born in first.items()
    }
    return {version: max(numbers) for version, numbers in returns.items() if numbers}


def _with_evidence(revision: Revision, revisions: Sequence[Revision], left: dict[str, int]) -> Revision:
    if revision.hash not in left:
        return revision
    last = max(each.number for each in revisions if each.hash == revision.hash)
    again = last > left[revision.hash]
    return revision.model_copy(update={"rolled_away": not again, "taken_up_again": again})


def _revision(replica_set: JsonObject) -> Revision | None:
    number = _number(text(replica_set, "metadata", "annotations", NUMBER))
    template = at(replica_set, "spec", "template")
    created_at = moment(replica_set, "metadata", "creationTimestamp")
    uid = text(replica_set, "metadata", "uid")
    if number is None or created_at is None or not uid or not isinstance(template, dict):
        return None
    history = text(replica_set, "metadata", "annotations", EARLIER_NUMBERS).split(",")
    earlier = {_number(each.strip()) for each in history}
    return Revision(
        number=number,
        earlier_numbers=tuple(sorted(each for each in earlier if each is not None and each < number)),
        replica_set=text(replica_set, "metadata", "name"),
        replica_set_uid=uid,
        template=_without_pod_template_hash(template),
        hash=revision_hash(template),
        exact=exact_hash(template),
        images=tuple(_images(template)),
        created_at=created_at,
        desired=count(replica_set, "spec", "replicas") or 0,
        ready=count(replica_set, "status", "readyReplicas") or 0,
        available=count(replica_set, "status", "availableReplicas") or 0,
    )


def _number(written: str) -> int | None:
    """A revision's number; they begin at 1."""
    if not (written.isascii() and written.isdigit() and len(written) < 19):
        return None
    return int(written) or None


def _without_pod_template_hash(template: JsonObject) -> JsonObject:
    copy = deepcopy(template)
    labels = at(copy, "metadata", "labels")
    if isinstance(labels, dict):
        labels.pop("pod-template-hash", None)
    return copy


def _images(template: JsonObject) -> list[str]:
    return [text(each, "image") for each in objects(template, "spec", "containers") if text(each, "image")]


def _short(image: str) -> str:
    """`app:v41` of `registry:5000/shop/app:v41@sha256:...`; with a digest alone, its first 12 digits."""
    name, _, image_digest = image.rsplit("/", 1)[-1].partition("@")
    if ":" in name or not image_digest:
        return name
    return f"{name}@{image_digest.partition(':')[2][:12]}"
