"""What a v1.33 API server serves by default and this one answers with 501, never with an approximation.

The one list of it, by group (or group/version), as discovery names resources and their subresources; "*" is all
of a group. It is short of whole features too, which are refused where they would be asked for: bodies and answers in
YAML or protobuf, following a log, and writing kinds whose controller is not emulated (`Resource.why_read_only`).
"""

from collections.abc import Mapping

from remediator.sandbox.kubernetes.request import Route

NOT_EMULATED: Mapping[str, str] = {
    "": """
        bindings componentstatuses endpoints limitranges persistentvolumeclaims persistentvolumes podtemplates
        replicationcontrollers namespaces/finalize nodes/proxy pods/attach pods/binding pods/ephemeralcontainers
        pods/exec pods/portforward pods/proxy pods/resize serviceaccounts/token services/proxy
        """,
    "admissionregistration.k8s.io": "validatingadmissionpolicies validatingadmissionpolicybindings",
    "apiextensions.k8s.io": "*",
    "apiregistration.k8s.io": "*",
    "authentication.k8s.io": "selfsubjectreviews",
    "authorization.k8s.io": "localsubjectaccessreviews",
    "autoscaling/v1": "*",
    "batch": "cronjobs",
    "certificates.k8s.io": "*",
    "coordination.k8s.io": "*",
    "events.k8s.io": "*",
    "flowcontrol.apiserver.k8s.io": "*",
    "networking.k8s.io": "ingressclasses ipaddresses networkpolicies servicecidrs",
    "node.k8s.io": "*",
    "rbac.authorization.k8s.io": "*",
    "scheduling.k8s.io": "*",
    "storage.k8s.io": "*",
}

NOT_EMULATED_PATHS = (".well-known", "debug", "logs", "metrics", "openapi", "openid")
"""The same for paths that are no resource's, by how they begin; the index at `/` belongs to them."""


def is_not_emulated(route: Route) -> bool:
    """Whether what the route leads to is on the list."""
    for group in (route.group, f"{route.group}/{route.version}"):
        listed = NOT_EMULATED.get(group, "").split()
        if "*" in listed or route.plural in listed or route.full_resource in listed:
            return True
    return False
