"""Kinds of requests that were never recorded, and what the emulator's answers to them were built from."""

from collections.abc import Mapping

_REFERENCE = "https://kubernetes.io/docs/reference/kubernetes-api"
_DISCOVERY = "https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api"
_CUSTOM_RESOURCES = "https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/custom-resources"

_READ = {
    "jobs.batch": f"{_REFERENCE}/workload-resources/job-v1",
    "ingresses.networking.k8s.io": f"{_REFERENCE}/service-resources/ingress-v1",
    **{
        f"{what}webhookconfigurations.admissionregistration.k8s.io": f"{_REFERENCE}/extend-resources/"
        f"{what}-webhook-configuration-v1"
        for what in ("validating", "mutating")
    },
    "pods.metrics.k8s.io": "https://github.com/kubernetes/metrics/blob/master/pkg/apis/metrics/v1beta1/types.go",
    "resourcequotas": f"{_REFERENCE}/policy-resources/resource-quota-v1",
    "canaries.flagger.app": "https://docs.flagger.app/usage/how-it-works",
    "rollouts.argoproj.io": "https://argo-rollouts.readthedocs.io/en/stable/features/specification",
    "scaledobjects.keda.sh": "https://keda.sh/docs/latest/reference/scaledobject-spec",
    "verticalpodautoscalers.autoscaling.k8s.io": "https://github.com/kubernetes/autoscaler/blob/master/"
    "vertical-pod-autoscaler/docs/api.md",
}
"""Kinds that are kept as a test makes them, read like any other."""
_DISCOVERED = (
    "admissionregistration.k8s.io/v1",
    "apps/v1",
    "authentication.k8s.io/v1",
    "authorization.k8s.io/v1",
    "autoscaling/v2",
    "batch/v1",
    "discovery.k8s.io/v1",
    "networking.k8s.io/v1",
    "policy/v1",
)
"""What kubectl asks for before it sends anything: recorded, but with more than the emulator lists."""
_NOT_THERE = (
    "argoproj.io/v1alpha1",
    "autoscaling.k8s.io/v1",
    "flagger.app/v1beta1",
    "keda.sh/v1alpha1",
    "metrics.k8s.io/v1beta1",
)
_OF_RECORDED_RESOURCES = {
    "list horizontalpodautoscalers.autoscaling": "workload-resources/horizontal-pod-autoscaler-v2",
    "list namespaces": "cluster-resources/namespace-v1",
    "list poddisruptionbudgets.policy": "policy-resources/pod-disruption-budget-v1",
    "get serviceaccounts": "authentication-resources/service-account-v1",
    "list services": "service-resources/service-v1",
    "patch daemonsets.apps with application/json-patch+json": "workload-resources/daemon-set-v1",
    "patch replicasets.apps with application/json-patch+json": "workload-resources/replica-set-v1",
    "watch controllerrevisions.apps": "workload-resources/controller-revision-v1",
    "watch namespaces": "cluster-resources/namespace-v1",
}
"""Verbs that were recorded of other resources, and whose answers are made by the same code."""
_STRATEGIC_MERGE = "application/strategic-merge-patch+json"
_TALLIED = (
    "create replicasets.apps with application/json",
    f"patch configmaps with {_STRATEGIC_MERGE}",
    f"patch horizontalpodautoscalers.autoscaling with {_STRATEGIC_MERGE}",
    f"patch poddisruptionbudgets.policy with {_STRATEGIC_MERGE}",
    f"patch replicasets.apps with {_STRATEGIC_MERGE}",
    f"patch services with {_STRATEGIC_MERGE}",
)
"""Recorded as tallies only, and repeated by test_kubernetes_generation.py."""

DOCUMENTED: Mapping[str, str] = {
    **{f"{verb} {kind}": where for kind, where in _READ.items() for verb in ("get", "list", "watch")},
    **dict.fromkeys(_TALLIED, "tests/recordings/generation.json"),
    **dict.fromkeys(["get /api/v1", "get /apis"], _DISCOVERY),
    **{f"get /apis/{group}": _DISCOVERY for group in _DISCOVERED},
    **{f"get /apis/{group}": _CUSTOM_RESOURCES for group in _NOT_THERE},
    **{kind: f"{_REFERENCE}/{page}" for kind, page in _OF_RECORDED_RESOURCES.items()},
}
