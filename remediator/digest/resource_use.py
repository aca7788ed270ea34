"""What containers use of processor and memory, the fullest first, in the namespaces that have opted in."""

import asyncio
from collections.abc import Sequence

from remediator.clients.used import used_in
from remediator.digest.section import Found, Line, fine, look, unknown
from remediator.digest.sources import Sources
from remediator.errors import RemediatorError
from remediator.workloads.usage import CONTAINERS, Usage, share, usage_of

_NEAR = 0.9
"""Of a limit."""
_MOST = 50
_AT_ONCE = 4
NOBODY = "no namespace has opted in (label remediator.io/enabled=true), so nothing is looked at"


async def fill(sources: Sources) -> Found:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(namespace: str) -> tuple[list[Line], list[dict[str, object]]]:
        async with turns:
            return await _of_namespace(sources, namespace)

    namespaces = sorted(await sources.opted_in())
    if not namespaces:
        return Found(lines=(unknown(NOBODY),))
    told = await asyncio.gather(*map(in_turn, namespaces))
    return Found(
        lines=tuple(line for lines, _ in told for line in lines),
        details={"containers": [row for _, rows in told for row in rows]},
    )


async def _of_namespace(sources: Sources, namespace: str) -> tuple[list[Line], list[dict[str, object]]]:
    kit = sources.kit
    try:
        pods = await kit.kube.list("pod", namespace)
    except RemediatorError as reason:
        return [unknown(f"{namespace}: {reason.sentence}")], []
    told = await used_in(kit.kube, kit.prometheus, namespace, f'namespace="{namespace}", {CONTAINERS}')
    rows = usage_of(pods, told.used, {}, {})
    known = [each for each in rows if each.cpu is not None or each.memory is not None]
    shown = [{"namespace": namespace, **each.to_json()} for each in known[:_MOST]]
    return _lines(namespace, pods, rows, known, told.without), shown


def _lines(
    namespace: str,
    pods: Sequence[object],
    rows: Sequence[Usage],
    known: Sequence[Usage],
    without: Sequence[str],
) -> list[Line]:
    if not pods:
        return [fine(f"{namespace}: no pod runs")]
    if not known:
        return [unknown(f"{namespace}: what its {len(pods)} pods use is not known: {'; '.join(without)}")]
    cpu, memory = (sum(getattr(each, name) or 0.0 for each in known) for name in ("cpu", "memory"))
    lines = [fine(f"{namespace}: {cpu:.2f} cores and {memory / 2**20:.0f} MiB in {len(pods)} pods")]
    lines += [look(f"{namespace}: {_full(each)}") for each in known if each.fullest >= _NEAR]
    if len(known) < len(rows):
        lines.append(
            unknown(f"{namespace}: what {len(rows) - len(known)} of {len(rows)} containers use is not known")
        )
    return lines


def _full(row: Usage) -> str:
    parts = [
        f"{part:.0%} of its {name} limit"
        for name in ("cpu", "memory")
        if (part := share(getattr(row, name), getattr(row, f"{name}_limit"))) is not None and part >= _NEAR
    ]
    return f"{row.container} of {row.pod} is at {' and '.join(parts)}"
