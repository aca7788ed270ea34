"""Which containers were killed for want of memory, and which limit they should have instead. Pure."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from remediator.domain.value import JsonObject
from remediator.workloads.containers import amount, containers_of
from remediator.workloads.deaths import OUT_OF_MEMORY, last_death
from remediator.workloads.fields import objects, text

_MI = 2**20
_KILLED_FACTOR, _NEAR_FACTOR = Decimal("1.5"), Decimal("1.25")


class Kill(NamedTuple):
    """One container that ended last by being killed for want of memory."""

    pod: str
    container: str
    limit: str
    """As it is written; empty where it has none, so that its node or another limit ran out."""
    at: datetime | None

    def __str__(self) -> str:
        limit = f"at its memory limit of {self.limit}" if self.limit else "and has no memory limit of its own"
        return f"{self.pod}: {self.container} was {OUT_OF_MEMORY} {limit}"


class Short(NamedTuple):
    """Memory that does not suffice, the limit to give instead, and what that rests on."""

    limit: str
    rests_on: str


def kills_in(pods: Iterable[JsonObject]) -> list[Kill]:
    """Of the containers that run side by side; init containers are left out."""
    return [
        Kill(text(pod, "metadata", "name"), name, _limits(pod).get(name, ""), _when(death))
        for pod in pods
        for status in objects(pod, "status", "containerStatuses")
        if (name := text(status, "name"))
        and (death := last_death(status)) is not None
        and death["reason"] == OUT_OF_MEMORY
    ]


def killed_since(pods: Iterable[JsonObject], since: datetime, blamed: str | None) -> list[Kill]:
    """The kills since then, where they are of the pod that is blamed, or of every pod there is; else none.

    A pod that was killed and started again is ready and fine until it meets its limit again.
    """
    every = tuple(pods)
    lately = [each for each in kills_in(every) if each.at is not None and each.at >= since]
    killed = {each.pod for each in lately}
    return lately if blamed in killed or (killed and len(killed) == len(every)) else []


def short_of(limit: str, kills: Iterable[Kill], peak: Decimal | None) -> Short | None:
    """What to give a container of this limit, by those of its kills and by the most that it was seen to use.

    None when nothing speaks for more. What was killed at its limit needs more, and nobody has seen how much: no
    peak goes beyond the limit. So that is half as much again; what came near, a quarter more than its peak.
    """
    now = amount({"resources": {"limits": {"memory": limit}}}, "limits", "memory")
    if now is None:
        return None
    seen = (
        f"at most {_written(peak)} were seen in 7 days" if peak is not None else "what it used is not known"
    )
    killed = len({each.pod for each in kills if each.limit == limit})
    if killed:
        raised = _written(max(now, peak or Decimal(0)) * _KILLED_FACTOR)
        pods = "1 pod was" if killed == 1 else f"{killed} pods were"
        return Short(
            raised,
            f"{pods} killed at {limit} ({seen}), so it needs more; how much more nobody can have seen: "
            f"{raised} is half as much again",
        )
    if peak is not None and peak * _NEAR_FACTOR > now:
        raised = _written(peak * _NEAR_FACTOR)
        return Short(raised, f"{seen}, near {limit}; {raised} is a quarter more than that")
    return None


def _limits(pod: JsonObject) -> dict[str, str]:
    return {text(each, "name"): text(each, "resources", "limits", "memory") for each in containers_of(pod)}


def _when(death: JsonObject) -> datetime | None:
    try:
        return datetime.fromisoformat(death["finished_at"])
    except ValueError:
        return None


def _written(size: Decimal | None) -> str:
    """In whole Mi, rounded up."""
    return f"{-(-int(size or 0) // _MI)}Mi"
