"""From an alert to the one object it is about, or to the reason why none can be named.

Every label that names something is followed, the strongest first. The first that leads anywhere must lead to
exactly one workload that exists; each weaker one must agree with it, or lead nowhere. Nothing is guessed.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from remediator.clients.kube_read import KubeReader
from remediator.domain.answers import Refusal
from remediator.domain.target import Target, no_object
from remediator.domain.value import Value
from remediator.errors import Permanent, RemediatorError
from remediator.planning.targets.agree import (
    nothing_named,
    towards,
    weighed,
    with_container,
    without_namespace,
)
from remediator.planning.targets.answer import Absent, Answer, Found, Place
from remediator.planning.targets.named import (
    of_autoscaler,
    of_cron_job,
    of_job,
    of_replica_set,
    of_rollout,
    of_workload,
)
from remediator.planning.targets.owner import existing
from remediator.planning.targets.pod import of_pod
from remediator.planning.targets.service import of_ingress, of_service
from remediator.planning.targets.subject import Subject, subject_of
from remediator.rulebook.rule import RuleTarget
from remediator.store.database import Database
from remediator.workloads.consent import ENABLED

_STARTS = re.compile(r"[A-Za-z0-9]")
_SECONDS = 20.0
"""For all reads of one alert together, each of which has the reader's own deadline besides."""

Source: TypeAlias = Callable[[Place, str], Awaitable[Answer]]

SOURCES: tuple[tuple[str, Source], ...] = (
    ("replicaset", of_replica_set),
    ("horizontalpodautoscaler", of_autoscaler),
    ("rollout", of_rollout),
    ("job_name", of_job),
    ("cronjob", of_cron_job),
    ("pod", of_pod),
    ("ingress", of_ingress),
    ("service", of_service),
)
"""Labels that name an object, and what follows each. Strongest first; an entry of `targets:` and labels that
name a workload are stronger than all of these.
"""


class Resolved(Value):
    """The target, how it was found, and what it depends on."""

    target: Target
    how: str
    uid: str | None = None
    """Of the object that was seen: evidence. What a change pins is read again when it is proposed."""
    depends_on: tuple[str, ...] = ()


class Resolver:
    """Reads the cluster, and our memory of it; never within a transaction."""

    def __init__(self, kube: KubeReader, database: Database, cluster: str) -> None:
        self._kube = kube
        self._database = database
        self._cluster = cluster

    async def resolve(
        self, labels: Mapping[str, str], rule_targets: Sequence[RuleTarget]
    ) -> Resolved | Refusal:
        """One alert gives exactly one object, or a refusal that names why.

        `rule_targets` are the entries of `targets:` that match the alert. A refusal is passing when the
        cluster cannot be read now: then nothing is known, and it has to be asked again.
        """
        subject, entry = subject_of(labels), _entry(rule_targets, self._cluster)
        if isinstance(subject, Refusal):
            return subject
        if isinstance(entry, Refusal):
            return entry
        looked_in = entry.namespace if entry is not None else subject.namespace
        return await self._in_time(self._look(subject, entry), looked_in, depends_on(rule_targets))

    async def named(self, target: Target, rule_targets: Sequence[RuleTarget]) -> Resolved | Refusal:
        """The workload a person named, which has to exist, with what `rule_targets` say that it depends on.

        A refusal is passing when the cluster cannot be read now.
        """
        place = self._place(Subject(namespace=target.namespace), target.namespace)
        looking = existing(place, target.kind, target.name, how=f"{target} was named")
        entries = [each for each in rule_targets if each.target == str(target)]
        return await self._in_time(looking, target.namespace, depends_on(entries))

    async def _in_time(
        self, looking: Awaitable[Found | Refusal], looked_in: str | None, needs: tuple[str, ...]
    ) -> Resolved | Refusal:
        try:
            async with asyncio.timeout(_SECONDS):
                found = await looking
        except TimeoutError:
            return Refusal(why=f"its target could not be looked up within {_SECONDS:g} s", passing=True)
        except RemediatorError as error:
            return await self._why_unreadable(looked_in, error)
        if isinstance(found, Refusal):
            return found
        return Resolved(target=found.target, how=found.how, uid=found.uid, depends_on=needs)

    async def _look(self, subject: Subject, entry: Target | None) -> Found | Refusal:
        chosen: Found | Refusal | None = None
        if entry is not None:
            place = self._place(subject, entry.namespace)
            chosen = await existing(place, entry.kind, entry.name, how=f"an entry of targets: says {entry}")
        if isinstance(chosen, Refusal):
            return chosen
        if not subject.names_an_object():
            return chosen or nothing_named(subject)
        if subject.namespace is None:
            return without_namespace(subject, chosen)
        found = await self._follow(self._place(subject, subject.namespace), chosen)
        return found if chosen is not None else towards(subject, found)

    async def _follow(self, place: Place, chosen: Found | None) -> Found | Refusal:
        """Follow every label that names something; the first refusal ends it."""
        container, scraped_elsewhere = place.subject.named.get("container"), False
        for label, name, source in _lookups(place.subject):
            answer = _unusable(place, label, name, chosen) or await source(place, name)
            decided = weighed(chosen, answer)
            if isinstance(decided, Refusal):
                return decided
            chosen = decided
            scraped_elsewhere |= label == "pod" and isinstance(answer, Absent)
        if chosen is None:
            return nothing_named(place.subject)
        if container is None or scraped_elsewhere:
            return chosen
        return await with_container(place, chosen, container)

    async def _why_unreadable(self, namespace: str | None, error: RemediatorError) -> Refusal:
        """An answer that cannot be had: unknown, and asked again, unless the namespace's owners never said yes."""
        unknown = Refusal(why=f"its target could not be looked up: {error.sentence}", passing=True)
        if namespace is None or not isinstance(error, Permanent):
            return unknown
        try:
            found = await self._kube.namespace(namespace)
        except RemediatorError:
            return unknown
        if found is None:
            return Refusal(why=f"there is no namespace {namespace}")
        if (found["metadata"].get("labels") or {}).get(ENABLED) != "true":
            return Refusal(why=f"namespace {namespace} has not opted in ({ENABLED}=true): {error.sentence}")
        return unknown

    def _place(self, subject: Subject, namespace: str) -> Place:
        return Place(self._cluster, namespace, self._kube, self._database, subject)


def depends_on(rule_targets: Sequence[RuleTarget]) -> tuple[str, ...]:
    """What entries of `targets:` say that the target needs, each once."""
    return tuple(dict.fromkeys(each for entry in rule_targets for each in entry.depends_on))


def _lookups(subject: Subject) -> Iterator[tuple[str, str, Source]]:
    """What to follow: label, name and source, the strongest first."""
    if subject.workload is not None:
        kind, name = subject.workload
        yield kind, name, partial(of_workload, kind=kind)
    for label, source in SOURCES:
        if label in subject.named:
            yield label, subject.named[label], source


def _unusable(place: Place, label: str, name: str, chosen: Found | None) -> Absent | Refusal | None:
    """Why a name must not reach a request, or None.

    An application may have a label `service` of its own with any text in it: beside a stronger label that
    leads nowhere. Blanks and wildcards refuse always, since somebody may have meant everything by them.
    """
    wrong = no_object(place.namespace, name)
    if wrong is None:
        return None
    if label == "service" and chosen is not None and _STARTS.match(name):
        return Absent(why=f"{name!r} is not a Service's name")
    return Refusal(why=wrong)


def _entry(rule_targets: Sequence[RuleTarget], cluster: str) -> Target | Refusal | None:
    """What the entries of `targets:` name together; None when there are none."""
    named = sorted({each.target for each in rule_targets})
    if len(named) > 1:
        return Refusal(why=f"two candidates: entries of targets: say {' and '.join(named)}")
    try:
        return Target.parse(named[0], cluster) if named else None
    except ValueError as reason:
        return Refusal(why=str(reason))
