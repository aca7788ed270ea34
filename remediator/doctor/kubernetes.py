"""The API server: which version, how quick, which cluster, and which namespaces have opted in."""

from remediator.doctor.finding import Finding, failed, ok, some, unknown, warning
from remediator.doctor.systems import Systems
from remediator.domain.belonging import IDENTITY
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, RemediatorError, Retryable
from remediator.settings.protected import namespace_of_this_pod
from remediator.store import clusters
from remediator.store.database import DATABASE_ERRORS
from remediator.workloads.consent import ENABLED

_SLOW_SECONDS = 1.0
_ENFORCE = "pod-security.kubernetes.io/enforce"


async def check_kubernetes(systems: Systems) -> list[Finding]:
    """Does it answer, as what, and how quickly?"""
    try:
        about = await systems.about_kubernetes()
        server = await about.server()
    except RemediatorError as reason:
        return [
            failed(reason.sentence, "see to the kubeconfig or ServiceAccount, and to the network between")
        ]
    saw = f"{server.version} at {about.host}, {server.seconds * 1000:.0f} ms"
    if server.seconds > _SLOW_SECONDS:
        return [
            warning(saw, "find out what slows it down: every guard asks it with a deadline of some seconds")
        ]
    return [ok(saw)]


async def check_cluster(systems: Systems) -> list[Finding]:
    """Is this the cluster whose name the settings give it? Its uid lets a person tell."""
    name = systems.settings.cluster.name
    untold = f"which cluster {name} is cannot be told"
    try:
        namespace = await (await systems.kubernetes()).namespace(IDENTITY)
    except Permanent as reason:
        return [unknown(f"{untold}: {reason.sentence}", "kubectl apply -k deploy/cluster")]
    except Retryable as reason:
        return [unknown(f"{untold}: {reason.sentence}", "see the check kubernetes")]
    if namespace is None:
        return [unknown(f"{untold}: it has no namespace {IDENTITY}", "look yourself")]
    uid = str(namespace["metadata"]["uid"])
    return [
        ok(f"{name} is the cluster whose {IDENTITY} has the uid {uid}"),
        *await _database_of(systems, uid),
    ]


async def _database_of(systems: Systems, uid: str) -> list[Finding]:
    """Nothing where the database belongs to this cluster, or to none yet; the check database tells when it is away."""
    try:
        async with (await systems.database()).connection() as connection:
            binding = await clusters.bound(connection)
    except (RemediatorError, *DATABASE_ERRORS):
        return []
    another = None if binding is None else binding.against(uid)
    return (
        [] if another is None else [failed(another, "remediator adopt-database --why TEXT, if it is meant")]
    )


async def check_namespaces(systems: Systems) -> list[Finding]:
    """Which namespaces are remembered; in all others nothing is ever changed."""
    opted_in = await systems.opted_in()
    named = systems.settings.kubernetes.namespaces
    without = [each for each in named if each not in opted_in]
    findings = [ok(f"opted in: {some(opted_in)}")] if opted_in else []
    if without:
        findings.append(
            warning(
                f"kubernetes.namespaces names {some(without)}, which do not exist or have not opted in",
                f"kubectl label namespace NAME {ENABLED}=true",
            )
        )
    elif not opted_in:
        findings.append(
            warning(
                "no namespace has opted in", f"kubectl label namespace NAME {ENABLED}=true, then grant rights"
            )
        )
    return [*findings, *await _own_namespace(systems)]


async def _own_namespace(systems: Systems) -> list[Finding]:
    """Nothing outside of a cluster, or where our own namespace is not there to be read."""
    name = namespace_of_this_pod()
    try:
        found = None if name is None else await (await systems.kubernetes()).namespace(name)
    except RemediatorError as reason:
        return [
            unknown(f"namespace {name}, where we run, cannot be read: {reason.sentence}", "look yourself")
        ]
    weak = None if found is None else pod_security(found)
    return [] if weak is None else [weak]


def pod_security(namespace: JsonObject) -> Finding | None:
    """A finding unless the namespace we run in lets only restricted pods in: others could become root on our node."""
    metadata = namespace["metadata"]
    level = (metadata.get("labels") or {}).get(_ENFORCE)
    if level == "restricted":
        return None
    saw = f"namespace {metadata['name']}, where we run, lets in pods that are not restricted ({_ENFORCE} is {level})"
    return warning(saw, f"kubectl label namespace {metadata['name']} {_ENFORCE}=restricted --overwrite")
