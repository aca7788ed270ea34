"""The last log lines of the target's pods."""

from typing import Self

from pydantic import Field, model_validator

from remediator.clients.workload import look_at
from remediator.domain.answers import Evidence
from remediator.domain.pattern import search
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, Retryable
from remediator.kit import Kit
from remediator.redaction.text import redact
from remediator.step import Diagnostic

_MOST_PODS = 3
_MOST_BYTES = 64 * 1024


class Logs(Diagnostic):
    """`logs: {tail: 100, previous: true, grep: '(?i)error'}`: unready pods first, at most three pods."""

    tail: int = Field(default=100, strict=True, ge=1, le=5000)
    """The last lines of each container."""
    previous: bool = Field(default=False, strict=True)
    """Also the lines of the container instance that died before this one."""
    grep: str | None = None
    """An RE2 pattern; only lines in which it is found are kept."""

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
        for pod in pods:
            for container in (pod.get("spec") or {}).get("containers") or []:
                await self._read(kit, pod, str(container["name"]), sections)
        lines = sum(len(each) for each in sections.values() if isinstance(each, list))
        matching = f" matching {self.grep}" if self.grep else ""
        return Evidence(
            step=self.key(), summary=f"{lines} log lines{matching} of {len(pods)} pods", details=sections
        )

    async def _read(self, kit: Kit, pod: JsonObject, container: str, sections: JsonObject) -> None:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        for previous in (False, True) if self.previous else (False,):
            title = f"{name}/{container}" + (" (previous)" if previous else "")
            try:
                text = await kit.kube.logs(
                    namespace, name, container, previous=previous, tail=self.tail, limit_bytes=_MOST_BYTES
                )
            except (Retryable, Permanent) as reason:
                sections[title] = f"not available: {reason.sentence}"
                continue
            # Before lines are chosen: one line of a key says nothing about being one.
            lines = redact(text).splitlines()
            sections[title] = [line for line in lines if self.grep is None or search(self.grep, line)]


def _ready(pod: JsonObject) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
