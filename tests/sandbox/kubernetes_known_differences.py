"""Exchanges that the emulator answers otherwise than was recorded, by name, and why.

The contract test fails for one that is not listed, and for one that is listed and equal after all. What is answered
with 501 needs no line here (remediator/sandbox/kubernetes/not_emulated.py). Those of the scenarios that must be whole
have their reason in docs/decisions.md, too.
"""

NO_AUTOSCALER = "the emulator has no HorizontalPodAutoscaler controller"
BETWEEN_TWO_LOOKS = "the recording shows a state the real controllers passed through for some milliseconds"
REFUSED_BY_AIOHTTP = "aiohttp refuses methods HTTP does not know with a 400 of its own"

NO_TRIGGER_TIME = (
    "a slice that changes says nothing of when the change was triggered, and changes fewer times"
)
FOUR_WAYS = "the emulator's containers know four ways to go (images.py); this pod goes another"
NO_INIT_CONTAINERS = "the emulator refuses pods with init containers"


ONE_MACHINE = "the node is the machine the recording was made on, with what its controllers wrote on it"
NO_SERVICE_ACCOUNTS = "no controller makes a namespace's ServiceAccount and root certificate"
OTHER_SCENARIOS = "the recorder's cluster held what other scenarios had left in it"
FEWER_RESOURCES = "discovery lists what is served, and nothing that is answered with 501"
STORAGE_HASHES = "discovery has no storageVersionHash"
AGGREGATED = "the emulator has no aggregated discovery; clients take the plain one, as from older servers"
CHECKS_BY_NAME = "the emulator has none of the checks a real server names"
LAST_APPLIED = "a real server keeps kubectl's last-applied annotation in step with a server-side apply"
AFTER_LAST_APPLIED = "follows from the server-side apply before"
AFTER_KUBECTL_DEPLOYMENT = "the Deployment and its pods come from other scenarios of the recorder's"
BY_NO_BINDING = (
    "the review has no managers and names no RoleBinding: accounts are given to the emulator, not bound"
)
TOKENS_STAY = "tokens are given to the emulator and taken from it, not made of ServiceAccounts"
NO_JOBS = "no Job is ever made over HTTP: it has no Job controller"
OTHER_EVENTS = "core/v1 shows nothing of what events.k8s.io/v1 makes, which is not emulated"
FEWER_COLUMNS = "the emulator's table of this kind has fewer columns"

SCALE_HPA_PDB_EVICTION = {
    "scale: dry run": BETWEEN_TWO_LOOKS,
    "scaled to zero: deployment": BETWEEN_TWO_LOOKS,
    "hpa: get": NO_AUTOSCALER,
    "hpa: merge patch": NO_AUTOSCALER,
    "hpa: json patch with test of maxReplicas": NO_AUTOSCALER,
    "events": NO_AUTOSCALER,
}
ENDPOINTSLICES = {
    "one terminating: endpointslices": BETWEEN_TWO_LOOKS,
    "none ready: endpointslices": NO_TRIGGER_TIME,
    "watch endpointslices": BETWEEN_TWO_LOOKS,
}
ERRORS = {"unknown method": REFUSED_BY_AIOHTTP}
_ENDS_IN_OTHER_WAYS = (
    "oom: OOMKilled",
    "no-config",
    "no-command: StartError",
    "deadline: DeadlineExceeded",
    "liveness: restarted",
    "disk: evicted for ephemeral storage",
    "slow-stop: gone",
)
_INIT_CONTAINERS = (
    "init container done",
    "init-crash: Init:CrashLoopBackOff",
    "init container still failing",
    "init container log",
)

PODS = {
    **dict.fromkeys(_ENDS_IN_OTHER_WAYS, FOUR_WAYS),
    **dict.fromkeys(_INIT_CONTAINERS, NO_INIT_CONTAINERS),
    "events": FOUR_WAYS,
    "table of pods": FOUR_WAYS,
}
_WEB = "/apis/apps/v1/namespaces/shop-kubectl/deployments/web"
_WEB_POD = "/api/v1/namespaces/shop-kubectl/pods/web-6b9b5464bc-cpdzg"
_NODE = "/api/v1/nodes/node-1"
KUBECTL_OTHER = {
    f"PATCH {_WEB} (2)": LAST_APPLIED,
    f"PATCH {_WEB} (3)": AFTER_LAST_APPLIED,
    f"PATCH {_WEB} (4)": AFTER_LAST_APPLIED,
    f"PATCH {_WEB} (5)": AFTER_LAST_APPLIED,
    "GET /apis/apps/v1/namespaces/shop-kubectl/deployments": AFTER_KUBECTL_DEPLOYMENT,
    f"GET {_WEB} (3)": AFTER_LAST_APPLIED,
    f"GET {_NODE}": ONE_MACHINE,
    f"PATCH {_NODE}": ONE_MACHINE,
    f"GET {_NODE} (2)": ONE_MACHINE,
    f"PATCH {_NODE} (2)": ONE_MACHINE,
    f"GET {_WEB_POD}": AFTER_LAST_APPLIED,
    f"GET {_WEB_POD}/log": AFTER_LAST_APPLIED,
    f"DELETE {_WEB_POD}": AFTER_LAST_APPLIED,
    "GET /api/v1/namespaces/shop-kubectl/pods": AFTER_KUBECTL_DEPLOYMENT,
}
DISCOVERY = {
    "/apis": FEWER_RESOURCES,
    "/api/v1": FEWER_RESOURCES,
    "/apis/apps/v1": STORAGE_HASHES,
    "/apis/batch/v1": FEWER_RESOURCES,
    "/apis/policy/v1": STORAGE_HASHES,
    "/apis/autoscaling/v2": STORAGE_HASHES,
    "/apis aggregated": AGGREGATED,
    "/readyz?verbose": CHECKS_BY_NAME,
}
_AS = "as the service account: SelfSubjectAccessReview"
RBAC = {
    f"{_AS}, allowed": BY_NO_BINDING,
    f"{_AS}, one object": BY_NO_BINDING,
    f"{_AS}, not allowed": BY_NO_BINDING,
    "as admin: SubjectAccessReview, allowed": BY_NO_BINDING,
    "as admin: SubjectAccessReview, not allowed": BY_NO_BINDING,
    "as admin: TokenReview, good token": BY_NO_BINDING,
    "as admin: TokenReview, audience does not fit": BY_NO_BINDING,
    "as admin: TokenReview, bad token": BY_NO_BINDING,
    "token of a deleted service account": TOKENS_STAY,
}
_JOBS_LATER = (
    "watch jobs",
    "running",
    "complete",
    "complete: pods",
    "deadline: DeadlineExceeded",
    "failed: BackoffLimitExceeded",
    "failed: pods",
    "stuck on its image",
    "its pods after",
    "events",
)
JOBS = dict.fromkeys(_JOBS_LATER, NO_JOBS)
EVENTS = {
    "core/v1 view of it": OTHER_EVENTS,
    "fieldSelector reason": OTHER_EVENTS,
    "table": FEWER_COLUMNS,
}
_NODE_SHOWN = ("nodes", "table of nodes", "cordon", "cordoned: a taint is there", "uncordon", "uncordoned")
NODES_NAMESPACES = {
    "namespaces": OTHER_SCENARIOS,
    "service account default": NO_SERVICE_ACCOUNTS,
    "configmap kube-root-ca.crt, without its data": NO_SERVICE_ACCOUNTS,
    **dict.fromkeys(_NODE_SHOWN, ONE_MACHINE),
    "pod while cordoned": ONE_MACHINE,
    "pods of the node": OTHER_SCENARIOS,
}
