"""The table of resources this API server serves; discovery, routes and storage are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from remediator.sandbox.kubernetes.schema import UNTYPED
from remediator.sandbox.kubernetes.selectable import OF_EVENTS, OF_PODS


class Generation(Enum):
    """What makes metadata.generation go up."""

    NONE = "never: the kind has none"
    SPEC = "a change of anything but metadata and status"
    SPEC_AND_ANNOTATIONS = "the same, or a change of the annotations"


@dataclass(frozen=True)
class Subresource:
    """A path below one object, and the kind it speaks."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True)
class Resource:
    """One kind of object and how the server treats it.

    `why_read_only` is the sentence of the 501 that answers writes of kinds whose controller is not emulated.
    `custom`: nothing knows of it until its CustomResourceDefinition is there.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    generation: Generation = Generation.NONE
    subresources: tuple[Subresource, ...] = ()
    schema: str = ""
    strategic_merge: bool = True
    review: bool = False
    why_read_only: str = ""
    custom: bool = False
    selectable: tuple[str, ...] = field(default=())

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """The lower-case singular name discovery gives."""
        return self.kind.lower()

    @property
    def verbs(self) -> tuple[str, ...]:
        """The verbs of the resource itself, as discovery lists them."""
        if self.review:
            return ("create",)
        every = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
        if self.plural == "namespaces":
            return tuple(verb for verb in every if verb != "deletecollection")
        return every

    def subresource(self, name: str) -> Subresource | None:
        """The subresource of that name, if the resource has it."""
        return next((sub for sub in self.subresources if sub.name == name), None)


_READ_WRITE = ("get", "patch", "update")


def _status(kind: str) -> Subresource:
    return Subresource("status", kind, _READ_WRITE)


def _scale() -> Subresource:
    return Subresource("scale", "Scale", _READ_WRITE, "autoscaling", "v1")


def _core(plural: str, kind: str, **more: Any) -> Resource:
    return Resource("", "v1", plural, kind, schema=f"core.v1.{kind}", **more)


def _apps(plural: str, kind: str, **more: Any) -> Resource:
    return Resource("apps", "v1", plural, kind, schema=f"apps.v1.{kind}", **more)


def _review(group: str, plural: str, kind: str) -> Resource:
    return Resource(group, "v1", plural, kind, namespaced=False, review=True)


def _stored(
    group: str,
    version: str,
    plural: str,
    kind: str,
    *short: str,
    custom: bool = False,
    namespaced: bool = True,
) -> Resource:
    """A kind that is kept as the test gave it, status and all: who would write it is not emulated."""
    return Resource(
        group,
        version,
        plural,
        kind,
        short_names=short,
        subresources=(_status(kind),),
        schema=UNTYPED,
        why_read_only="no controller of it is emulated; a test makes it with Emulator.create",
        custom=custom,
        namespaced=namespaced,
    )


def _webhooks(what: str) -> Resource:
    plural = f"{what.lower()}webhookconfigurations"
    return _stored(
        "admissionregistration.k8s.io", "v1", plural, f"{what}WebhookConfiguration", namespaced=False
    )


def _custom(group: str, version: str, plural: str, kind: str, *short: str) -> Resource:
    """The same, of a CustomResourceDefinition that a cluster may have or not."""
    return _stored(group, version, plural, kind, *short, custom=True)


_POD_SUBRESOURCES = (
    Subresource("eviction", "Eviction", ("create",), "policy", "v1"),
    Subresource("log", "Pod", ("get",)),
    _status("Pod"),
)

RESOURCES: tuple[Resource, ...] = (
    _core(
        "namespaces",
        "Namespace",
        namespaced=False,
        short_names=("ns",),
        subresources=(_status("Namespace"),),
        selectable=("status.phase",),
    ),
    _core(
        "nodes",
        "Node",
        namespaced=False,
        short_names=("no",),
        subresources=(_status("Node"),),
        selectable=("spec.unschedulable",),
    ),
    _core(
        "pods",
        "Pod",
        short_names=("po",),
        categories=("all",),
        generation=Generation.SPEC,
        subresources=_POD_SUBRESOURCES,
        selectable=OF_PODS,
    ),
    _core(
        "services", "Service", short_names=("svc",), categories=("all",), subresources=(_status("Service"),)
    ),
    _core("configmaps", "ConfigMap", short_names=("cm",)),
    _core("secrets", "Secret", selectable=("type",)),
    _core("serviceaccounts", "ServiceAccount", short_names=("sa",)),
    _core("events", "Event", short_names=("ev",), selectable=OF_EVENTS),
    _apps(
        "deployments",
        "Deployment",
        short_names=("deploy",),
        categories=("all",),
        generation=Generation.SPEC_AND_ANNOTATIONS,
        subresources=(_scale(), _status("Deployment")),
    ),
    _apps(
        "replicasets",
        "ReplicaSet",
        short_names=("rs",),
        categories=("all",),
        generation=Generation.SPEC,
        subresources=(_scale(), _status("ReplicaSet")),
        selectable=("status.replicas",),
    ),
    _apps(
        "statefulsets",
        "StatefulSet",
        short_names=("sts",),
        categories=("all",),
        generation=Generation.SPEC,
        subresources=(_scale(), _status("StatefulSet")),
    ),
    _apps(
        "daemonsets",
        "DaemonSet",
        short_names=("ds",),
        categories=("all",),
        generation=Generation.SPEC,
        subresources=(_status("DaemonSet"),),
    ),
    _apps("controllerrevisions", "ControllerRevision"),
    Resource(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        short_names=("hpa",),
        categories=("all",),
        subresources=(_status("HorizontalPodAutoscaler"),),
        schema="autoscaling.v2.HorizontalPodAutoscaler",
    ),
    Resource(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        short_names=("pdb",),
        generation=Generation.SPEC,
        subresources=(_status("PodDisruptionBudget"),),
        schema="policy.v1.PodDisruptionBudget",
    ),
    Resource(
        "discovery.k8s.io",
        "v1",
        "endpointslices",
        "EndpointSlice",
        generation=Generation.SPEC,
        schema="discovery.v1.EndpointSlice",
    ),
    _review("authentication.k8s.io", "tokenreviews", "TokenReview"),
    _review("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    _review("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    _review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
    _stored("", "v1", "resourcequotas", "ResourceQuota", "quota"),
    _webhooks("Validating"),
    _webhooks("Mutating"),
    _stored("batch", "v1", "jobs", "Job"),
    _stored("networking.k8s.io", "v1", "ingresses", "Ingress", "ing"),
    _custom("argoproj.io", "v1alpha1", "rollouts", "Rollout", "ro"),
    _custom("autoscaling.k8s.io", "v1", "verticalpodautoscalers", "VerticalPodAutoscaler", "vpa"),
    _custom("flagger.app", "v1beta1", "canaries", "Canary"),
    _custom("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", "so"),
    _custom("metrics.k8s.io", "v1beta1", "pods", "PodMetrics"),
)


def _index() -> Mapping[tuple[str, str], Resource]:
    return {(resource.group, resource.plural): resource for resource in RESOURCES}


BY_NAME: Mapping[tuple[str, str], Resource] = _index()
"""Every resource by (group, plural)."""

BY_KIND: Mapping[tuple[str, str], Resource] = {(r.api_version, r.kind): r for r in RESOURCES}
"""Every resource by (apiVersion, kind)."""

VERSIONS: Mapping[str, str] = {resource.group: resource.version for resource in RESOURCES}
"""The one version served of each group."""

CUSTOM_GROUPS = frozenset(resource.group for resource in RESOURCES if resource.custom)
"""The groups only a cluster with the CustomResourceDefinitions has."""


def find(name: str) -> Resource:
    """The resource called `deployments`, `deployment`, `deploy` or `deployments.apps`.

    Raises:
        KeyError: there is none.
    """
    for resource in RESOURCES:
        qualified = f"{resource.plural}.{resource.group}"
        if name in (resource.plural, resource.singular, qualified, resource.kind, *resource.short_names):
            return resource
    raise KeyError(f"the emulator serves no resource called {name!r}")
