"""The revisions of a workload, and what their numbers and ages prove."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from remediator.domain.change import exact_hash
from remediator.domain.value import JsonObject, Value
from remediator.workloads.fields import at
from remediator.workloads.revision import Revision
from remediator.workloads.revision_objects import read_revisions


class Stretch(Value):
    """A time in which one version was the current one, by the creation of ReplicaSets alone."""

    hash: str
    began_at: datetime
    ended_at: datetime


def revisions_of(workload: JsonObject, revision_objects: Iterable[JsonObject]) -> tuple[Revision, ...]:
    """The revisions of this workload, newest first; see read_revisions for what is left out."""
    known = sorted(
        read_revisions(workload, revision_objects),
        key=lambda revision: (revision.number, revision.created_at, revision.uid),
        reverse=True,
    )
    left = _left_behind(known)
    return tuple(_with_evidence(each, known, left) for each in known)


def current_revision(workload: JsonObject, revisions: Sequence[Revision]) -> Revision | None:
    """The revision whose template is exactly the workload's; None while the controller has not made it.

    When several have it the oldest is meant, as in FindNewReplicaSet of Kubernetes' deployment controller.
    """
    template = at(workload, "spec", "template")
    if not isinstance(template, dict):
        return None
    exact = exact_hash(template)
    same = [each for each in revisions if each.exact == exact]
    return min(same, key=lambda each: (each.created_at, each.number), default=None)


def rollout_began(current: Revision, revisions: Sequence[Revision]) -> datetime:
    """When the current version was rolled out, judged by its objects: restarts of it are not rollouts.

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


def stretches(revisions: Sequence[Revision]) -> tuple[Stretch, ...]:
    """When each version was the current one, oldest first, as far as creation times prove it.

    What is taken up again gets a new number but no new time, so that only a stretch which began and ended
    with the creation of an object has known ends. The current version's stretch has none.
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
    return next((each for each in revisions if each.born_numbered and each.numbers[0] == number), None)


def _versions_by_number(revisions: Iterable[Revision]) -> dict[int, str]:
    return {number: each.hash for each in revisions for number in each.numbers}


def _left_behind(revisions: Sequence[Revision]) -> dict[str, int]:
    """For each version that people went back past: the number at which they last did.

    A version that first appeared before this one and was current after it proves it. Going forward again to
    a newer version that had been left (a release tried once more) proves nothing against the older.
    Where the numbers of births are not known, creation times tell who appeared first.
    """
    if not all(each.born_numbered for each in revisions):
        return _left_behind_by_age(revisions)
    version_of = _versions_by_number(revisions)
    first: dict[str, int] = {}
    for number in sorted(version_of):
        first.setdefault(version_of[number], number)
    returns = {
        version: [number for number in version_of if number > born and first[version_of[number]] < born]
        for version, born in first.items()
    }
    return {version: max(numbers) for version, numbers in returns.items() if numbers}


def _left_behind_by_age(revisions: Sequence[Revision]) -> dict[str, int]:
    born: dict[str, datetime] = {}
    newest: dict[str, int] = {}
    for each in revisions:
        born[each.hash] = min(each.created_at, born.get(each.hash, each.created_at))
        newest[each.hash] = max(each.number, newest.get(each.hash, 0))
    left = {}
    for version, began in born.items():
        last = max((newest[other] for other in born if born[other] < began), default=0)
        if last > newest[version]:
            left[version] = last
    return left


def _with_evidence(revision: Revision, revisions: Sequence[Revision], left: dict[str, int]) -> Revision:
    if revision.hash not in left:
        return revision
    last = max(each.number for each in revisions if each.hash == revision.hash)
    again = last > left[revision.hash]
    return revision.model_copy(update={"rolled_away": not again, "taken_up_again": again})
