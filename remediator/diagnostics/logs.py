"""The last log lines of the target's pods, and what they say together."""

import asyncio
from datetime import datetime
from typing import Self, TypeAlias

from pydantic import Field, model_validator

from remediator.clients.workload import SeenWorkload, look_at
from remediator.domain.answers import Evidence
from remediator.domain.log_lines import Line, addresses, line, per_minute, signatures, stamped
from remediator.domain.pattern import search
from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, Retryable
from remediator.kit import Kit
from remediator.redaction.text import redact
from remediator.step import Diagnostic
from remediator.workloads.containers import containers_of
from remediator.workloads.fields import condition, text
from remediator.workloads.revisions import current_revision, revisions_of, rollout_began

_MOST_PODS = 3
_MOST_BYTES = 64 * 1024
_ALL_BYTES, _LEAST_BYTES = 160 * 1024, 4 * 1024
"""What all logs share: what a look brings beyond the runbook's 256 KiB is not kept at all."""
_TRIES = 3
_AT_ONCE = 6
_MOST_MINUTES, _MOST_SIGNATURES, _MOST_ADDRESSES = 60, 20, 20

_Read: TypeAlias = tuple[JsonObject, list[Line]]
"""What is shown of the logs of one container, by title, and its lines."""


class Logs(Diagnostic):
    """`logs: {tail: 100, previous: true, grep: '(?i)error'}`: unready pods first, at most three pods.

    Beside the lines: how many, and how many errors, in each minute; and errors that differ only in numbers and
    names, counted, with when each was first seen and whether that was after the last rollout. Of a container that
    writes more in so many lines than there is room for (64 KiB; 160 KiB for all), the newest are read.
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
        wanted = [(pod, text(each, "name")) for pod in pods for each in containers_of(pod)]
        logs = max(1, len(wanted) * (2 if self.previous else 1))
        most = min(_MOST_BYTES, max(_LEAST_BYTES, _ALL_BYTES // logs))
        turns = asyncio.Semaphore(_AT_ONCE)

        async def in_turn(pod: JsonObject, container: str) -> _Read:
            async with turns:
                return await self._read(kit, pod, container, most)

        read = await asyncio.gather(*(in_turn(*each) for each in wanted))
        sections = {title: shown for each, _ in read for title, shown in each.items()}
        lines = [one for _, each in read for one in each]
        return await asyncio.to_thread(self._evidence, lines, sections, len(pods), _rollout_began(seen))

    def _evidence(
        self, lines: list[Line], sections: JsonObject, pods: int, rollout: datetime | None
    ) -> Evidence:
        """Counting takes its time, in which nothing else would be done on the loop; so it is with `_kept`."""
        found = signatures(lines, rollout, _MOST_SIGNATURES)
        errors = sum(each.error for each in lines)
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

    async def _read(self, kit: Kit, pod: JsonObject, container: str, most: int) -> _Read:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        sections: JsonObject = {}
        read: list[Line] = []
        for previous in (False, True) if self.previous else (False,):
            title = f"{name}/{container}" + (" (previous)" if previous else "")
            try:
                written = await self._newest(kit, (namespace, name, container), most, previous=previous)
            except (Retryable, Permanent) as reason:
                sections[title] = f"not available: {reason.sentence}"
                continue
            kept = await asyncio.to_thread(self._kept, written)
            sections[title] = [each.text for each in kept]
            read += kept
        return sections, read

    def _kept(self, written: str) -> list[Line]:
        return [each for each in _redacted(written) if self.grep is None or search(self.grep, each.text)]

    async def _newest(self, kit: Kit, log: tuple[str, str, str], most: int, *, previous: bool) -> str:
        """The newest lines that fit. The API server cuts at the end, so that too many lines lose the last ones."""
        tail, read = self.tail, ""
        for _ in range(_TRIES):
            read = await kit.kube.logs(*log, previous=previous, tail=tail, limit_bytes=most, timestamps=True)
            fitted = read.count("\n")
            if len(read.encode()) < most - 4 or fitted >= tail or tail == 1:
                break
            tail = max(1, fitted * 3 // 4)
        return read


def _redacted(written: str) -> list[Line]:
    """Its lines without secrets, which are looked for in the text as it was written: a key has many lines."""
    lines = stamped(written)
    cleaned = redact("\n".join(text for _, text in lines)).split("\n")
    # What a terminal takes for several lines is shown as several.
    return [
        line(at, part)
        for (at, _), each in zip(lines, cleaned, strict=False)
        for part in each.splitlines() or [""]
    ]


def _rollout_began(seen: SeenWorkload) -> datetime | None:
    revisions = revisions_of(seen.workload, seen.revision_objects)
    current = current_revision(seen.workload, revisions)
    return None if current is None else rollout_began(current, revisions)


def _ready(pod: JsonObject) -> bool:
    return text(condition(pod, "Ready"), "status") == "True"
