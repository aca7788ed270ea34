"""Recent Kubernetes events about the target, its revisions and its pods."""

from pydantic import Field

from remediator.clients.workload import look_at
from remediator.domain.answers import Evidence
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.kit import Kit
from remediator.step import Diagnostic


class Events(Diagnostic):
    """The newest events, warnings first."""

    most: int = Field(default=30, strict=True, ge=1, le=200)
    """So many of them."""

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Evidence(step=self.key(), summary=f"{run.target} does not exist", failed=True)
        uids = {seen.uid} | {each["metadata"]["uid"] for each in (*seen.revision_objects, *seen.pods)}
        events = await kit.kube.list("event", run.target.namespace)
        ours = [each for each in events if (each.get("involvedObject") or {}).get("uid") in uids]
        ours.sort(key=lambda each: (each.get("type") != "Warning", _negated(_when(each))))
        rows = [_row(each) for each in ours[: self.most]]
        warnings = sorted({str(row["reason"]) for row in rows if row["type"] == "Warning"})
        summary = f"{len(ours)} events" + (
            f"; warnings: {', '.join(warnings)}" if warnings else ", no warnings"
        )
        return Evidence(step=self.key(), summary=summary, details={"events": rows})


def _when(event: JsonObject) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event.get("firstTimestamp") or "")


def _negated(moment: str) -> tuple[int, ...]:
    """Sorts RFC 3339 texts newest first within an ascending sort."""
    return tuple(-ord(character) for character in moment)


def _row(event: JsonObject) -> JsonObject:
    involved = event.get("involvedObject") or {}
    return {
        "at": _when(event),
        "type": event.get("type"),
        "reason": event.get("reason"),
        "object": f"{str(involved.get('kind', '')).lower()}/{involved.get('name')}",
        "count": event.get("count", 1),
        "message": str(event.get("message", ""))[:500],
    }
