"""What planning makes of an alert by its labels alone, without looking for a target. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from remediator.planning.policy import Policy
from remediator.rulebook.match import Matching


class Decided(NamedTuple):
    """Nothing is planned, whatever the alert is about."""

    disposition: str
    why: str


def decided(labels: Mapping[str, str], matching: Matching, policy: Policy) -> Decided | None:
    """Whether the alert is another cluster's, or no rule's; None where its target has to be looked up."""
    cluster = labels.get(policy.cluster_label or "", policy.cluster)
    if cluster != policy.cluster:
        return Decided("other_cluster", f"it is about cluster {cluster!r}")
    if matching.rules_for(labels):
        return None
    off = matching.off_rules_for(labels)
    return Decided("no_rule", "only rules in mode off match it" if off else "no rule matches it")
