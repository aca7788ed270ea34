"""Does Alertmanager send us the alerts of each rule? Its routes are followed for what the rule's matchers say.

Grouping takes no label from an alert: each has its own in the message, whatever `group_by` says.
"""

from collections.abc import Iterator

from remediator.doctor.finding import Finding, failed, ok, some, unknown
from remediator.doctor.peer_routing import of_each_peer
from remediator.doctor.routing import Routing
from remediator.doctor.systems import Systems
from remediator.domain.matcher import Matcher, parse_matchers
from remediator.rulebook.load import Rulebook

NOT_ABOUT_US = Matcher("alertname", "!~", "Remediator.+")
"""Alerts about remediator itself are taken to people first, in deploy/alertmanager: no rule is about them."""
_ADD = "let a route to the receiver of remediator take them, with continue: true, before any that keeps them"


async def check_rule_routes(systems: Systems) -> list[Finding]:
    """Each peer that answers, for each line of each rule."""
    rulebook = await systems.rulebook()
    fine = ok(f"the alerts of every rule are sent to us ({len(rulebook.rules)})")
    return await of_each_peer(systems, lambda routing: list(_told(rulebook, routing)) or [fine])


def _told(rulebook: Rulebook, routing: Routing) -> Iterator[Finding]:
    ours = {each.receiver for each in routing.ours}
    for rule in rulebook.rules:
        for text in rule.match:
            line = (*parse_matchers(text), NOT_ABOUT_US)
            surely, perhaps = routing.top.receivers_of(line)
            if surely & ours:
                continue
            if perhaps & ours:
                saw = (
                    f"rule {rule.rule}: whether {text} comes to us hangs on labels that it does not speak of"
                )
                yield unknown(
                    saw, f"see with amtool config routes test; the receivers may be {some(sorted(perhaps))}"
                )
            else:
                yield failed(f"rule {rule.rule}: no route sends us {text}", _ADD)
