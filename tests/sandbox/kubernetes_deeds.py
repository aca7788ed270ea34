"""What the recorder did without recording it, worked out from the answers around it."""

from tests.sandbox.kubernetes_client import Json
from tests.sandbox.kubernetes_recordings import as_created
from tests.sandbox.kubernetes_replay import COMPACTION, Unrecorded


def deployment_at(name: str, namespace: str, replicas: int = 1) -> tuple[str, Json]:
    """A Deployment of the recordings: the path it is made at, and itself."""
    container = {
        "name": "web",
        "image": "registry.example.com/shop/web:v1",
        "ports": [{"name": "http", "containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1},
    }
    labels = {"app": name}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": labels},
        "template": {
            "metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
        },
    }
    return (
        f"/apis/apps/v1/namespaces/{namespace}/deployments",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "labels": labels},
            "spec": spec,
        },
    )


_OLD_TOKEN = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTUzOTgsInN0YXJ0IjoiL2l0ZW0tMVx1MDAwMCJ9"
"""What a list answered shortly before the compaction."""

_SECRETS = "/api/v1/namespaces/shop-watch/secrets"


def _secret(number: int) -> Json:
    labels = {"parity": "odd" if number % 2 else "even"}
    return {"metadata": {"name": f"item-{number}", "labels": labels}, "data": {"k": "dg=="}}


def _change(at: float, name: str, change: Json) -> Unrecorded:
    return Unrecorded(at, "PATCH", f"{_SECRETS}/{name}", change, "application/merge-patch+json")


_NEW: Json = {"metadata": {"name": "new", "labels": {"parity": "odd"}}, "data": {"k": "dg=="}}
SECRETS = (
    *(Unrecorded(5.9, "POST", _SECRETS, _secret(number)) for number in range(7)),
    Unrecorded(6.5495, "POST", _SECRETS, _secret(10)),
    Unrecorded(9.901, "POST", _SECRETS, _NEW),
    _change(9.905, "new", {"data": {"k": "dw=="}}),
    _change(9.91, "new", {"metadata": {"labels": {"parity": "even"}}}),
    _change(9.915, "item-2", {"metadata": {"labels": {"parity": "odd"}}}),
    _change(9.92, "item-1", {"data": {"k": "eg=="}}),
    Unrecorded(9.93, "DELETE", f"{_SECRETS}/item-5"),
    Unrecorded(28.9, "POST", *deployment_at("api", "shop-watch")),
    Unrecorded(87.4, "GET", f"{_SECRETS}?limit=2", token=_OLD_TOKEN),
    *(_change(87.5, "item-0", {"data": {"n": f"{number}A=="}}) for number in range(5)),
    Unrecorded(87.53, COMPACTION),
)

_PODS = "/api/v1/namespaces/shop-pods/pods"
_SHOWN_PODS = (
    "bad-image: ErrImagePull",
    "crash: CrashLoopBackOff",
    "completed",
    "failed, exit 3",
    "oom: OOMKilled",
    "unready",
    "pending",
    "pending-selector",
    "two",
    "no-config",
    "no-command: StartError",
    "deadline: DeadlineExceeded",
    "liveness: restarted",
    "slow-stop: delete, grace period 8 s",
    "disk: evicted for ephemeral storage",
)

PODS = [Unrecorded(19.0, "POST", _PODS, as_created("pods", name)) for name in _SHOWN_PODS]
"""Of watch-protocol, and of pods."""

BAD_POD = Unrecorded(
    0.0,
    "POST",
    "/api/v1/namespaces/shop-events/pods",
    {
        "metadata": {"name": "bad"},
        "spec": {"containers": [{"name": "web", "image": "registry.example.com/shop/web:bad"}]},
    },
)
"""Of events."""


def _of_the_tier(at: float, name: str, tag: str) -> Unrecorded:
    path, made = deployment_at(name, "shop-endpoints")
    template = made["spec"]["template"]
    template["metadata"]["labels"] = {"app": name, "tier": "api"}
    template["spec"]["containers"][0]["image"] = f"registry.example.com/shop/web:{tag}"
    return Unrecorded(at, "POST", path, made)


_ENDPOINT_PODS = "/api/v1/namespaces/shop-endpoints/pods"
TIER = (
    _of_the_tier(0.9, "good", "v1"),
    _of_the_tier(1.5, "bad", "unready"),
    Unrecorded(4.2, "DELETE", f"{_ENDPOINT_PODS}/bad-8d4c8cfcb-ctjw7"),
)
"""Of endpointslices."""

_STREAM = "/api/v1/namespaces/shop-stream/configmaps"
STREAMED = (
    *(
        Unrecorded(
            7.5,
            "POST",
            _STREAM,
            {"metadata": {"name": f"item-{n}", "labels": {"n": f"{n}"}}, "data": {"k": "v"}},
        )
        for n in range(3)
    ),
    Unrecorded(8.895, "PATCH", f"{_STREAM}/item-1", {"data": {"k": "w"}}, "application/merge-patch+json"),
)
"""Of watch-streaming-list."""
