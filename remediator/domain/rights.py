"""What the daemon has to be allowed to do in a cluster, and what it must not be allowed.

The one table: deploy/ grants exactly this (tests/deploy/test_rights.py), and `remediator doctor` asks a cluster
for it. A step that reads or writes another resource adds its line here.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from remediator.domain.target import KINDS

LOOK: Literal["look"] = "look"
ACT: Literal["act"] = "act"


class Right(NamedTuple):
    """One verb on one resource, named as in RBAC: a subresource is `pods/log`, the core group is empty."""

    verb: str
    group: str
    resource: str

    def __str__(self) -> str:
        """As `kubectl auth can-i` takes it: `patch deployments.apps`, `get pods/log`."""
        plural, slash, subresource = self.resource.partition("/")
        return f"{self.verb} {plural}{'.' if self.group else ''}{self.group}{slash}{subresource}"


@dataclass(frozen=True, slots=True)
class Needed:
    """A right, and what it is for."""

    right: Right
    to: Literal["look", "act"]
    """`look` is enough for shadow."""
    why: str
    steps: frozenset[str] = frozenset()
    """The steps, and procedures to hand over, that need it; empty when it is needed whatever the rules say."""
    opted_in: str | None = None
    """Needed only where a workload of this kind has opted in by itself."""
    without: str | None = None
    """For one that may be missing: what is lost then."""
    setting: str | None = None
    """Needed only when this setting is there."""

    anyhow: frozenset[str] = frozenset()
    """Those of its steps that need it whatever has opted in."""

    def for_steps(self, steps: Collection[str]) -> "Needed":
        """As a daemon needs it whose rules use these steps."""
        return self if self.anyhow.isdisjoint(steps) else replace(self, opted_in=None)

    def by(self, steps: Collection[str]) -> bool:
        """Whether a daemon whose rules use these steps needs it."""
        return not self.steps or not self.steps.isdisjoint(steps)


class Dangerous(NamedTuple):
    """A right that nothing here needs and that would make a stolen token worth far more."""

    right: Right
    why: str


_ACTIONS = frozenset({"rollback", "restart", "scale", "evict_pod"})
_WHAT_SCALES = "the guard `autoscaled` and the diagnostic `hpa`"
_SCALERS = ("horizontalpodautoscalers", "scaledobjects")
_OF_SCALERS = frozenset({"hpa", "recover_system", "repair_database", "restore_database", "set_hpa_bounds"})
_OF_BACKUPS = frozenset(
    {
        "back_up_database",
        "downgrade_schema",
        "recover_system",
        "rehearse_recovery",
        "repair_database",
        "restore_database",
    }
)
"""Procedures that a rule may hand over: what they are filled in with is looked at as well."""
_BY_THEMSELVES = ("statefulset", "daemonset")


_ENDPOINTS = "the diagnostic `endpoints` and the guard `selector`: which Services"
_OF_ENDPOINTS = frozenset({"endpoints", "selector"})


def _of_workloads() -> Iterator[Needed]:
    for kind in KINDS:
        plural, by_itself = f"{kind}s", kind if kind in _BY_THEMSELVES else None
        yield Needed(
            Right("get", "apps", plural),
            LOOK,
            "every step looks at the target; effects look before and after",
        )
        yield Needed(Right("list", "apps", plural), LOOK, "the memory looks at all of them")
        yield Needed(
            Right("patch", "apps", plural),
            ACT,
            "claims, rollbacks, restarts and scalings",
            _ACTIONS,
            by_itself,
        )


def _followed() -> Iterator[Needed]:
    """Watching lets the memory see each change without listing everything again."""
    apps = (*(f"{kind}s" for kind in KINDS), "replicasets", "controllerrevisions")
    for group, plural in (*(("apps", each) for each in apps), ("", "pods"), ("", "configmaps")):
        yield Needed(Right("watch", group, plural), LOOK, "the memory follows what changes")


def _beside() -> Iterator[Needed]:
    """What the guards look at besides the target. A cluster need not have the custom kinds."""
    beside = {
        ("policy", "poddisruptionbudgets"): "the guard `floor`: how many pods an eviction has to leave",
        ("", "resourcequotas"): "the guard `quota`: is there room for the new pods of a rollout or a scaling",
        ("autoscaling", "horizontalpodautoscalers"): f"{_WHAT_SCALES}: what else changes replicas",
        ("keda.sh", "scaledobjects"): f"{_WHAT_SCALES}: what else changes replicas",
        ("autoscaling.k8s.io", "verticalpodautoscalers"): "the guard `autoscaled`: what else replaces pods",
        ("batch", "jobs"): "the guard `migration`: does one run, or did one run with a release",
        ("argoproj.io", "rollouts"): "the guard `owner`: does Argo Rollouts take care of the target",
        ("flagger.app", "canaries"): "the guard `owner`: does Flagger take care of the target",
    }
    for (group, plural), why in beside.items():
        steps = _ACTIONS | (_OF_SCALERS if plural in _SCALERS else set())
        yield Needed(Right("list", group, plural), LOOK, why, steps)


IN_A_NAMESPACE: tuple[Needed, ...] = (
    *_of_workloads(),
    *_followed(),
    *_beside(),
    Needed(
        Right("list", "", "configmaps"),
        LOOK,
        "the memory keeps a hash of each, to tell whether it changed since a version ran",
    ),
    Needed(
        Right("list", "apps", "replicasets"),
        LOOK,
        "the versions of a Deployment, and when each was rolled out",
    ),
    Needed(Right("list", "apps", "controllerrevisions"), LOOK, "the same of a StatefulSet or DaemonSet"),
    # RBAC takes the namespace itself for one of the things inside it.
    Needed(
        Right("get", "", "namespaces"), LOOK, "has it opted in, is it paused; without the ClusterRole too"
    ),
    Needed(Right("list", "", "pods"), LOOK, "diagnostics; whether a rollout is stuck"),
    Needed(
        Right("get", "", "pods"),
        LOOK,
        "an alert names a pod: whose is it; whether one that was evicted is gone",
    ),
    Needed(Right("get", "apps", "replicasets"), LOOK, "whose an alert's pod is, and an alert's ReplicaSet"),
    Needed(Right("get", "", "services"), LOOK, "an alert names a Service: whose pods does it select"),
    Needed(
        Right("get", "networking.k8s.io", "ingresses"),
        LOOK,
        "an alert names an Ingress: which Service does it lead to",
    ),
    Needed(
        Right("get", "autoscaling", "horizontalpodautoscalers"),
        LOOK,
        "an alert names an autoscaler: what does it scale",
    ),
    Needed(
        Right("get", "batch", "jobs"),
        LOOK,
        "an alert names a Job or its pod: which CronJob do people have to look at",
    ),
    Needed(
        Right("create", "", "pods/eviction"),
        ACT,
        "a stuck StatefulSet waits for its broken pod; `evict_pod` evicts one of any kind",
        frozenset({"rollback", "evict_pod"}),
        "statefulset",
        anyhow=frozenset({"evict_pod"}),
    ),
    Needed(Right("get", "", "pods/log"), LOOK, "the diagnostic `logs`", frozenset({"logs"})),
    Needed(Right("list", "", "events"), LOOK, "the diagnostic `events`", frozenset({"events"})),
    Needed(
        Right("list", "", "services"),
        LOOK,
        f"{_ENDPOINTS} lead to the target; the procedure `recover_system`: through which is its health asked",
        _OF_ENDPOINTS | {"recover_system"},
    ),
    Needed(
        Right("list", "discovery.k8s.io", "endpointslices"),
        LOOK,
        f"{_ENDPOINTS} have ready endpoints",
        _OF_ENDPOINTS,
    ),
    Needed(
        Right("list", "metrics.k8s.io", "pods"),
        LOOK,
        "the diagnostic `usage`: what pods use now; a cluster need not have it",
        frozenset({"usage"}),
        without="it is taken from Prometheus, or not known",
    ),
    Needed(
        Right("get", "", "configmaps"),
        LOOK,
        "a rollback asks whether those of an earlier version still exist; one tells of backups",
        frozenset({"rollback"}) | _OF_BACKUPS,
    ),
    Needed(Right("create", "", "events"), ACT, "tells on the target what was done and why", _ACTIONS),
)
"""Granted namespace by namespace, by deploy/namespace."""

_WEBHOOKS = "the guard `protected`: which workloads does admission depend on"

EVERYWHERE: tuple[Needed, ...] = (
    Needed(Right("get", "", "namespaces"), LOOK, "has it opted in, is it paused; which cluster is this"),
    Needed(Right("list", "", "namespaces"), LOOK, "which ones the memory looks at"),
    *(
        Needed(
            Right("list", "admissionregistration.k8s.io", f"{what}webhookconfigurations"),
            LOOK,
            _WEBHOOKS,
            without="what is behind an admission webhook is protected only where it has a known name",
        )
        for what in ("validating", "mutating")
    ),
    Needed(
        Right("get", "", "nodes"),
        LOOK,
        "the guard `node_trouble`, the diagnostic `nodes`: are a target's unready pods its node's fault",
    ),
    Needed(
        Right("create", "authentication.k8s.io", "tokenreviews"),
        LOOK,
        "whose token is it, of a user of Kubernetes; nothing is created",
        setting="kubernetes_people",
    ),
    Needed(
        Right("create", "authorization.k8s.io", "subjectaccessreviews"),
        LOOK,
        "may that user look, approve, operate; nothing is created",
        setting="kubernetes_people",
    ),
)
"""Granted once, by deploy/cluster; what takes a setting by deploy/people/reviews.yaml."""

ALL = Right("*", "*", "*")
"""cluster-admin; within a namespace, its admin."""

DANGEROUS_IN_A_NAMESPACE: tuple[Dangerous, ...] = (
    Dangerous(Right("get", "", "secrets"), "reads every credential there"),
    Dangerous(Right("list", "", "secrets"), "reads every credential there"),
    Dangerous(Right("create", "", "pods"), "runs any image as any ServiceAccount there"),
    Dangerous(Right("create", "", "pods/exec"), "runs commands in every container there"),
    Dangerous(Right("delete", "apps", "deployments"), "takes services away for good"),
)
DANGEROUS_EVERYWHERE: tuple[Dangerous, ...] = (
    Dangerous(Right("delete", "", "namespaces"), "takes whole namespaces away"),
    Dangerous(
        Right("create", "rbac.authorization.k8s.io", "clusterrolebindings"), "can grant itself everything"
    ),
)
