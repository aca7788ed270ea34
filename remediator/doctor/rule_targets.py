"""Do the workloads that `targets:` names exist, and may anything be done to them?"""

from remediator.doctor.finding import Finding, failed, ok, warning
from remediator.doctor.systems import Systems
from remediator.domain.target import Target
from remediator.workloads.consent import ENABLED, why_ask_for_rollback, why_not_opted_in


async def check_rule_targets(systems: Systems) -> list[Finding]:
    """Each workload once, whichever entry names it."""
    rulebook = await systems.rulebook()
    named = sorted({each.target for each in rulebook.targets})
    if not named:
        return [ok("no entry of targets: names a workload")]
    opted_in = set(await systems.opted_in())
    acts = any(each.mode in ("ask", "act") for each in rulebook.rules)
    findings = [await _found(systems, Target.parse(each, ""), opted_in, acts=acts) for each in named]
    return [each for each in findings if each is not None] or [
        ok(f"every workload that targets: names exists and is opted in ({len(named)})")
    ]


async def _found(systems: Systems, target: Target, opted_in: set[str], *, acts: bool) -> Finding | None:
    if target.namespace not in opted_in:
        return warning(
            f"namespace {target.namespace} of {target} has not opted in",
            f"kubectl label namespace {target.namespace} {ENABLED}=true",
        )
    workload = await (await systems.kubernetes()).get(target.kind, target.namespace, target.name)
    if workload is None:
        return failed(f"targets: names {target}, which does not exist", "mend the entry, or take it out")
    why = why_not_opted_in(workload)
    if why is not None:
        return warning(f"{target}: {why}", "let its owners decide")
    asks = why_ask_for_rollback(workload) if acts else ()
    return (
        warning(f"{target}: {asks[0]}", "without it a person is asked before each rollback") if asks else None
    )
