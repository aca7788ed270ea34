"""From an alert's labels to the one object it is about, or to the reason why none can be named."""

from collections.abc import Mapping, Sequence

from remediator.domain.answers import Refusal
from remediator.domain.target import KINDS, Target, misnamed
from remediator.domain.value import Value
from remediator.rulebook.rule import RuleTarget

_WORKLOAD_LABELS = ("deployment", "statefulset", "daemonset")


class Resolved(Value):
    """The target and what it depends on."""

    target: Target
    depends_on: tuple[str, ...] = ()


def resolve(
    labels: Mapping[str, str], rule_targets: Sequence[RuleTarget], cluster: str
) -> Resolved | Refusal:
    """One alert gives exactly one object, or a refusal that names why.

    `rule_targets` are the entries of `targets:` that match the alert. A workload named by labels and
    one named by `targets:` must be the same.
    """
    found: dict[str, Target] = {}
    by_labels = _from_labels(labels, cluster)
    if isinstance(by_labels, Refusal):
        return by_labels
    if by_labels is not None:
        found[str(by_labels)] = by_labels
    depends_on: list[str] = []
    for entry in rule_targets:
        try:
            target = Target.parse(entry.target, cluster)
        except ValueError as reason:
            return Refusal(why=str(reason))
        found[str(target)] = target
        depends_on.extend(entry.depends_on)
    if not found:
        return Refusal(
            why="the alert names no workload: it has no deployment label, and no entry of targets: matches it"
        )
    if len(found) > 1:
        return Refusal(why=f"two candidates: {' and '.join(sorted(found))}")
    return Resolved(target=next(iter(found.values())), depends_on=tuple(dict.fromkeys(depends_on)))


def _from_labels(labels: Mapping[str, str], cluster: str) -> Target | Refusal | None:
    """The workload the alert's own labels name; None when they name none at all."""
    named = [(kind, _label(labels, kind)) for kind in _WORKLOAD_LABELS if _label(labels, kind) is not None]
    workload, workload_type = _label(labels, "workload"), _label(labels, "workload_type")
    if workload is not None and workload_type is not None:
        named.append((workload_type.lower(), workload))
    named = list(dict.fromkeys(named))
    if not named:
        return None
    if len(named) > 1:
        return Refusal(why="two candidates: " + " and ".join(f"{kind} {name}" for kind, name in named))
    kind, name = named[0][0], named[0][1] or ""
    namespace = _label(labels, "namespace")
    if namespace is None:
        return Refusal(why=f"the alert names {kind} {name!r} but no namespace, and none is ever assumed")
    if kind not in KINDS:
        return Refusal(why=f"{kind}/{namespace}/{name} is of a kind this version cannot change")
    wrong = misnamed(kind, namespace, name)
    if wrong is not None:
        return Refusal(why=wrong)
    return Target(cluster=cluster, kind=kind, namespace=namespace, name=name)


def _label(labels: Mapping[str, str], name: str) -> str | None:
    """A label's value. Where `exported_x` is present, plain `x` names the exporter and is not used."""
    return labels.get(f"exported_{name}", labels.get(name))
