"""Which rights these settings and rules need. Pure."""

from remediator.domain.rights import ACT, EVERYWHERE, IN_A_NAMESPACE, Needed, Right
from remediator.rulebook.load import Rulebook
from remediator.rulebook.shape import STEPS
from remediator.settings.load import Settings

_LIST_NAMESPACES = Right("list", "", "namespaces")
_GET_NAMESPACES = Right("get", "", "namespaces")
_GET_NODES = Right("get", "", "nodes")


def everywhere(settings: Settings) -> list[Needed]:
    """In the whole cluster; what the settings tell need not be read."""
    kubernetes = settings.kubernetes
    told = {
        _LIST_NAMESPACES: bool(kubernetes.namespaces),
        # One of a namespace itself is granted there as well.
        _GET_NAMESPACES: bool(kubernetes.namespaces) and settings.cluster.uid is not None,
        _GET_NODES: not kubernetes.look_at_nodes,
    }
    return [
        each
        for each in EVERYWHERE
        if not told.get(each.right) and (each.setting is None or getattr(settings, each.setting))
    ]


def in_a_namespace(settings: Settings, rulebook: Rulebook | None) -> list[Needed]:
    """In each namespace, under this ceiling. Rules that cannot be read (None) may need everything."""
    steps = {key for kind in STEPS.values() for key in kind} if rulebook is None else _steps(rulebook)
    acts = settings.effective_ceiling in ("ask", "act")
    return [each.for_steps(steps) for each in IN_A_NAMESPACE if each.by(steps) and (acts or each.to != ACT)]


def _steps(rulebook: Rulebook) -> set[str]:
    rules = [rule for rule in rulebook.rules if rule.mode != "off"]
    used = {step.key() for rule in rules for step in (*rule.diagnostics, *rule.guards)}
    for rung in (rung for rule in rules for rung in rule.ladder):
        used |= {step.key() for step in (*rung.actions, *rung.verifications)}
    return used | {procedure for rule in rules for procedure in rule.otherwise.hand_over}
