"""The last log lines of the target's pods, and what they say together."""

from datetime import datetime
from typing import Self

from pydantic import Field, model_validator

from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.answers import Evidence
from remediator.domain.log_lines import Line, addresses, is_error, per_minute, signatures, stamped
from remediator.domain.pattern import search
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, Retryable
from remediator.kit import Kit
from remediator.redaction.text import redact
from remediator.step import Diagnostic
from remediator.workloads.revisions import current_revision, revisions_of, rollout_began

_MOST_PODS = 3
_MOST_BYTES = 64 * 1024
_TRIES = 3
_MOST_MINUTES, _MOST_SIGNATURES, _MOST_ADDRESSES = 60, 20, 20


class Logs(Diagnostic):
    """`logs: {tail: 100, previous: true, grep: '(?i)error'}`: unready pods first, at most three pods.

    Beside the lines: how many, and how many errors, in each minute; and errors that differ only in numbers and
    names, counted, with when each was first seen and whether that was after the last rollout. Of a container that
    writes more than 64 KiB in so many lines, the newest are read.
    """

    tail: int = Field(default=100, strict=True, ge=1, le=5000)
    """The last lines of each container."""
    previous: bool = Field(default=False, strict=True)
    """Also the lines of the container instance that died before this one."""
    grep: str | None = None
    """An RE2 pattern; only lines in which it is found are kept."""
    addresses: bool = Field(default=False, strict=True)
    """Also count the lines that name each IP address."""

    @model_validator(mode="after")
    def _readable_pattern(self) -> Self:
        if self.grep is not None:
            search(self.grep, "")
        return self

    async def look(self, run: RunView, kit: Kit) -> Evidence:
        seen = await look_at(kit.kube, run.target)
        if seen is None:
            return Evidence(step=self.key(), summary=f"{run.target} does not exist", failed=True)
        pods = sorted(seen.pods, key=_ready)[:_MOST_PODS]
        sections: JsonObject = {}
        lines: list[Line] = []
        for pod in pods:
            for container in (pod.get("spec") or {}).get("containers") or []:
                lines += await self._read(kit, pod, str(container["name"]), sections)
        return self._evidence(lines, sections, len(pods), _rollout_began(seen))

    def _evidence(
        self, lines: list[Line], sections: JsonObject, pods: int, rollout: datetime | None
    ) -> Evidence:
        found = signatures(lines, rollout, _MOST_SIGNATURES)
        errors = sum(is_error(each.text) for each in lines)
        new = sum(each.since == "rollout" for each in found)
        matching = f" matching {self.grep}" if self.grep else ""
        said = f"{len(lines)} log lines{matching} of {pods} pods, {errors} of them errors"
        said += f", {new} kinds of which were not seen before the last rollout" if new else ""
        counted: JsonObject = {
            "per_minute": per_minute(lines, _MOST_MINUTES),
            "signatures": [each.to_json() for each in found],
        }
        if self.addresses:
            counted["addresses"] = addresses(lines, _MOST_ADDRESSES)
        return Evidence(step=self.key(), summary=said, details={**sections, **counted})

    async def _read(self, kit: Kit, pod: JsonObject, container: str, sections: JsonObject) -> list[Line]:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        read: list[Line] = []
        for previous in (False, True) if self.previous else (False,):
            title = f"{name}/{container}" + (" (previous)" if previous else "")
            try:
                text = await self._newest(kit, namespace, name, container, previous=previous)
            except (Retryable, Permanent) as reason:
                sections[title] = f"not available: {reason.sentence}"
                continue
            kept = [each for each in _redacted(text) if self.grep is None or search(self.grep, each.text)]
            sections[title] = [each.text for each in kept]
            read += kept
        return read

    async def _newest(self, kit: Kit, namespace: str, pod: str, container: str, *, previous: bool) -> str:
        """The newest lines that fit. The API server cuts at the end, so that too many lines lose the last ones."""
        tail, text = self.tail, ""
        for _ in range(_TRIES):
            text = await kit.kube.logs(
                namespace,
                pod,
                container,
                previous=previous,
                tail=tail,
                limit_bytes=_MOST_BYTES,
                timestamps=True,
            )
            fitted = text.count("\n")
            if len(text.encode()) < _MOST_BYTES - 4 or fitted >= tail or tail == 1:
                break
            tail = max(1, fitted * 3 // 4)
        return text


def _redacted(text: str) -> list[Line]:
    """Its lines without secrets, which are looked for in the text as it was written: a key has many lines."""
    lines = stamped(text)
    cleaned = redact("\n".join(each.text for each in lines)).split("\n")
    return [Line(line.at, each) for line, each in zip(lines, cleaned, strict=False)]


def _rollout_began(seen: SeenWorkload) -> datetime | None:
    revisions = revisions_of(seen.workload, seen.revision_objects)
    current = current_revision(seen.workload, revisions)
    return None if current is None else rollout_began(current, revisions)


def _ready(pod: JsonObject) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
