"""Rights in the cluster beyond those that are declared, with which the daemon changes nothing."""

from remediator.doctor.finding import Finding, failed, ok, some, unknown
from remediator.doctor.systems import Systems
from remediator.domain.own_rights import NOWHERE_GRANTED, Held, beyond, told
from remediator.errors import RemediatorError

_GO_BY_WHAT_IS_LISTED = (
    "on EKS, GKE and AKS it is always so, since a webhook authorizes beside RBAC: kubernetes.trust_listed_rights goes "
    "by what is listed; under the ceilings off and shadow nothing hangs on it"
)


async def check_more_rights(systems: Systems) -> list[Finding]:
    """Asks by SelfSubjectRulesReview, as the daemon does before it changes something."""
    rules, settings = await systems.own_rules(), systems.settings.kubernetes
    namespaces = [NOWHERE_GRANTED, *await systems.opted_in()]
    findings: list[Finding] = []
    everywhere: set[Held] = set()
    for namespace in namespaces:
        try:
            found = await rules.in_namespace(namespace)
        except RemediatorError as reason:
            findings.append(unknown(reason.sentence, "let it answer: until then nothing is changed"))
            continue
        more = [
            each for each in beyond(found.held, namespace, settings.of_everybody) if each not in everywhere
        ]
        if namespace == NOWHERE_GRANTED:
            everywhere = set(more)
        if more:
            findings.append(failed(told(more, namespace), "apply what `remediator rbac` prints, and no more"))
        elif found.incomplete is not None and not settings.trust_listed_rights:
            saw = f"not all rights in namespace {namespace} could be listed: {found.incomplete}"
            findings.append(unknown(saw, _GO_BY_WHAT_IS_LISTED))
    if not findings:
        findings.append(ok(f"nothing beyond what is declared, in {some(namespaces)} and everywhere"))
    return findings
