"""What the owners of a namespace and a workload have said yes to, as labels and annotations."""

from remediator.domain.value import JsonObject
from remediator.workloads.fields import text

ENABLED = "remediator.io/enabled"
"""On a namespace: only the exact value `true` opts in. On a StatefulSet or DaemonSet: `true`, or `act`."""

COMPATIBLE = "remediator.io/rollback"
"""On a workload: `compatible` means its team says N-1 runs on N's schema and data."""

_OPTED_IN_SEPARATELY = ("StatefulSet", "DaemonSet")


def mark(found: JsonObject, name: str) -> str | None:
    """The value of a label or, without that, of an annotation."""
    for field in ("labels", "annotations"):
        value = ((found.get("metadata") or {}).get(field) or {}).get(name)
        if value is not None:
            return str(value)
    return None


def why_not_opted_in(workload: JsonObject) -> str | None:
    """Why this workload may not be changed although its namespace has opted in, or None.

    A StatefulSet holds data and a DaemonSet serves whole nodes: each has to say yes itself.
    """
    kind = text(workload, "kind")
    if kind not in _OPTED_IN_SEPARATELY or mark(workload, ENABLED) in ("true", "act"):
        return None
    return (
        f"a {kind} is opted in by itself: label or annotate it {ENABLED}=true (a person then agrees to each "
        f"change) or {ENABLED}=act"
    )


def why_ask(workload: JsonObject) -> tuple[str, ...]:
    """Why a person has to agree to whatever is changed on this workload."""
    kind = text(workload, "kind")
    if kind in _OPTED_IN_SEPARATELY and mark(workload, ENABLED) != "act":
        return (f"a {kind} is changed with a person's yes unless it carries {ENABLED}=act",)
    return ()


def why_ask_for_rollback(workload: JsonObject) -> tuple[str, ...]:
    """Why a person has to agree to a rollback of this workload."""
    if mark(workload, COMPATIBLE) == "compatible":
        return why_ask(workload)
    word = (
        f"{text(workload, 'kind').lower()} {text(workload, 'metadata', 'name')} does not carry "
        f"{COMPATIBLE}=compatible, its team's word that the earlier version runs on today's schema and data"
    )
    return (*why_ask(workload), word)
