"""What a pod template says of its containers: resources and probes, as `kubectl describe` puts them."""

from decimal import Decimal

from remediator.domain.value import JsonObject
from remediator.workloads.fields import at, count, objects, text
from remediator.workloads.quantity import quantity

_PROBES = {"liveness": "livenessProbe", "readiness": "readinessProbe", "startup": "startupProbe"}
_LONGEST_COMMAND = 80


def resources_of(container: JsonObject) -> JsonObject:
    """Its requests and limits, each by resource, as they are written."""
    return {part: dict(at(container, "resources", part) or {}) for part in ("requests", "limits")}


def amount(container: JsonObject, part: str, resource: str) -> Decimal | None:
    """Its request or limit (`requests`, `limits`) of a resource, in cores or bytes; None where there is none."""
    try:
        return quantity(at(container, "resources", part, resource))
    except ValueError:
        return None


def probes_of(container: JsonObject) -> dict[str, str]:
    """Its probes, each on one line: what is asked, when, how often, and how many times may fail."""
    return {
        name: _said(container[field])
        for name, field in _PROBES.items()
        if isinstance(container.get(field), dict)
    }


def concerns_of(container: JsonObject) -> list[str]:
    """What of it people will want to know when the container dies or takes traffic too early."""
    found = []
    if amount(container, "limits", "memory") is None:
        found.append("no memory limit")
    if amount(container, "requests", "cpu") is None:
        found.append("no cpu request")
    if not isinstance(container.get("readinessProbe"), dict):
        found.append("no readiness probe")
    return found


def _said(probe: JsonObject) -> str:
    """As kubectl's describe.DescribeProbe, with the defaults of the API."""
    times = (
        f"delay={count(probe, 'initialDelaySeconds') or 0}s timeout={count(probe, 'timeoutSeconds') or 1}s "
        f"period={count(probe, 'periodSeconds') or 10}s #success={count(probe, 'successThreshold') or 1} "
        f"#failure={count(probe, 'failureThreshold') or 3}"
    )
    return f"{_asked(probe)} {times}"


def _asked(probe: JsonObject) -> str:
    if "httpGet" in probe:
        get = probe["httpGet"]
        scheme = (text(get, "scheme") or "HTTP").lower()
        return f"http-get {scheme}://{text(get, 'host')}:{at(get, 'port')}{text(get, 'path')}"
    if "tcpSocket" in probe:
        return f"tcp-socket :{at(probe, 'tcpSocket', 'port')}"
    if "grpc" in probe:
        return f"grpc :{at(probe, 'grpc', 'port')} {text(probe, 'grpc', 'service')}".rstrip()
    if "exec" in probe:
        command = " ".join(str(word) for word in at(probe, "exec", "command") or [])
        return f"exec [{command[:_LONGEST_COMMAND]}]"
    return "unknown"


def containers_of(template: JsonObject) -> list[JsonObject]:
    """The containers of a pod or template that run side by side; init containers are left out."""
    return objects(template, "spec", "containers")
