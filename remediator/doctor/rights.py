"""Rights in the cluster: none missing that the rules in use need, and none beside them that would be dangerous.

Asked by SelfSubjectAccessReview, which tells what the API server would answer and makes no object.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import product

from remediator.clients.kube_about import KubeAbout
from remediator.doctor.finding import Finding, failed, ok, some, unknown, warning
from remediator.doctor.systems import Systems
from remediator.domain.rights import (
    ACT,
    ALL,
    DANGEROUS_EVERYWHERE,
    DANGEROUS_IN_A_NAMESPACE,
    EVERYWHERE,
    IN_A_NAMESPACE,
    Dangerous,
    Needed,
    Right,
)
from remediator.errors import Permanent, RemediatorError
from remediator.rulebook.load import Rulebook
from remediator.rulebook.problem import RulebookError
from remediator.rulebook.shape import STEPS
from remediator.workloads.consent import why_not_opted_in

Held = tuple[Right, str | None]
"""A right and where: a namespace, or None for the whole cluster."""

_LIST_NAMESPACES = Right("list", "", "namespaces")
_APPLY = "kubectl apply -f deploy/base/cluster-role.yaml"
_APPLY_REVIEWS = "kubectl apply -f deploy/people/reviews.yaml"
_FILES = {"look": "look.yaml", "act": "act.yaml"}


async def check_rights(systems: Systems) -> list[Finding]:
    """Asks for the whole cluster first, then in every namespace that has opted in."""
    about = await systems.about_kubernetes()
    if await about.may(ALL, None):
        return [
            warning(
                "it may do everything in the cluster, which no step needs",
                "run the daemon as the ServiceAccount of deploy/base; whoever steals this token owns the cluster",
            )
        ]
    findings = await _cluster_wide(systems, about)
    try:
        namespaces = await systems.opted_in()
    except RemediatorError as reason:
        why = f"no right in any namespace was checked: {reason.sentence}"
        return [*findings, unknown(why, "let it read namespaces first")]
    return [*findings, *await _in_namespaces(systems, about, namespaces)]


async def _cluster_wide(systems: Systems, about: KubeAbout) -> list[Finding]:
    named = bool(systems.settings.kubernetes.namespaces)
    needed = [each for each in EVERYWHERE if not (named and each.right == _LIST_NAMESPACES)]
    needed = [each for each in needed if each.setting is None or getattr(systems.settings, each.setting)]
    held = await _held(about, [each.right for each in needed], [None])
    lacking = [each for each in needed if (each.right, None) not in held]
    findings = [*_done_without(lacking), *await _dangerous(about, DANGEROUS_EVERYWHERE, [None])]
    for setting in dict.fromkeys(each.setting for each in lacking):
        missing = [str(each.right) for each in lacking if each.without is None and each.setting == setting]
        if missing:
            saw = f"in the whole cluster: {', '.join(missing)} is refused"
            findings.insert(0, failed(saw, _APPLY if setting is None else _APPLY_REVIEWS))
    return findings


def _done_without(lacking: Iterable[Needed]) -> list[Finding]:
    """Missing rights that may be missing, with what is lost."""
    lost: dict[str, list[str]] = {}
    for each in lacking:
        if each.without is not None:
            lost.setdefault(each.without, []).append(str(each.right))
    return [
        warning(f"in the whole cluster: {', '.join(rights)} is refused: {without}", _APPLY)
        for without, rights in lost.items()
    ]


async def _in_namespaces(systems: Systems, about: KubeAbout, namespaces: Sequence[str]) -> list[Finding]:
    if not namespaces:
        return [unknown("no namespace has opted in, so there is none to have rights in", "label one")]
    everything = [each for each in namespaces if await about.may(ALL, each)]
    held = await _held(about, [each.right for each in IN_A_NAMESPACE], namespaces)
    needed = await _needed(systems)
    findings = list(_missing(needed, held, await _nobody_asks(systems, needed, held, namespaces), namespaces))
    if not findings:
        findings.append(ok(f"all rights that the rules need, in {some(list(namespaces))}"))
    if everything:
        saw = f"it may do everything in {some(everything)}, which no step needs"
        findings.append(warning(saw, "take its admin's RoleBinding away and apply deploy/namespace/"))
    rest = [each for each in namespaces if each not in everything]
    findings += await _dangerous(about, DANGEROUS_IN_A_NAMESPACE, rest)
    return findings + _too_early(systems, held, rest)


async def _needed(systems: Systems) -> list[Needed]:
    """What the rules in use need under this ceiling. Rules that cannot be read may need everything."""
    try:
        steps = _steps(await systems.rulebook())
    except RulebookError:
        steps = {key for kind in STEPS.values() for key in kind}
    acts = systems.settings.effective_ceiling in ("ask", "act")
    return [each.for_steps(steps) for each in IN_A_NAMESPACE if each.by(steps) and (acts or each.to != ACT)]


def _steps(rulebook: Rulebook) -> set[str]:
    used = {step.key() for rule in rulebook.rules for step in (*rule.diagnostics, *rule.guards)}
    for rung in (rung for rule in rulebook.rules for rung in rule.ladder):
        used |= {step.key() for step in (*rung.actions, *rung.verifications)}
    return used


async def _nobody_asks(
    systems: Systems, needed: Iterable[Needed], held: set[Held], namespaces: Sequence[str]
) -> set[Held]:
    """Missing rights to change a kind of which no workload there has opted in: they are not missed."""
    kube = await systems.kubernetes()
    found: set[Held] = set()
    for each, namespace in product(needed, namespaces):
        if each.opted_in is None or (each.right, namespace) in held:
            continue
        try:
            workloads = await kube.list(each.opted_in, namespace)
        except Permanent:
            continue  # without the right to look, which is said by itself
        if not any(why_not_opted_in(workload) is None for workload in workloads):
            found.add((each.right, namespace))
    return found


def _missing(
    needed: Iterable[Needed], held: set[Held], not_missed: set[Held], namespaces: Sequence[str]
) -> Iterable[Finding]:
    for namespace, (to, file) in product(namespaces, _FILES.items()):
        lacking = [
            str(each.right)
            for each in needed
            if each.to == to and (each.right, namespace) not in held | not_missed
        ]
        if lacking:
            yield failed(
                f"in namespace {namespace}: {', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} refused",
                f"kubectl apply -n {namespace} -f deploy/namespace/{file}",
            )


async def _dangerous(
    about: KubeAbout, table: Sequence[Dangerous], namespaces: Sequence[str | None]
) -> list[Finding]:
    held = await _held(about, [each.right for each in table], namespaces)
    findings = []
    for right, why in table:
        within = [namespace or "the whole cluster" for namespace in namespaces if (right, namespace) in held]
        if within:
            saw = f"it may {right} in {some(within)}, which no step needs: that {why}"
            findings.append(warning(saw, "take the role that grants it away from this user"))
    return findings


def _too_early(systems: Systems, held: set[Held], namespaces: Sequence[str]) -> list[Finding]:
    """Rights to act that a daemon which only looks already has."""
    ceiling = systems.settings.effective_ceiling
    acting = [each.right for each in IN_A_NAMESPACE if each.to == ACT]
    within = [each for each in namespaces if any((right, each) in held for right in acting)]
    if ceiling in ("ask", "act") or not within:
        return []
    saw = f"it may change things in {some(within)}, which the ceiling {ceiling} never needs"
    return [warning(saw, f"kubectl -n {within[0]} delete rolebinding remediator-act, until it is to act")]


async def _held(about: KubeAbout, rights: Sequence[Right], namespaces: Sequence[str | None]) -> set[Held]:
    """Those rights that we have, and where. Raises when the API server does not say it of all of them."""
    asked = list(product(rights, namespaces))
    answers = await asyncio.gather(*(about.may(right, namespace) for right, namespace in asked))
    return {each for each, allowed in zip(asked, answers, strict=True) if allowed}
