"""Facts of the memory that the workload may have and does not get by with."""

import math
from decimal import Decimal
from typing import NamedTuple

from remediator.domain.run_view import RunView
from remediator.domain.value import JsonObject
from remediator.errors import Permanent, RemediatorError
from remediator.facts.target import main_container, seen
from remediator.kit import Kit
from remediator.workloads.containers import containers_of
from remediator.workloads.fields import text
from remediator.workloads.out_of_memory import Kill, Short, kills_in, short_of
from remediator.workloads.usage import series_of

_PEAK = 'max(max_over_time(container_memory_working_set_bytes{%s, container="%s"}[7d]))'


class _Peak(NamedTuple):
    """The most it used, in bytes; None where that is not known, and why not."""

    bytes: Decimal | None
    why: str = ""


async def short(run: RunView, kit: Kit) -> str:
    """Raises Permanent where nobody can tell: it was not killed, and what it used is not known."""
    one, kills = await _container(run, kit)
    peak = await _peak(run, kit, text(one, "name"))
    if not kills and peak.bytes is None:
        raise Permanent(f"no container was killed for its memory, and what it used is not known: {peak.why}")
    return "yes" if short_of(_limit(one, kills), kills, peak.bytes) is not None else "no"


async def container(run: RunView, kit: Kit) -> str:
    return text((await _container(run, kit))[0], "name")


async def limit(run: RunView, kit: Kit) -> str:
    return _limit(*await _container(run, kit))


async def suggested(run: RunView, kit: Kit) -> str:
    return (await _short(run, kit)).limit


async def rests_on(run: RunView, kit: Kit) -> str:
    return (await _short(run, kit)).rests_on


async def _short(run: RunView, kit: Kit) -> Short:
    one, kills = await _container(run, kit)
    now, peak = _limit(one, kills), await _peak(run, kit, text(one, "name"))
    found = short_of(now, kills, peak.bytes)
    if found is None:
        seen_at_most = f"it used {int(peak.bytes) // 2**20}Mi at most" if peak.bytes is not None else peak.why
        raise Permanent(
            f"nothing speaks for more than {now}: it was not killed for its memory; {seen_at_most}"
        )
    return found


async def _container(run: RunView, kit: Kit) -> tuple[JsonObject, list[Kill]]:
    """The one of the template that was killed, with its kills; else its main container."""
    found = await seen(run, kit)
    kills = kills_in(found.pods)
    named = [
        each for each in containers_of(found.template) if text(each, "name") in {k.container for k in kills}
    ]
    if len(named) > 1:
        raise Permanent(f"several were killed: {', '.join(text(each, 'name') for each in named)}")
    return (named[0], kills) if named else (await main_container(run, kit), [])


def _limit(container: JsonObject, kills: list[Kill]) -> str:
    """As its template says; where that says none, the one that a LimitRange gave the pod that was killed."""
    limit = text(container, "resources", "limits", "memory") or next((each.limit for each in kills), "")
    if not limit:
        raise Permanent("it has none")
    return limit


async def _peak(run: RunView, kit: Kit, container: str) -> _Peak:
    try:
        samples = await kit.prometheus.query(_PEAK % (series_of(run.target), container))
    except RemediatorError as reason:
        return _Peak(None, reason.sentence)
    values = [each.value for each in samples if math.isfinite(each.value)]
    return (
        _Peak(Decimal(max(values)))
        if values
        else _Peak(None, "Prometheus has no series of cAdvisor's about it")
    )
