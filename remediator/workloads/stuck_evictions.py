"""The second effect that a stuck StatefulSet needs: it waits for its broken pod whatever its template says."""

from collections.abc import Iterable
from datetime import datetime

from remediator.domain.change import Eviction, TemplatePatch
from remediator.domain.duration import format_duration
from remediator.domain.value import JsonObject
from remediator.workloads.fields import text
from remediator.workloads.rollout_status import STUCK_AFTER, waits_for_every_pod
from remediator.workloads.stuck_pods import why_stuck


def evictions_of_stuck_pods(
    workload: JsonObject, pods: Iterable[JsonObject], patch: TemplatePatch, now: datetime
) -> tuple[Eviction, ...]:
    """One for each pod that keeps the workload from taking up the template of `patch`; none for other kinds."""
    if not waits_for_every_pod(workload):
        return ()
    found = []
    for pod in pods:
        why = why_stuck(pod, now, STUCK_AFTER, format_duration(STUCK_AFTER))
        if why is not None:
            name = text(pod, "metadata", "name")
            found.append(
                Eviction(
                    target=patch.target,
                    uid=patch.uid,
                    pod=name,
                    pod_uid=text(pod, "metadata", "uid"),
                    from_exact=patch.to_exact,
                    completes=True,
                    from_title=f"stuck pod {name}",
                    to_title=f"{name} made anew from {patch.to_title}",
                    summary=f"evict {name}, which keeps {patch.target} from going back: {why}",
                    ask_because=patch.ask_because,
                )
            )
    return tuple(found)
